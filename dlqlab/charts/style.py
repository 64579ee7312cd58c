"""One style for all charts: a colour per meaning, the finding as the title, a light grid, one font.

Colours are those of Okabe and Ito, which stay apart under the common colour-vision deficiencies; each meaning also
differs by position, dash or label, so that no chart depends on colour alone. Figures are built without pyplot: there
is no global state, and a figure that is dropped is freed.
"""

import base64
import io
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave

COMPLETED: Final = "#009E73"  # green
DEAD: Final = "#D55E00"  # vermilion: dead-lettered, or against the rules
RETRYING: Final = "#E69F00"  # orange: a failed attempt, a retry
ACCEPTED: Final = "#0072B2"  # blue: what the clients sent
EMULATOR: Final = "#CC79A7"  # purple: added by the emulator, not by the pipeline
PIPELINE: Final = "#7A5C1E"  # brown: the functions' share
IN_FLIGHT: Final = "#56B4E9"  # sky
UNKNOWN: Final = "#8A8A8A"
TARGET: Final = "#1A1A1A"  # dashed: what was promised
TEXT: Final = "#222222"
FAINT: Final = "#5F5F5F"
GRID: Final = "#E4E4E4"

INK: Final[Mapping[str, str]] = {
    COMPLETED: "#00795A",
    DEAD: "#B84A00",
    RETRYING: "#8F6300",
    EMULATOR: "#A3487C",
    IN_FLIGHT: "#1F76AB",
    UNKNOWN: "#6A6A6A",
}
"""Darker shades of the fills, for text on white."""


WIDTH_IN: Final = 7.0
PNG_DPI: Final = 160
SHOWN_DPI: Final = 100
_TITLE_COLUMNS: Final = 62
_RC: Final[Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same picture on every machine
    "font.size": 10.5,
    "text.color": TEXT,
    "axes.edgecolor": "#B5B5B5",
    "axes.labelcolor": FAINT,
    "axes.labelsize": 10,
    "axes.titlesize": 10,
    "axes.titlecolor": FAINT,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "lines.linewidth": 1.9,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
}


class Chart(Figure):
    """A figure that shows itself in a notebook and carries its finding as alternative text."""

    alt: str = ""

    def png(self, dpi: int = PNG_DPI) -> bytes:
        """The chart as PNG."""
        target = io.BytesIO()
        before, self.dpi = self.dpi, dpi
        try:
            with mpl.rc_context(_RC):
                canvas: Any = FigureCanvasAgg(self)  # its methods have no types
                canvas.draw()  # print_figure draws twice: once for the layout, which drawing sees to anyway
                imsave(target, np.asarray(canvas.buffer_rgba())[..., :3], format="png", dpi=dpi)
        finally:
            self.dpi = before
        return target.getvalue()

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        """What Jupyter shows; the size is given, so that the picture is sharp on a dense screen."""
        width, height = (round(inches * SHOWN_DPI) for inches in self.get_size_inches())
        data = {"image/png": base64.b64encode(self.png()).decode(), "text/plain": self.alt}
        return data, {"image/png": {"alt": self.alt, "width": width, "height": height}}


def styled[**P, R](draw: Callable[P, R]) -> Callable[P, R]:
    """Draw in our style; the settings of matplotlib are the caller's again afterwards."""

    @wraps(draw)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        with mpl.rc_context(_RC):
            return draw(*args, **kwargs)

    return inner


def chart(
    finding: str,
    *,
    rows: int = 1,
    height_in: float = 3.7,
    share_x: bool = True,
    ratios: Sequence[float] | None = None,
) -> tuple[Chart, list[Axes]]:
    """An empty chart whose title states the finding, with one axes a row."""
    figure = Chart(figsize=(WIDTH_IN, height_in), layout="constrained")
    figure.alt = finding
    figure.suptitle(
        wrapped(finding, _TITLE_COLUMNS), x=0.012, ha="left", fontsize=12.5, fontweight="bold", linespacing=1.15
    )
    grid = figure.subplots(rows, 1, sharex=share_x, squeeze=False, height_ratios=ratios)
    return figure, [row[0] for row in grid]


@styled
def no_data(subject: str, reason: str) -> Chart:
    """The chart that stands where another could not be drawn, and says why."""
    figure, (axes,) = chart(f"{subject}: no data", height_in=1.5)
    axes.set_axis_off()
    axes.text(0, 0.5, wrapped(f"no data: {reason}", 80), transform=axes.transAxes, va="center", color=FAINT)
    figure.alt = f"{subject}: no data: {reason}"
    return figure


@styled
def annotated(figure: Chart, caveats: Sequence[str]) -> Chart:
    """The chart with what speaks against its source written below it; without caveats as it was."""
    if caveats:
        text = "Caution: " + "; ".join(caveats)
        figure.supxlabel(wrapped(text, 96), x=0.012, ha="left", fontsize=9.5, color=INK[DEAD])
        figure.alt = f"{figure.alt}. {text}"
        width, height = figure.get_size_inches()
        figure.set_size_inches(width, height + 0.2 * (1 + len(text) // 96))
    return figure


def wrapped(text: str, columns: int) -> str:
    """The text in lines; a number stays with its unit."""
    glued = re.sub(r"(?<=\d) (?=%|s\b|ms\b)", "\u00a0", text)
    return "\n".join(textwrap.wrap(glued, columns, break_long_words=False, break_on_hyphens=False))


def percent(ratio: float, digits: int = 1) -> str:
    """A ratio as text: 0.3 is 30.0 %."""
    return f"{100 * ratio:.{digits}f} %"


def percent_exact(ratio: float) -> str:
    """A setting as text, with no more digits than it has: 0.3 is 30 %, 0.027 is 2.7 %."""
    return f"{100 * ratio:.4g} %"


def count(value: float) -> str:
    """A whole number with separators."""
    return f"{round(value):,}"


def plural(value: float, noun: str) -> str:
    """A count with its noun: 1 retry, 2 retries."""
    if round(value) == 1:
        return f"1 {noun}"
    return f"{count(value)} {noun[:-1] + 'ies' if noun.endswith('y') else noun + 's'}"


def end_labels(axes: Axes, labels: Sequence[tuple[float, float, str, str]]) -> None:
    """Text right of the ends of lines, (x, y, text, colour) each, moved apart where they would overlap.

    Call it when the limits of the axes are final.
    """
    low, high = axes.get_ylim()
    gap = (high - low) * 0.17 / (0.62 * _panel_height_in(axes))
    floor = low - gap / 2  # the lowest label stands above the axis, not across it
    ground = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"}
    for x, y, text, colour in sorted(labels, key=lambda label: label[1]):
        floor = max(y, floor + gap)
        axes.annotate(
            text, (x, floor), xytext=(5, 0), textcoords="offset points", va="center", color=INK.get(colour, colour),
            fontsize=9.5, fontweight="bold", annotation_clip=False, bbox=ground,
        )  # fmt: skip


def key(axes: Axes, names: Sequence[tuple[str, str]], *, right: float = 0.985, top: float = 0.5) -> None:
    """Names in their colours, one below the other, where lines lie too close to be named on the spot.

    Args:
        axes: to write on.
        names: text and colour each.
        right: end of the texts, as a share of the axes' width.
        top: of the first text, as a share of the axes' height.
    """
    step = 0.24 / _panel_height_in(axes)
    for place, (name, colour) in enumerate(names):
        axes.text(right, top - place * step, name, transform=axes.transAxes, ha="right", va="top", fontsize=9.5,
                  fontweight="bold", color=INK.get(colour, colour))  # fmt: skip


def _panel_height_in(axes: Axes) -> float:
    """About what one of the rows of its figure has."""
    figure = axes.get_figure(root=True)
    return 1.0 if figure is None else float(figure.get_figheight()) / len(figure.axes)


def by_attempt(frame: pd.DataFrame) -> list[tuple[int, pd.DataFrame]]:
    """The rows of each attempt number, in order."""
    numbers = sorted(int(number) for number in frame["attempt"].dropna().unique())
    return [(number, frame[frame["attempt"] == number]) for number in numbers]


def halo(axes: Axes, x: float, y: float, text: str, **kwargs: Any) -> None:
    """Text on a white ground, legible over lines and bars."""
    box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
    axes.text(x, y, text, bbox=box, fontsize=kwargs.pop("fontsize", 9.5), **kwargs)

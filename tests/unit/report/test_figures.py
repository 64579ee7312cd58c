"""Figures: pure functions from tidy frames to charts."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation

from dlqlab.charts.distributions import distributions
from dlqlab.charts.fates import FATES
from dlqlab.charts.lateness import Probe
from dlqlab.charts.over_time import Phases
from dlqlab.charts.pair import effects
from dlqlab.charts.run import (
    attempt_fates,
    causes,
    dead_letter_ages,
    dlq_volume,
    failure_rate,
    host_load,
    latency,
    lateness_over_time,
    lateness_quantiles,
    queue_depths,
    retry_gaps,
    retry_lateness,
    slowest_dead_letters,
    throughput,
)
from dlqlab.charts.style import no_data

PNG = b"\x89PNG\r\n\x1a\n"
PHASES = Phases(load_s=2.0, drained_s=4.0)
EMPTY = pd.DataFrame()
RETRIES = pd.DataFrame(
    {
        "attempt": [2, 2, 3],
        "gap_s": [2.1, 2.2, 4.3],
        "backoff_s": [2.0, 2.0, 4.0],
        "lateness_s": [0.1, 0.2, 0.3],
        "failed_ts": [10.0, 11.0, 14.0],
    }
)
RATES = pd.DataFrame(
    {
        "attempt": [1, 2, 0],
        "n": [100, 30, 130],
        "rate": [0.3, 0.2, 0.28],
        "low": [0.2, 0.1, 0.2],
        "high": [0.4, 0.4, 0.4],
    }
)


def lines_y(chart: Figure) -> list[float]:
    """The heights of all horizontal lines."""
    found = [np.asarray(line.get_ydata(), dtype="float64").tolist() for axes in chart.axes for line in axes.lines]
    return [ys[0] for ys in found if len(ys) > 1 and len(set(ys)) == 1]


def texts(chart: Figure) -> str:
    """Everything that is written in the chart, title included."""
    said = [text.get_text() for axes in chart.axes for text in axes.texts]
    ticks = [tick.get_text() for axes in chart.axes for tick in axes.get_xticklabels()]
    return "\n".join([chart.get_suptitle(), *said, *ticks]).replace("\u00a0", " ")


def test_failure_rate_draws_target_and_says_where_it_lies() -> None:
    """The target is a line, n stands under each rate, and the title says whether the interval holds the target."""
    chart = failure_rate.draw(RATES, target=0.3, confidence=0.95)

    assert "28.0 % of 130 attempts failed: the target of 30 % lies inside the 95 % interval" == chart.alt
    assert 0.3 in lines_y(chart)
    assert "n = 130" in texts(chart)
    assert "target 30 %" in texts(chart)


def test_failure_rate_outside_is_said() -> None:
    """A target that the interval leaves out is called outside."""
    chart = failure_rate.draw(RATES, target=0.6, confidence=0.95)

    assert "lies outside the 95 % interval" in chart.alt


def test_early_retry_is_counted_in_the_title() -> None:
    """One retry before its backoff turns the finding."""
    early = RETRIES.assign(gap_s=[1.9, 2.2, 4.3])

    chart = retry_gaps.draw(early, bounds_s=[(2, 2), (4, 4)])

    assert "1 retry of 3 came before the backoff was over" == chart.alt


def test_no_bar_of_punctual_retries_reaches_left_of_the_backoff() -> None:
    """The bins are laid so that a bar left of the backoff means an early retry."""
    chart = retry_gaps.draw(RETRIES.assign(gap_s=[2.0, 2.001, 4.0]), bounds_s=[(2, 2), (4, 4)])

    panels = [[patch for patch in axes.patches if isinstance(patch, Rectangle)] for axes in chart.axes]
    bars = [[bar for bar in panel if bar.get_width() < 0.2 and bar.get_height() > 0] for panel in panels]
    lefts = [min(bar.get_x() for bar in panel) for panel in bars]
    assert [2, 1] == [sum(round(bar.get_height()) for bar in panel) for panel in bars]
    assert [True, True] == [left >= backoff - 0.0011 for left, backoff in zip(lefts, (2, 4), strict=True)]


def test_lateness_names_the_emulators_share() -> None:
    """The median is split into what the probe measured and the rest; the limit is drawn."""
    probe = Probe(median_s=0.15, p95_s=0.3, n=20)

    chart = retry_lateness.draw(RETRIES, limit_s=2.0, probe=probe)

    expected = "The median retry starts 0.20 s late, within the limit of 2.00 s; 0.15 s of it is the emulator's own"
    assert expected == chart.alt
    assert "limit 2.00 s" in texts(chart)


def test_lateness_without_a_probe_says_so() -> None:
    """What was not measured is not guessed."""
    chart = retry_lateness.draw(RETRIES, limit_s=0.1, probe=None)

    assert "the emulator's share was not measured" in texts(chart)
    assert "over the limit" in chart.alt


@pytest.mark.parametrize(("measured", "place"), [(27, "inside"), (90, "outside")])
def test_dlq_volume_is_held_against_its_band(measured: int, place: str) -> None:
    """The measured number, the expectation and the band are all in the chart."""
    pmf = pd.DataFrame({"dead_letters": [20, 27, 34], "probability": [0.1, 0.8, 0.1]})

    chart = dlq_volume.draw(
        measured=measured, n=1000, predicted_share=0.027, pmf=pmf, band=(20, 35), confidence=0.95, seed_predicts=27
    )

    assert f": {place} the predicted 20 to 35" in chart.alt
    assert "expected 27.0" in texts(chart)
    assert f"measured {measured}" in texts(chart)


def test_queue_that_is_not_empty_at_the_end_is_said() -> None:
    """Messages in the last sample are counted in the title."""
    rows = [(0, "tasks", 3, 4, 0), (1, "tasks", 2, 1, 0), (0, "dead-letters", 0, 0, 0), (1, "dead-letters", 1, 0, 0)]
    queues = pd.DataFrame(rows, columns=["t_s", "queue", "visible", "in_flight", "delayed"])

    chart = queue_depths.draw(queues, phases=PHASES)

    assert "At most 7 messages were in the queue tasks; 4 messages are left at the end" == chart.alt


def test_fates_count_every_attempt() -> None:
    """Each fate is written with its number."""
    fates = pd.DataFrame(
        {"attempt": [1, 2], "completed": [70, 20], "retried": [30, 0], "dead-lettered": [0, 9], "no end seen": [0, 1]}
    )

    chart = attempt_fates.draw(fates)

    assert "90 tasks completed, 70 of them at the first try; 9 ended in the dead-letter queue" == chart.alt
    assert all(label in texts(chart) for label in ("completed 70", "retried 30", "dead-lettered 9", "no end seen 1"))


def test_host_load_names_the_part_that_took_most() -> None:
    """The greatest consumer is in the title, every part is named at its line."""
    host = pd.DataFrame(
        {
            "t_s": [0.0, 0.0, 1.0, 1.0],
            "part": ["emulator", "load"] * 2,
            "cpu_pct": [90.0, 9.0, 92.0, 11.0],
            "rss_mb": 50.0,
        }
    )

    chart = host_load.draw(host, phases=PHASES, cores=2)

    assert "Emulator took most CPU (91 % of a core on average); all parts together 101 % of 200 %" == chart.alt
    assert "load" in texts(chart)


def test_effect_whose_interval_leaves_zero_out_differs() -> None:
    """Only measures that chance does not explain are counted as different."""
    row = {"title": "rate", "unit": "ratio", "first": 0.3, "second": 0.4, "difference": 0.1}
    rows = [effects.EffectRow(**row, interval=(0.05, 0.15)), effects.EffectRow(**row, interval=(-0.05, 0.15))]  # type: ignore[arg-type]

    chart = effects.draw(rows, names=("a", "b"), confidence=0.95)

    assert "1 of 2 measures differ between a and b" == chart.alt


def test_empty_data_gives_a_chart_that_says_why() -> None:
    """No figure raises on empty data: it says that and why there is nothing to draw."""
    retries = RETRIES.head(0)
    charts = [
        failure_rate.draw(RATES.head(0), target=0.3, confidence=0.95),
        retry_gaps.draw(retries, bounds_s=[]),
        retry_lateness.draw(retries, limit_s=1.0, probe=None),
        lateness_over_time.draw(retries, start_ts=0.0, limit_s=1.0),
        lateness_quantiles.draw(EMPTY, probe=None),
        dlq_volume.draw(measured=0, n=0, predicted_share=0.1, pmf=EMPTY, band=(0, 0), confidence=0.95),
        queue_depths.draw(EMPTY, phases=PHASES),
        throughput.draw(EMPTY, phases=PHASES, means_per_s=(0.0, 0.0), offered_per_s=1.0, bucket_s=1.0),
        latency.draw(EMPTY, EMPTY, medians=(float("nan"), float("nan")), phases=PHASES),
        host_load.draw(EMPTY, phases=PHASES),
        attempt_fates.draw(pd.DataFrame({"attempt": [], **{name: [] for name in FATES}})),
        causes.draw(EMPTY),
        dead_letter_ages.draw(pd.Series([], dtype="float64"), least_s=1.0),
        slowest_dead_letters.draw(EMPTY),
        effects.draw([], names=("a", "b"), confidence=0.95),
        distributions({"a": pd.Series([], dtype="float64")}, subject="lateness", unit="s"),
    ]

    assert ["no data: "] * len(charts) == [chart.alt[chart.alt.index("no data") :][:9] for chart in charts]
    assert all(chart.png(dpi=40).startswith(PNG) for chart in charts)


def test_single_cases_are_drawn() -> None:
    """One retry, one second, one task: charts of tiny runs can be drawn."""
    one = RETRIES.head(1)
    rate = {"t_s": [0.0], "accepted_per_s": [1.0], "completed_per_s": [0.0], "dead_lettered_per_s": [0.0]}
    charts = [
        retry_gaps.draw(one, bounds_s=[(2, 2)]),
        retry_lateness.draw(one, limit_s=1.0, probe=None),
        lateness_over_time.draw(one, start_ts=0.0, limit_s=1.0),
        throughput.draw(pd.DataFrame(rate), phases=Phases(), means_per_s=(1.0, 1.0), offered_per_s=0.0, bucket_s=1.0),
        dead_letter_ages.draw(pd.Series([6.0]), least_s=6.0),
        distributions({"a": pd.Series([0.0])}, subject="lateness", unit="s"),
    ]

    assert [True] * len(charts) == [chart.png(dpi=40).startswith(PNG) for chart in charts]


def test_drawing_leaves_no_global_state() -> None:
    """The settings of matplotlib are the caller's afterwards."""
    before = dict(mpl.rcParams)

    failure_rate.draw(RATES, target=0.3, confidence=0.95).png(dpi=40)

    assert before == dict(mpl.rcParams)


def test_chart_shows_itself_with_its_finding_as_alternative_text() -> None:
    """A notebook gets a PNG, the size to show it at, and the finding for who cannot see it."""
    data, metadata = no_data("Latency", "no request was answered")._repr_mimebundle_()

    assert "Latency: no data: no request was answered" == data["text/plain"]
    assert {"alt": data["text/plain"], "width": 700, "height": 150} == metadata["image/png"]


def test_names_of_lines_that_end_at_nothing_stand_above_the_axis() -> None:
    """Two parts that used nothing at the end are named one above the other, neither across the axis."""
    host = pd.DataFrame(
        {
            "t_s": [0.0, 1.0, 0.0, 1.0],
            "part": ["load", "load", "functions", "functions"],
            "cpu_pct": [80.0, 0.0, 40.0, 0.0],
            "rss_mb": [1.0, 1.0, 2.0, 2.0],
        }
    )
    cpu = host_load.draw(host, phases=Phases()).axes[0]
    low, high = cpu.get_ylim()
    heights = sorted(text.xy[1] for text in cpu.texts if isinstance(text, Annotation))

    assert low + 0.04 * (high - low) < heights[0]
    assert heights[0] + 0.1 * (high - low) < heights[1]

"""Where things lie: what comes with dlqlab, and the folder that a user works in.

In a checkout both are the checkout. An installed dlqlab brings its specimen along inside the package, where nothing is
ever written; runs and state go to the project: the current directory, or the folder that ``DLQLAB_HOME`` names.
"""

import os
from pathlib import Path

HOME = "DLQLAB_HOME"
"""Variable with the project's folder, where that is neither the checkout nor the current directory."""
_PACKAGE = Path(__file__).resolve().parent
_BUNDLED = _PACKAGE / "bundled"
INSTALLED = _BUNDLED.is_dir()
"""Whether this is an installed package; a checkout has no such folder."""
_MARKS = (
    "app/.chalice/config.json",
    "loadtest/locustfile.py",
    "notebooks/run_report.ipynb",
    "scenarios/default.toml",
)
"""A folder with all of them holds a specimen of its own, which comes before the one that is installed."""


def _current() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:  # the folder is gone: whoever writes there will say so
        return Path()


def _project() -> Path:
    given = os.environ.get(HOME)
    if given:
        return Path(given).expanduser().resolve()
    return _current() if INSTALLED else BUNDLE


def _holds_specimen(folder: Path) -> bool:
    return all((folder / mark).is_file() for mark in _MARKS)


BUNDLE = _BUNDLED if INSTALLED else _PACKAGE.parent
"""What dlqlab came with; read only where it is installed."""
ROOT = _project()
SPECIMEN = ROOT if _holds_specimen(ROOT) else BUNDLE
APP = SPECIMEN / "app"
LOADTEST = SPECIMEN / "loadtest"
NOTEBOOKS = SPECIMEN / "notebooks"
SCENARIOS = SPECIMEN / "scenarios"
OWN_SCENARIOS = ROOT / "scenarios"
"""A project's own, which come before the specimen's; the same folder in a checkout."""
DOCS = BUNDLE / "docs"
RUNS = ROOT / "runs"
SWEEPS = ROOT / "sweeps"
STATE = ROOT / ".dlqlab"


def is_read_only(path: Path) -> bool:
    """Whether it lies in the installed package, which is the same for all projects."""
    return INSTALLED and path.is_relative_to(BUNDLE)


def shown(path: Path) -> str:
    """The path from the folder where the user stands; whole where it lies neither there nor in the same project."""
    whole = path.resolve()
    try:
        here = Path.cwd()
    except FileNotFoundError:  # the folder is gone
        return str(whole)
    near = whole.is_relative_to(here) or (whole.is_relative_to(ROOT) and here.is_relative_to(ROOT))
    return os.path.relpath(whole, here) if near else str(whole)

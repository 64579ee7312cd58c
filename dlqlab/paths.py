"""Where things lie in a checkout."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "app"
RUNS = ROOT / "runs"
SCENARIOS = ROOT / "scenarios"
STATE = ROOT / ".dlqlab"
LOADTEST = ROOT / "loadtest"
NOTEBOOKS = ROOT / "notebooks"
DOCS = ROOT / "docs"


def shown(path: Path) -> str:
    """The path from the folder where the user stands; whole where it lies neither there nor in the same checkout."""
    whole = path.resolve()
    try:
        here = Path.cwd()
    except FileNotFoundError:  # the folder is gone
        return str(whole)
    near = whole.is_relative_to(here) or (whole.is_relative_to(ROOT) and here.is_relative_to(ROOT))
    return os.path.relpath(whole, here) if near else str(whole)

"""Where things lie in a checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "app"
RUNS = ROOT / "runs"
SCENARIOS = ROOT / "scenarios"
STATE = ROOT / ".dlqlab"
LOADTEST = ROOT / "loadtest"
NOTEBOOKS = ROOT / "notebooks"
DOCS = ROOT / "docs"

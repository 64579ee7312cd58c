"""A small simulated run and small frames for tests of charts and reports."""

from pathlib import Path

from dlqlab.analysis.facts import Facts
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenario import Judge, Load, Scenario
from tests.support.histories import Simulated, simulate, simulate_run

SMALL = Scenario(name="small", load=Load(tasks=300, duration_s=10, rate_per_s=30), judge=Judge(max_half_width=0.06))


def small_run(root: Path) -> RunDir:
    """A run directory of 300 tasks without a verdict."""
    return simulate_run(SMALL, root=root, run_id="small-run")


def small() -> Simulated:
    """The same run before it is written."""
    return simulate(SMALL, run_id="small-run")


def facts(simulated: Simulated) -> Facts:
    """The run as the charts take it."""
    return Facts(simulated.evidence())

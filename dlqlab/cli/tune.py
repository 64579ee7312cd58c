"""The commands that ask the simulated twin: what-if and tune."""

from pathlib import Path
from typing import Any

import click

from dlqlab.cli.declared import command
from dlqlab.cli.names import RUN, SCENARIO
from dlqlab.cli.quantities import Chance, Named, Points, Seconds
from dlqlab.cli.world_options import asking

WITH: dict[str, tuple[str, Any, str]] = {
    "base_s": ("--base", Seconds(), "Backoff after the first attempt."),
    "cap_s": ("--cap", Seconds(), "Longest backoff."),
    "factor": ("--factor", float, "Growth of the backoff."),
    "jitter": ("--jitter", str, "none, equal or full."),
    "max_retries": ("--max-retries", int, "Retries after the first attempt."),
    "batch_size": ("--batch-size", Named(click.INT), "Messages of a batch; --from: [QUEUE=]N."),
    "batch_window_s": ("--window", Named(Seconds()), "Longest wait for a batch to fill; --from: [QUEUE=]S."),
    "max_concurrency": (
        "--concurrency",
        Named(click.INT),
        "MaximumConcurrency of the mapping, 0 for none; --from: [FUNCTION=]N, and its reserved concurrency.",
    ),
    "visibility_timeout_s": (
        "--visibility",
        Named(Seconds()),
        "Visibility timeout of the task queue; --from: [QUEUE=]S.",
    ),
    "function_timeout_s": ("--timeout", Seconds(), "Timeout of the processor."),
    "failure_rate": ("--failure-rate", Points(), "Failures of an attempt (or of a task, as the scenario's mode says)."),
}
"""Setting -> option, type, help. What is ``Named`` is also asked of a run, and may be given several times."""
OF_RUNS: dict[str, tuple[str, Any, str]] = {
    "reserved": (
        "--reserved",
        Named(click.INT),
        "Reserved concurrency alone: what its mappings take beyond it is throttled.",
    ),
    "max_receive_count": ("--max-receive-count", Named(click.INT), "maxReceiveCount of a queue's redrive policy."),
    "fail": ("--fail", Named(Chance()), "How likely an attempt of a function fails."),
}
"""What is asked of a run only."""


def _with_settings(function: Any) -> Any:
    for name, (option, kind, text) in reversed((WITH | OF_RUNS).items()):
        several = isinstance(kind, Named)
        metavar = {"reserved": "[FUNCTION=]N", "max_receive_count": "[QUEUE=]N", "fail": "[FUNCTION=]P"}.get(name)
        function = click.option(option, name, type=kind, multiple=several, default=None, metavar=metavar, help=text)(
            function
        )
    return function


@click.command("what-if", short_help="What SCENARIO would come to with other settings.")
@asking
@_with_settings
@click.option("--from", "run", type=RUN, metavar="RUN", default=None,
              help="Ask of a recorded run's pipeline instead of a scenario; rules default to localstack.")  # fmt: skip
@click.option("--seeds", type=int, default=None, show_default="5; 20 with --from",
              help="Simulations, each with a seed of its own.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.argument("scenario", type=SCENARIO, required=False)
@command
def what_if() -> None:
    """What SCENARIO (default: default), or the pipeline of a recorded run, would come to with other settings where
    given: simulated, nothing is deployed or sent.

    DLQ volume, backlog, drain time, time to completion, wasted invocations and cost on AWS, each as the mean over seeds
    with its 95 % interval.

    With --from RUN the record of any pipeline's run is what the simulation knows. It first plays the run as it was and
    shows measured against simulated; what it does not play is not answered. Exit code 1: it plays the run too badly to
    answer anything (docs/what-if.md).
    """


@click.command(short_help="Choose the best of many settings by simulation.")
@asking
@click.option("--vary", "variations", multiple=True, metavar="SETTING=V,V", help="Values to try; repeat it.")
@click.option("--seeds", type=int, default=3, show_default=True, help="Simulations of each setting.")
@click.option("--success-within", type=Points(), default="0.5pp", show_default=True,
              help="So much less success than the best is as good.")  # fmt: skip
@click.option("--max-p95", type=Seconds(), default=None, help="Longest p95 of the time to completion.")
@click.option("--growth", default="0.5,1,2,4", show_default=True, metavar="F,F",
              help="Multiples of the rate for the chosen setting, none for none.")  # fmt: skip
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=None, metavar="DIR",
              help="Where to keep the results; default: a new folder under sweeps/.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.argument("scenario", type=SCENARIO, default="default")
@command
def tune() -> None:
    """Simulate SCENARIO under every combination of the settings that --vary gives, and choose one.

    Exit code: 0 a setting was chosen, 1 none qualifies, 3 wrong usage. docs/capacity-planning.md states the rule.
    """


TITLE = "Predict"
COMMANDS = (what_if, tune)

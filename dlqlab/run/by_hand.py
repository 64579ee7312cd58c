"""A load by itself, against a pipeline that is deployed already."""

import time

from rich.console import Console

from dlqlab import paths
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenario import Scenario
from dlqlab.deploy import pipeline
from dlqlab.deploy.target import local_target
from dlqlab.emulator.lifecycle import Emulator
from dlqlab.load.starter import start_load
from dlqlab.run.progress import Phases


def load_by_hand(emulator: Emulator, scenario: Scenario, console: Console, *, ui: bool, web_port: int) -> RunDir:
    """Send the load; its ledger goes to a folder of its own under ``runs/``."""
    url = pipeline.url(local_target(emulator))
    run_id = f"{time.strftime('%Y-%m-%dT%H-%M-%SZ', time.gmtime())}-load"
    run = RunDir(paths.RUNS / run_id)
    if ui:
        console.print(f"Locust's web UI: http://127.0.0.1:{web_port} (Ctrl-C ends it)", soft_wrap=True)
    with Phases(console).phase("load") as phase:
        result = start_load(
            scenario,
            url=url,
            run=run,
            run_id=run_id,
            ui=ui,
            web_port=web_port,
            on_progress=lambda sent, planned: phase.update(done=sent, total=planned, note=f"{sent:,} sent"),
        )
        phase.note = f"{result.sent:,} tasks sent"
    console.print(f"ledger: {run.ledger_parts.relative_to(paths.ROOT)}", soft_wrap=True)
    return run

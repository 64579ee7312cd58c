"""A load by itself, against a pipeline that is deployed already."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from dlqlab import paths
from dlqlab.collect.host import tree
from dlqlab.collect.queues import queue_urls
from dlqlab.contracts import manifest
from dlqlab.contracts.rundir import RunDir, write_json
from dlqlab.contracts.scenario import Scenario
from dlqlab.deploy import pipeline
from dlqlab.deploy.target import Target
from dlqlab.load.junk import send_junk
from dlqlab.load.ledger import read_ledger
from dlqlab.load.starter import start_load
from dlqlab.progress import Phases
from dlqlab.run import target_facts
from dlqlab.run.ledgers import junk_path
from dlqlab.run.left import leaving_evidence
from dlqlab.run.measure import sampled
from dlqlab.run.watch import watching
from dlqlab.wording import count

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def load_by_hand(
    target: Target,
    scenario: Scenario,
    console: Console,
    *,
    ui: bool,
    web_port: int,
    allow_remote: bool = False,
    runs_root: Path = paths.RUNS,
) -> RunDir:
    """Send the load; its ledger goes to a folder of its own under ``runs/``, with samples of the queues and the host.

    Raises:
        DlqlabError: nothing is deployed, or the load failed.
    """
    url = pipeline.url(target)
    run = RunDir(runs_root / manifest.run_id("load"))
    run.path.mkdir(parents=True)
    sqs: SQSClient = target.client("sqs")
    urls = queue_urls(sqs, target.topology.queue_names)
    if ui:
        console.print(f"Locust's web UI: http://127.0.0.1:{web_port} (Ctrl-C ends it)", soft_wrap=True)
    phases, emulator = Phases(console), target_facts.emulator_of(target)
    with (
        leaving_evidence(run),
        watching(phases, run, emulator) as watch,
        sampled(run, emulator, sqs, urls, watch) as (_, host),
        phases.phase("load") as phase,
    ):
        result = start_load(
            scenario,
            url=url,
            run=run,
            run_id=run.path.name,
            ui=ui,
            web_port=web_port,
            allow_remote=allow_remote,
            on_progress=lambda sent, planned: phase.update(done=sent, total=planned, note=f"{sent:,} sent"),
            on_start=lambda pid: host.add("load", tree(pid)),
        )
        _send_junk(run, scenario, sqs, urls[target.topology.work.queue.role])
        phase.note = f"{result.sent:,} tasks sent"
    _say_what_was_known(run, console)
    return run


def _say_what_was_known(run: RunDir, console: Console) -> None:
    """One seed makes one set of tasks: a second load of it sends nothing that is new to the API."""
    outcomes = read_ledger(run.ledger_parts).rows["outcome"]
    known = int((outcomes == "replayed").sum())
    if known:
        console.print(
            f"{known:,} of {count(len(outcomes), 'task')} were known already, from an earlier load with this seed: the "
            "API answered 200 and queued nothing; other tasks come with --seed",
            soft_wrap=True,
        )


def _send_junk(run: RunDir, scenario: Scenario, sqs: "SQSClient", queue_url: str) -> None:
    """The scenario's junk after its tasks, and which messages it is: Locust itself does not write to queues."""
    if scenario.load.junk_messages:
        junk = send_junk(sqs, queue_url, scenario.load.junk_messages, scenario.seed)
        write_json(junk_path(run), {"message_ids": [message.message_id for message in junk]})

"""A made record of two queues in a row: orders, some of which fail and are tried again, make bills."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from dlqlab.contracts.promise import Promise
from dlqlab.contracts.recorded_run import write_recording
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.topology import Consumer, Function, Queue, Topology
from tests.support.flows import TOOK_S, Story, evidence
from tests.support.recordings import QUEUE, T0

BILLS: Final = QUEUE.replace("tasks", "bills")
ORDERS: Final = 12
TOPOLOGY: Final = Topology(
    name="shop",
    queues=(
        Queue(role="orders", name="tasks", dead_letters="dead", max_receive_count=3),
        Queue(role="dead", name="dead-letters"),
        Queue(role="bills", name="bills"),
    ),
    functions=(
        Function(role="worker", name="worker", may_send_to=("bills",)),
        Function(role="biller", name="biller", reserved_concurrency=4),
    ),
    consumers=(Consumer(queue="orders", function="worker"), Consumer(queue="bills", function="biller")),
)
PROMISE: Final = Promise(backoff_s=(2, 4), tolerance_s=0.5, attempts=3)


def story() -> Story:
    """Twelve orders: ``o0`` and ``o1`` end as dead letters, ``o2`` waits longer than promised after its failure, ``o3``
    is named in vain and deleted, the others are done at once; each that is done makes a bill, worked off 0.5 s later.
    """
    told = Story()
    for number in range(ORDERS):
        _order(told, f"o{number}", number)
    return told


def _order(told: Story, order: str, number: int) -> None:
    at = 0.5 * number
    told.sent(order, at)
    if number <= 1:
        for wait_s in (2.0, 4.0, 0.0):
            told.tried(order, at, ok=False, function="worker", duration_s=TOOK_S)
            at += TOOK_S
            told.hidden(order, at, wait_s).back(order, at + wait_s)
            at += wait_s
        told.moved(order, at)
        return
    if number == 2:
        told.tried(order, at, ok=False, function="worker", duration_s=TOOK_S)
        told.hidden(order, at + TOOK_S, 3.0).back(order, at + TOOK_S + 3.0)
        at += TOOK_S + 3.0
    named: dict[str, Any] = {"named_ids": [order]} if number == 3 else {}
    told.tried(order, at, function="worker", duration_s=TOOK_S, **named).deleted(order, at + TOOK_S)
    if number != 3:
        _bill(told, order, at + TOOK_S)


def _bill(told: Story, order: str, at: float) -> None:
    bill, there = f"b-{order}", {"queue": BILLS}
    sender = {"actor_kind": "invocation", "actor": "worker", "request_id": told.invocations[-1]["request_id"]}
    told.sent(bill, at, parent_ids=[order], **sender, **there).received(bill, at + 0.1, **there)
    told.invoked(bill, at=at + 0.1, function="biller", source_arn=BILLS, duration_s=TOOK_S)
    told.deleted(bill, at + 0.5, **there)


def written(root: Path) -> RunDir:
    """The run in a directory, with nothing but manifest, topology and record."""
    made = evidence(story(), PROMISE, TOPOLOGY)
    manifest = replace(made.manifest, load_started_ts=T0, load_ended_ts=T0 + ORDERS / 2, drain_ended_ts=T0 + ORDERS)
    assert made.recording is not None
    run = RunDir(root / "shop")
    run.path.mkdir(parents=True)
    run.write_manifest(manifest)
    run.write_topology(TOPOLOGY)
    write_recording(run, made.recording)
    return run

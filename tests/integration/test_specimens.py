"""Another pipeline than the task system, by its folder alone: deployed, collected, and nothing guessed about it."""

import dataclasses
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from dlqlab import paths
from dlqlab.analysis.judge import judge
from dlqlab.contracts.evidence import load_evidence
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.verdict import Status
from dlqlab.deploy import pipeline
from dlqlab.deploy.discover import differences, discover
from dlqlab.deploy.target import Target, local_target
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.errors import DeployError
from dlqlab.lint.rule import lint
from dlqlab.lint.rules import RULES
from dlqlab.lint.stack import of_stack
from dlqlab.run.collect_any import AnyCollector

GOOD, REFUSED = ("o-1", "o-2", "o-4", "o-5", "o-6"), "o-3"


def order(order_id: str) -> str:
    """An order; the one to refuse is for none of something."""
    quantity = 0 if order_id == REFUSED else 2
    return json.dumps({"orderId": order_id, "lines": [{"sku": "A", "quantity": quantity, "cents": 250}]})


@pytest.fixture(scope="module")
def orders(emulator: Emulator) -> Iterator[Target]:
    """The order pipeline, deployed by CloudFormation and Chalice from its folder."""
    target = local_target(emulator, app=paths.ROOT / "examples" / "orders")
    assert pipeline.apply_as_declared(target, progress=lambda _text: None) is None
    yield target
    pipeline.destroy(target)


@pytest.fixture(scope="module")
def run(orders: Target, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A run directory of six orders, one of which nobody can be invoiced for."""
    sqs, topology = orders.client("sqs"), orders.topology
    url = sqs.get_queue_url(QueueName=topology.work.queue.name)["QueueUrl"]
    since_ts = time.time()
    for order_id in sorted((*GOOD, REFUSED)):
        customer = f"customer-{int(order_id[-1]) % 2}"
        sqs.send_message(QueueUrl=url, MessageBody=order(order_id), MessageGroupId=customer)
    collector = AnyCollector(
        target=orders, console=Console(quiet=True), since_ts=since_ts, runs_root=tmp_path_factory.mktemp("runs")
    )
    return collector.collect()[0]


def test_its_queues_are_sampled_under_its_own_roles(run: RunDir) -> None:
    """The order that nobody can be invoiced for ends in the dead-letter queue, which nobody empties."""
    queues = run.read("queues")
    last = queues.drop_duplicates("queue", keep="last").set_index("queue")["visible"]

    assert {"new-orders": 0, "refused-orders": 1} == last.to_dict()
    assert run.read_manifest().drained


def test_its_logs_and_metrics_are_collected(run: RunDir) -> None:
    """Each invocation is a row, each print is kept, AWS's own metrics are there for queues and functions."""
    lines = [json.loads(line)["line"] for line in (run.path / "other_lines.jsonl").read_text().splitlines()]
    metrics = run.read("metrics").set_index(["metric", "dimension"])["value"].groupby(level=[0, 1]).sum()

    assert {f"invoice {order_id}: 500 cents" for order_id in GOOD} <= set(lines)
    assert len(GOOD) + 2 == len(run.read("invocations"))
    assert 2.0 == metrics["Errors", "FunctionName=orders-local-invoicer"]
    assert 6.0 == metrics["NumberOfMessagesSent", "QueueName=orders-local-placed.fifo"]


def test_its_topology_is_recorded_as_declared_and_as_deployed(orders: Target, run: RunDir) -> None:
    """The run directory says by itself which queues and functions there were."""
    written = json.loads(run.topology_path.read_text())

    assert orders.topology == run.read_topology()
    assert [] == written["differences"]
    assert [queue.role for queue in orders.topology.queues] == [
        queue["role"] for queue in written["deployed"]["queues"]
    ]


def test_its_messages_are_judged_by_the_record(run: RunDir) -> None:
    """Without events, tasks and clients of the lab: every message is accounted for, and what nobody told is said."""
    verdict = judge(load_evidence(run))
    checks = {check.name: check for check in verdict.checks}
    manifest = run.read_manifest()
    unlike = {name: str(check.status) for name, check in checks.items() if check.status is not Status.VALID}

    assert {"accepted": "unknown"} == unlike
    assert len(GOOD) + 1 == len(checks["messages"].members["entered"])
    assert len(GOOD) == len(checks["once"].members["done"])
    assert 1 == len(checks["messages"].members["dead_lettered"])
    assert "what clients sent" in checks["finished"].statement
    assert {"ledger", "events", "tasks"} == set(run.missing())
    assert {"ledger", "events", "tasks", "scenario"} <= set(manifest.not_measured)


def test_its_stack_is_linted(orders: Target) -> None:
    """Rules of AWS are about its queues and function; rules about a retry policy say nothing, as nobody knows it."""
    (settings,) = of_stack(orders.client, orders.topology, subject="orders")
    result = lint(settings, RULES)

    assert {"visibility-is-ample", "receives-are-few"} == {finding.rule.id for finding in result.findings}
    assert "backoff-waits" in result.unchecked


def test_deployment_that_is_not_as_declared_is_told(orders: Target) -> None:
    """Whatever somebody changed by hand is named, with both values."""
    sqs, queue = orders.client("sqs"), orders.topology.work.queue
    url = sqs.get_queue_url(QueueName=queue.name)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"})
    try:
        found = differences(orders.topology, discover(orders.client, orders.topology))
        with pytest.raises(DeployError, match=r"orders is not what its topology declares: .*is 7, declared is 6"):
            pipeline.check_as_declared(orders)
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "6"})

    assert ("visibility_timeout_s of the queue new-orders is 7, declared is 6",) == found
    pipeline.check_as_declared(orders)


def test_pipeline_that_is_not_deployed_cannot_be_collected(orders: Target, tmp_path: Path) -> None:
    """Every queue and function that is not there is named, and no run directory is begun."""
    nobody = dataclasses.replace(orders, stage="dev")
    collector = AnyCollector(target=nobody, console=Console(quiet=True), since_ts=time.time(), runs_root=tmp_path)

    with pytest.raises(DeployError, match=r"queue new-orders .*; the function invoicer .* not deployed at local: run"):
        collector.collect()
    assert [] == list(tmp_path.iterdir())

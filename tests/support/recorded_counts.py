"""What was recorded of a drained run against everybody else who counted: the clients, CloudWatch, Lambda's log."""

from collections import Counter
from typing import Any

from dlqlab.contracts.outcomes import ACKNOWLEDGED
from dlqlab.contracts.recorded import ENTERS, LEAVES, ActorKind, Kind, Outcome
from dlqlab.contracts.recorded_run import read_recording
from dlqlab.contracts.recording import Recording
from dlqlab.contracts.rundir import RunDir

Rows = list[dict[str, Any]]

PERIOD_S = 60.0
_METRICS = {
    Kind.SENT: "NumberOfMessagesSent",
    Kind.RECEIVED: "NumberOfMessagesReceived",
    Kind.DELETED: "NumberOfMessagesDeleted",
    Kind.NOT_DELETED: "NumberOfMessagesDeleted",
}
"""AWS counts deletes of what is deleted already too (Available CloudWatch metrics for Amazon SQS)."""


def check_counts(run: RunDir) -> Counter[str]:
    """Nothing is missing and nothing too much, to the last row; returns the counts by metric.

    Raises:
        AssertionError: two sources differ.
    """
    record = read_recording(run)
    assert record is not None
    assert () == record.gaps
    check_clients(run, record)
    check_messages(run, record)
    check_reports(run, record)
    return check_metrics(run, record)


def check_clients(run: RunDir, record: Recording) -> None:
    """Each request of the ledger with its answer; for each task that was taken one message in the queue of work."""
    ledger, topology = run.read("ledger"), run.read_topology()
    assert topology is not None
    asked = Counter(zip(ledger["request_id"], ledger["status_code"], strict=True))
    ids = set(ledger["request_id"])
    http = [row for row in record.calls.to_pylist() if row["service"] == "execute-api" and row["request_id"] in ids]
    _equal(asked, Counter((row["request_id"], row["status"]) for row in http))

    came_of = {row["request_id"]: row["client_request_id"] for row in record.invocations.to_pylist()}
    sent = Counter(
        came_of[row["request_id"]]
        for row in _of_queue(record, topology.work.queue.name)
        if row["kind"] == Kind.SENT and came_of.get(row["request_id"]) in ids  # others tried it before the load
    )
    _equal(Counter(ledger.loc[ledger["outcome"] == ACKNOWLEDGED, "request_id"]), sent)


def check_messages(run: RunDir, record: Recording) -> None:
    """Whatever entered a queue of the pipeline has left it, once."""
    topology = run.read_topology()
    assert topology is not None
    for name in topology.queue_names.values():
        rows = _of_queue(record, name)
        entered = Counter(row["message_id"] for row in rows if row["kind"] in ENTERS)
        _equal(entered, Counter(row["message_id"] for row in rows if row["kind"] in LEAVES))
        assert {1} >= set(entered.values())


def check_reports(run: RunDir, record: Recording) -> None:
    """Each REPORT line has its invocation; each invocation of the load, until it had drained, has its REPORT line.

    The record is read after the log: a schedule may have fired in between.
    """
    lines = Counter(zip(*(run.read("invocations")[name] for name in ("function", "request_id")), strict=True))
    manifest = run.read_manifest()
    began_ts, ended_ts = manifest.load_started_ts, manifest.drain_ended_ts
    assert began_ts is not None
    assert ended_ts is not None
    ran = [row for row in record.invocations.to_pylist() if row["outcome"] not in {None, Outcome.THROTTLED}]
    assert lines <= Counter((row["function"], row["request_id"]) for row in ran)
    of_load = [row for row in ran if began_ts <= row["started_ts"] <= ended_ts]
    assert of_load
    assert lines >= Counter((row["function"], row["request_id"]) for row in of_load)


def check_metrics(run: RunDir, record: Recording) -> Counter[str]:
    """CloudWatch's sums over the minutes that it has."""
    metrics = run.read("metrics")
    sums = metrics[metrics["metric"].isin([*_METRICS.values(), "Invocations"])]
    told: Counter[tuple[str, str]] = Counter()
    for metric, dimension, value in zip(sums["metric"], sums["dimension"], sums["value"], strict=True):
        told[metric, dimension] += round(value)
    start_ts, end_ts = sums["ts"].min(), sums["ts"].max() + PERIOD_S
    dimensions = set(sums["dimension"])
    found: Counter[tuple[str, str]] = Counter()
    for row in record.messages.to_pylist():
        counted = _METRICS.get(row["kind"])
        is_move = row["kind"] == Kind.SENT and row["actor_kind"] == ActorKind.SERVICE  # AWS does not count it
        if counted and not is_move and start_ts <= row["ts"] < end_ts:
            found[counted, f"QueueName={row['queue'].rpartition(':')[2]}"] += 1
    at_edge: Counter[tuple[str, str]] = Counter()  # counted when it had ended, in the first minute
    for row in record.invocations.to_pylist():
        key = "Invocations", f"FunctionName={row['function']}"
        if row["outcome"] != Outcome.THROTTLED and row["started_ts"] < end_ts:
            (found if row["started_ts"] >= start_ts else at_edge)[key] += 1
    found = Counter({key: n for key, n in found.items() if key[1] in dimensions})
    _equal(told, found + (at_edge & (told - found)))
    return Counter({f"{metric} {dimension}": n for (metric, dimension), n in told.items()})


def _equal(told: Counter[Any], recorded: Counter[Any]) -> None:
    missing, extra = dict(told - recorded), dict(recorded - told)
    assert told == recorded, f"not recorded: {missing}; recorded only: {extra}"


def _of_queue(record: Recording, name: str) -> Rows:
    return [row for row in record.messages.to_pylist() if row["queue"].rpartition(":")[2] == name]

"""What a simulated load of any pipeline uses of AWS, by the simulation and by what the run's code called."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from dlqlab.contracts.recorded import ActorKind, Outcome
from dlqlab.costs.usage import INVOCATION_BYTES, Usage
from dlqlab.twin.pipeline.calibrate import Calibrated
from dlqlab.twin.pipeline.engine import LONG_POLL_S
from dlqlab.twin.pipeline.outcome import Outcome as Simulated

WRITES: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
READS: Final = frozenset({"GetItem", "Query", "Scan"})

NOT_COUNTED: Final = (
    "not in the cost: items over 1 KB and transactions of DynamoDB, own log lines, metrics, storage, transfer, and "
    "services other than SQS, Lambda, API Gateway and DynamoDB"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the run used for each message that entered, apart from the functions that are simulated, and what an attempt
    of these called.

    ``writes`` and ``reads`` of DynamoDB are by function: of each delivery of one that is simulated, and under the empty
    name of each message that entered, by all others.
    """

    api_requests: float = 0.0
    invocations: float = 0.0
    busy_s: float = 0.0
    writes: dict[str, float]
    reads: dict[str, float]


def around(found: Calibrated) -> Around:
    """As the run shows it."""
    entered, own = len(found.chains.roots), found.pipeline.functions
    names = {row["function"] for row in found.flow.recording.invocations.select(["function"]).to_pylist()}
    others = [
        row
        for row in found.flow.recording.invocations.to_pylist()
        if row["function"] not in own and row["outcome"] != Outcome.THROTTLED
    ]
    deliveries = Counter[str]()
    for row in found.flow.invocations:
        deliveries[row["function"]] += len(row["message_ids"] or ())
    per = {name: deliveries[name] for name in own} | {"": entered}
    calls = [row for row in found.flow.calls if row["function"] in names]
    return Around(
        api_requests=sum(_is_of_api(row) for row in found.flow.calls) / entered,
        invocations=len(others) / entered,
        busy_s=sum(row["duration_s"] or 0.0 for row in others) / entered,
        writes=_each(calls, WRITES, per),
        reads=_each(calls, READS, per),
    )


def usage(around_: Around, out: Simulated, *, memory_mb: int) -> Usage:
    """Of one simulation; each function has that memory."""
    entered, functions, queues = len(out.entered_s), out.functions.values(), out.queues.values()
    invocations = sum(one.invocations for one in functions)
    receives = invocations + sum(one.throttled for one in functions) + out.idle_poller_s / LONG_POLL_S
    deletes = sum(min(one.invocations, one.deliveries - one.failed) for one in functions)
    sends = entered + sum(one.sent for one in functions)
    busy_s = sum(one.busy_s + one.init_s for one in functions) + around_.busy_s * entered
    own = {name: float(one.deliveries) for name, one in out.functions.items()} | {"": float(entered)}
    all_invocations = invocations + around_.invocations * entered
    expired = sum(one.filtered for one in queues)
    return Usage(
        sqs_requests=sends + receives + deletes + expired + sum(one.hides for one in functions),
        api_requests=around_.api_requests * entered,
        lambda_requests=all_invocations,
        lambda_gb_s=busy_s * memory_mb / 1024,
        dynamodb_write_units=sum(each * own.get(name, 0.0) for name, each in around_.writes.items()),
        dynamodb_read_units=sum(each * own.get(name, 0.0) for name, each in around_.reads.items()),
        log_gb=all_invocations * INVOCATION_BYTES / 1e9,
        metric_hours=0.0,
    )


def _is_of_api(row: dict[str, object] | object) -> bool:
    return row["actor_kind"] == ActorKind.CLIENT and row["service"] == "execute-api"  # type: ignore[index]


def _each(calls: list, operations: frozenset[str], per: dict[str, int]) -> dict[str, float]:  # type: ignore[type-arg]
    """Calls for each delivery of a function that is simulated, and for each message that entered by all others."""
    found = Counter[str]()
    for row in calls:
        if row["service"] == "dynamodb" and row["operation"] in operations:
            found[row["function"] if row["function"] in per else ""] += 1
    return {name: n / per[name] for name, n in found.items() if per[name]}

"""Whether the messages of a FIFO queue's group were worked off in their order.

A message may be tried only when every earlier one of its group is done or has left the queue. SQS holds a group back as
long as one of its messages is hidden; a function can still break the order, when it goes on within a batch after a
message of the same group has failed.

Source: "FIFO queue delivery logic" (Amazon SQS developer guide); "Implementing partial batch responses" (AWS Lambda
developer guide): with a FIFO queue the function should stop at the first failure and return all that follow.
"""

from collections.abc import Sequence

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow import Flow, attempts_of, successes
from dlqlab.analysis.life_parts import Attempt, Stay
from dlqlab.analysis.wording import examples
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.wording import count

SETS = (
    NamedSet(
        "gone_on_after_a_failure",
        SetKind.VIOLATION,
        "Worked off in the same batch after an earlier message of its group had failed: return that one and all that "
        "follow it in batchItemFailures.",
    ),
    NamedSet("overtook", SetKind.VIOLATION, "Tried before an earlier message of its group was done or had left."),
)


@check("order", "Groups in their order", place=70, sets=SETS)
def order_check(facts: Facts) -> Judgement:
    """Valid: in no group of a FIFO queue was a message worked off before an earlier one was done or gone."""
    flow = facts.flow
    groups = groups_of(flow)
    members: dict[str, dict[str, None]] = {one.name: {} for one in SETS}
    for stays in groups.values():
        _sort_group(stays, members)
    found = {name: tuple(some) for name, some in members.items()}
    wrong = sum(map(len, found.values()))
    n = sum(map(len, groups.values()))
    if not flow.fifo_queues:
        return Judgement(status=Status.VALID, statement="no FIFO queue: no order is promised", n=0)
    return Judgement(
        status=Status.INVALID if wrong else (Status.VALID if n else Status.UNKNOWN),
        statement=_statement(found, len(groups), n),
        measured=float(wrong),
        expected=0.0,
        unit="messages",
        n=n,
        members=found,
    )


def groups_of(flow: Flow) -> dict[tuple[str, str], list[Stay]]:
    """The stays of each group of each FIFO queue, in the order in which they were sent."""
    found: dict[tuple[str, str], list[Stay]] = {}
    for stay in flow.work:
        if stay.queue in flow.fifo_queues and stay.group_id is not None and stay.sent_ts is not None:
            found.setdefault((stay.queue, stay.group_id), []).append(stay)
    return found


def _sort_group(stays: Sequence[Stay], members: dict[str, dict[str, None]]) -> None:
    """Compare each message with the one before it that was done or left latest: time goes on from there."""
    free_ts, holder = float("-inf"), None
    for stay in stays:
        done = successes(stay)
        started_ts = min((each.started_ts for each in attempts_of(stay)), default=None)
        batch = _same_batch(holder, stay) if holder is not None else None
        if batch is not None and batch.has_succeeded and holder is not None and _failed_in(holder, batch):
            members["gone_on_after_a_failure"][stay.message_id] = None
        elif batch is None and started_ts is not None and started_ts < free_ts:
            members["overtook"][stay.message_id] = None
        ended_ts = done[0].ended_ts if done else stay.left_ts
        own_ts = float("inf") if ended_ts is None else ended_ts
        if own_ts >= free_ts:
            free_ts, holder = own_ts, stay


def _same_batch(earlier: Stay, later: Stay) -> Attempt | None:
    """The first attempt at the later message, where the earlier one was in its batch too."""
    first = next(attempts_of(later), None)
    return first if first is not None and earlier.message_id in first.message_ids else None


def _failed_in(stay: Stay, batch: Attempt) -> bool:
    return any(each.request_id == batch.request_id and each.has_failed for each in attempts_of(stay))


def _statement(found: dict[str, tuple[str, ...]], groups: int, n: int) -> str:
    if not n:
        return "no message of a group entered a FIFO queue, so nothing is proven"
    text = f"{count(n, 'message')} in {count(groups, 'group')}"
    said = {
        "gone_on_after_a_failure": "worked off after an earlier message of its group had failed in the same batch",
        "overtook": "tried before an earlier message of its group was done",
    }
    parts = [f"{len(found[name]):,} {clause}: {examples(found[name])}" for name, clause in said.items() if found[name]]
    return "; ".join([text, *parts]) if parts else f"{text}, each after those before it"

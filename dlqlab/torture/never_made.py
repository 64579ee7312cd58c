"""Which messages count as done although a call of their work was refused for good and nobody made it again.

So a swallowed exception looks, and a guard against doing twice that is set before the work: the second attempt finds it
and does nothing. A function that does something else instead, such as sending the message to a queue for later, has
dealt with it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dlqlab.analysis.doubled import last_part
from dlqlab.analysis.flow import Flow, attempts_of, successes
from dlqlab.analysis.life_parts import Stay
from dlqlab.analysis.recorded_rows import Row
from dlqlab.contracts.injection import Kind as Fault
from dlqlab.contracts.recorded import Kind
from dlqlab.torture.matrix import Target, is_write

_REFUSING = frozenset({Fault.CALL_THROTTLED, Fault.CALL_FAILED, Fault.CALL_DENIED, Fault.CALL_RESET})
_TELLING = frozenset({"monitoring", "logs", "xray"})
"""Services that are told about the work: to go on without them is no loss of it."""
_DISPOSING = frozenset(
    {"DeleteMessage", "DeleteMessageBatch", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch"}
)
"""Calls that end or postpone a message: none of them does its work."""


@dataclass(frozen=True, slots=True)
class NeverMade:
    """A message that counts as done, and the call of its work that was never done."""

    message_id: str
    what: str


def never_made(flow: Flow, usual: Collection[Target]) -> tuple[NeverMade, ...]:
    """Every such message, once.

    Args:
        flow: of the row.
        usual: the calls that the functions make without faults: to go on with those is to do nothing in its stead.
    """
    strikes = _refusals(flow)
    if not strikes:
        return ()
    calls: dict[str, list[Row]] = {}
    for row in flow.calls:
        calls.setdefault(row["request_id"] or "", []).append(row)
    known = {(one.function, one.operation, one.resource) for one in usual}
    found: dict[str, NeverMade] = {}
    for stay in flow.work:
        if stay.left == Kind.DELETED and successes(stay):
            for one in strikes.get(stay.message_id, ()):
                if not _is_dealt_with(stay, one, calls, known):
                    found.setdefault(stay.message_id, NeverMade(stay.message_id, " ".join(_target(one)[:2])))
    return tuple(found.values())


def _refusals(flow: Flow) -> Mapping[str, Sequence[Row]]:
    """Strikes at calls that change something, by the message that they were for."""
    found: dict[str, list[Row]] = {}
    for row in flow.recording.faults.to_pylist():
        if row["kind"] in _REFUSING and row["message_id"] and is_work(row):
            found.setdefault(row["message_id"], []).append(row)
    return found


def _is_dealt_with(
    stay: Stay, strike: Row, calls: Mapping[str, Sequence[Row]], usual: Collection[tuple[str, str, str]]
) -> bool:
    """Whether the call was made again and not struck, or something unusual was done after it in its stead.

    Of a batch, calls of mates count too where no item's key tells them apart: then nobody is accused.
    """
    items = {row["item_key"] for row in _struck(strike, calls)}
    for row in _after(stay, strike, calls):
        if row["fault"] or not is_work(row):
            continue
        if _target(row) == _target(strike):
            if row["item_key"] is None or row["item_key"] in items:
                return True
        elif _target(row) not in usual:
            return True
    return False


def is_work(row: Row) -> bool:
    """Whether a call may be work on a message: it changes something, and does not only end or postpone the message."""
    operation = row["operation"] or ""
    return is_write(operation) and operation not in _DISPOSING and row["service"] not in _TELLING


def _target(row: Row) -> tuple[str, str, str]:
    return row["function"] or "", f"{row['service']}:{row['operation']}", last_part(row["resource"])


def _after(stay: Stay, strike: Row, calls: Mapping[str, Sequence[Row]]) -> Iterator[Row]:
    """The calls of attempts at the message since the strike."""
    for each in attempts_of(stay):
        yield from (row for row in calls.get(each.request_id, ()) if row["ts"] >= strike["ts"])


def _struck(strike: Row, calls: Mapping[str, Sequence[Row]]) -> Iterator[Row]:
    own = calls.get(strike["request_id"] or "", ())
    return (row for row in own if row["fault"] == strike["fault"] and _target(row) == _target(strike))

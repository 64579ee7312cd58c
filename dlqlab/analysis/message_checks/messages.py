"""Whether any message was lost: each that enters a queue has to leave it with its work done, or as a dead letter."""

from collections.abc import Mapping

from dlqlab.analysis.batch_sends import refused
from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.deletions import Deletion, deletion_of
from dlqlab.analysis.duplicates import Duplicates
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow import Flow, ids
from dlqlab.analysis.follow_ups import Missing, missing
from dlqlab.analysis.life_parts import Stay
from dlqlab.analysis.swallowed import swallowed
from dlqlab.analysis.wording import examples
from dlqlab.contracts.recorded import Kind
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.wording import count

SETS = (
    NamedSet("entered", SetKind.ACCOUNT, "Accepted by a queue that is nobody's dead-letter queue."),
    NamedSet(
        "done",
        SetKind.ACCOUNT,
        "Deleted after an attempt that succeeded, or by a consumer that is no event source mapping.",
    ),
    NamedSet("letters_taken", SetKind.ACCOUNT, "Deleted from a dead-letter queue by a consumer that succeeded."),
    NamedSet("dead_lettered", SetKind.ACCOUNT, "Moved to a dead-letter queue by its redrive policy."),
    NamedSet("redriven", SetKind.ACCOUNT, "Taken out of a dead-letter queue by a redrive task."),
    NamedSet(
        "named_in_vain",
        SetKind.VIOLATION,
        "Named in batchItemFailures, and deleted all the same: its mapping lacks FunctionResponseTypes = "
        "ReportBatchItemFailures, so any answer counts as success.",
    ),
    NamedSet(
        "called_failed_in_vain",
        SetKind.VIOLATION,
        "Its function's answer calls it failed in a form that Lambda does not read, so that it was deleted: under "
        "another name than batchItemFailures, not at the top of the answer, or by a statusCode.",
    ),
    NamedSet(
        "deleted_unfinished",
        SetKind.VIOLATION,
        "Deleted although every attempt at it failed: by a function before its work was done, or by somebody else.",
    ),
    NamedSet("deleted_untried", SetKind.VIOLATION, "Deleted by its mapping without an attempt at it."),
    NamedSet(
        "filtered",
        SetKind.VIOLATION,
        "Deleted by a mapping none of whose filters matches it: no function ever saw it.",
    ),
    NamedSet(
        "dropped_as_duplicate",
        SetKind.VIOLATION,
        "What its function sent was dropped by a FIFO queue as a duplicate of another task's message: the "
        "deduplication ids, or with content-based deduplication the bodies, are the same.",
    ),
    NamedSet(
        "refused_in_a_batch",
        SetKind.VIOLATION,
        "Its function sent a batch of which entries were refused, did not send them again, and succeeded all the same: "
        "the answer to a batch has status 200, and says in Failed what was not taken.",
    ),
    NamedSet(
        "swallowed",
        SetKind.VIOLATION,
        "The last write that its function made for it failed, and the function answered as if all were well: the error "
        "is swallowed.",
    ),
    NamedSet("expired", SetKind.VIOLATION, "Deleted by its queue: the retention period was over."),
    NamedSet("purged", SetKind.VIOLATION, "Deleted with all others, by a purge or with its queue."),
    NamedSet(
        "without_follow_up",
        SetKind.REPORTED,
        "Worked off, and its function sent nothing on, as it did for nearly all others: an exception may be swallowed.",
    ),
    NamedSet("open", SetKind.OPEN, "Still in a queue that somebody works on when the record ended."),
    NamedSet("unread", SetKind.OPEN, "Still in a queue that nobody works on and that is nobody's dead-letter queue."),
)
LOST_SAID = {
    "named_in_vain": "named in batchItemFailures, which the mapping does not ask for, and deleted",
    "called_failed_in_vain": "called failed in an answer that Lambda takes for success, and deleted",
    "deleted_unfinished": "deleted although every attempt failed",
    "deleted_untried": "deleted without an attempt",
    "filtered": "deleted by a filter",
    "dropped_as_duplicate": "dropped as duplicates of other tasks' messages in what was sent of them",
    "refused_in_a_batch": "refused in a batch that their function sent, and not sent again",
    "swallowed": "worked off although the last write of their function failed",
    "expired": "expired",
    "purged": "purged",
}
"""Of the sets that make the check invalid, as clauses after the number of their messages."""


@check("messages", "No message lost", place=30, sets=SETS)
def messages_check(facts: Facts) -> Judgement:
    """Valid: every message that entered a queue was worked off, or is a dead letter. Open: the record ends before."""
    flow = facts.flow
    unfollowed = tuple(missing(flow))
    members = sort_messages(flow) | {
        "without_follow_up": tuple(dict.fromkeys(one for some in unfollowed for one in some.messages))
    }
    lost = tuple(dict.fromkeys(one for name in LOST_SAID for one in members[name]))
    entered = len(members["entered"])
    return Judgement(
        status=_status(members, entered=entered, lost=len(lost)),
        statement="; ".join([_statement(members, entered=entered, lost=len(lost)), *map(_follow_up, unfollowed)]),
        measured=float(len(lost)),
        expected=0.0,
        unit="messages",
        n=entered,
        members=members,
        details={"by_queue": _by_queue(flow)},
    )


def sort_messages(flow: Flow) -> dict[str, tuple[str, ...]]:
    """The ids of every message, in the sets that say what became of it."""
    found: dict[str, list[Stay]] = {one.name: [] for one in SETS}
    found["entered"] = list(flow.work)
    for stay in flow.stays:
        name = set_of(flow, stay)
        if name is not None:
            found[name].append(stay)
    told = {
        "dropped_as_duplicate": Duplicates(flow).parents(),
        "refused_in_a_batch": refused(flow),
        "swallowed": swallowed(flow),
    }
    return {name: ids(some) for name, some in found.items()} | told


def set_of(flow: Flow, stay: Stay) -> str | None:
    """The set of one stay; None for a dead letter that rests where it is."""
    match stay.left:
        case None if stay.queue in flow.consumed_queues:
            return "open"
        case None:
            return None if stay.queue in flow.dead_letter_queues else "unread"
        case Kind.DELETED:
            deletion = deletion_of(stay)
            is_letter = deletion is Deletion.DONE and stay.queue in flow.dead_letter_queues
            return "letters_taken" if is_letter else str(deletion)
        case Kind.MOVED:
            return "dead_lettered"
        case _:
            return str(stay.left)


def _status(members: Mapping[str, tuple[str, ...]], *, entered: int, lost: int) -> Status:
    if lost:
        return Status.INVALID
    return Status.UNKNOWN if members["open"] or members["unread"] or not entered else Status.VALID


def _statement(members: Mapping[str, tuple[str, ...]], *, entered: int, lost: int) -> str:
    if not entered:
        return "no message entered a queue, so nothing is proven"
    text = f"{count(entered, 'message')} entered, {lost:,} lost"
    parts = [
        f"{len(members[name]):,} {said}: {examples(members[name])}" for name, said in LOST_SAID.items() if members[name]
    ]
    if members["open"]:
        parts.append(f"{len(members['open']):,} still in their queues: {examples(members['open'])}")
    if members["unread"]:
        parts.append(f"{len(members['unread']):,} in queues that nobody works on: {examples(members['unread'])}")
    parts = parts or [f"{len(members['done']):,} done, {len(members['dead_lettered']):,} dead-lettered"]
    return f"{text}; {'; '.join(parts)}"


def _follow_up(one: Missing) -> str:
    return f"{len(one.messages):,} worked off with {one}: {examples(one.messages)}"


def _by_queue(flow: Flow) -> dict[str, dict[str, int]]:
    """How many messages entered each queue, and how they left it."""
    found: dict[str, dict[str, int]] = {}
    for stay in flow.stays:
        queue = found.setdefault(stay.queue, {"entered": 0})
        queue["entered"] += 1
        left = str(stay.left or "left")
        queue[left] = queue.get(left, 0) + 1
    return found

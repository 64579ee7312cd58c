"""Whether anything was lost or done twice: every task in named sets, which ``reconcile`` fills."""

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.reconcile import Reconciliation, reconcile
from dlqlab.analysis.wording import examples
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.wording import count

SETS = (
    NamedSet("attempted", SetKind.ACCOUNT, "A client sent it at least once."),
    NamedSet("acknowledged", SetKind.ACCOUNT, "A client was told that it is taken (202 or 200)."),
    NamedSet("completed", SetKind.ACCOUNT, "The table says COMPLETED or an attempt reported success."),
    NamedSet("dead_lettered", SetKind.ACCOUNT, "Its latest generation ended in the dead-letter queue."),
    NamedSet("lost", SetKind.VIOLATION, "Acknowledged, not terminal, and no message or no item of it is left."),
    NamedSet("duplicated", SetKind.VIOLATION, "Its effect happened more than once."),
    NamedSet("zombie", SetKind.VIOLATION, "Completed and dead-lettered in one generation."),
    NamedSet("unexpected", SetKind.VIOLATION, "In the table or in an attempt, though no client sent it."),
    NamedSet("phantom", SetKind.VIOLATION, "Every answer said that it was not taken, yet it ran."),
    NamedSet("over_delivered", SetKind.VIOLATION, "A generation had more attempts than the policy allows."),
    NamedSet("in_flight", SetKind.OPEN, "In the table, not terminal, and the queues were not seen empty."),
    NamedSet(
        "under_retried",
        SetKind.REPORTED,
        "Dead-lettered before its last attempt without a permanent error; the oracle says whether a burnt "
        "delivery explains it.",
    ),
    NamedSet(
        "recovered",
        SetKind.NORMAL,
        "The client saw no answer and the task ended: an answer can be lost after the task is taken.",
    ),
    NamedSet(
        "unanswered",
        SetKind.NORMAL,
        "The client saw no answer and no trace of the task exists: a request can be lost.",
    ),
    NamedSet(
        "stranded",
        SetKind.NORMAL,
        "The client saw no answer and the task was written but never ended: sending it again enqueues it.",
    ),
    NamedSet(
        "redelivered",
        SetKind.NORMAL,
        "A delivery was recognised as superfluous and skipped: SQS delivers at least once.",
    ),
    NamedSet(
        "late_copy",
        SetKind.NORMAL,
        "A copy reached the dead-letter queue after the task was completed: the function died before it "
        "could delete the message, or the queue held the task twice.",
    ),
    NamedSet(
        "junk",
        SetKind.NORMAL,
        "Archived messages that are not tasks of any client: somebody wrote them to the queue.",
    ),
)
"""Every set that ``reconcile`` fills. What is normal carries its reason."""
VIOLATIONS = tuple(one.name for one in SETS if one.kind is SetKind.VIOLATION)


@check("conservation", "Nothing lost, nothing done twice", place=30, sets=SETS)
def conservation_check(facts: Facts) -> Judgement:
    """The reconciliation as a check."""
    result = reconcile(facts)
    acknowledged = len(result["acknowledged"])
    return Judgement(
        status=_status(result),
        statement=_statement(result),
        measured=float(len(result["lost"])),
        expected=0.0,
        unit="tasks",
        n=acknowledged,
        members=result.members,
        details={
            "counts": {name: len(found) for name, found in result.members.items()},
            "nothing_left": result.nothing_left,
        },
    )


def _status(result: Reconciliation) -> Status:
    if any(result[name] for name in VIOLATIONS):
        return Status.INVALID
    if not result["acknowledged"] or not result.nothing_left or result["in_flight"]:
        return Status.UNKNOWN
    return Status.VALID


def _statement(result: Reconciliation) -> str:
    if not result["attempted"]:
        return "no client sent anything, so nothing is proven"
    acknowledged = f"{count(len(result['acknowledged']), 'task')} acknowledged"
    text = f"{acknowledged}, {len(result['lost']):,} lost, {len(result['duplicated']):,} done twice"
    named = [f"{name}: {examples(result[name])}" for name in VIOLATIONS if result[name]]
    if named:
        return f"{text}; {'; '.join(named)}"
    if not result["acknowledged"]:
        return f"{text}: nothing was taken, so nothing is proven"
    if result["in_flight"]:
        return f"{text} so far; {count(len(result['in_flight']), 'task')} still in flight when the run ended"
    return text if result.nothing_left else f"{text} so far; the queues were not seen empty"

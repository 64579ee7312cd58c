"""Whether failed messages wait as long as is promised before they are tried again, and as often."""

from collections.abc import Sequence

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow import Flow, attempts_of, failures, ids, successes
from dlqlab.analysis.life_parts import Attempt, Stay
from dlqlab.analysis.retry_waits import Policy, Wait, policies, resent_chains, waits
from dlqlab.analysis.wording import examples
from dlqlab.contracts.promise import Promise
from dlqlab.contracts.recorded import Outcome
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.durations import duration
from dlqlab.wording import count

SETS = (
    NamedSet("early", SetKind.VIOLATION, "Could be received again sooner after a failure than is promised."),
    NamedSet("late", SetKind.VIOLATION, "Could be received again later after a failure than is promised."),
    NamedSet(
        "sent_anew_too_often",
        SetKind.VIOLATION,
        "Sent anew by its function more often than the queue allows receives or than is promised: a message that is "
        "sent anew has a receive count of 0 again.",
    ),
    NamedSet(
        "raised_for_a_mate",
        SetKind.VIOLATION,
        "Failed only together with its whole batch and succeeded later, although its mapping asks which messages "
        "failed: the handler raises where it should name them in batchItemFailures.",
    ),
    NamedSet(
        "answer_unread",
        SetKind.VIOLATION,
        "Failed only because Lambda could not read the function's answer: no JSON, no list, or an itemIdentifier that "
        "is not one of the batch's message ids makes the whole batch fail.",
    ),
    NamedSet(
        "buried_for_a_mate",
        SetKind.VIOLATION,
        "Dead-lettered together with batch mates after attempts that all failed with the whole batch, although its "
        "mapping asks which messages failed: one that raises condemns all of them.",
    ),
    NamedSet(
        "redone_for_a_mate",
        SetKind.REPORTED,
        "Failed only together with its whole batch and succeeded later: partial batch responses would have spared it.",
    ),
)


WRONG = tuple(one.name for one in SETS if one.kind is SetKind.VIOLATION)


@check("retries", "Retries as promised", place=80, sets=SETS)
def retries_check(facts: Facts) -> Judgement:
    """Valid: every wait after a failure is as promised; where nothing is promised, the policy is told as it is seen."""
    flow, promise = facts.flow, facts.flow.promise
    found = waits(flow)
    seen = policies(flow, found)
    struck = flow.failed_from_outside
    redone = [stay for stay in flow.work if _is_redone(stay, struck)]
    members = {
        "early": _off(found, promise, sign=-1),
        "late": _off(found, promise, sign=1),
        "sent_anew_too_often": _sent_too_often(flow),
        "raised_for_a_mate": ids(stay for stay in redone if _is_asked(stay)),
        "answer_unread": ids(stay for stay in flow.work if _is_answer_unread(stay, struck)),
        "buried_for_a_mate": _buried_together(flow),
        "redone_for_a_mate": ids(stay for stay in redone if not _is_asked(stay)),
    }
    wrong = {one for name in WRONG for one in members[name]}
    proven = Status.UNKNOWN if promise.backoff_s and not found else Status.VALID
    return Judgement(
        status=Status.INVALID if wrong else proven,
        statement=_statement(found, seen, members, promise),
        measured=float(len(wrong)),
        expected=0.0,
        unit="messages",
        n=len(found),
        members=members,
        details={
            "policies": [
                {
                    "queue": one.queue,
                    "waits_s": {str(n): wait_s for n, wait_s in one.waits_s.items()},
                    "by": list(map(str, one.hows)),
                    "n": one.n,
                    "receives_max": one.receives_max,
                }
                for one in seen
            ]
        },
    )


def _off(found: Sequence[Wait], promise: Promise, *, sign: int) -> tuple[str, ...]:
    """The messages with a wait that is off in that direction by more than is tolerated."""
    off: dict[str, None] = {}
    for wait in found:
        promised_s = promise.wait_s(wait.failures)
        if promised_s is not None and sign * (wait.wait_s - promised_s) > promise.tolerance_s:
            off[wait.message_id] = None
    return tuple(off)


def _sent_too_often(flow: Flow) -> tuple[str, ...]:
    """Of chains of re-sends: the first message of each that had more attempts than one message may have."""
    found = []
    for first, chain in resent_chains(flow).items():
        limit = flow.promise.attempts or _receives_allowed(flow, chain[0].queue)
        if limit is not None and sum(len(list(attempts_of(stay))) for stay in chain) > limit:
            found.append(first)
    return tuple(found)


def _receives_allowed(flow: Flow, queue: str) -> int | None:
    if flow.topology is None:
        return None
    return next((one.max_receive_count for one in flow.topology.queues if one.name == queue), None)


def _is_redone(stay: Stay, struck: frozenset[str]) -> bool:
    """Whether only its batch mates made it come again. An invocation that a fault struck is no handler's doing."""
    failed = [each for each in attempts_of(stay) if each.has_failed and each.request_id not in struck]
    return bool(failed and successes(stay)) and all(map(_has_raised_for_all, failed))


def _has_raised_for_all(attempt: Attempt) -> bool:
    """Whether it failed with several messages by an exception that does not say that each of them failed."""
    return attempt.batch > 1 and attempt.outcome == Outcome.ERROR and not attempt.says_that_all_failed


def _is_answer_unread(stay: Stay, struck: frozenset[str]) -> bool:
    """Whether an answer of the function's own, which no fault from outside replaced, could not be read."""
    return any(each.is_answer_unread and each.request_id not in struck for each in attempts_of(stay))


def _buried_together(flow: Flow) -> tuple[str, ...]:
    """Dead letters none of whose failures was theirs alone, where another one shares each of those failures."""
    alike: dict[tuple[str, ...], list[Stay]] = {}
    for stay in flow.moved_from.values():
        failed = [each for each in failures(stay) if each.request_id not in flow.failed_from_outside]
        if failed and _is_asked(stay) and all(map(_has_raised_for_all, failed)):
            alike.setdefault((stay.queue, *(each.request_id for each in failed)), []).append(stay)
    return ids(stay for some in alike.values() if len(some) > 1 for stay in some)


def _is_asked(stay: Stay) -> bool:
    """Whether its mapping asks which messages of a batch failed."""
    return any(each.reports_failures for each in attempts_of(stay))


def _statement(
    found: Sequence[Wait], seen: Sequence[Policy], members: dict[str, tuple[str, ...]], promise: Promise
) -> str:
    parts = [count(len(found), "retry", "retries")]
    parts += [str(one) for one in seen]
    if promise.backoff_s:
        parts.append(f"promised: {', '.join(duration(one) for one in promise.backoff_s)}")
    if found and promise.backoff_s and len(members["early"]) == len({wait.message_id for wait in found}):
        parts.append("the promised backoff never happens")
    said = {
        "early": "sooner than promised",
        "late": "later than promised",
        "sent_anew_too_often": "sent anew without an end in sight",
        "raised_for_a_mate": "tried again since the handler raised for a batch mate",
        "answer_unread": "failed since Lambda could not read the function's answer",
        "buried_for_a_mate": "dead-lettered with a whole batch for which the handler raised",
        "redone_for_a_mate": "tried again because of a batch mate",
    }
    parts += [
        f"{len(members[name]):,} {text}: {examples(members[name])}" for name, text in said.items() if members[name]
    ]
    return "; ".join(parts)

"""How often attempts fail, for each function and each receive of a message, and whether that is what is promised."""

from collections import Counter

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow import Flow, attempts_of
from dlqlab.analysis.statistics import Interval, exact_p_value, wilson
from dlqlab.analysis.wording import rate
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.wording import count, percent, probability

FUNCTIONS_SAID_MAX = 3
MESSAGES_MIN = 10
"""A function that fails with fewer messages may have had bad luck."""


SETS = (
    NamedSet(
        "never_succeeded",
        SetKind.VIOLATION,
        "Functions that failed with every message that they were given, unless that is what is promised.",
    ),
)


@check("failure_rates", "Failures as promised", place=60, sets=SETS)
def failure_rates_check(facts: Facts) -> Judgement:
    """Valid: no rate is promised, or the interval of all attempts holds it; invalid: an exact test refuses it, or a
    function never succeeded.
    """
    flow, judge = facts.flow, facts.scenario.judge
    trials = trials_of(flow)
    n, failed = sum(trials.values()), sum(number for (_, _, bad), number in trials.items() if bad)
    if not n:
        return Judgement(status=Status.UNKNOWN, statement="no function had a message: nothing to count", n=0)
    interval = wilson(failed, n, judge.confidence)
    status, said = _judged(flow.promise.failure_rate, failed, interval, judge.max_half_width)
    rows = rates_by_receive(trials, judge.confidence)
    hopeless = {} if flow.promise.failure_rate == 1 else never_succeeded(flow)
    return Judgement(
        status=Status.INVALID if hopeless else status,
        statement="; ".join(
            [
                f"failure rate {rate(interval, 'attempt')}{said}",
                *_functions(trials, judge.confidence),
                *(f"{name} failed in all of {attempts:,} attempts" for name, attempts in hopeless.items()),
            ]
        ),
        measured=interval.estimate,
        expected=flow.promise.failure_rate,
        unit="ratio",
        interval=(interval.low, interval.high),
        confidence=interval.confidence,
        n=n,
        members={"never_succeeded": tuple(hopeless)},
        details={"by_function_and_receive": rows},
    )


type Trials = Counter[tuple[str, int, bool]]
"""How many attempts by function, receive count and whether they failed."""


def trials_of(flow: Flow) -> Trials:
    """The attempts of the run, counted."""
    return Counter(
        (each.function, delivery.receive_count or 0, each.has_failed)
        for stay in flow.stays
        for delivery in stay.deliveries
        for each in delivery.attempts
        if each.has_run
    )


def never_succeeded(flow: Flow) -> dict[str, int]:
    """Functions that failed with all of enough messages, and in how many attempts; without what faults struck."""
    tried: dict[str, set[str]] = {}
    failed: Counter[str] = Counter()
    succeeded: set[str] = set()
    for stay in flow.stays:
        for each in attempts_of(stay):
            if each.has_failed and each.request_id not in flow.struck_requests:
                tried.setdefault(each.function, set()).add(stay.message_id)
                failed[each.function] += 1
            elif not each.has_failed:
                succeeded.add(each.function)
    enough = (name for name, messages in tried.items() if len(messages) >= MESSAGES_MIN)
    return {name: failed[name] for name in enough if name not in succeeded}


def _judged(promised: float | None, failed: int, interval: Interval, max_half_width: float) -> tuple[Status, str]:
    if promised is None:
        return Status.VALID, ", none is promised"
    text = f" against {percent(promised)}"
    p_value = exact_p_value(failed, interval.n, promised)
    if not interval.contains(promised) and p_value < 1 - interval.confidence:
        return Status.INVALID, f"{text}: {probability(p_value)}"
    if interval.half_width > max_half_width:
        return Status.UNKNOWN, f"{text}: not enough data for ± {percent(max_half_width)}"
    return Status.VALID, text


def _functions(trials: Trials, confidence: float) -> list[str]:
    """A clause for each of the functions that fail most often, where there are several."""
    total: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for (function, _, bad), number in trials.items():
        total[function] += number
        failed[function] += number * bad
    if len(total) == 1:
        return []
    worst = sorted(total, key=lambda name: -failed[name])
    said = [f"{name} {rate(wilson(failed[name], total[name], confidence), 'attempt')}" for name in worst]
    others = len(worst) - FUNCTIONS_SAID_MAX
    return [*said[:FUNCTIONS_SAID_MAX], *([count(others, "other function")] if others > 0 else [])]


def rates_by_receive(trials: Trials, confidence: float) -> list[dict[str, object]]:
    """One row for each function and receive: function, receive_count, failed, n, rate, and its interval: low, high."""
    rows = []
    for function, receive in sorted({key[:2] for key in trials}):
        failed, ok = trials[function, receive, True], trials[function, receive, False]
        interval = wilson(failed, failed + ok, confidence)
        rows.append(
            {
                "function": function,
                "receive_count": receive,
                "failed": failed,
                "n": failed + ok,
                "rate": interval.estimate,
                "low": interval.low,
                "high": interval.high,
            }
        )
    return rows

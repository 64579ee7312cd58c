"""Which log lines a life shows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from dlqlab.analysis.life_parts import Attempt, Stay
from dlqlab.analysis.lives import Life
from dlqlab.analysis.log_lines import Line, about, of_attempt
from dlqlab.analysis.reasons import Logged
from dlqlab.report.life.text import log_text
from dlqlab.run.stored_lives import Ran

LINES_MAX = 20
"""Log lines of one invocation that a life shows: the last ones."""


def logging_attempts(life: Life) -> Iterator[tuple[Stay, Attempt]]:
    """Every attempt at a message of the life that may have written lines."""
    for stay in life.stays:
        for delivery in stay.deliveries:
            yield from ((stay, each) for each in delivery.attempts if each.environment)


def ran(attempts: Iterable[Attempt]) -> list[Ran]:
    """These invocations as their lines are asked for, each once."""
    return [
        Ran(each.request_id, each.function, each.started_ts, each.ended_ts, each.environment)
        for each in {each.request_id: each for each in attempts}.values()
    ]


def logged(attempts: Iterable[Attempt], found: Mapping[str, Iterable[tuple[float, str, str]]]) -> Logged:
    """The lines of these invocations, by request id.

    Args:
        attempts: the invocations.
        found: lines of which theirs are to be chosen: time stamp, stream, text.
    """
    return {
        each.request_id: of_attempt([Line(*line) for line in found.get(each.request_id, ())], each) for each in attempts
    }


def lines_about(life: Life, lines: Logged) -> dict[tuple[str, str], Sequence[Line]]:
    """What each attempt at a message wrote that may be about it, as people read it."""
    return {
        (stay.message_id, attempt.request_id): [
            line._replace(text=log_text(line.text, life, stay.message_id))
            for line in about(lines.get(attempt.request_id, ()), stay.message_id, attempt)[-LINES_MAX:]
        ]
        for stay, attempt in logging_attempts(life)
    }

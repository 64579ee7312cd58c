"""A pipeline with other settings or another load.

Parts are named as AWS does, or by a piece of the name that only one has.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from dlqlab.errors import UsageError
from dlqlab.twin.pipeline.model import ALL_RECEIVES, Arrival, Consumer, Failing, Pipeline

MESSAGES_MAX: Final = 500_000
type Named[T] = tuple[str | None, T]
"""Which part, None where there is only one, and the value for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is to be otherwise: rates in messages a second, durations in seconds, chances of 0 to 1.

    ``poisson``: messages enter independently of each other instead of in the gaps that the run shows.
    """

    rate_per_s: float | None = None
    duration_s: float | None = None
    poisson: bool = False
    concurrency: Sequence[Named[int]] = ()
    reserved: Sequence[Named[int]] = ()
    max_receive_count: Sequence[Named[int]] = ()
    visibility_s: Sequence[Named[float]] = ()
    batch_size: Sequence[Named[int]] = ()
    window_s: Sequence[Named[float]] = ()
    fail: Sequence[Named[float]] = ()

    @property
    def are_none(self) -> bool:
        """Whether all is to stay as it was."""
        return self == Changes()


def changed(pipeline: Pipeline, changes: Changes, seed: int = 0) -> Pipeline:
    """The pipeline with the changes; ``seed`` is of the arrivals where they are drawn.

    Raises:
        UsageError: a name is unknown or fits several, or a value is impossible; names it and those that there are.
    """
    result = replace(pipeline, arrivals=_arrivals(pipeline, changes, seed))
    for option, values, part in (
        ("--max-receive-count", changes.max_receive_count, "max_receive_count"),
        ("--visibility", changes.visibility_s, "visibility_s"),
    ):
        for name, value in values:
            result = _with_queue(result, option, name, part, value)
    for option, given, limits in (
        ("--concurrency", changes.concurrency, True),
        ("--reserved", changes.reserved, False),
    ):
        for name, at_once in given:
            result = _with_concurrency(result, option, name, at_once, limits_mappings=limits)
    for option, sizes, part in (
        ("--batch-size", changes.batch_size, "batch_size"),
        ("--window", changes.window_s, "window_s"),
    ):
        for name, value in sizes:
            _within(option, value, *_BOUNDS[option])
            result = _with_consumers(result, pick(option, "queue", name, _consumed(result)), **{part: value})
    for name, chance in changes.fail:
        result = _failing(result, name, chance)
    return result


_BOUNDS: Final[Mapping[str, tuple[float, float, str]]] = {
    "--max-receive-count": (1, 1_000, "receives"),
    "--visibility": (0, 43_200, "seconds"),
    "--batch-size": (1, 10_000, "messages"),
    "--window": (0, 300, "seconds"),
    "--concurrency": (1, 100_000, "invocations at once"),
    "--reserved": (1, 100_000, "invocations at once"),
    "--fail": (0, 1, "as a chance, or 0 to 100 %"),
}
"""The limits of SQS and Lambda (API reference, SetQueueAttributes, CreateEventSourceMapping)."""


def _with_queue(pipeline: Pipeline, option: str, name: str | None, part: str, value: float) -> Pipeline:
    _within(option, value, *_BOUNDS[option])
    queues = [one.name for one in pipeline.queues.values() if one.name in _consumed(pipeline)]
    if part == "max_receive_count":
        queues = [queue for queue in queues if pipeline.queues[queue].dead_letters]
        if not queues:
            raise UsageError(f"{option}: no queue of this pipeline has a redrive policy: there is nothing to change")
    chosen = pick(option, "queue", name, queues)
    changed_queue = replace(pipeline.queues[chosen], **{part: value})  # type: ignore[arg-type]
    return replace(pipeline, queues={**pipeline.queues, chosen: changed_queue})


def _with_concurrency(
    pipeline: Pipeline, option: str, name: str | None, at_once: int, *, limits_mappings: bool
) -> Pipeline:
    """Reserved concurrency; and MaximumConcurrency of the mappings, so that they take no more batches than can run."""
    _within(option, at_once, *_BOUNDS[option])
    chosen = pick(option, "function", name, pipeline.functions)
    function = replace(pipeline.functions[chosen], concurrency=at_once)
    pipeline = replace(pipeline, functions={**pipeline.functions, chosen: function})
    if not limits_mappings:
        return pipeline
    consumers = tuple(
        replace(one, max_concurrency=at_once) if one.function == chosen else one for one in pipeline.consumers
    )
    return replace(pipeline, consumers=consumers)


def _with_consumers(pipeline: Pipeline, queue: str, **values: Any) -> Pipeline:
    consumers = tuple(replace(one, **values) if one.queue == queue else one for one in pipeline.consumers)
    return replace(pipeline, consumers=consumers)


def _failing(pipeline: Pipeline, name: str | None, chance: float) -> Pipeline:
    """Every attempt fails with that chance, in the way in which the function fails: alone, or with its batch."""
    _within("--fail", chance, *_BOUNDS["--fail"])
    chosen = pick("--fail", "function", name, pipeline.functions)
    consumers = tuple(_with_chance(one, chance) if one.function == chosen else one for one in pipeline.consumers)
    return replace(pipeline, consumers=consumers)


def _with_chance(consumer: Consumer, chance: float) -> Consumer:
    is_named = bool(consumer.failing.named) or (consumer.reports_failures and not consumer.failing.raises)
    rates = {ALL_RECEIVES: chance}
    return replace(consumer, failing=Failing(named=rates) if is_named else Failing(raises=rates))


def unseen_failing(pipeline: Pipeline) -> Pipeline | None:
    """The pipeline in which every receive beyond those that the run showed fails; None where it allows no such receive.

    Messages that fail again and again may be ones that never succeed: a rate that was seen says nothing about that.
    """
    consumers = tuple(_unseen_failing(one, pipeline.queues[one.queue].max_receive_count) for one in pipeline.consumers)
    return None if consumers == pipeline.consumers else replace(pipeline, consumers=consumers)


def _unseen_failing(consumer: Consumer, max_receive_count: int | None) -> Consumer:
    failing = consumer.failing
    last = max([*failing.raises, *failing.named], default=ALL_RECEIVES)
    if last == ALL_RECEIVES or (max_receive_count is not None and max_receive_count <= last):
        return consumer
    if failing.named:
        return replace(consumer, failing=replace(failing, named={**failing.named, last + 1: 1.0}))
    return replace(consumer, failing=replace(failing, raises={**failing.raises, last + 1: 1.0}))


def _arrivals(pipeline: Pipeline, changes: Changes, seed: int) -> tuple[Arrival, ...]:
    """The load: as it was; or with its gaps stretched to another rate, and over and over for another duration."""
    seen = pipeline.arrivals
    if changes.rate_per_s is None and changes.duration_s is None and not changes.poisson:
        return seen
    rate = pipeline.rate_per_s if changes.rate_per_s is None else changes.rate_per_s
    if not rate > 0:
        shows = "" if changes.rate_per_s is not None else "; the run shows none of its own"
        raise UsageError(f"--rate is {rate:g}: give messages a second over 0{shows}")
    number = len(seen) if changes.duration_s is None else max(1, round(rate * changes.duration_s))
    if number > MESSAGES_MAX:
        raise UsageError(f"{rate:g} messages a second for that long are {number:,}: give {MESSAGES_MAX:,} at most")
    due_s = _independent(rate, number, seed) if changes.poisson else _stretched(pipeline, rate, number)
    return tuple(replace(seen[place % len(seen)], at_s=at_s) for place, at_s in enumerate(due_s))


def _independent(rate: float, number: int, seed: int) -> Iterable[float]:
    draws, at_s = random.Random(f"arrivals {seed}"), 0.0  # noqa: S311  (a simulation, no secret)
    for _ in range(number):
        yield at_s
        at_s += draws.expovariate(rate)


def _stretched(pipeline: Pipeline, rate: float, number: int) -> Iterable[float]:
    seen, own = pipeline.arrivals, pipeline.rate_per_s
    if not own:
        return [place / rate for place in range(number)]
    round_s = len(seen) / rate
    begins_s = seen[0].at_s
    return [
        place // len(seen) * round_s + (seen[place % len(seen)].at_s - begins_s) * own / rate for place in range(number)
    ]


def _consumed(pipeline: Pipeline) -> list[str]:
    return list(dict.fromkeys(one.queue for one in pipeline.consumers))


def pick(option: str, what: str, name: str | None, known: Iterable[str]) -> str:
    """The part of that name, or the only one whose name has it as a piece.

    Raises:
        UsageError: there is none, or there are several.
    """
    names = sorted(known)
    said = ", ".join(names) or "none"
    if name is None:
        if len(names) == 1:
            return names[0]
        raise UsageError(f"{option}: say which {what}, as {option} {names[0] if names else what.upper()}=...: {said}")
    if name in names:
        return name
    having = [one for one in names if name.casefold() in one.casefold()]
    if len(having) == 1:
        return having[0]
    if having:
        raise UsageError(f"{option}: {what} {name!r} could be {', '.join(having)}: give more of its name")
    raise UsageError(f"{option}: no {what} {name!r} is simulated: there are {said}")


def _within(option: str, value: float, low: float, high: float, what: str) -> None:
    if not low <= value <= high:
        raise UsageError(f"{option} is {value:g}: give {low:g} to {high:,g} {what}")

"""What is simulated: queues, what consumes them, functions, and the load. Times in seconds, rates are ratios of 0 to 1.

Samples are values that a run showed; the simulation draws from them with equal chances.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

type Samples = tuple[float, ...]

VISIBILITY_S, RETENTION_S = 30.0, 345_600.0
"""SQS's own (API reference, SetQueueAttributes)."""
ALL_RECEIVES = 0
"""Key of a rate that holds for every receive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRules:
    """One queue. ``dead_letters`` is the name of the queue that its redrive policy leads to."""

    name: str
    visibility_s: float = VISIBILITY_S
    is_fifo: bool = False
    dead_letters: str | None = None
    max_receive_count: int | None = None
    retention_s: float = RETENTION_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """What one attempt sends to a queue.

    Args:
        queue: where to.
        counts: how many messages with which chance; the chances add up to 1.
        lags: when, as the part of the invocation that had passed and the seconds after its end; one of both is 0 or 1.
        delays_s: until such a message is visible.
    """

    queue: str
    counts: tuple[tuple[int, float], ...]
    lags: tuple[tuple[float, float], ...] = ((1.0, 0.0),)
    delays_s: Samples = (0.0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """How long an invocation takes: ``(fixed_s + per_message_s * messages) * one of spread``.

    Of ``n`` invocations with ``sizes`` different numbers of messages, of which the longest took ``longest_s``.
    """

    fixed_s: float = 0.0
    per_message_s: float = 0.0
    spread: Samples = (1.0,)
    longest_s: float = 0.0
    n: int = 0
    sizes: int = 0

    def of(self, messages: int, ratio: float) -> float:
        """Seconds of an invocation with so many messages."""
        return (self.fixed_s + self.per_message_s * messages) * ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """The chance that a message's attempt fails, by receive count; one that is not known has that of the one before.

    ``raises``: it takes its whole batch along. ``named``: it alone stays in the queue. ``ALL_RECEIVES`` holds for all.
    """

    raises: Mapping[int, float] = field(default_factory=dict)
    named: Mapping[int, float] = field(default_factory=dict)

    @staticmethod
    def rate(rates: Mapping[int, float], receive_count: int) -> float:
        """Of this receive; 0 where nothing is known."""
        if ALL_RECEIVES in rates:
            return rates[ALL_RECEIVES]
        known = [receive for receive in rates if receive <= receive_count]
        return rates[max(known) if known else min(rates)] if rates else 0.0


type Hides = Mapping[int, tuple[float | None, ...]]
"""Visibility timeouts that were set after a failure, by receive count; None where nobody changed it."""
type Hops = Mapping[tuple[int, bool], tuple[Hop, ...]]
"""What an attempt sends, by how often its message had been in this queue before, and whether it succeeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """An event source mapping with its function's work on it.

    ``deliver_s``: from the receive until the function has the batch; ``settle_s``: from its end until the batch is
    deleted and the poller free. ``filtered`` is the share of messages that its filters delete.
    """

    queue: str
    function: str
    batch_size: int = 10
    window_s: float = 0.0
    max_concurrency: int | None = None
    reports_failures: bool = False
    deliver_s: Samples = (0.0,)
    settle_s: Samples = (0.0,)
    succeeds: Durations = field(default_factory=Durations)
    fails: Durations = field(default_factory=Durations)
    failing: Failing = field(default_factory=Failing)
    hides: Hides = field(default_factory=dict)
    hops: Hops = field(default_factory=dict)
    filtered: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRules:
    """One function. ``warm`` environments are there when the load begins."""

    name: str
    concurrency: int | None = None  # reserved
    timeout_s: float | None = None
    init_s: Samples = (0.0,)
    warm: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A message that enters the pipeline: when, where, visible after which delay, in which FIFO group."""

    at_s: float
    queue: str
    delay_s: float = 0.0
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """All of it. ``pollers_max`` is where the growth of a mapping without MaximumConcurrency ends."""

    queues: Mapping[str, QueueRules]
    consumers: tuple[Consumer, ...]
    functions: Mapping[str, FunctionRules]
    arrivals: tuple[Arrival, ...]
    pollers_max: int = 10

    @property
    def dead_letter_queues(self) -> frozenset[str]:
        """The queues that a redrive policy leads to."""
        return frozenset(queue.dead_letters for queue in self.queues.values() if queue.dead_letters)

    @property
    def rate_per_s(self) -> float:
        """Messages that enter a second, over the time of the load; 0 where a single moment has all of them."""
        lasts_s = self.lasts_s
        return (len(self.arrivals) - 1) / lasts_s if lasts_s > 0 else 0.0

    @property
    def lasts_s(self) -> float:
        """From the first message that enters to the last."""
        return self.arrivals[-1].at_s - self.arrivals[0].at_s if self.arrivals else 0.0

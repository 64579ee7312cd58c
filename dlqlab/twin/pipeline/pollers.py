"""The pollers of one mapping in simulated time: how many there are, by the rules that the emulator's follow."""

from dataclasses import dataclass

from dlqlab.emulator.mappings.scaling import IDLE_S, LOW_TRAFFIC_S, Limits, Scale, Seen, first, follow, limits, wake
from dlqlab.twin.pipeline.model import Consumer
from dlqlab.twin.pipeline.queues import Message

OBSERVE_S = 1.0
QUIET_S = IDLE_S + LOW_TRAFFIC_S
"""After so long without work nothing changes any more."""


@dataclass(slots=True)
class Pollers:
    """Who polls for a mapping. ``gathering`` is the batch whose window is open, ``gather`` its number."""

    rules: Consumer
    bounds: Limits
    scale: Scale
    working: int = 0
    batches: int = 0
    errors: int = 0
    gathering: list[Message] | None = None
    gather: int = 0
    observes: bool = False

    @classmethod
    def of(cls, rules: Consumer, pollers_max: int) -> "Pollers":
        """The pollers of a mapping that was made just now."""
        mapping: dict[str, object] = {"BatchSize": rules.batch_size}
        if rules.max_concurrency:
            mapping["ScalingConfig"] = {"MaximumConcurrency": rules.max_concurrency}
        bounds = limits(mapping, pollers_max)
        return cls(rules=rules, bounds=bounds, scale=first(bounds))

    @property
    def free(self) -> int:
        """How many could take a batch now."""
        return self.scale.size - self.working - (self.gathering is not None)

    def take(self) -> None:
        """One has a batch."""
        self.working += 1
        self.batches += 1
        self.scale = wake(self.scale, self.bounds)

    def give_back(self, *, failed: bool) -> None:
        """One is done with its batch."""
        self.working -= 1
        self.errors += failed

    def observe(self, waiting: int) -> bool:
        """What is done once a second; whether there is more to observe."""
        seen = Seen(
            elapsed_s=OBSERVE_S, waiting=waiting, working=self.working, batches=self.batches, errors=self.errors
        )
        self.batches = self.errors = 0
        self.scale = follow(self.scale, self.bounds, seen)
        self.observes = bool(waiting or self.working) or min(self.scale.idle_s, self.scale.low_s) < QUIET_S
        return self.observes

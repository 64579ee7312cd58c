"""Execution environments of one function in simulated time."""

from collections.abc import Callable

from dlqlab.twin.pipeline.model import FunctionRules, Samples
from dlqlab.twin.pipeline.outcome import FunctionCounts


class Environments:
    """Those of one function: an idle one is warm, and each end of an invocation leaves one idle."""

    def __init__(self, rules: FunctionRules) -> None:
        self.rules = rules
        self.counts = FunctionCounts()
        self._warm = rules.warm
        self._running = 0

    @property
    def is_full(self) -> bool:
        """Whether its reserved concurrency is used up."""
        return self.rules.concurrency is not None and self._running >= self.rules.concurrency

    def start(self, draw: Callable[[Samples], float]) -> float:
        """One more invocation runs; how long its init takes, 0 where an environment is warm."""
        self._running += 1
        self.counts.at_once_max = max(self.counts.at_once_max, self._running)
        if self._warm:
            self._warm -= 1
            return 0.0
        init_s = draw(self.rules.init_s)
        self.counts.cold_starts += 1
        self.counts.init_s += init_s
        return init_s

    def end(self) -> None:
        """One invocation is over."""
        self._running -= 1
        self._warm += 1

"""Rates as token buckets. Pure."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Bucket:
    """Lets through ``rate_per_s`` on average and ``burst`` at once; ``clock`` tells seconds."""

    rate_per_s: float
    burst: float
    clock: Callable[[], float]
    _tokens: float = field(init=False)
    _filled_s: float = field(init=False)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._tokens = self.burst
        self._filled_s = self.clock()

    def take(self, tokens: float = 1) -> bool:
        """Whether one more, or so many, may pass now; they have passed then. More than a burst pass when it is full."""
        with self._lock:
            now_s = self.clock()
            self._tokens = min(self.burst, self._tokens + (now_s - self._filled_s) * self.rate_per_s)
            self._filled_s = now_s
            if self._tokens < min(tokens, self.burst):
                return False
            self._tokens -= tokens
            return True


class Buckets:
    """A bucket by key; one whose rate has changed is a new one, and full."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._by_key: dict[object, Bucket] = {}
        self._lock = threading.Lock()

    def take(self, key: object, *, rate_per_s: float, burst: float, tokens: float = 1) -> bool:
        """Whether one more of that key, or so many, may pass now."""
        with self._lock:
            found = self._by_key.get(key)
            if found is None or (found.rate_per_s, found.burst) != (rate_per_s, burst):
                found = self._by_key[key] = Bucket(rate_per_s, burst, self._clock)
        return found.take(tokens)

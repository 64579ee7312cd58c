"""What a pipeline promises about its messages, as its owner says it: what is promised is checked, the rest is told.

Everything may be left out. Times are in seconds.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One promise for all queues of a pipeline that are nobody's dead-letter queue.

    ``backoff_s``: how long a message waits after its first failed attempt, after its second, and so on; the last value
    holds for all later ones. ``tolerance_s``: by how much a wait may differ from it. ``attempts``: how often a message
    is tried before it is dead-lettered. ``completes_within_s``: from its first send until it is worked off.
    ``failure_rate``: of attempts. ``dead_letter_rate``: of messages.
    """

    attempts: int | None = field(default=None, metadata={"range": (1, 1000)})
    backoff_s: tuple[float, ...] = ()
    tolerance_s: float = field(default=1.0, metadata={"range": (0, 43_200)})
    completes_within_s: float | None = field(default=None, metadata={"range": (0, 1_209_600)})
    failure_rate: float | None = field(default=None, metadata={"range": (0, 1)})
    dead_letter_rate: float | None = field(default=None, metadata={"range": (0, 1)})

    def wait_s(self, failures: int) -> float | None:
        """The promised wait after the n-th failed attempt of a message; None where none is promised."""
        return self.backoff_s[min(failures, len(self.backoff_s)) - 1] if self.backoff_s and failures else None

"""What a pipeline promises about its messages, as its owner says it: what is promised is checked, the rest is told.

Everything may be left out. Times are in seconds.
"""

from dataclasses import dataclass

from taskrules.bounds import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One promise for all queues of a pipeline that are nobody's dead-letter queue. What is left out is told as it is
    seen, and not judged.
    """

    attempts: int | None = setting(None, "how often a message is tried before it is dead-lettered", 1, 1000)
    backoff_s: tuple[float, ...] = setting(
        (),
        "how long a message waits after its first failed attempt, after its second ...; the last holds for all later",
    )
    tolerance_s: float = setting(1.0, "by how much a wait may differ from it", 0, 43_200)
    completes_within_s: float | None = setting(None, "from its first send until it is worked off", 0, 1_209_600)
    failure_rate: float | None = setting(None, "share of attempts that fail", 0, 1, give="a ratio of 0 to 1")
    dead_letter_rate: float | None = setting(
        None, "share of messages that are dead-lettered", 0, 1, give="a ratio of 0 to 1"
    )

    def wait_s(self, failures: int) -> float | None:
        """The promised wait after the n-th failed attempt of a message; None where none is promised."""
        return self.backoff_s[min(failures, len(self.backoff_s)) - 1] if self.backoff_s and failures else None

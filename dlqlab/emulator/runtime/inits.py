"""How long an execution environment's init may take, and how it fails, in Lambda's words. No I/O but the clock's.

Source: "Understanding the Lambda execution environment lifecycle" (AWS Lambda developer guide).
"""

import json
import time
from dataclasses import dataclass, field

from dlqlab.emulator.runtime.outcomes import TIMED_OUT
from dlqlab.emulator.runtime.output import Line

INIT_TIMEOUT_S = 10.0
"""Lambda's limit for the init of an on-demand function."""


class InitError(Exception):
    """The function could not be initialised; ``payload`` is the error document, ``lines`` what was printed."""

    def __init__(self, payload: bytes, lines: list[Line]) -> None:
        super().__init__(payload.decode(errors="replace"))
        self.payload = payload
        self.lines = lines


@dataclass(frozen=True, slots=True)
class InitPhase:
    """Where in an environment's life an init belongs: ``init``, or ``invoke`` where an invocation tries it again."""

    name: str
    limit_s: float = INIT_TIMEOUT_S
    began: float = field(default_factory=time.monotonic)
    """Monotonic seconds."""

    @property
    def deadline(self) -> float:
        """Monotonic seconds."""
        return self.began + self.limit_s

    @property
    def elapsed_ms(self) -> float:
        """Until now."""
        return (time.monotonic() - self.began) * 1000

    def report(self, kind: str) -> str:
        """The INIT_REPORT line of one that failed by an error of that type."""
        status = ["Status: timeout"] if kind == TIMED_OUT else ["Status: error", f"Error Type: {kind}"]
        return "\t".join([f"INIT_REPORT Init Duration: {self.elapsed_ms:.2f} ms", f"Phase: {self.name}", *status])


def error_type(document: bytes) -> str:
    """What the document of an error names as its type; Lambda's word for one that names none."""
    try:
        found = json.loads(document)["errorType"]
    except (ValueError, KeyError, TypeError):
        return "Runtime.Unknown"
    return str(found)

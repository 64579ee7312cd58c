"""Where faults from outside reach into an invocation; see ``dlqlab.emulator.injection``."""

from collections.abc import Callable, Mapping
from typing import Protocol

from dlqlab.emulator.runtime.outcomes import Outcome


class Interfered(Protocol):
    """What an interference may do to an execution environment."""

    def renew(self) -> None:
        """End its process, so that it begins with an init."""

    def failed_init(self, kind: str, text: str) -> Exception:
        """End its process; the error of an init that failed."""


class Interference(Protocol):
    """What is done to one invocation."""

    def before(self, environment: Interfered) -> None:
        """Before it begins; may raise the error of a failed init."""

    def around(self, converse: Callable[[], Outcome], pid: int | None) -> Outcome:
        """In the place of ``converse``, which has the function work and tells how that ended.

        Args:
            pid: of the function's process.
        """


WITH_INVOCATIONS: list[Callable[[Mapping[str, str], str, bytes], Interference | None]] = []
"""Given the function's variables, the request id and the event; None where nothing is done to that invocation."""


def of_invocation(variables: Mapping[str, str], request_id: str, payload: bytes) -> Interference | None:
    """What is done to an invocation: the first that there is."""
    for interfere in WITH_INVOCATIONS:
        if found := interfere(variables, request_id, payload):
            return found
    return None

"""How invocations end, in Lambda's words: error documents and lines of the log. No I/O but the clock's."""

import json
import math
import time
from dataclasses import dataclass

from dlqlab.emulator.runtime.api import PREFIX
from dlqlab.emulator.runtime.inbox import PAYLOAD_LIMIT_BYTES, ProtocolError, RuntimeRequest

_LIMIT = f"maximum allowed payload size ({PAYLOAD_LIMIT_BYTES} bytes)."
REFUSAL = json.dumps({"errorMessage": f"Exceeded {_LIMIT}", "errorType": "RequestEntityTooLarge"}).encode()
"""What the runtime hears, with status 413, whose result is over the limit."""
TIMED_OUT = "Sandbox.Timedout"
"""Lambda's name of the error where an init or an invocation took too long."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended: its status and document, and for the log a line and Lambda's name of the error."""

    status: str
    """``success``; ``failure`` of the handler, or ``timeout`` or ``error``, with which the process ends too."""
    document: bytes
    line: str | None = None
    error_type: str | None = None

    @property
    def ends_process(self) -> bool:
        return self.status in {"timeout", "error"}


def is_error_document(request: RuntimeRequest, request_id: str) -> bool:
    """Whether the result of an invocation is an error's document.

    Raises:
        ProtocolError: it is not a result of this invocation.
    """
    kind = request.path.rpartition("/")[2]
    if request.path != f"{PREFIX}/invocation/{request_id}/{kind}" or kind not in {"response", "error"}:
        raise ProtocolError(f"expected the result of {request_id}, got {request.method} {request.path}")
    return kind == "error"


def timed_out(request_id: str, timeout_s: float) -> Outcome:
    """The outcome of an invocation that took too long."""
    text = f"Task timed out after {timeout_s:.2f} seconds"
    document = {"errorType": TIMED_OUT, "errorMessage": f"RequestId: {request_id} Error: {text}"}
    return Outcome("timeout", json.dumps(document).encode(), f"{_iso_now()} {request_id} {text}")


def broken(request_id: str, kind: str, text: str) -> Outcome:
    """The outcome of an invocation whose process cannot go on."""
    message = f"RequestId: {request_id} Error: {text}"
    document = {"errorType": kind, "errorMessage": message}
    return Outcome("error", json.dumps(document).encode(), f"{message} {kind}", kind)


def injected(text: str) -> Outcome:
    """The outcome of an invocation that fails on purpose, as an error of its handler."""
    document = {"errorType": "InjectedFault", "errorMessage": text}
    return Outcome("failure", json.dumps(document).encode(), f"[ERROR] InjectedFault: {text}")


def too_large(request_id: str, *, goes_on: bool) -> Outcome:
    """The outcome of an invocation whose result or error document is over the limit."""
    kind, text = "Function.ResponseSizeTooLarge", f"Response payload size exceeded {_LIMIT}"
    document = json.dumps({"errorMessage": text, "errorType": kind}).encode()
    status = "failure" if goes_on else "error"
    return Outcome(status, document, f"RequestId: {request_id} Error: {text} {kind}", kind)


def report(
    request_id: str, outcome: Outcome, duration_ms: float, *, init_ms: float | None, memory_mb: tuple[int, int]
) -> str:
    """The REPORT line of an invocation; ``memory_mb`` is what the function has and the most that it used."""
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {duration_ms:.2f} ms",
        f"Billed Duration: {math.ceil(duration_ms)} ms",
        f"Memory Size: {memory_mb[0]} MB",
        f"Max Memory Used: {memory_mb[1]} MB",
    ]
    if init_ms is not None:
        parts.append(f"Init Duration: {init_ms:.2f} ms")
    if outcome.ends_process:
        parts.append(f"Status: {outcome.status}")
    if outcome.error_type:
        parts.append(f"Error Type: {outcome.error_type}")
    return "\t".join(parts)


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def _iso_now() -> str:
    now_s, rest_ms = divmod(now_ms(), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now_s))}.{rest_ms:03d}Z"

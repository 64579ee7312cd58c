"""One execution environment, independent of LocalStack: init, invocations, time-outs, crashes, replacement.

After a time-out or a crash the process is replaced: the next invocation starts with an init of its own, in the same log
stream and with the same ``/tmp``, as Lambda does ("Lambda execution environment lifecycle", AWS developer guide).
"""

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dlqlab.emulator import processors
from dlqlab.emulator.runtime.api import (
    INIT_ERROR,
    NEXT,
    PREFIX,
    ProtocolError,
    RuntimeApi,
    RuntimeGoneError,
    RuntimeRequest,
    RuntimeTimeoutError,
)
from dlqlab.emulator.runtime.output import Line
from dlqlab.emulator.runtime.process import FunctionProcess, Lifeline, make_tmp, remove_tmp

INIT_TIMEOUT_S = 10.0
"""Lambda's limit for the init of an on-demand function (AWS developer guide, as above)."""


class InitError(Exception):
    """The function could not be initialised; ``payload`` is the error document, ``lines`` what was printed."""

    def __init__(self, payload: bytes, lines: list[Line]) -> None:
        super().__init__(payload.decode(errors="replace"))
        self.payload = payload
        self.lines = lines


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one invocation."""

    payload: bytes
    is_error: bool
    lines: list[Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """What a function process needs to know."""

    handler: str
    version: str
    timeout_s: float
    memory_mb: int
    task_root: Path
    variables: Mapping[str, str]


class Environment:
    """One execution environment. Not thread-safe: Lambda gives an environment one invocation at a time."""

    def __init__(self, function: Function, *, base: Path, scratch: Path, lifeline: Lifeline) -> None:
        self._function = function
        self._base = base
        self._lifeline = lifeline
        self._tmp = make_tmp(scratch)
        self._api = RuntimeApi()
        self._process: FunctionProcess | None = None
        self._is_asking = False
        self._init_ms: float | None = None
        self._stopped = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def init_ms(self) -> float | None:
        """How long the init took that no invocation has reported yet."""
        return self._init_ms

    def start(self) -> None:
        """Start the process and wait until it asks for its first invocation.

        Raises:
            InitError: the handler could not be loaded, the process ended, or the init took over 10 s.
        """
        began = time.monotonic()
        self._process = FunctionProcess(
            handler=self._function.handler, base=self._base, environment=self._variables(), lifeline=self._lifeline
        )
        self._api.attach(self._process.output)
        try:
            request = self._api.receive(began + INIT_TIMEOUT_S)
        except RuntimeTimeoutError:
            raise self._init_failed("Sandbox.Timedout", f"Init timed out after {INIT_TIMEOUT_S:.0f} s") from None
        except RuntimeGoneError:
            status = self._process.exit_status()
            raise self._init_failed("Runtime.ExitError", f"Runtime exited with error: {status}") from None
        if request.path == INIT_ERROR:
            self._api.answer(202)
            raise InitError(request.body, self._end_process())
        self._expect_next(request)
        self._init_ms = (time.monotonic() - began) * 1000
        processors.give_others(self._process.pid)

    def invoke(self, *, request_id: str, payload: bytes, arn: str, trace_id: str) -> Result:
        """Run one invocation to its end.

        Raises:
            InitError: the process had to be replaced and could not be initialised again.
        """
        if self._process is None:
            self.start()
        init_ms, self._init_ms = self._init_ms, None
        lines = [Line(_now_ms(), f"START RequestId: {request_id} Version: {self._function.version}")]
        began = time.monotonic()
        status, answer, error = self._converse(request_id, payload, arn, trace_id, began)
        duration_ms = (time.monotonic() - began) * 1000
        memory_mb = self._process.peak_memory_mb() if self._process else 0
        lines += self._collect(status)
        if error:
            lines.append(Line(_now_ms(), error))
        lines.append(Line(_now_ms(), f"END RequestId: {request_id}"))
        lines.append(Line(_now_ms(), self._report(request_id, duration_ms, init_ms, memory_mb, status)))
        return Result(answer, status != "success", lines)

    def stop(self) -> None:
        """End the process and remove its ``/tmp``. May be called twice."""
        if self._stopped:
            return
        self._stopped = True
        self._end_process()
        self._api.close()
        remove_tmp(self._tmp)

    def _converse(
        self, request_id: str, payload: bytes, arn: str, trace_id: str, began: float
    ) -> tuple[str, bytes, str | None]:
        """Status, result document and a line for the log."""
        deadline = began + self._function.timeout_s
        try:
            if not self._is_asking:
                self._expect_next(self._api.receive(deadline))
            self._is_asking = False
            self._api.answer(200, payload, self._invocation_headers(request_id, arn, trace_id))
            request = self._api.receive(deadline)
            self._api.answer(202)
        except RuntimeTimeoutError:
            text = f"Task timed out after {self._function.timeout_s:.2f} seconds"
            document = {"errorType": "Sandbox.Timedout", "errorMessage": f"RequestId: {request_id} Error: {text}"}
            return "timeout", json.dumps(document).encode(), f"{_iso_now()} {request_id} {text}"
        except RuntimeGoneError:
            how = self._process.exit_status() if self._process else "exit status unknown"
            text = f"RequestId: {request_id} Error: Runtime exited with error: {how}"
            document = {"errorType": "Runtime.ExitError", "errorMessage": text}
            return "error", json.dumps(document).encode(), f"{text} Runtime.ExitError"
        outcome = request.path.rpartition("/")[2]
        if request.path != f"{PREFIX}/invocation/{request_id}/{outcome}" or outcome not in {"response", "error"}:
            raise ProtocolError(f"expected the result of {request_id}, got {request.method} {request.path}")
        return ("success" if outcome == "response" else "failure"), request.body, None

    def _collect(self, status: str) -> list[Line]:
        """What the function printed; ends the process where it cannot go on."""
        if status in {"timeout", "error"}:
            return self._end_process()
        if self._process is None:
            return []
        self._process.output.drain()
        return self._process.output.take_lines(flush=True)

    def _end_process(self) -> list[Line]:
        process, self._process = self._process, None
        self._is_asking = False
        self._api.detach()
        if process is None:
            return []
        process.kill()
        return process.output.take_lines(flush=True)

    def _expect_next(self, request: RuntimeRequest) -> None:
        if request.path != NEXT:
            raise ProtocolError(f"expected {NEXT}, got {request.method} {request.path}")
        self._is_asking = True

    def _init_failed(self, kind: str, text: str) -> InitError:
        payload = json.dumps({"errorType": kind, "errorMessage": text}).encode()
        return InitError(payload, [*self._end_process(), Line(_now_ms(), f"INIT_REPORT Status: error {kind} {text}")])

    def _invocation_headers(self, request_id: str, arn: str, trace_id: str) -> dict[str, str]:
        return {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(_now_ms() + int(self._function.timeout_s * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": arn,
            "Lambda-Runtime-Trace-Id": trace_id,
        }

    def _variables(self) -> dict[str, str]:
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            **self._function.variables,
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "LAMBDA_TASK_ROOT": str(self._function.task_root),
            "LAMBDA_RUNTIME_DIR": str(self._base),
            "TMPDIR": str(self._tmp),
            "HOME": str(self._tmp),
        }

    def _report(self, request_id: str, duration_ms: float, init_ms: float | None, memory_mb: int, status: str) -> str:
        parts = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {duration_ms:.2f} ms",
            f"Billed Duration: {math.ceil(duration_ms)} ms",
            f"Memory Size: {self._function.memory_mb} MB",
            f"Max Memory Used: {memory_mb} MB",
        ]
        if init_ms is not None:
            parts.append(f"Init Duration: {init_ms:.2f} ms")
        if status in {"timeout", "error"}:
            parts.append(f"Status: {status}")
        return "\t".join(parts)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _iso_now() -> str:
    now_s, now_ms = divmod(_now_ms(), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now_s))}.{now_ms:03d}Z"

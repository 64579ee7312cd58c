"""One execution environment, independent of LocalStack: init, invocations, time-outs, crashes, replacement.

After a time-out or a crash, or when it ended between two invocations, the process is replaced: the next invocation
starts with an init of its own, in the same log stream and with the same ``/tmp``, as Lambda does ("Lambda execution
environment lifecycle", AWS developer guide). An environment's first init, where it fails, is tried again by the
invocation for which it was started, within the function's own timeout.
"""

import contextlib
import functools
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dlqlab.emulator.runtime import filesystem, interference
from dlqlab.emulator.runtime.api import INIT_ERROR, NEXT, PREFIX, RuntimeApi, RuntimeGoneError, RuntimeTimeoutError
from dlqlab.emulator.runtime.extensions import ExtensionError, Extensions, ready_line
from dlqlab.emulator.runtime.files import Files
from dlqlab.emulator.runtime.inbox import ProtocolError, RuntimeRequest
from dlqlab.emulator.runtime.inits import INIT_TIMEOUT_S, InitError, InitPhase, error_type
from dlqlab.emulator.runtime.outcomes import (
    REFUSAL,
    TIMED_OUT,
    Outcome,
    broken,
    is_error_document,
    now_ms,
    report,
    timed_out,
    too_large,
)
from dlqlab.emulator.runtime.output import Line
from dlqlab.emulator.runtime.process import FunctionProcess, Lifeline, make_tmp, remove_tmp
from dlqlab.emulator.runtime.starting import Function, Starter

_EXIT_WAITS_S = 2.0
"""So long a runtime may take to end, or to go on: one whose result was refused, as AWS's does, and one that hung up."""


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one invocation."""

    payload: bytes
    is_error: bool
    lines: list[Line]
    status: str
    """As ``Outcome.status``."""
    duration_s: float
    init_s: float | None
    """Of the init that came before, where none has reported it yet."""
    memory_mb: int


class Environment:
    """One execution environment.

    Lambda gives it one invocation at a time, from any thread; ``stop`` and ``end`` may come from others meanwhile.
    """

    def __init__(self, function: Function, *, base: Path, scratch: Path, lifeline: Lifeline) -> None:
        self._function = function
        self._files = Files(task=function.task_root, base=base, tmp=make_tmp(scratch), opt=function.opt_root)
        self._api = RuntimeApi()
        is_isolated = filesystem.trouble(function.program, base, scratch) is None
        self._starter = Starter(function, self._files, lifeline, self._api.address, is_isolated)
        self._paths = self._starter.paths
        self._process: FunctionProcess | None = None
        about = {"functionName": function.variables.get("AWS_LAMBDA_FUNCTION_NAME", "")}
        about |= {"functionVersion": function.version, "handler": function.handler}
        self._extensions = Extensions(self._api, about)
        self._asking: socket.socket | None = None  # where the runtime waits for an invocation
        self._closes_early = False  # the runtime, which sends no more once it has asked, but reads
        self._init_ms: float | None = None
        self._init_lines: list[Line] = []
        self._phase = InitPhase("init")
        self._failed_init: list[Line] | None = None  # what it printed, where it is to be tried again
        self._lock = threading.Lock()
        self._working: str | None = None  # "init" or "invocation"
        self._stopped = False
        self._is_ended = False  # at once, without a word to extensions

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def init_ms(self) -> float | None:
        """How long the init took that no invocation has reported yet."""
        return self._init_ms

    @property
    def is_stopped(self) -> bool:
        """Whether it takes no invocation any more."""
        return self._stopped

    def start(self) -> None:
        """Start the process and wait until it asks for its first invocation.

        Raises:
            InitError: the handler could not be loaded, the process ended, or the init took over 10 s. The invocation
                that follows tries it again.
        """
        self._begin("init")
        try:
            self._init(InitPhase("init"))
        except InitError as error:
            self._failed_init = error.lines
            raise
        finally:
            self._finish()

    def invoke(self, *, request_id: str, payload: bytes, arn: str, trace_id: str) -> Result:
        """Run one invocation to its end.

        Raises:
            InitError: the process had to be replaced and could not be initialised, or the first init failed again.
        """
        self._begin("invocation")
        try:
            return self._invoke(request_id, payload, arn, trace_id)
        finally:
            self._finish()

    def stop(self) -> None:
        """End the process and remove its ``/tmp``, once the invocation that runs has ended by itself."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
            working = self._working
        if working == "init":
            self._interrupt()
        elif working is None:
            self._dispose()

    def end(self) -> None:
        """End the process at once, and with it what it is working on."""
        with self._lock:
            was_stopped, self._stopped = self._stopped, True
            self._is_ended = True
            working = self._working
        if working is not None:
            self._interrupt()
        elif not was_stopped:
            self._dispose()

    def kill(self) -> None:
        """Kill the process, with what it is working on; what comes next begins with an init."""
        process = self._process
        if process is not None:
            process.signal_end()

    def _begin(self, what: str) -> None:
        with self._lock:
            if self._stopped:
                raise RuntimeError("the execution environment was stopped before it was used")
            self._working = what

    def _finish(self) -> None:
        with self._lock:
            self._working = None
            is_last = self._stopped
        if is_last:
            self._dispose()

    def _interrupt(self) -> None:
        """Wake the thread that waits for the process; it disposes of all."""
        process = self._process
        if process is not None:
            process.signal_end()
        self._api.end()

    def _dispose(self) -> None:
        self._end_process("SPINDOWN")
        self._api.close()
        remove_tmp(self._files.tmp)

    def _init(self, phase: InitPhase) -> None:
        self._phase = phase
        deadline = phase.deadline
        try:
            self._extensions.start(self._files.opt, self._starter.start_extension)
            self._serve_extensions(lambda: self._extensions.have_registered, deadline)
            self._process = self._starter.start_function()
            self._api.attach(self._process.output, self._process.pid)
            request = self._receive(deadline)
            if request.path != INIT_ERROR:
                self._expect_next(request)
                self._settle(deadline)
        except RuntimeTimeoutError:
            raise self._init_failed(TIMED_OUT, f"Init timed out after {phase.limit_s:g} s") from None
        except ProtocolError as error:
            raise self._init_failed("Runtime.Unknown", str(error)) from error
        except ExtensionError as error:
            raise self._init_failed(error.kind, str(error)) from error
        except RuntimeGoneError:
            self._gone_in_init()
            return
        if request.path == INIT_ERROR:
            self._api.answer(202)
            document = self._paths.in_bytes(request.body)
            raise self._init_error(document, error_type(document), self._end_process())
        self._init_ms = phase.elapsed_ms
        self._extensions.is_closed = True
        self._process.output.drain()
        ready = [Line(now_ms(), ready_line(one)) for one in self._extensions.known]
        self._init_lines = [*self._notes(), *self._printed(self._process.output.take_lines()), *ready]
        self._process.keep_to_others()

    def _gone_in_init(self) -> None:
        """Start again where only the file system is at fault; else say how the process ended."""
        status = self._process.exit_code() if self._process else None
        how = self._process.exit_status() if self._process else "exit status unknown"
        printed = self._end_process()
        if self._starter.has_lost_isolation(status, printed):
            self._paths = self._starter.paths
            self._init(self._phase)
        elif text := self._starter.invalid_entrypoint(status, printed):
            raise self._init_failed("Runtime.InvalidEntrypoint", text, [])
        else:
            raise self._init_failed("Runtime.ExitError", f"Runtime exited with error: {how}", printed)

    def _settle(self, deadline: float) -> None:
        """Wait until the runtime and all extensions, where there are any, ask for what comes next."""
        if self._extensions.known:
            self._serve_extensions(lambda: self._asking is not None and self._extensions.are_asking, deadline)

    def _serve_extensions(self, is_reached: Callable[[], bool], deadline: float) -> None:
        while not is_reached():
            request = self._any_request(deadline)
            if request.path.startswith(f"{PREFIX}/"):
                self._expect_next(request)
            else:
                self._extensions.take(request)

    def renew(self) -> None:
        """End the process, so that what comes next begins with an init."""
        self._end_process("SPINDOWN")

    def failed_init(self, kind: str, text: str) -> InitError:
        """End the process; the error of an init that failed."""
        self._phase = InitPhase("init")
        return self._init_failed(kind, text)

    def _invoke(self, request_id: str, payload: bytes, arn: str, trace_id: str) -> Result:
        interferes = interference.of_invocation(self._function.variables, request_id, payload)
        if interferes is not None:
            interferes.before(self)
        began = self._have_process()
        init_ms, self._init_ms = self._init_ms, None
        lines, self._init_lines = self._init_lines, []
        lines.append(Line(now_ms(), f"START RequestId: {request_id} Version: {self._function.version}"))
        converse = functools.partial(self._converse, request_id, payload, arn, trace_id, began)
        outcome = converse() if interferes is None else interferes.around(converse, self.pid)
        duration_ms = (time.monotonic() - began) * 1000
        memory_mb = self._process.peak_memory_mb() if self._process else 0
        lines += self._collect(outcome)
        if outcome.line:
            lines.append(Line(now_ms(), outcome.line))
        lines.append(Line(now_ms(), f"END RequestId: {request_id}"))
        used = report(
            request_id, outcome, duration_ms, init_ms=init_ms, memory_mb=(self._function.memory_mb, memory_mb)
        )
        lines.append(Line(now_ms(), used))
        return Result(
            payload=outcome.document,
            is_error=outcome.status != "success",
            lines=lines,
            status=outcome.status,
            duration_s=duration_ms / 1000,
            init_s=None if init_ms is None else init_ms / 1000,
            memory_mb=memory_mb,
        )

    def _have_process(self) -> float:
        """Start one if there is none, or if it ended since its last result: then it never saw this invocation.

        Returns:
            When the invocation began (monotonic seconds): before an init that is tried again, after any other.
        """
        if self._failed_init is not None:
            return self._try_init_again(self._failed_init)
        if self._process is None:
            self._init(self._replaces())
        elif self._has_ended(self._process) or not self._asks():
            last_lines = self._end_process()
            self._init(self._replaces())
            self._init_lines[:0] = last_lines
        return time.monotonic()

    def _replaces(self) -> InitPhase:
        """Lambda gives it the function's timeout; a short one is not held against a machine that is slower."""
        return InitPhase("invoke", max(INIT_TIMEOUT_S, self._function.timeout_s))

    def _try_init_again(self, before: list[Line]) -> float:
        """As a part of the invocation, which has the function's timeout for both.

        Args:
            before: what the init printed that failed.
        """
        self._failed_init = None
        phase = InitPhase("invoke", self._function.timeout_s)
        try:
            self._init(phase)
        except InitError as error:
            error.lines[:0] = before
            raise
        self._init_ms = None
        self._init_lines[:0] = before
        return phase.began

    def _has_ended(self, process: FunctionProcess) -> bool:
        """Whether it is gone. The system closes what a process holds before it says that the process ended."""
        if self._asking is None or self._closes_early or not self._api.has_hung_up(self._asking):
            return process.has_ended()
        self._closes_early = process.exit_code(_EXIT_WAITS_S) is None
        return not self._closes_early

    def _asks(self) -> bool:
        """Whether the process asks for an invocation: one that ends instead, as after an unhandled rejection, never
        sees this one.
        """
        if self._asking is None:
            try:
                self._expect_next(self._receive(time.monotonic() + self._function.timeout_s))
            except (RuntimeGoneError, RuntimeTimeoutError, ProtocolError, ExtensionError):
                return False
        return True

    def _converse(self, request_id: str, payload: bytes, arn: str, trace_id: str, began: float) -> Outcome:  # noqa: PLR0911  (one for each way to end)
        deadline = began + self._function.timeout_s
        try:
            connection, self._asking = self._asking, None
            headers = self._invocation_headers(request_id, arn, trace_id)
            if self._extensions.known:
                self._extensions.tell_invocation(request_id, headers["Lambda-Runtime-Deadline-Ms"], arn, trace_id)
            self._api.answer(200, payload, headers, connection=connection)
            request = self._receive(deadline)
            is_error = is_error_document(request, request_id)
            if request.is_too_large:
                return self._refuse_result(request_id)
            self._api.answer(202)
            with contextlib.suppress(RuntimeGoneError):  # it answered: whoever is invoked next finds it gone
                self._settle(deadline)
        except RuntimeTimeoutError:
            return timed_out(request_id, self._function.timeout_s)
        except RuntimeGoneError:
            how = self._process.exit_status() if self._process else "exit status unknown"
            return broken(request_id, "Runtime.ExitError", f"Runtime exited with error: {how}")
        except ProtocolError as error:
            return broken(request_id, "Runtime.Unknown", str(error))
        except ExtensionError as error:
            return broken(request_id, error.kind, str(error))
        if is_error:
            return Outcome("failure", self._paths.in_bytes(request.body))
        return Outcome("success", request.body)

    def _refuse_result(self, request_id: str) -> Outcome:
        """Answer a result over the limit as Lambda does; AWS's runtime then ends, another may go on."""
        goes_on = True
        try:
            self._api.answer(413, REFUSAL)
            deadline = time.monotonic() + _EXIT_WAITS_S
            while (request := self._receive(deadline)).path != NEXT:
                self._api.answer(403)  # it has had its result, or tries to report the refusal as an error
            self._expect_next(request)
        except (RuntimeGoneError, RuntimeTimeoutError, ProtocolError):
            goes_on = False
        return too_large(request_id, goes_on=goes_on)

    def _receive(self, deadline: float) -> RuntimeRequest:
        """The runtime's next request; those of extensions are served meanwhile."""
        while not (request := self._any_request(deadline)).path.startswith(f"{PREFIX}/"):
            self._extensions.take(request)
        return request

    def _any_request(self, deadline: float) -> RuntimeRequest:
        try:
            return self._api.receive(deadline)
        except RuntimeGoneError:
            self._extensions.check()
            raise

    def _notes(self) -> list[Line]:
        return [Line(now_ms(), text) for text in self._function.notes]

    def _collect(self, outcome: Outcome) -> list[Line]:
        """What the function printed; ends the process where it cannot go on."""
        if outcome.ends_process:
            return self._end_process("TIMEOUT" if outcome.status == "timeout" else "FAILURE")
        if self._process is None:
            return []
        self._process.output.drain()
        return self._printed(self._process.output.take_lines(flush=True))

    def _printed(self, lines: list[Line]) -> list[Line]:
        """The function's lines, with those of its extensions among them."""
        if self._extensions.known:
            lines = sorted([*lines, *self._extensions.take_lines()], key=lambda line: line.ts_ms)
        return self._paths.in_lines(lines)

    def _end_process(self, reason: str = "FAILURE") -> list[Line]:
        """End the process and its extensions, which hear the reason; returns what was printed."""
        process, self._process = self._process, None
        self._asking = None
        last: list[Line] = []
        if self._extensions.known:
            if process is not None:
                process.signal_end()
            self._api.detach_function()
            self._extensions.shut_down(reason, lambda: self._is_ended)
            last = self._extensions.take_lines()
        if process is not None:
            process.kill()  # first: one whose connection goes while it lives may connect anew, to complain of it
        self._api.detach()
        last += self._extensions.kill()
        self._api.refuse_waiting()
        if process is None:
            return self._paths.in_lines(last)
        return self._paths.in_lines([*process.output.take_lines(flush=True), *last])

    def _expect_next(self, request: RuntimeRequest) -> None:
        if request.path != NEXT:
            raise ProtocolError(f"expected {NEXT}, got {request.method} {request.path}")
        self._asking = self._api.hold()

    def _init_failed(self, kind: str, text: str, printed: list[Line] | None = None) -> InitError:
        """Of a process that has ended, having printed this, or is ended now."""
        payload = json.dumps({"errorType": kind, "errorMessage": text}).encode()
        lines = self._end_process() if printed is None else printed
        return self._init_error(payload, kind, [*lines, Line(now_ms(), f"{kind}: {text}")])

    def _init_error(self, document: bytes, kind: str, printed: list[Line]) -> InitError:
        return InitError(document, [*self._notes(), *printed, Line(now_ms(), self._phase.report(kind))])

    def _invocation_headers(self, request_id: str, arn: str, trace_id: str) -> dict[str, str]:
        return {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(now_ms() + int(self._function.timeout_s * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": arn,
            "Lambda-Runtime-Trace-Id": trace_id,
        }

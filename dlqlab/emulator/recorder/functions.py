"""Hooks in Lambda: every invocation with who asked for it, where it ran, and how it ended."""

import functools
import json
import threading
from time import monotonic
from typing import Any

from localstack.aws.api.lambda_ import TooManyRequestsException
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager

from dlqlab.contracts.recorded import Outcome
from dlqlab.emulator.recorder import actors, sources
from dlqlab.emulator.recorder.actors import HERE, Batch, Environment, Environments
from dlqlab.emulator.recorder.rows import ENDED, STARTED, UNFINISHED_ENDED, UNFINISHED_STARTED
from dlqlab.emulator.recorder.sources import Asked, source_of
from dlqlab.emulator.recorder.witness import Witness
from dlqlab.emulator.runtime.environment import Environment as RuntimeEnvironment
from dlqlab.emulator.runtime.environment import InitError, Result
from dlqlab.emulator.runtime.executor import ProcessRuntimeExecutor

_KEY = "AWS_ACCESS_KEY_ID"
_OK = Outcome.OK.value
_OUTCOMES = {
    "success": Outcome.OK,
    "failure": Outcome.ERROR,
    "timeout": Outcome.TIMEOUT,
    "error": Outcome.CRASH,
}
"""By ``Result.status``."""


class Run:
    """An invocation on this thread: its beginning, and what is learnt of it while it runs."""

    __slots__ = ("batch", "environment", "ids", "is_init_error", "result", "seq", "trace_header")

    def __init__(self) -> None:
        self.seq = 0
        self.batch: Batch | None = None
        self.ids: list[str] | None = None
        """Of a batch's messages, filled by whoever finishes the row."""
        self.environment: str | None = None
        self.result: Result | None = None
        self.is_init_error = False
        self.trace_header: str | None = None


class _Local(threading.local):  # no dataclass: slots would be shared by all threads
    run: Run | None = None


_LOCAL = _Local()


def install(witness: Witness, environments: Environments) -> None:
    """Hook into invocations, execution environments, and what tells who asks for an invocation."""
    _on_invoking(witness, sources.install(witness))
    _know_environments(witness, environments)
    _know_results()


def _on_invoking(witness: Witness, asked: Asked) -> None:
    original = LambdaVersionManager.invoke

    @functools.wraps(original)
    def invoke(self: LambdaVersionManager, *, invocation: Any) -> Any:
        outer, run = _LOCAL.run, Run()
        _LOCAL.run = run
        try:
            _began(witness, run, self.function_version.id.function_name, invocation, asked)
        except Exception as error:  # noqa: BLE001  (it must run)
            witness.failed(error)
        try:
            result = original(self, invocation=invocation)
        except BaseException as error:
            _ended(witness, run, None, error)
            raise
        finally:
            _LOCAL.run = outer
        _ended(witness, run, result, None)
        return result

    LambdaVersionManager.invoke = invoke


def _began(witness: Witness, run: Run, function: str, invocation: Any, asked: Asked) -> None:
    source, batch = source_of(invocation, asked), HERE.batch
    run.seq, ts = next(witness.numbers), witness.epoch + monotonic()
    request_id = invocation.request_id
    start = run.seq, ts, request_id, function, source.name, source.arn
    if batch is None:
        witness.journal.give((STARTED, *start, None, None, source.request_id))
        return
    run.batch, run.ids, batch.is_invoked = batch, [], True
    HERE.actor = actors.mapping(HERE.actor.name or "", request_id)
    event = invocation.payload or b""
    reports = batch.reports_failures
    witness.journal.give((UNFINISHED_STARTED, *start, run.ids, reports, source.request_id, event), len(event))


def _ended(witness: Witness, run: Run, result: Any, error: BaseException | None) -> None:
    try:
        measured = run.result
        if error is None and run.batch is None and measured is not None and measured.status == "success":
            timed = run.seq, witness.epoch + monotonic(), run.environment, measured.init_s, measured.duration_s
            memory = float(measured.memory_mb) if measured.memory_mb else None  # 0 is not known
            witness.journal.give((ENDED, *timed, _OK, None, None, None, None, None, memory, run.trace_header))
        else:
            _end(witness, run, result, error)
    except Exception as trouble:  # noqa: BLE001  (it has run)
        witness.failed(trouble)


def _end(witness: Witness, run: Run, result: Any, error: BaseException | None) -> None:
    measured = run.result
    timed = (measured.init_s, measured.duration_s) if measured else (None, None)
    memory = float(measured.memory_mb) if measured and measured.memory_mb else None
    outcome = outcome_of(run, error)._value_
    document = error_document(result, error) if outcome != _OK else None
    answer = result.payload if outcome == _OK else None
    reports = run.batch is not None and run.batch.reports_failures
    end = run.seq, witness.epoch + monotonic(), run.environment, *timed, outcome, document, None, run.ids, reports
    witness.journal.give(
        (UNFINISHED_ENDED, *end, memory, run.trace_header, answer), len(document or b"") + len(answer or b"")
    )


def outcome_of(run: Run, error: BaseException | None) -> Outcome:
    """How an invocation ended, of what was learnt of it and what it raised."""
    if error is None and run.result is not None and run.result.status == "success":
        return Outcome.OK
    if isinstance(error, TooManyRequestsException):
        return Outcome.THROTTLED
    if run.is_init_error:
        return Outcome.INIT_ERROR
    if run.result is not None:
        if run.result.status == "error" and b'"Function.ResponseSizeTooLarge"' in run.result.payload:
            return Outcome.ERROR
        return _OUTCOMES[run.result.status]
    return Outcome.INIT_ERROR if run.trace_header is None else Outcome.CRASH


def error_document(result: Any, error: BaseException | None) -> bytes:
    """What tells the error, in the form in which functions report theirs."""
    if error is not None:
        code = getattr(error, "code", type(error).__name__)
        return json.dumps({"errorType": str(code), "errorMessage": str(error)}).encode()
    payload = result.payload
    return payload.encode() if isinstance(payload, str) else bytes(payload or b"")


def _know_environments(witness: Witness, environments: Environments) -> None:
    start, invoke = ProcessRuntimeExecutor.start, ProcessRuntimeExecutor.invoke

    @functools.wraps(start)
    def started(self: ProcessRuntimeExecutor, env_vars: dict[str, Any]) -> None:
        self.recorded = Environment(self.function_version.id.function_name)
        try:
            if _KEY not in (self.function_version.config.environment or {}):  # else others may have the same
                environments.add(str(env_vars[_KEY]), self.recorded)
        except Exception as error:  # noqa: BLE001  (it must start)
            witness.failed(error)
        if _LOCAL.run is not None:
            _LOCAL.run.environment = self.id
        start(self, env_vars)

    @functools.wraps(invoke)
    def invoked(self: ProcessRuntimeExecutor, payload: dict[str, str]) -> Any:
        self.recorded.request_id = payload["invoke-id"]
        if _LOCAL.run is not None:
            _LOCAL.run.environment = self.id
            _LOCAL.run.trace_header = payload["trace-id"]
        try:
            return invoke(self, payload)
        finally:
            self.recorded.request_id = None

    ProcessRuntimeExecutor.start = started  # type: ignore[method-assign]
    ProcessRuntimeExecutor.invoke = invoked  # type: ignore[method-assign]


def _know_results() -> None:
    start, invoke = RuntimeEnvironment.start, RuntimeEnvironment.invoke

    @functools.wraps(start)
    def started(self: RuntimeEnvironment) -> None:
        try:
            start(self)
        except InitError:
            if _LOCAL.run is not None:
                _LOCAL.run.is_init_error = True
            raise

    @functools.wraps(invoke)
    def invoked(self: RuntimeEnvironment, **kwargs: Any) -> Result:
        try:
            result = invoke(self, **kwargs)
        except InitError:
            if _LOCAL.run is not None:
                _LOCAL.run.is_init_error = True
            raise
        if _LOCAL.run is not None:
            _LOCAL.run.result = result
        return result

    RuntimeEnvironment.start = started  # type: ignore[method-assign]
    RuntimeEnvironment.invoke = invoked  # type: ignore[method-assign]

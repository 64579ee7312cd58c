"""Hooks in Lambda: every invocation with who asked for it, where it ran, and how it ended."""

import functools
import json
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from localstack.aws.api.lambda_ import TooManyRequestsException
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager

from dlqlab.contracts.recorded import Outcome
from dlqlab.emulator.mappings.responses import failed_ids, named_ids
from dlqlab.emulator.recorder import actors, sources
from dlqlab.emulator.recorder.actors import HERE, Environment, Environments
from dlqlab.emulator.recorder.rows import STARTED, UNFINISHED_ENDED
from dlqlab.emulator.recorder.sources import Asked, Source, source_of
from dlqlab.emulator.recorder.witness import Witness
from dlqlab.emulator.runtime.environment import Environment as RuntimeEnvironment
from dlqlab.emulator.runtime.environment import InitError, Result
from dlqlab.emulator.runtime.executor import ProcessRuntimeExecutor

_MESSAGE_ID = re.compile(rb'"messageId":\s*"([^"]+)"')
"""Finds those of an event's records only: within bodies the quotes are escaped, and no attribute has such a value."""
_KEY = "AWS_ACCESS_KEY_ID"
_OUTCOMES = {
    "success": Outcome.OK,
    "failure": Outcome.ERROR,
    "timeout": Outcome.TIMEOUT,
    "error": Outcome.CRASH,
}
"""By ``Result.status``."""


@dataclass(slots=True)
class Run:
    """What is learnt of an invocation while it runs on this thread."""

    environment: str | None = None
    result: Result | None = None
    is_init_error: bool = False
    trace_header: str | None = None


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
        started = _Started(witness, self, invocation, asked)
        try:
            result = original(self, invocation=invocation)
        except BaseException as error:
            started.ended(run, None, error)
            raise
        else:
            started.ended(run, result, None)
        finally:
            _LOCAL.run = outer
        return result

    LambdaVersionManager.invoke = invoke


class _Started:
    """An invocation that has begun."""

    def __init__(self, witness: Witness, manager: LambdaVersionManager, invocation: Any, asked: Asked) -> None:
        self._witness = witness
        self._seq = 0
        self._batch = HERE.batch
        self._ids: list[str] | None = None
        self._request_id = invocation.request_id
        try:
            self._begin(manager, invocation, source_of(invocation, asked))
        except Exception as error:  # noqa: BLE001  (it must run)
            witness.failed(error)

    def _begin(self, manager: LambdaVersionManager, invocation: Any, source: Source) -> None:
        self._seq, ts = self._witness.stamp()
        batch = self._batch
        if batch is not None:
            batch.is_invoked = True
            self._ids = [one.decode() for one in _MESSAGE_ID.findall(invocation.payload or b"")]
            HERE.actor = actors.mapping(HERE.actor.name or "", self._request_id)
        self._witness.journal.give(
            (
                STARTED,
                self._seq,
                ts,
                self._request_id,
                manager.function_version.id.function_name,
                source.name,
                source.arn,
                self._ids,
                batch.reports_failures if batch else None,
                source.request_id,
            )
        )

    def ended(self, run: Run, result: Any, error: BaseException | None) -> None:
        try:
            self._end(run, result, error)
        except Exception as trouble:  # noqa: BLE001  (it has run)
            self._witness.failed(trouble)

    def _end(self, run: Run, result: Any, error: BaseException | None) -> None:
        outcome = outcome_of(run, error)
        measured = run.result
        document = error_document(result, error) if outcome != Outcome.OK else None
        self._witness.journal.give(
            (
                UNFINISHED_ENDED,
                self._seq,
                self._witness.now(),
                run.environment,
                measured.init_s if measured else None,
                measured.duration_s if measured else None,
                outcome.value,
                document,
                None,
                self._failed(outcome, result),
                self._named(outcome, result),
                float(measured.memory_mb) if measured and measured.memory_mb else None,  # 0 is not known
                run.trace_header,
            ),
            len(document or b""),
        )

    def _failed(self, outcome: Outcome, result: Any) -> Sequence[str] | None:
        if self._ids is None or self._batch is None:
            return None
        if outcome != Outcome.OK:
            return self._ids
        if not self._batch.reports_failures:
            return []
        failed = failed_ids(result.payload, set(self._ids))
        return [one for one in self._ids if one in failed]

    def _named(self, outcome: Outcome, result: Any) -> Sequence[str] | None:
        if self._ids is None or outcome != Outcome.OK:
            return None
        named = named_ids(result.payload)
        return [one for one in self._ids if one in named]


def outcome_of(run: Run, error: BaseException | None) -> Outcome:
    """How an invocation ended, of what was learnt of it and what it raised."""
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

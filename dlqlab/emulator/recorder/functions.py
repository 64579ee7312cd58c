"""Hooks in Lambda: every invocation with who asked for it, where it ran, and how it ended."""

import functools
import json
from time import monotonic
from typing import Any

from localstack.aws.api.lambda_ import InvocationType, TooManyRequestsException
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager

from dlqlab.contracts.recorded import Outcome
from dlqlab.emulator.recorder import actors, sources
from dlqlab.emulator.recorder.actors import HERE, Doing, Environment, Environments
from dlqlab.emulator.recorder.askers import asker_of
from dlqlab.emulator.recorder.describe import message_ids_in
from dlqlab.emulator.recorder.finish import PLAIN_ANSWERS, failures_of
from dlqlab.emulator.recorder.rows import ASKED, ENDED, UNFINISHED_ENDED
from dlqlab.emulator.recorder.sources import Asked
from dlqlab.emulator.recorder.witness import Witness
from dlqlab.emulator.runtime.environment import Result
from dlqlab.emulator.runtime.executor import ProcessRuntimeExecutor

_KEY = "AWS_ACCESS_KEY_ID"
_EVENT = InvocationType.Event.value
_REPORTS = "report_batch_item_failures"
_OK = Outcome.OK.value
_OUTCOMES = {
    "success": Outcome.OK,
    "failure": Outcome.ERROR,
    "timeout": Outcome.TIMEOUT,
    "error": Outcome.CRASH,
}
"""By ``Result.status``."""


class Run:
    """An invocation that a thread waits for: its beginning, and what is learnt of it while it runs."""

    seq = 0
    ids: list[str] | None = None
    """Of a batch's messages."""
    reports_failures = False
    environment: str | None = None
    result: Result | None = None
    is_init_error = False
    trace_header: str | None = None

    def __init__(self, invocation: Any) -> None:
        self.invocation = invocation


def install(witness: Witness, environments: Environments) -> None:
    """Hook into invocations, execution environments, and what tells who asks for an invocation."""
    _on_invoking(witness, sources.install(witness))
    _know_environments(witness, environments)


def _on_invoking(witness: Witness, asked: Asked) -> None:
    original = LambdaVersionManager.invoke

    @functools.wraps(original)
    def invoke(self: LambdaVersionManager, *, invocation: Any) -> Any:
        doing = HERE.doing
        outer = doing.run
        if outer is not None and outer.invocation is invocation:  # a version that retires hands it to the next
            return original(self, invocation=invocation)
        run = doing.run = Run(invocation)
        try:
            _began(witness, doing, run, self.function_version.id.function_name, asked)
        except Exception as error:  # noqa: BLE001  (it must run)
            witness.failed(error)
        try:
            result = original(self, invocation=invocation)
        except BaseException as error:
            doing.run = outer
            _ended(witness, run, None, error)
            raise
        doing.run = outer
        _ended(witness, run, result, None)
        return result

    LambdaVersionManager.invoke = invoke


def _began(witness: Witness, doing: Doing, run: Run, function: str, asked: Asked) -> None:
    invocation, poller = run.invocation, doing.poller
    is_later = invocation.invocation_type == _EVENT
    asker = asked.find(invocation.request_id) if is_later else asker_of(doing)
    run.seq = seq = next(witness.numbers)
    ts = witness.epoch + monotonic()
    if poller is not None:
        doing.is_invoked = True
        run.ids = message_ids_in(invocation.payload or b"")
        run.reports_failures = bool(getattr(getattr(poller.processor, "sender", None), _REPORTS, False))
        doing.actor = actors.mapping(doing.actor.name or "", invocation.request_id)
    witness.give_finished((ASKED, seq, ts, invocation.request_id, function, asker, run.ids, run.reports_failures))


def _ended(witness: Witness, run: Run, result: Any, error: BaseException | None) -> None:
    try:
        ended_ts, measured = witness.epoch + monotonic(), run.result
        outcome, document, answer = _OK, None, b""
        if error is not None or measured is None or measured.status != "success":
            outcome = outcome_of(run, error).value
            document = None if outcome == _OK else error_document(result, error)
        if outcome == _OK and run.ids is not None and result is not None:
            answer = result.payload
        ran = (None, None, None) if measured is None else (measured.init_s, measured.duration_s, measured.memory_mb)
        init_s, duration_s, memory_mb = ran
        began = run.seq, ended_ts, run.environment, init_s, duration_s, outcome
        end = float(memory_mb) if memory_mb else None, run.trace_header  # 0 is not known
        ids, reports = run.ids, run.reports_failures
        if document is None and (ids is None or answer in PLAIN_ANSWERS):
            failures = failures_of(ids, outcome, answer, reports=reports)
            witness.give_finished((ENDED, *began, None, None, *failures, *end))
        else:
            row = UNFINISHED_ENDED, *began, document, None, ids, reports, *end, answer
            witness.journal.give(row, len(document or answer or b""))
    except Exception as trouble:  # noqa: BLE001  (it has run)
        witness.failed(trouble)


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
        run = HERE.doing.run
        if run is not None:
            run.environment = self.id
        try:
            start(self, env_vars)
        except StatusErrorException:
            _cannot_initialise(run)
            raise

    @functools.wraps(invoke)
    def invoked(self: ProcessRuntimeExecutor, payload: dict[str, str]) -> Any:
        recorded, run = self.recorded, HERE.doing.run
        recorded.runs(payload["invoke-id"])
        if run is not None:
            run.environment, run.trace_header = self.id, payload["trace-id"]
        try:
            result = invoke(self, payload)
        except StatusErrorException:
            _cannot_initialise(run)
            raise
        finally:
            recorded.rests()
        if run is not None:
            run.result = result.measured
        return result

    ProcessRuntimeExecutor.start = started  # type: ignore[method-assign]
    ProcessRuntimeExecutor.invoke = invoked  # type: ignore[method-assign]


def _cannot_initialise(run: Run | None) -> None:
    """What an environment raises for a failed init alone."""
    if run is not None:
        run.is_init_error = True

"""What is done to invocations: they fail, begin late or elsewhere, lose their answer or their process."""

import functools
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from localstack.aws.api.lambda_ import TooManyRequestsException
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager

from dlqlab.contracts.injection import Case, Fault, Form, Kind, Place, matches
from dlqlab.emulator.injection.batches import cases_of, with_failures
from dlqlab.emulator.injection.state import HOLDER, InForce
from dlqlab.emulator.runtime import interference
from dlqlab.emulator.runtime.outcomes import Outcome, broken, injected

_NAME, _ACCESS_KEY = "AWS_LAMBDA_FUNCTION_NAME", "AWS_ACCESS_KEY_ID"
_FORMS: Mapping[Form, bytes] = {
    Form.NO_JSON: b'{"batchItemFailures": [',
    Form.NO_LIST: b'{"batchItemFailures": "none"}',
    Form.EMPTY_ID: b'{"batchItemFailures": [{"itemIdentifier": ""}]}',
    Form.UNKNOWN_ID: b'{"batchItemFailures": [{"itemIdentifier": "no-such-message"}]}',
    Form.WRONG_KEY: b'{"batchItemFailures": [{"messageId": "no-such-message"}]}',
}
_REACHING = (Place.FUNCTION, Place.CALL, Place.EMULATOR)
"""Places whose faults ask for what runs."""
_KILLED = "Runtime exited with error: signal: killed"


@dataclass(slots=True)
class Running:
    """An invocation that runs, by which the calls of its function are known."""

    function: str
    request_id: str
    cases: list[Case]
    calls: dict[str, dict[str, int]] = field(default_factory=dict)
    """Which call of its operation each is, from 1, by operation and the client's id of the call."""
    is_over: bool = False
    """Whether its result is taken: nothing cuts it off any more."""
    is_cut_off: bool = False


RUNNING: dict[str, Running] = {}
"""By the access key of its execution environment, which runs one invocation at a time."""
_ENDS = threading.Lock()
"""Held while an invocation is either over or cut off, never both."""


def install() -> None:
    """Interfere from now on, where a plan says so."""
    interference.WITH_INVOCATIONS.append(_interference)
    _throttle()


def cut_off(in_force: InForce, fault: Fault) -> None:
    """All invocations under way fail, whatever their functions answer; it is told for each message of theirs."""
    for running in list(RUNNING.values()):
        with _ENDS:
            running.is_cut_off = not running.is_over
        for case in running.cases if running.is_cut_off else ():
            in_force.tell(fault, case, **_names(running.function, running.request_id, case))


def _throttle() -> None:
    original = LambdaVersionManager.invoke

    @functools.wraps(original)
    def invoke(self: LambdaVersionManager, *, invocation: object) -> object:
        if HOLDER.in_force is not None and HOLDER.in_force.has(Place.FUNCTION):
            _refuse(HOLDER.in_force, self.function_version.id.function_name, invocation)
        return original(self, invocation=invocation)

    LambdaVersionManager.invoke = invoke


def _refuse(in_force: InForce, function: str, invocation: object) -> None:
    payload, request_id = getattr(invocation, "payload", None) or b"", str(getattr(invocation, "request_id", ""))
    for case in cases_of(payload, request_id, in_force.key_of):
        fault = in_force.struck(
            Place.FUNCTION, case, lambda one: one.kind is Kind.THROTTLE and matches(one.function, function)
        )
        if fault:
            in_force.tell(fault, case, **_names(function, request_id, case))
            raise TooManyRequestsException(
                "Rate Exceeded.", Reason="ReservedFunctionConcurrentInvocationLimitExceeded", Type="User"
            )


def _names(function: str, request_id: str, case: Case) -> dict[str, str | int | None]:
    count = case.receive_count if case.message_id else None
    return {
        "function": function,
        "request_id": request_id,
        "message_id": case.message_id or None,
        "receive_count": count,
    }


def _interference(variables: Mapping[str, str], request_id: str, payload: bytes) -> "_Interference | None":
    in_force = HOLDER.in_force
    if in_force is None or not any(map(in_force.has, _REACHING)):
        return None
    cases = cases_of(payload, request_id, in_force.key_of)
    running = Running(variables.get(_NAME, ""), request_id, cases)
    return _Interference(in_force, running, variables.get(_ACCESS_KEY, ""))


class _Interference:
    """What a plan does to one invocation; see ``interference.Interference``."""

    def __init__(self, in_force: InForce, running: Running, access_key: str) -> None:
        self._in_force = in_force
        self._running = running
        self._access_key = access_key
        self._found = self._find()

    def before(self, environment: interference.Interfered) -> None:
        for kind in (Kind.DELAY, Kind.COLD, Kind.INIT):
            if fault := self._strike(kind):
                if kind is Kind.DELAY:
                    time.sleep(fault.seconds)
                elif kind is Kind.COLD:
                    environment.renew()
                else:
                    raise environment.failed_init("Runtime.ExitError", f"Runtime exited with error: fault {fault.name}")

    def around(self, converse: Callable[[], Outcome], pid: int | None) -> Outcome:
        if fault := self._strike(Kind.ERROR):
            return injected(f"fault {fault.name}: the handler was not called")
        RUNNING[self._access_key] = self._running
        stopped = self._stall(pid)
        killer = self._killer(pid)
        try:
            return self._after(converse())
        finally:
            RUNNING.pop(self._access_key, None)
            for timer in (stopped, killer):
                if timer is not None:
                    timer.cancel()

    def _find(self) -> dict[Kind, list[tuple[Fault, Case]]]:
        """What strikes this invocation: for each kind at most one fault for each message."""
        found: dict[Kind, list[tuple[Fault, Case]]] = {}
        kinds = {one.kind for one in self._in_force.plan.at(Place.FUNCTION)} - {Kind.THROTTLE}
        for kind in kinds:
            for case in self._running.cases:
                fault = self._in_force.struck(
                    Place.FUNCTION,
                    case,
                    lambda one, kind=kind: one.kind is kind and matches(one.function, self._running.function),  # type: ignore[misc]
                )
                if fault:
                    found.setdefault(kind, []).append((fault, case))
        return found

    def _strike(self, kind: Kind) -> Fault | None:
        """The fault of that kind, if one strikes; it is told for each message that it is for."""
        hits = self._found.get(kind, [])
        for fault, case in hits:
            self._in_force.tell(fault, case, **_names(self._running.function, self._running.request_id, case))
        return hits[0][0] if hits else None

    def _stall(self, pid: int | None) -> threading.Timer | None:
        if pid is None or not (fault := self._strike(Kind.STALL)):
            return None
        _signal(pid, signal.SIGSTOP)
        return _later(fault.seconds, lambda: _signal(pid, signal.SIGCONT))

    def _killer(self, pid: int | None) -> threading.Timer | None:
        """Kills the process in the middle of its work, where it is to be killed then."""
        hits = self._found.get(Kind.KILL, [])
        if pid is None or not hits or not hits[0][0].seconds:
            return None

        def kill() -> None:
            self._strike(Kind.KILL)
            _signal(pid, signal.SIGKILL)

        return _later(hits[0][0].seconds, kill)

    def _after(self, outcome: Outcome) -> Outcome:
        """What becomes of the answer: work that failed by itself has no answer to lose."""
        with _ENDS:
            self._running.is_over = True
        if self._running.is_cut_off:
            return broken(self._running.request_id, "Runtime.ExitError", _KILLED)
        if outcome.status != "success":
            return outcome
        return self._killed() or self._answered(outcome)

    def _killed(self) -> Outcome | None:
        """The process's end between its work and its answer."""
        request_id, kills = self._running.request_id, self._found.get(Kind.KILL, [])
        if kills and not kills[0][0].seconds:
            self._strike(Kind.KILL)
            return broken(request_id, "Runtime.ExitError", _KILLED)
        return broken(request_id, "Runtime.OutOfMemory", _KILLED) if self._strike(Kind.MEMORY) else None

    def _answered(self, outcome: Outcome) -> Outcome:
        if fault := self._strike(Kind.ANSWER_LOST):
            return injected(f"fault {fault.name}: the handler was done, and its answer is lost")
        if fault := self._strike(Kind.MALFORMED):
            return Outcome("success", _FORMS[fault.form])
        if self._strike(Kind.NAMED):
            named = [case.message_id for _, case in self._found[Kind.NAMED] if case.message_id]
            return Outcome("success", with_failures(outcome.document, named))
        return outcome


def _later(delay_s: float, act: Callable[[], object]) -> threading.Timer:
    timer = threading.Timer(delay_s, act)
    timer.daemon = True
    timer.start()
    return timer


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it has ended meanwhile
        os.killpg(pid, number)

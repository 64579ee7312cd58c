"""Faults from outside on an emulator that runs: put in force, looked at, taken away."""

import http.client
import json
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlqlab.contracts.injection import PLAN_PATH, Fault, Kind, Place, Plan
from dlqlab.contracts.plain import ShapeError, UnknownFieldError, from_plain, to_plain
from dlqlab.emulator.core import listening
from dlqlab.emulator.core.loopback import LOOPBACK
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.errors import EmulatorError, UsageError
from dlqlab.run.emulator_requests import request

_BACK_WITHIN_S = 10.0
"""After the last second of an outage, on a busy machine."""


@dataclass(frozen=True, slots=True)
class InForce:
    """What an emulator breaks on purpose, and how often each fault has struck since it does."""

    plan: Plan
    struck: Mapping[str, int]


def read_plan(path: Path, *, seed: int, task_key: str | None = None) -> Plan:
    """The plan of a TOML file with ``[[faults]]``, as a project file or one of its own.

    Args:
        seed: of the draws, where the file gives none.
        task_key: where a body has its task's key, as ``Plan.task_key``.

    Raises:
        UsageError: it cannot be read or used; names the field, its value, and what to give.
    """
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: is not TOML: {error}") from error
    own = {name: value[name] for name in ("seed", "faults", "tasks") if name in value}
    given = {"seed": seed, "task_key": task_key} | own
    if not given.get("faults"):
        raise UsageError(f"{path}: has no [[faults]]: give at least one, with its kind")
    try:
        return from_plain(Plan, given)
    except UnknownFieldError as error:
        raise UsageError(f"{path}: {error}: give {', '.join(error.known)}") from error
    except (ShapeError, ValueError) as error:
        raise UsageError(f"{path}: {error}") from error


def put_plan(port: int, plan: Plan) -> InForce:
    """Put a plan in force from now on, in place of any other.

    Raises:
        UsageError: the emulator refuses it, or does not have faults from outside.
        EmulatorError: nobody answers.
    """
    return _asked(port, "PUT", json.dumps(to_plain(plan)))


def plan_in_force(port: int) -> InForce:
    """The plan in force, and what it has struck; one without faults where nothing is broken on purpose."""
    return _asked(port, "GET")


def clear_plan(port: int) -> InForce:
    """Take the plan away; what it was, and what it has struck."""
    return _asked(port, "DELETE")


@contextmanager
def injected(emulator: Emulator, plan: Plan) -> Iterator[float | None]:
    """The plan is in force within the block, since the time that it gives; a plan without faults is none."""
    if not plan.faults:
        yield None
        return
    put_plan(emulator.port, plan)
    try:
        yield time.time()
    finally:
        if emulator.process():
            outlast(emulator.port, plan, lambda: clear_plan(emulator.port))


def patience_s(plan: Plan) -> float:
    """How long what asks the emulator has to wait until it answers again; 0 where the plan has no outage."""
    seconds = [fault.seconds for fault in _outages(plan)]
    return sum(seconds) + _BACK_WITHIN_S if seconds else 0.0


def outlast[T](port: int, plan: Plan, ask: Callable[[], T]) -> T:
    """What the emulator answers; after each outage of the plan that cuts the question off it is asked again.

    Raises:
        EmulatorError: it does not answer, and no outage is the reason.
    """
    for _ in _outages(plan):
        with suppress(EmulatorError):
            return ask()
        listening.outwait(LOOPBACK, port, patience_s(plan))
    return ask()


def _outages(plan: Plan) -> list[Fault]:
    return [fault for fault in plan.at(Place.EMULATOR) if fault.kind is Kind.OUTAGE]


def _asked(port: int, method: str, body: str | None = None) -> InForce:
    try:
        status, text = request(port, PLAN_PATH, method, body)
        answer: Any = json.loads(text or b"null")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise EmulatorError(f"the emulator on port {port} does not answer about faults: {error}") from error
    if status == http.HTTPStatus.BAD_REQUEST and isinstance(answer, dict):
        raise UsageError(str(answer.get("message")))
    if status != http.HTTPStatus.OK or not isinstance(answer, dict):
        raise UsageError(
            f"the emulator on port {port} has no faults from outside: start it without --without-patch inject_faults"
        )
    return InForce(from_plain(Plan, answer["plan"]), answer["struck"])

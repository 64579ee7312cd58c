"""Faults from outside: what is broken on purpose, where, for which tasks, as a plan that decides each case by itself.

A plan is a list of faults, each a ``[[faults]]`` of a project file or of a file of its own. Whether a fault strikes is
a pure function of the plan's seed, the fault's name, the task's key and how often its message was received, so that the
same tasks meet the same faults in every run, in whatever order things happen. Pure.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache

from taskrules.bounds import check, ratio, setting
from taskrules.draws import uniform

PLAN_PATH = "/_dlqlab/faults"
"""On the emulator: ``GET`` tells the plan that is in force and how often each fault has struck, ``PUT`` puts one in
force, ``DELETE`` takes it away.
"""
ANY = "*"
REORDER_DRAW = "reorder"
"""The purpose of the draw that says how late a reordered message is, as a share of its fault's seconds."""
_KEY = re.compile(r"t-\d+-\d{8}")
"""The keys that dlqlab gives to the tasks that it sends."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_OPERATION = re.compile(r"[a-z0-9-]+:[A-Za-z*]+")


class Place(StrEnum):
    """Where a fault strikes."""

    FUNCTION = "function"
    """An invocation of a function."""
    CALL = "call"
    """A call of AWS's APIs by a function."""
    QUEUE = "queue"
    """A message in a queue."""
    REQUEST = "request"
    """A request of a client to an API."""
    EMULATOR = "emulator"


class Kind(StrEnum):
    """What is done; ``KINDS`` says what each means."""

    ERROR = "error"
    DELAY = "delay"
    THROTTLE = "throttle"
    INIT = "init"
    COLD = "cold"
    ANSWER_LOST = "answer-lost"
    NAMED = "named"
    MALFORMED = "malformed"
    KILL = "kill"
    MEMORY = "memory"
    STALL = "stall"
    CALL_THROTTLED = "call-throttled"
    CALL_FAILED = "call-failed"
    CALL_DENIED = "call-denied"
    CALL_SLOW = "call-slow"
    CALL_RESET = "call-reset"
    CALL_ANSWER_LOST = "call-answer-lost"
    DELETE_DROPPED = "delete-dropped"
    DUPLICATE = "duplicate"
    LATE = "late"
    REORDER = "reorder"
    EXPIRED = "expired"
    REQUEST_FAILED = "request-failed"
    REQUEST_SLOW = "request-slow"
    PAUSE = "pause"
    OUTAGE = "outage"


class Form(StrEnum):
    """How a malformed answer of a batch looks; Lambda takes each of them as a failure of the whole batch."""

    NO_JSON = "no-json"
    NO_LIST = "no-list"
    EMPTY_ID = "empty-id"
    UNKNOWN_ID = "unknown-id"
    WRONG_KEY = "wrong-key"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a kind does: its place, its sentence, its usual ``delay_s`` and whether the handler's work is done."""

    place: Place
    text: str
    delay_s: float = 0.0
    is_failure: bool = False
    """Whether the delivery that it strikes fails, whatever the code does."""


_F, _C, _Q, _R = Place.FUNCTION, Place.CALL, Place.QUEUE, Place.REQUEST
KINDS: Mapping[Kind, Meaning] = {
    Kind.ERROR: Meaning(_F, "the invocation fails before the handler is called", is_failure=True),
    Kind.DELAY: Meaning(_F, "the invocation begins `delay_s` later", 2.0),
    Kind.THROTTLE: Meaning(_F, "the invocation is throttled, as where no concurrency is free"),
    Kind.INIT: Meaning(_F, "the function runs in a new environment whose init fails", is_failure=True),
    Kind.COLD: Meaning(_F, "the function runs in a new environment"),
    Kind.ANSWER_LOST: Meaning(_F, "the handler does its work, and the invocation fails all the same", is_failure=True),
    Kind.NAMED: Meaning(_F, "the message is added to the answer's batchItemFailures"),
    Kind.MALFORMED: Meaning(_F, "the handler does its work, and its answer is replaced by one of `form`"),
    Kind.KILL: Meaning(
        _F,
        "the process is killed `delay_s` after the handler was called; with 0 when it has done its work, before it "
        "answers",
        is_failure=True,
    ),
    Kind.MEMORY: Meaning(
        _F, "the process is killed for its memory, when it has done its work and before it answers", is_failure=True
    ),
    Kind.STALL: Meaning(_F, "the process stands still for `delay_s`, which counts towards its timeout", 2.0),
    Kind.CALL_THROTTLED: Meaning(_C, "the call is refused by the service's throttling"),
    Kind.CALL_FAILED: Meaning(_C, "the call is answered by an error of the service (5xx)"),
    Kind.CALL_DENIED: Meaning(_C, "the call is refused: access denied"),
    Kind.CALL_SLOW: Meaning(_C, "the answer comes `delay_s` later", 2.0),
    Kind.CALL_RESET: Meaning(_C, "the connection is closed, and nothing is done"),
    Kind.CALL_ANSWER_LOST: Meaning(_C, "the call is done, and the connection is closed before its answer"),
    Kind.DELETE_DROPPED: Meaning(_Q, "the message is not deleted, and whoever deletes it is told that it was"),
    Kind.DUPLICATE: Meaning(_Q, "the message can be received again after `delay_s`, whatever its timeout", 1.0),
    Kind.LATE: Meaning(_Q, "the message is visible `delay_s` later than it was sent", 5.0),
    Kind.REORDER: Meaning(_Q, "the message is visible at a time drawn between now and `delay_s` later", 5.0),
    Kind.EXPIRED: Meaning(_Q, "the message expires before it is received"),
    Kind.REQUEST_FAILED: Meaning(_R, "the request is answered with `status`, and nothing is done"),
    Kind.REQUEST_SLOW: Meaning(_R, "the answer comes `delay_s` later", 2.0),
    Kind.PAUSE: Meaning(Place.EMULATOR, "the emulator stands still for `delay_s`, at `from_s`", 5.0),
    Kind.OUTAGE: Meaning(
        Place.EMULATOR,
        "the emulator is gone for `delay_s`, at `from_s`: all functions are killed, connections are cut and refused",
        5.0,
    ),
}
FAILURES = frozenset(kind for kind, meaning in KINDS.items() if meaning.is_failure)

_PLACES: Mapping[Place, frozenset[str]] = {
    Place.FUNCTION: frozenset({"function", "keys", "receives", "rate", "whole_task", "after_queue"}),
    Place.CALL: frozenset(
        {
            "function",
            "operation",
            "resource",
            "nth",
            "attempts",
            "keys",
            "receives",
            "rate",
            "whole_task",
            "after_queue",
        }
    ),
    Place.QUEUE: frozenset({"queue", "keys", "receives", "rate", "whole_task", "after_queue"}),
    Place.REQUEST: frozenset({"route", "keys", "rate", "attempts", "after_queue"}),
    Place.EMULATOR: frozenset({"after_queue"}),
}
"""What may say which cases of a place are meant; a window may always be given, but of a stop only its beginning."""
_OWN: Mapping[str, frozenset[Kind]] = {
    "form": frozenset({Kind.MALFORMED}),
    "status": frozenset({Kind.REQUEST_FAILED}),
    "delay_s": frozenset({*(kind for kind, meaning in KINDS.items() if meaning.delay_s), Kind.KILL}),
}
"""Fields of single kinds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: what is done, where, and to which tasks. Names may hold ``*`` for any characters."""

    kind: Kind = setting(MISSING, "what is done: see the kinds")
    name: str = setting("", "what it is called, by which its draws differ from others'; default: the kind")
    function: str = setting(ANY, "name of the function that is struck, or that calls")
    operation: str = setting(ANY, "the call, as `dynamodb:PutItem` or `sqs:*`")
    resource: str = setting(ANY, "what the call is about: a table's, queue's, topic's name")
    queue: str = setting(ANY, "name of the queue")
    route: str = setting(ANY, "the request, as `POST /orders`")
    rate: float = ratio(1.0, "the share of the cases that it strikes")
    whole_task: bool = setting(
        False, "one draw for a task, so that it is struck each time or never; default: a draw each time"
    )
    keys: tuple[str, ...] = setting((), "tasks, by their keys or message ids; default: all")
    receives: tuple[int, ...] = setting((), "receive counts of the message, as `[1]` for the first; default: all")
    nth: tuple[int, ...] = setting((), "which of the invocation's calls of that operation, from 1; default: all")
    attempts: int = setting(0, "only the first attempts of the client at each call or request; 0 is all", 0, 100)
    from_s: float = setting(0.0, "seconds since the plan is in force, before which nothing is struck", 0, 86_400)
    until_s: float = setting(86_400.0, "seconds since the plan is in force, after which nothing is struck", 0, 86_400)
    after_queue: str = setting("", "a queue: nothing is struck before a message has entered it")
    delay_s: float | None = setting(None, "how long, where the kind takes time; default: see the kind", 0, 900)
    form: Form = setting(Form.NO_JSON, "how a malformed answer looks")
    status: int = setting(503, "HTTP status of a failed request", 500, 599)

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.kind.value)

    @property
    def place(self) -> Place:
        """Where it strikes."""
        return KINDS[self.kind].place

    @property
    def seconds(self) -> float:
        """``delay_s``, or the kind's own."""
        return KINDS[self.kind].delay_s if self.delay_s is None else self.delay_s


@dataclass(frozen=True, slots=True)
class Case:
    """Something that a fault may strike: an invocation or delivery of a message, a call, a request.

    Attributes:
        key: of its task, or its message's id where it has none.
        message_id: empty where there is no message.
        receive_count: of the message; 1 where there is none.
        nth: which call of its operation in the invocation, from 1; 0 for what is no call.
        attempt: of the client at this call or request, from 1.
    """

    key: str
    message_id: str = ""
    receive_count: int = 1
    nth: int = 0
    attempt: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Faults, and the seed of their draws."""

    faults: tuple[Fault, ...] = ()
    seed: int = setting(1, "of the draws", 0, 2**63 - 1, give="a whole number of 0 to 2^63 - 1")
    task_key: str | None = None
    """Where a body has its task's key, a JMESPath; without one a key that dlqlab gave is looked for."""
    tasks: tuple[int, ...] = ()
    """Numbers of the tasks of the load that are sent, from 0; without any it sends the first ones."""

    def __post_init__(self) -> None:
        """Raises:
        ValueError: a fault makes no sense; names the field, its value and the remedy.
        """
        if bad := [one for one in self.tasks if one < 0 or self.tasks.count(one) > 1]:
            raise ValueError(f"tasks holds {bad[0]}: give whole numbers from 0, each once")
        names = [fault.name for fault in self.faults]
        for number, fault in enumerate(self.faults):
            try:
                _check(fault)
            except ValueError as error:
                raise ValueError(f"faults[{number}].{error}") from error
            if fault.name in names[:number]:
                raise ValueError(f"faults[{number}].name is {fault.name!r}, as another's: give each a name of its own")

    def at(self, place: Place) -> tuple[Fault, ...]:
        """The faults that strike there."""
        return tuple(fault for fault in self.faults if fault.place is place)


def strikes(fault: Fault, case: Case, seed: int) -> bool:
    """Whether the fault strikes this case, as far as key, receive count, call, attempt and draw decide it.

    Place, window and ``after_queue`` are for the caller to hold.
    """
    if fault.keys and case.key not in fault.keys and case.message_id not in fault.keys:
        return False
    if (fault.receives and case.receive_count not in fault.receives) or (fault.nth and case.nth not in fault.nth):
        return False
    if fault.attempts and case.attempt > fault.attempts:
        return False
    return fault.rate >= 1 or draw(fault, case, seed) < fault.rate


def draw(fault: Fault, case: Case, seed: int, purpose: str = "") -> float:
    """A float in [0, 1), the same for the same case: all attempts of a client at one call share theirs."""
    if fault.whole_task:
        return uniform(seed, f"fault {fault.name} {purpose}", case.key)
    return uniform(seed, f"fault {fault.name} {purpose}", case.key, case.receive_count, case.nth)


@cache
def matches(pattern: str, name: str) -> bool:
    """Whether a name is meant; capitals count."""
    return pattern == ANY or fnmatchcase(name, pattern)


def given_key(text: str) -> str | None:
    """The key that dlqlab gave to the task of a body; None where there is none in it."""
    found = _KEY.search(text)
    return found[0] if found else None


def _check(fault: Fault) -> None:
    if not _NAME.fullmatch(fault.name):
        raise ValueError(f"name is {fault.name!r}: give small letters, digits and hyphens")
    check(fault)
    if fault.until_s <= fault.from_s:
        raise ValueError(f"until_s is {fault.until_s:g}: give more than from_s, {fault.from_s:g}")
    if fault.operation != ANY and not _OPERATION.fullmatch(fault.operation):
        raise ValueError(f"operation is {fault.operation!r}: give it as 'dynamodb:PutItem' or 'sqs:*'")
    for name in ("receives", "nth"):
        if bad := [number for number in getattr(fault, name) if number < 1]:
            raise ValueError(f"{name} holds {bad[0]}: give whole numbers from 1")
    _check_fields(fault)


def _check_fields(fault: Fault) -> None:
    """Refuse what says nothing about this kind: it would be left out without a word."""
    taken = _PLACES[fault.place] | {"kind", "name", "from_s", "until_s"}
    taken -= {"until_s"} if fault.place is Place.EMULATOR else set()  # it stops once
    taken |= {name for name, kinds in _OWN.items() if fault.kind in kinds}
    for one in fields(fault):
        value = getattr(fault, one.name)
        if one.name not in taken and value != one.default:
            known = ", ".join(sorted(taken - {"kind"}))
            raise ValueError(f"{one.name} is {value!r}: {fault.kind} does not go by it; it goes by {known}")


def struck(faults: Iterable[Fault], case: Case, seed: int) -> Fault | None:
    """The first of the faults that strikes; None where none does."""
    return next((fault for fault in faults if strikes(fault, case, seed)), None)

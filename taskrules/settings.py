"""Settings of the functions: read once from the environment, checked, then passed on. Nothing else reads variables."""

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import Any

from taskrules.breaker import BreakerPolicy
from taskrules.faults import FaultPlan
from taskrules.retry import RetryPolicy

REDACT_FIELDS = "password,secret,token,authorization,apiKey,creditCard,email,ssn,phone"
_NAME = "the name of the queue or table"
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")


class SettingsError(ValueError):
    """A variable is missing or cannot be used; names it, its value and the remedy."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the functions: what it means in a sentence, its default as it would be written, what it may be.

    ``low`` and ``high`` are the bounds of a whole number, ``kind`` is the policy whose fields a JSON object holds.
    """

    name: str
    meaning: str
    _: KW_ONLY
    default: str = ""
    low: int = 0
    high: int = 0
    kind: type | None = None
    give: str = ""

    @property
    def remedy(self) -> str:
        """What to give; empty where anything will do."""
        if self.kind is not None:
            return f"a JSON object of {', '.join(_settable(self.kind))}"
        return f"a whole number of {self.low} to {self.high}" if self.high else self.give


VARIABLES: Mapping[str, Variable] = {
    variable.name: variable
    for variable in (
        Variable("SEED", "of faults and jitter", default="0", low=0, high=2**63 - 1),
        Variable("TASK_TABLE", "name of the table of tasks", give=_NAME),
        Variable(
            "ARCHIVE_TABLE",
            "name of the table of archived dead letters",
            give=_NAME,
        ),
        Variable(
            "TASK_QUEUE",
            "name of the task queue; its URL is looked up",
            give=_NAME,
        ),
        Variable("DEAD_LETTER_QUEUE", "name of the dead-letter queue", give=_NAME),
        Variable(
            "BATCH_SIZE", "of the processor's mapping; read when the app is deployed", default="10", low=1, high=10_000
        ),
        Variable("RUN_ID", "goes into every log event", default="by-hand"),
        Variable("FAULT_PLAN", "JSON object of the settings of `[faults]`", kind=FaultPlan),
        Variable("RETRY_POLICY", "JSON object of the settings of `[retry]`", kind=RetryPolicy),
        Variable(
            "FUNCTION_TIMEOUT_S",
            "the functions' timeout; no lease is longer",
            default="10",
            low=1,
            high=900,
        ),
        Variable(
            "PARTIAL_BATCH_RESPONSES",
            "1 once the mapping is proven to honour them",
            default="0",
            low=0,
            high=1,
        ),
        Variable("ARCHIVE_DAYS", "life of an archived message", default="14", low=1, high=3650),
        Variable(
            "PENDING_AFTER_S",
            "the sweeper enqueues a task that was accepted so long ago and never enqueued",
            default="15",
            low=0,
            high=86_400,
        ),
        Variable(
            "STRANDED_AFTER_S",
            "the sweeper enqueues a task that is overdue for so long and has lost its message",
            default="900",
            low=0,
            high=86_400,
        ),
        Variable(
            "RUN_STARTED_TS", "when the run started: outages count from it", default="0", give="seconds since the epoch"
        ),
        Variable("BREAKER_TABLE", "name of the table of the breaker's state; needed with `BREAKER`", give=_NAME),
        Variable(
            "BREAKER",
            "JSON object of the settings of `[breaker]` without `enabled`; empty for no breaker",
            kind=BreakerPolicy,
        ),
        Variable(
            "API_KEY_REQUIRED",
            "1: API Gateway wants an API key for `/tasks`; read when the app is deployed",
            default="0",
            low=0,
            high=1,
        ),
        Variable(
            "CORS_ORIGIN",
            "origin that browsers may call from, `*` for any, empty for none; read when the app is deployed",
            give="an origin such as https://app.example.org, * for any, or nothing for none",
        ),
        Variable(
            "REDACT_FIELDS", "fields, by commas, whose values are neither logged nor archived", default=REDACT_FIELDS
        ),
    )
}
"""All that the functions read, in the order of Settings.from_env."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a function is configured with; each field is the variable of the same name in capitals.

    ``fault_plan`` and ``retry_policy`` are JSON objects of the fields of FaultPlan and RetryPolicy without the seed,
    which SEED gives to both. ``partial_batch_responses`` is true only once somebody has proven that the event source
    mapping honours them: without that a failed message that is merely reported would be deleted.

    ``run_started_ts`` is what the fault plan counts an outage from. ``breaker_policy`` is None unless the variable
    BREAKER holds a JSON object of its fields; without it nobody asks a breaker.

    ``api_key_required`` and ``cors_origin`` are used when the API is deployed: API Gateway then refuses a request
    without a key, and tells browsers which origin may call (``*`` for any, empty for none).

    ``pending_after_s`` must be longer than the API's function lives: until then it may still enqueue its task itself.
    """

    task_table: str
    archive_table: str
    task_queue: str
    dead_letter_queue: str
    batch_size: int
    run_id: str
    fault_plan: FaultPlan
    retry_policy: RetryPolicy
    function_timeout_s: int
    partial_batch_responses: bool
    archive_days: int
    redact_fields: frozenset[str]
    pending_after_s: int
    stranded_after_s: int
    run_started_ts: float
    breaker_table: str
    breaker_policy: BreakerPolicy | None
    api_key_required: bool
    cors_origin: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """The settings that the variables give; what is not given has the default written here.

        Raises:
            SettingsError: a variable is missing, malformed or out of range.
        """
        seed = _whole(env, "SEED")
        return cls(
            task_table=_text(env, "TASK_TABLE"),
            archive_table=_text(env, "ARCHIVE_TABLE"),
            task_queue=_text(env, "TASK_QUEUE"),
            dead_letter_queue=_text(env, "DEAD_LETTER_QUEUE"),
            batch_size=_whole(env, "BATCH_SIZE"),
            run_id=env.get("RUN_ID") or VARIABLES["RUN_ID"].default,
            fault_plan=_parts(env, "FAULT_PLAN", FaultPlan, seed),
            retry_policy=_parts(env, "RETRY_POLICY", RetryPolicy, seed),
            function_timeout_s=_whole(env, "FUNCTION_TIMEOUT_S"),
            partial_batch_responses=_whole(env, "PARTIAL_BATCH_RESPONSES") == 1,
            archive_days=_whole(env, "ARCHIVE_DAYS"),
            pending_after_s=_whole(env, "PENDING_AFTER_S"),
            stranded_after_s=_whole(env, "STRANDED_AFTER_S"),
            run_started_ts=_seconds(env, "RUN_STARTED_TS"),
            breaker_table=env.get("BREAKER_TABLE", ""),
            breaker_policy=_breaker(env),
            api_key_required=_whole(env, "API_KEY_REQUIRED") == 1,
            cors_origin=_origin(env),
            redact_fields=_names(env.get("REDACT_FIELDS", REDACT_FIELDS)),
        )


def _text(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise SettingsError(f"{name} is not set: give {VARIABLES[name].remedy}")
    return value


def _whole(env: Mapping[str, str], name: str) -> int:
    variable = VARIABLES[name]
    text = env.get(name, variable.default)
    if not (text.isascii() and text.isdigit() and variable.low <= int(text) <= variable.high):
        raise SettingsError(f"{name} is {text!r}: give {variable.remedy}")
    return int(text)


def _seconds(env: Mapping[str, str], name: str) -> float:
    text = env.get(name) or VARIABLES[name].default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise SettingsError(f"{name} is {text!r}: give {VARIABLES[name].remedy}")
    return value


def _origin(env: Mapping[str, str]) -> str:
    text = env.get("CORS_ORIGIN", "")
    if text not in {"", "*"} and not _ORIGIN.fullmatch(text):
        raise SettingsError(f"CORS_ORIGIN is {text!r}: give {VARIABLES['CORS_ORIGIN'].remedy}")
    return text


def _breaker(env: Mapping[str, str]) -> BreakerPolicy | None:
    if not env.get("BREAKER"):
        return None
    _text(env, "BREAKER_TABLE")
    return _parts(env, "BREAKER", BreakerPolicy)


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip())


def as_variable(policy: FaultPlan | RetryPolicy | BreakerPolicy) -> str:
    """A plan or policy as its variable holds it: a JSON object of its fields, without the seed."""
    return json.dumps({name: getattr(policy, name) for name in _settable(type(policy))})


def _settable(kind: type) -> dict[str, Any]:
    """The fields that a variable may give, with their types."""
    return {field.name: field.type for field in dataclasses.fields(kind) if field.name != "seed"}


def _parts[T: (FaultPlan, RetryPolicy, BreakerPolicy)](
    env: Mapping[str, str], name: str, build: type[T], seed: int | None = None
) -> T:
    """The plan or policy of a variable that holds a JSON object of its fields."""
    text = env.get(name) or "{}"
    kinds = _settable(build)
    try:
        given = json.loads(text)
        known = isinstance(given, dict) and set(given) <= set(kinds)
        fields = {key: _field(key, value, kinds[key]) for key, value in given.items()} if known else {}
        made = build(**(fields if seed is None else fields | {"seed": seed}))
    except ValueError as error:
        raise SettingsError(f"{name} is {text!r}: {error}") from error
    if not known:
        raise SettingsError(f"{name} is {text!r}: give {VARIABLES[name].remedy}")
    return made


def _field(key: str, value: Any, kind: type) -> Any:
    if issubclass(kind, StrEnum):
        return kind(value)
    # bool is an int in Python: "failure_rate": true must not mean 100 %.
    fits = isinstance(value, (int, float) if kind is float else kind) and not isinstance(value, bool)
    if not fits or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"{key} is {value!r}: give a {kind.__name__}")
    return value

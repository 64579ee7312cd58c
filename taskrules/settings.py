"""Settings of the functions: read once from the environment, checked, then passed on. Nothing else reads variables."""

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from taskrules.breaker import BreakerPolicy
from taskrules.faults import FaultPlan
from taskrules.retry import RetryPolicy

REDACT_FIELDS = "password,secret,token,authorization,apiKey,creditCard,email,ssn,phone"
LAMBDA_TIMEOUT_MAX_S = 900
SQS_BATCH_MAX = 10_000
DAY_S = 86_400
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")


class SettingsError(ValueError):
    """A variable is missing or cannot be used; names it, its value and the remedy."""


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
        seed = _whole(env, "SEED", 0, 0, 2**63 - 1)
        return cls(
            task_table=_text(env, "TASK_TABLE"),
            archive_table=_text(env, "ARCHIVE_TABLE"),
            task_queue=_text(env, "TASK_QUEUE"),
            dead_letter_queue=_text(env, "DEAD_LETTER_QUEUE"),
            batch_size=_whole(env, "BATCH_SIZE", 10, 1, SQS_BATCH_MAX),
            run_id=env.get("RUN_ID") or "by-hand",
            fault_plan=_parts(env, "FAULT_PLAN", FaultPlan, seed),
            retry_policy=_parts(env, "RETRY_POLICY", RetryPolicy, seed),
            function_timeout_s=_whole(env, "FUNCTION_TIMEOUT_S", 10, 1, LAMBDA_TIMEOUT_MAX_S),
            partial_batch_responses=_whole(env, "PARTIAL_BATCH_RESPONSES", 0, 0, 1) == 1,
            archive_days=_whole(env, "ARCHIVE_DAYS", 14, 1, 3650),
            pending_after_s=_whole(env, "PENDING_AFTER_S", 15, 0, DAY_S),
            stranded_after_s=_whole(env, "STRANDED_AFTER_S", 900, 0, DAY_S),
            run_started_ts=_seconds(env, "RUN_STARTED_TS"),
            breaker_table=env.get("BREAKER_TABLE", ""),
            breaker_policy=_breaker(env),
            api_key_required=_whole(env, "API_KEY_REQUIRED", 0, 0, 1) == 1,
            cors_origin=_origin(env),
            redact_fields=_names(env.get("REDACT_FIELDS", REDACT_FIELDS)),
        )


def _text(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise SettingsError(f"{name} is not set: give the name of the queue or table")
    return value


def _whole(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name, str(default))
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise SettingsError(f"{name} is {text!r}: give a whole number of {low} to {high}")
    return int(text)


def _seconds(env: Mapping[str, str], name: str) -> float:
    text = env.get(name) or "0"
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise SettingsError(f"{name} is {text!r}: give seconds since the epoch")
    return value


def _origin(env: Mapping[str, str]) -> str:
    text = env.get("CORS_ORIGIN", "")
    if text not in {"", "*"} and not _ORIGIN.fullmatch(text):
        raise SettingsError(
            f"CORS_ORIGIN is {text!r}: give an origin such as https://app.example.org, * for any, or nothing for none"
        )
    return text


def _breaker(env: Mapping[str, str]) -> BreakerPolicy | None:
    if not env.get("BREAKER"):
        return None
    _text(env, "BREAKER_TABLE")
    return _parts(env, "BREAKER", BreakerPolicy)


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip())


def _parts[T: (FaultPlan, RetryPolicy, BreakerPolicy)](
    env: Mapping[str, str], name: str, build: type[T], seed: int | None = None
) -> T:
    """The plan or policy of a variable that holds a JSON object of its fields."""
    text = env.get(name) or "{}"
    kinds: dict[str, Any] = {field.name: field.type for field in dataclasses.fields(build) if field.name != "seed"}
    try:
        given = json.loads(text)
        known = isinstance(given, dict) and set(given) <= set(kinds)
        fields = {key: _field(key, value, kinds[key]) for key, value in given.items()} if known else {}
        made = build(**(fields if seed is None else fields | {"seed": seed}))
    except ValueError as error:
        raise SettingsError(f"{name} is {text!r}: {error}") from error
    if not known:
        raise SettingsError(f"{name} is {text!r}: give a JSON object of {', '.join(kinds)}")
    return made


def _field(key: str, value: Any, kind: type) -> Any:
    if issubclass(kind, StrEnum):
        return kind(value)
    # bool is an int in Python: "failure_rate": true must not mean 100 %.
    fits = isinstance(value, (int, float) if kind is float else kind) and not isinstance(value, bool)
    if not fits or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"{key} is {value!r}: give a {kind.__name__}")
    return value

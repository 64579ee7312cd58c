"""Settings of the functions: read once from the environment, checked, then passed on. Nothing else reads variables."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chalicelib.faults import FaultMode, FaultPlan
from chalicelib.retry import Jitter, RetryPolicy

REDACT_FIELDS = "password,secret,token,authorization,apiKey,creditCard,email,ssn,phone"
LAMBDA_TIMEOUT_MAX_S = 900
SQS_BATCH_MAX = 10_000


class SettingsError(ValueError):
    """A variable is missing or cannot be used; names it, its value and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a function is configured with; each field is the variable of the same name in capitals.

    ``fault_plan`` and ``retry_policy`` are JSON objects of the fields of FaultPlan and RetryPolicy without the seed,
    which SEED gives to both. ``partial_batch_responses`` is true only once somebody has proven that the event source
    mapping honours them: without that a failed message that is merely reported would be deleted.
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
            fault_plan=_parts(env, "FAULT_PLAN", FaultPlan, {"mode": FaultMode}, seed),
            retry_policy=_parts(env, "RETRY_POLICY", RetryPolicy, {"jitter": Jitter}, seed),
            function_timeout_s=_whole(env, "FUNCTION_TIMEOUT_S", 10, 1, LAMBDA_TIMEOUT_MAX_S),
            partial_batch_responses=_whole(env, "PARTIAL_BATCH_RESPONSES", 0, 0, 1) == 1,
            archive_days=_whole(env, "ARCHIVE_DAYS", 14, 1, 3650),
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


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip())


def _parts[T](
    env: Mapping[str, str], name: str, build: Callable[..., T], enums: Mapping[str, type[StrEnum]], seed: int
) -> T:
    """The plan or policy of a variable that holds a JSON object of its fields."""
    text = env.get(name) or "{}"
    try:
        fields = json.loads(text)
        if not isinstance(fields, dict) or "seed" in fields:
            raise SettingsError(f"{name} is {text!r}: give a JSON object of fields without a seed (SEED gives it)")
        return build(seed=seed, **{key: _field(key, value, enums) for key, value in fields.items()})
    except (ValueError, TypeError) as error:
        if isinstance(error, SettingsError):
            raise
        raise SettingsError(f"{name} is {text!r}: {error}") from error


def _field(key: str, value: Any, enums: Mapping[str, type[StrEnum]]) -> Any:
    if key in enums:
        return enums[key](value)
    # bool is an int in Python: "failure_rate": true must not mean 100 %.
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{key} is {value!r}: give a number or a text")  # noqa: TRY004 # one error type for settings
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{key} is {value!r}: give a finite number")
    return value

"""Settings from the environment."""

import json

import pytest

from taskrules.faults import FaultMode, FaultPlan
from taskrules.retry import Jitter, RetryPolicy
from taskrules.settings import Settings, SettingsError

NAMES = {"TASK_TABLE": "a", "ARCHIVE_TABLE": "b", "TASK_QUEUE": "c", "DEAD_LETTER_QUEUE": "d"}


def test_defaults() -> None:
    """Given the names alone, everything else has its default; partial responses are off until proven."""
    expected = Settings(
        task_table="a",
        archive_table="b",
        task_queue="c",
        dead_letter_queue="d",
        batch_size=10,
        run_id="by-hand",
        fault_plan=FaultPlan(),
        retry_policy=RetryPolicy(),
        function_timeout_s=10,
        partial_batch_responses=False,
        archive_days=14,
        redact_fields=frozenset(
            {"password", "secret", "token", "authorization", "apikey", "creditcard", "email", "ssn", "phone"}
        ),
        pending_after_s=15,
        stranded_after_s=900,
        run_started_ts=0.0,
        breaker_table="",
        breaker_policy=None,
        api_key_required=False,
        cors_origin="",
    )

    assert expected == Settings.from_env(NAMES)


def test_every_variable_counts() -> None:
    """What the environment gives is taken; the seed holds for faults and jitter alike."""
    settings = Settings.from_env(
        NAMES
        | {
            "BATCH_SIZE": "1",
            "RUN_ID": "r",
            "SEED": "7",
            "FAULT_PLAN": json.dumps({"mode": "per_task", "failure_rate": 1}),
            "RETRY_POLICY": json.dumps({"max_retries": 5, "jitter": "full"}),
            "FUNCTION_TIMEOUT_S": "900",
            "PARTIAL_BATCH_RESPONSES": "1",
            "ARCHIVE_DAYS": "1",
            "REDACT_FIELDS": " Pin, ,NAME ",
            "API_KEY_REQUIRED": "1",
            "CORS_ORIGIN": "https://app.example.org:8443",
        }
    )

    assert FaultPlan(seed=7, mode=FaultMode.PER_TASK, failure_rate=1) == settings.fault_plan
    assert RetryPolicy(seed=7, max_retries=5, jitter=Jitter.FULL) == settings.retry_policy
    assert (1, "r", 900, True, 1) == (
        settings.batch_size,
        settings.run_id,
        settings.function_timeout_s,
        settings.partial_batch_responses,
        settings.archive_days,
    )
    assert frozenset({"pin", "name"}) == settings.redact_fields
    assert (True, "https://app.example.org:8443") == (settings.api_key_required, settings.cors_origin)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TASK_TABLE", ""),
        ("BATCH_SIZE", "0"),
        ("BATCH_SIZE", "ten"),
        ("BATCH_SIZE", "1.5"),
        ("BATCH_SIZE", "10001"),
        ("SEED", "-1"),
        ("FUNCTION_TIMEOUT_S", "901"),
        ("PARTIAL_BATCH_RESPONSES", "yes"),
        ("ARCHIVE_DAYS", "0"),
        ("API_KEY_REQUIRED", "true"),
        ("CORS_ORIGIN", "example.org"),
        ("CORS_ORIGIN", "https://example.org/app"),
        ("CORS_ORIGIN", "https://a.example.org, https://b.example.org"),
        ("FAULT_PLAN", "not json"),
        ("FAULT_PLAN", "[]"),
        ("FAULT_PLAN", '{"seed": 1}'),
        ("FAULT_PLAN", '{"failure_rate": 30}'),
        ("FAULT_PLAN", '{"failure_rate": "0.3"}'),
        ("FAULT_PLAN", '{"failure_rate": true}'),
        ("FAULT_PLAN", '{"failure_rate": NaN}'),
        ("FAULT_PLAN", '{"mode": "sometimes"}'),
        ("FAULT_PLAN", '{"rate": 0.3}'),
        ("RETRY_POLICY", '{"jitter": "some"}'),
        ("RETRY_POLICY", '{"max_retries": [1]}'),
        ("RETRY_POLICY", '{"max_retries": 1.5}'),
        ("RETRY_POLICY", '{"cap_s": 901}'),
    ],
)
def test_unusable_variable_is_named(name: str, value: str) -> None:
    """A variable that cannot be used stops the function at its start, by name."""
    with pytest.raises(SettingsError, match=name):
        Settings.from_env(NAMES | {name: value})


@pytest.mark.parametrize("name", NAMES)
def test_missing_name_is_an_error(name: str) -> None:
    """There is no default for a table or queue."""
    with pytest.raises(SettingsError, match=name):
        Settings.from_env({other: value for other, value in NAMES.items() if other != name})

"""Settings of the load generator and the loopback rule."""

import json
from pathlib import Path

import pytest

from dlqlab.contracts.scenario import Load
from dlqlab.errors import UsageError
from dlqlab.load.settings import ENVIRONMENT_VARIABLE, LoadSettings, check_host


def settings(text: str | None) -> LoadSettings:
    return LoadSettings.from_env({} if text is None else {ENVIRONMENT_VARIABLE: text}, by_hand_id="by-hand-x")


def test_without_the_variable_there_are_defaults() -> None:
    """By hand nothing needs to be given: a scenario's default load, seed 1, a folder of its own."""
    expected = LoadSettings(load=Load(), seed=1, run_id="by-hand-x", ledger_dir=Path("runs/by-hand-x/ledger"))
    assert expected == settings(None)


def test_settings_survive_the_environment() -> None:
    """What the starter writes the locustfile reads back, all of it."""
    given = LoadSettings(
        load=Load(users=3, rate_per_s=1.5, tasks=7, payload_bytes=0, timeout_s=2.0),
        seed=99,
        run_id="r1",
        ledger_dir=Path("/tmp/somewhere/ledger"),
        allow_remote=True,
    )

    assert given == LoadSettings.from_env(given.to_env(), by_hand_id="x")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("nonsense", "is not JSON"),
        ("[]", "holds a list"),
        ('{"users": 0}', "load.users is 0"),
        ('{"userz": 1}', "load.userz is not known"),
        ('{"seed": true}', "seed is True"),
        ('{"run_id": 7}', "run_id is 7"),
        ('{"allow_remote": "yes"}', "allow_remote is 'yes'"),
        ('{"ledger_dir": null}', "ledger_dir is None"),
    ],
)
def test_what_cannot_be_used_is_named(value: str, message: str) -> None:
    """A wrong setting is an error that names it, not a default."""
    with pytest.raises(UsageError, match=message):
        settings(value)


def test_a_seed_alone_is_enough() -> None:
    """One setting may be changed without giving the others."""
    assert settings(json.dumps({"seed": 5})).seed == 5


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:4566/x", "http://127.8.9.1", "http://localhost:80", "https://[::1]:8080/a"]
)
def test_this_machine_is_allowed(url: str) -> None:
    """Every loopback address is, with any port and path."""
    check_host(url, allow_remote=False)

    assert url.startswith("http")


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "127.0.0.1:80",
        "ftp://127.0.0.1",
        "http://",
        "http://0.0.0.0",
        "http://10.0.0.1",
        "http://192.0.2.1",
        "http://[2001:db8::1]",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@example.com",
        "http://2130706433",
    ],
)
def test_any_other_target_is_refused(url: str | None) -> None:
    """Names are not looked up, tricks with user names and numbers do not help."""
    with pytest.raises(UsageError, match="host is"):
        check_host(url, allow_remote=False)


def test_a_confirmed_target_is_allowed() -> None:
    """The flag lifts the loopback rule, but not the need for a URL."""
    check_host("https://abc.execute-api.eu-central-1.amazonaws.com/api", allow_remote=True)

    with pytest.raises(UsageError, match="give an http or https URL"):
        check_host("abc", allow_remote=True)

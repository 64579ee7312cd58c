"""The options --port, --target, --stage and --confirm: what is refused before any request is made."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlqlab.cli import main

REMOTE = ("--target", "http://192.0.2.1:4566")
ACCOUNT = ("--target", "aws", "--stage", "dev")


@pytest.fixture(autouse=True)
def _shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A shell with a region and without credentials; a request would fail on it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def _run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, arguments)
    return done.exit_code, " ".join(done.output.split())


@pytest.mark.parametrize("command", ["deploy", "destroy", "load", "run", "preflight"])
@pytest.mark.parametrize("where", [REMOTE, ACCOUNT])
def test_what_changes_something_elsewhere_needs_a_word(command: str, where: tuple[str, ...]) -> None:
    """Nothing is created, sent or removed outside of this machine without the word, and nobody is asked in a pipe."""
    code, output = _run(command, *where)

    assert 3 == code
    assert "which is not this machine" in output
    assert f"confirm with --confirm {'dev@aws' if where is ACCOUNT else 'local@192.0.2.1'}" in output


def test_load_shows_its_requests_first() -> None:
    """The estimate is there before the word is asked for."""
    _, output = _run("load", *ACCOUNT, "--tasks", "10", "--rate", "0")

    assert "Requests, at most: 10 API Gateway, 50 Lambda, 90 SQS, 100 DynamoDB." in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--target", "http://127.0.0.1:1", "--port", "4566"), "the port is part of the target's URL"),
        (("--target", "aws"), "needs a stage of its own"),
        (("--target", "aws", "--stage", "local"), "needs a stage of its own"),
        (("--target", "127.0.0.1:4566"), "give aws, or a URL"),
        ((*ACCOUNT, "--confirm", "yes"), "'yes' does not confirm aws eu-central-1, stage dev: give dev@aws"),
    ],
)
def test_contradictions_are_refused(arguments: tuple[str, ...], message: str) -> None:
    """Options that do not fit together are exit code 3 with what to give instead."""
    code, output = _run("deploy", *arguments)

    assert (3, True) == (code, message in output), output


def test_endpoint_that_nobody_serves_is_one_message() -> None:
    """A refused connection is exit code 4 with a remedy and no traceback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        code, output = _run("deploy", "--stack-only", "--target", f"http://127.0.0.1:{free.getsockname()[1]}")

    assert (4, True) == (code, "does anything serve the AWS API there?" in output), output
    assert "Traceback" not in output


def test_quantities_have_units_as_in_every_command() -> None:
    """A load takes 10/s and 1m, as what-if does."""
    _, output = _run("load", *ACCOUNT, "--tasks", "1000", "--rate", "2/s", "--duration", "1m")

    assert "Requests, at most: 120 API Gateway" in output


def test_account_without_credentials_is_one_message() -> None:
    """Nothing is sent without credentials; the message says what to do."""
    code, output = _run("deploy", "--stack-only", *ACCOUNT, "--confirm", "dev@aws")

    assert (4, True) == (code, "log in, or set AWS_PROFILE" in output), output

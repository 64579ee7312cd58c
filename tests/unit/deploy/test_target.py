"""Targets: where requests go, with whose credentials, and what is refused before any request."""

from pathlib import Path
from typing import Any

import pytest

from dlqlab import paths
from dlqlab.deploy.target import TargetKind, aws_target, local_target, url_target
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.host.lifecycle import DEFAULT_PORT, Emulator
from dlqlab.errors import UsageError


@pytest.fixture(autouse=True)
def _clean_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A shell without AWS settings or profiles."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))


@pytest.mark.parametrize(
    "url", ["", "localhost:4566", "ftp://127.0.0.1", "http://", "http://127.0.0.1:x", "http://127.0.0.1:1/path", "AWS"]
)
def test_what_is_no_endpoint_is_refused(tmp_path: Path, url: str) -> None:
    """A target is a URL without a path; the message says what to give."""
    with pytest.raises(UsageError, match=r"give aws, or a URL such as http://127\.0\.0\.1:4566"):
        url_target(url, state_root=tmp_path)


def test_endpoint_gets_dummy_credentials_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The user's own credentials and endpoints reach neither boto3 nor a tool."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://192.0.2.1")
    target = url_target("http://127.0.0.1:4599/", state_root=tmp_path)
    sqs: Any = target.client("sqs")
    tool = target.tool_environment()

    assert ("http://127.0.0.1:4599", "http://127.0.0.1:4599") == (target.endpoint, sqs.meta.endpoint_url)
    assert "test" == sqs._request_signer._credentials.access_key
    assert "http://127.0.0.1:4599" == tool["AWS_ENDPOINT_URL"]
    assert {"AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_SQS"}.isdisjoint(tool)


def test_each_endpoint_has_its_own_memory_of_deployments(tmp_path: Path) -> None:
    """Two endpoints do not share what Chalice remembers."""
    first, second = (url_target(f"http://127.0.0.1:{port}", state_root=tmp_path) for port in (4598, 4599))

    assert first.project_dir != second.project_dir
    assert first.state_dir in first.project_dir.parents


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:1", True),
        ("http://localhost:1", True),
        ("http://[::1]:1", True),
        ("http://192.0.2.1:1", False),
        ("https://emulator.example", False),
    ],
)
def test_this_machine_is_known_by_its_written_address(tmp_path: Path, url: str, *, expected: bool) -> None:
    """No name is looked up: only loopback addresses are this machine."""
    assert expected is url_target(url, state_root=tmp_path).is_this_machine


@pytest.mark.parametrize("stage", [None, "local"])
def test_account_needs_a_stage_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stage: str | None) -> None:
    """Nobody deploys to an account by leaving the stage out."""
    monkeypatch.setenv("AWS_REGION", "eu-central-1")

    with pytest.raises(UsageError, match="needs a stage of its own: give --stage dev"):
        aws_target(stage=stage, state_root=tmp_path)


def test_account_needs_a_region(tmp_path: Path) -> None:
    """A region is not guessed."""
    with pytest.raises(UsageError, match="no region is set"):
        aws_target(stage="dev", state_root=tmp_path)


def test_account_of_a_profile_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An account is the user's own affair: the profile is asked for, and named where it is missing."""
    monkeypatch.setenv("AWS_PROFILE", "not-there")

    with pytest.raises(UsageError, match=r"--target aws: The config profile \(not-there\) could not be found: set"):
        aws_target(stage="dev", state_root=tmp_path)


def test_emulators_credentials_are_not_an_accounts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A shell that was set up for the emulator does not talk to an account."""
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")

    with pytest.raises(UsageError, match="dummy credentials"):
        aws_target(stage="dev", state_root=tmp_path)


def test_account_is_reached_at_awss_own_endpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An endpoint that the shell still has from work with an emulator does not stand in for the account's."""
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")  # else a client asks the network for credentials
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    target = aws_target(stage="dev", state_root=tmp_path)

    assert (TargetKind.AWS, False, "aws eu-central-1") == (target.kind, target.is_this_machine, target.label)
    assert "https://sqs.eu-central-1.amazonaws.com" == target.client("sqs").meta.endpoint_url
    assert "AWS_ENDPOINT_URL" not in target.tool_environment()
    assert "https://abc.execute-api.eu-central-1.amazonaws.com/api" == target.api_url("abc")


def test_emulator_of_the_checkout_has_one_memory_however_it_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """--port N and --target http://127.0.0.1:N know of each other's deployments."""
    ours = Emulator(port=4599, pid=1, created_ts=0.0, state=str(tmp_path / "emulator-4599"), patches=())
    monkeypatch.setattr(lifecycle, "find", lambda port, _root: ours if port == 4599 else None)
    by_url, by_port = url_target("http://127.0.0.1:4599", state_root=tmp_path), local_target(ours)

    assert (by_port.project_dir, by_port.state_dir) == (by_url.project_dir, by_url.state_dir)
    assert (TargetKind.LOCAL, TargetKind.URL) == (by_port.kind, by_url.kind)
    assert by_port.project_dir != url_target("http://192.0.2.1:4599", state_root=tmp_path).project_dir


@pytest.mark.parametrize(
    ("port", "read_only", "expected"),
    [
        (DEFAULT_PORT, False, "app"),
        (DEFAULT_PORT, True, "state/app"),
        (4599, False, "state/app"),
        (4599, True, "state/app"),
    ],
)
def test_app_is_deployed_in_place_only_where_it_is_the_projects_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, port: int, expected: str, *, read_only: bool
) -> None:
    """Chalice writes into its project: never into the installed package, and for one emulator only into the app."""
    monkeypatch.setattr(paths, "INSTALLED", read_only)
    monkeypatch.setattr(paths, "BUNDLE", tmp_path)
    monkeypatch.setattr(paths, "APP", tmp_path / "app")
    emulator = Emulator(port=port, pid=1, created_ts=0.0, state=str(tmp_path / "state"), patches=())

    assert tmp_path / expected == local_target(emulator, app=tmp_path / "app").project_dir

"""Settings for AWS tools in the forms that shells, editors and the AWS SDKs read."""

import configparser
import subprocess
from pathlib import Path

import boto3
import pytest

from dlqlab.deploy.environment import FORMATS, PROFILE, as_dotenv, as_profile, as_shell
from dlqlab.emulator import settings

VARIABLES = settings.client_environment("http://127.0.0.1:4599")


def test_shell_has_the_settings_and_nothing_that_leads_elsewhere() -> None:
    """After eval a shell has our settings, and no profile, token or endpoint of its own."""
    before = {"AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "x", "AWS_ENDPOINT_URL_SQS": "http://192.0.2.1", "KEPT": "1"}
    printed = subprocess.run(
        ["sh", "-c", f"{as_shell(VARIABLES, before)}\nenv"], env={**before, "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    found = dict(line.split("=", 1) for line in printed.splitlines())

    assert VARIABLES == {name: value for name, value in found.items() if name.startswith("AWS_")}
    assert "1" == found["KEPT"]


def test_environment_file_has_the_settings() -> None:
    """One NAME=value a line."""
    assert VARIABLES == dict(line.split("=", 1) for line in as_dotenv(VARIABLES).splitlines())


def test_profile_leads_boto3_to_the_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool with this profile needs no variable besides."""
    path = tmp_path / "config"
    path.write_text(as_profile(VARIABLES))
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    client = boto3.Session(profile_name=PROFILE).client("sqs")
    sections = configparser.ConfigParser()
    sections.read(path)

    assert [f"profile {PROFILE}"] == sections.sections()
    assert ("http://127.0.0.1:4599", "us-east-1") == (client.meta.endpoint_url, client.meta.region_name)


@pytest.mark.parametrize("name", FORMATS)
def test_every_form_ends_without_a_blank_line(name: str) -> None:
    """What is printed can be appended to a file."""
    assert FORMATS[name](VARIABLES, ()).strip() == FORMATS[name](VARIABLES, ())

"""Settings for AWS tools in the forms that shells, editors and the AWS SDKs read."""

import configparser
import shlex
import subprocess
from pathlib import Path

import boto3
import pytest

from dlqlab.deploy.environment import FORMATS, PROFILE, as_dotenv, as_profile, as_shell
from dlqlab.emulator import settings

VARIABLES = settings.client_environment("http://127.0.0.1:4599")


def _shell(script: str, before: dict[str, str]) -> dict[str, str]:
    """The variables of a shell after the script."""
    command, environ = ["sh", "-c", f"{script}\nenv"], {**before, "PATH": "/usr/bin:/bin"}
    printed = subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in printed.splitlines())


FOREIGN = {
    "AWS_PROFILE": "work",
    "AWS_DEFAULT_PROFILE": "work",
    "AWS_SESSION_TOKEN": "x",
    "AWS_ENDPOINT_URL_SQS": "http://192.0.2.1",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_ROLE_ARN": "arn:aws:iam::1:role/r",
}


@pytest.mark.parametrize("script", ["{}", "set -f; eval $(printf '%s' {quoted})"])
def test_shell_has_the_settings_and_nothing_that_leads_elsewhere(script: str) -> None:
    """After eval, with quotes or without, a shell has our settings, and no profile, token or endpoint of its own."""
    before = {**FOREIGN, "KEPT": "1"}
    text = as_shell(VARIABLES, before)
    found = _shell(script.replace("{quoted}", shlex.quote(text)).replace("{}", text), before)

    assert VARIABLES.items() <= found.items()
    assert FOREIGN.keys().isdisjoint(found)
    assert "1" == found["KEPT"]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ({}, "127.0.0.1,localhost,::1"),
        ({"NO_PROXY": "intra.example"}, "intra.example,127.0.0.1,localhost,::1"),
        ({"NO_PROXY": "a", "no_proxy": "b, a"}, "a,b,127.0.0.1,localhost,::1"),
        ({"no_proxy": "localhost"}, "localhost,127.0.0.1,::1"),
    ],
)
def test_this_machine_is_exempt_from_the_shells_proxies(before: dict[str, str], expected: str) -> None:
    """What the shell exempts already stays; both spellings say the same, since tools read one or the other."""
    before = {"HTTP_PROXY": "http://192.0.2.1:3128", **before}
    found = _shell(as_shell(VARIABLES, before), before)

    assert (expected, expected) == (found["NO_PROXY"], found["no_proxy"])
    assert before["HTTP_PROXY"] == found["HTTP_PROXY"]


@pytest.mark.parametrize("command", ["sqs list-queues", "s3 ls", "--region eu-west-1 sqs list-queues"])
def test_every_service_of_the_aws_cli_gets_the_endpoint(tmp_path: Path, command: str) -> None:
    """AWS CLI 1 takes none for sqs from variables. An own --endpoint-url comes later and wins; without ours there is
    none.
    """
    cli = tmp_path / "aws"
    cli.write_text('#!/bin/sh\necho "$@"\n')
    cli.chmod(0o755)
    use = f"PATH={tmp_path}:$PATH\naws {command}\nunset AWS_ENDPOINT_URL\naws {command}"
    text = f"alias aws=false\n{as_shell(VARIABLES)}\n{use}"
    printed = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=True, env={}).stdout

    assert [f"--endpoint-url=http://127.0.0.1:4599 {command}", command] == printed.splitlines()


def test_environment_file_has_the_settings() -> None:
    """One NAME=value a line."""
    found = dict(line.split("=", 1) for line in as_dotenv(VARIABLES).splitlines())

    assert VARIABLES.items() <= found.items()
    assert {"NO_PROXY", "no_proxy"} == found.keys() - VARIABLES.keys()


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
    assert FORMATS[name](VARIABLES, {}).strip() == FORMATS[name](VARIABLES, {})

"""Clients of an emulator in a shell that was set up for other work: nothing of it reaches them."""

import os
from pathlib import Path
from typing import Any

import pytest

from dlqlab.deploy.target import Target, url_target

HOSTILE = {
    "AWS_PROFILE": "not-there",
    "AWS_DEFAULT_PROFILE": "not-there",
    "AWS_SESSION_TOKEN": "real",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
    "AWS_ENDPOINT_URL": "http://192.0.2.1",
    "AWS_ENDPOINT_URL_SQS": "http://192.0.2.1",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_MAX_ATTEMPTS": "many",
    "AWS_RETRY_MODE": "bogus",
    "AWS_DEFAULTS_MODE": "bogus",
    "AWS_CA_BUNDLE": "/nowhere/ca.pem",
    "AWS_REQUEST_CHECKSUM_CALCULATION": "bogus",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "bogus",
    "AWS_STS_REGIONAL_ENDPOINTS": "bogus",
    "AWS_S3_USE_ARN_REGION": "bogus",
    "AWS_DATA_PATH": "/nowhere",
    "HTTP_PROXY": "http://192.0.2.1:3128",
    "http_proxy": "http://192.0.2.1:3128",
    "ALL_PROXY": "http://192.0.2.1:3128",
}
CONFIG = """
[default]
region = eu-central-1
endpoint_url = http://192.0.2.1
retry_mode = bogus
s3 =
    addressing_style = virtual
"""


@pytest.fixture(autouse=True, params=["settings", "broken"])
def _hostile_shell(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Variables that lead elsewhere, and a configuration file that does, or that nobody can parse."""
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "config"
    path.write_text(CONFIG if request.param == "settings" else "[default\nnonsense")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """An emulator on this machine."""
    return url_target("http://127.0.0.1:4599", state_root=tmp_path)


@pytest.mark.parametrize("service", ["sqs", "s3", "dynamodb", "lambda", "cloudformation", "logs"])
def test_client_takes_nothing_from_the_shell(target: Target, service: str) -> None:
    """Endpoint, region, credentials, retries are the emulator's, and no proxy stands between."""
    client = target.client(service)
    credentials = client._request_signer._credentials

    assert ("http://127.0.0.1:4599", "us-east-1") == (client.meta.endpoint_url, client.meta.region_name)
    assert ("test", "test", None) == (credentials.access_key, credentials.secret_key, credentials.token)
    assert {} == client._endpoint.http_session._proxy_config._proxies
    assert ("standard", 3) == (client.meta.config.retries["mode"], client.meta.config.retries["total_max_attempts"])


def test_emulator_elsewhere_is_reached_as_the_network_asks(tmp_path: Path) -> None:
    """A proxy stays between this machine and another, where it may be the only way."""
    client: Any = url_target("http://192.0.2.9:4566", state_root=tmp_path).client("sqs")

    assert HOSTILE["http_proxy"] == client._endpoint.http_session._proxy_config._proxies["http"]
    assert "us-east-1" == client.meta.region_name


def test_tool_gets_no_setting_of_the_shell(target: Target) -> None:
    """Chalice and the like: no AWS variable but the target's, no file, this machine exempt from the proxy."""
    found = target.tool_environment()
    names = {name for name in found if name.startswith("AWS_")}

    assert names == {name for name in target.environment if name.startswith("AWS_")} | {
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
    }
    assert {os.devnull} == {found["AWS_CONFIG_FILE"], found["AWS_SHARED_CREDENTIALS_FILE"]}
    assert "127.0.0.1" in found["NO_PROXY"].split(",")

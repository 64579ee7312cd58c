"""What ``dlqlab doctor`` says about the shell it stands in."""

from importlib.metadata import requires, version
from pathlib import Path

import pytest

from dlqlab import doctor

ENDPOINT = "http://127.0.0.1:4599"


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    ("exempt", "hinders"),
    [
        ({}, True),
        ({"NO_PROXY": "intra.example"}, True),
        ({"NO_PROXY": "a,127.0.0.1"}, False),
        ({"no_proxy": "*"}, False),
    ],
)
def test_proxy_without_exemption_is_named(name: str, exempt: dict[str, str], *, hinders: bool) -> None:
    """A proxy that an AWS tool would ask for 127.0.0.1 is named; it is not an obstacle to dlqlab itself."""
    found = doctor.proxy({name: "http://192.0.2.1:3128", **exempt})

    assert (None if hinders else True) is found.ok
    assert hinders is (name in found.text)
    assert not hinders or "NO_PROXY" in found.remedy


@pytest.mark.parametrize(
    ("wanted", "ok", "text"),
    [
        (("click", "click>=8", 'nope; extra == "dev"'), True, "all 2 in a version that fits"),
        (("click<1",), False, f"click {version('click')}, wanted <1"),
        (("click", "no-such-package==1"), False, "no-such-package not installed"),
    ],
)
def test_package_that_does_not_fit_is_named(wanted: tuple[str, ...], text: str, *, ok: bool) -> None:
    """What was installed over a bound of dlqlab's, or removed, with the remedy; extras are nobody's concern."""
    found = doctor.packages(wanted)

    assert (ok, text) == (found.ok, found.text)
    assert bool(found.remedy) is not ok


def test_this_environment_fits() -> None:
    """What is installed here is what dlqlab declares."""
    assert doctor.packages(requires("dlqlab") or ()).ok


def test_no_proxy_is_no_finding() -> None:
    """An empty variable names no proxy."""
    assert doctor.proxy({"HTTP_PROXY": ""}).ok


@pytest.mark.parametrize("name", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_USE_FIPS_ENDPOINT"])
def test_settings_that_lead_elsewhere_are_named(name: str) -> None:
    """Each with the way out."""
    found = doctor.aws_settings({name: "x"}, [ENDPOINT])

    assert (None, True, True) == (found.ok, name in found.text, "dlqlab env" in found.remedy)


def test_endpoint_is_judged_by_where_it_leads() -> None:
    """After eval "$(dlqlab env)" nothing is said; with the emulator gone, where the shell still points to."""
    environ = {"AWS_ENDPOINT_URL": ENDPOINT, "AWS_ENDPOINT_URL_S3": f"{ENDPOINT}/"}

    assert doctor.aws_settings(environ, [ENDPOINT]).ok
    assert f"AWS_ENDPOINT_URL={ENDPOINT}" in doctor.aws_settings(environ, []).text


def test_profile_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    """A profile may stand in either file."""
    config, credentials = tmp_path / "config", tmp_path / "credentials"
    config.write_text("[profile lab]\nregion = eu-central-1\n")
    credentials.write_text("[keys]\naws_access_key_id = x\n")
    files = {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}
    texts = {name: doctor.aws_settings({**files, "AWS_PROFILE": name}, []).text for name in ("lab", "keys", "work")}

    assert [False, False, True] == ["in no AWS configuration file" in texts[name] for name in ("lab", "keys", "work")]
    assert "'work'" in texts["work"]

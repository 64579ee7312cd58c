"""The settings with which any AWS tool talks to an endpoint, as a shell, an environment file or an AWS profile."""

import shlex
from collections.abc import Callable, Iterable, Mapping

PROFILE = "dlqlab"
_PROFILE_KEYS = {
    "AWS_ENDPOINT_URL": "endpoint_url",
    "AWS_REGION": "region",
    "AWS_ACCESS_KEY_ID": "aws_access_key_id",
    "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key",
}
"""As the AWS SDKs and Tools Reference Guide calls them."""


def as_shell(variables: Mapping[str, str], inherited: Iterable[str] = ()) -> str:
    """Lines for ``eval``. AWS settings that the shell has and that are not replaced are unset: a profile, a session
    token or an endpoint of one service would otherwise lead elsewhere.
    """
    foreign = sorted(name for name in inherited if _leads_elsewhere(name) and name not in variables)
    unset = [f"unset {name}" for name in foreign]
    return "\n".join([*unset, *(f"export {name}={shlex.quote(value)}" for name, value in variables.items())])


def as_dotenv(variables: Mapping[str, str], inherited: Iterable[str] = ()) -> str:
    """``NAME=value`` lines, for editors, ``docker run --env-file`` and ``set -a``."""
    del inherited
    return "\n".join(f"{name}={value}" for name, value in variables.items())


def as_profile(variables: Mapping[str, str], inherited: Iterable[str] = ()) -> str:
    """A section of an AWS configuration file (``~/.aws/config``, or the file that AWS_CONFIG_FILE names)."""
    del inherited
    return "\n".join([f"[profile {PROFILE}]", *(f"{key} = {variables[name]}" for name, key in _PROFILE_KEYS.items())])


FORMATS: Mapping[str, Callable[[Mapping[str, str], Iterable[str]], str]] = {
    "shell": as_shell,
    "dotenv": as_dotenv,
    "profile": as_profile,
}


def _leads_elsewhere(name: str) -> bool:
    exact = {"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"}
    return name in exact or name.startswith("AWS_ENDPOINT_URL")

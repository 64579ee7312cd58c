"""The settings with which any AWS tool talks to an endpoint, as a shell, an environment file or an AWS profile."""

import shlex
from collections.abc import Callable, Mapping

from dlqlab.proxies import without_proxy_for_loopback

PROFILE = "dlqlab"
_PROFILE_KEYS = {
    "AWS_ENDPOINT_URL": "endpoint_url",
    "AWS_REGION": "region",
    "AWS_ACCESS_KEY_ID": "aws_access_key_id",
    "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key",
}
"""As the AWS SDKs and Tools Reference Guide calls them."""
_FOREIGN = frozenset(
    {
        "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN",
        "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CREDENTIAL_EXPIRATION",
        "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    }
)  # fmt: skip
_AWS_CLI_1 = (
    "unalias aws 2>/dev/null || :;",
    'aws() { command aws ${AWS_ENDPOINT_URL:+--endpoint-url="$AWS_ENDPOINT_URL"} "$@"; };',
)
"""AWS CLI 1 sends ``aws sqs`` to queue.amazonaws.com whatever a variable or a profile says (awscli, customizations,
overridesslcommonname.py); only --endpoint-url keeps it from that."""


def as_shell(variables: Mapping[str, str], inherited: Mapping[str, str] | None = None) -> str:
    """Commands for ``eval``, each ended by a semicolon: an ``eval`` without quotes makes one line of them.

    AWS settings that the shell has and that are not replaced are unset: a profile, a session token or an endpoint of
    one service would otherwise lead elsewhere. What the shell exempts from its proxies stays, with this machine added.
    """
    shell = inherited or {}
    foreign = sorted(name for name in shell if _leads_elsewhere(name) and name not in variables)
    settings = dict(variables) | without_proxy_for_loopback(shell)
    exports = [f"export {name}={shlex.quote(value)};" for name, value in settings.items()]
    return "\n".join([*(f"unset {name};" for name in foreign), *exports, *_AWS_CLI_1])


def as_dotenv(variables: Mapping[str, str], inherited: Mapping[str, str] | None = None) -> str:
    """``NAME=value`` lines, for editors, ``docker run --env-file`` and ``set -a``."""
    settings = dict(variables) | without_proxy_for_loopback(inherited or {})
    return "\n".join(f"{name}={value}" for name, value in settings.items())


def as_profile(variables: Mapping[str, str], inherited: Mapping[str, str] | None = None) -> str:
    """A section of an AWS configuration file (``~/.aws/config``, or the file that AWS_CONFIG_FILE names)."""
    del inherited
    return "\n".join([f"[profile {PROFILE}]", *(f"{key} = {variables[name]}" for name, key in _PROFILE_KEYS.items())])


FORMATS: Mapping[str, Callable[[Mapping[str, str], Mapping[str, str] | None], str]] = {
    "shell": as_shell,
    "dotenv": as_dotenv,
    "profile": as_profile,
}


def leads_elsewhere(environ: Mapping[str, str]) -> list[str]:
    """Variables of the shell with which an AWS tool would not reach an emulator, or not with its credentials."""
    return sorted(filter(_leads_elsewhere, environ))


def _leads_elsewhere(name: str) -> bool:
    return name in _FOREIGN or name.startswith("AWS_ENDPOINT_URL")

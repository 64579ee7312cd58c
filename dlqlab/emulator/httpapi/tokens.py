"""JSON web tokens of an HTTP API's JWT authorizer.

Source: "Control access to HTTP APIs with JWT authorizers in API Gateway".
"""

import threading
import time
from collections.abc import Mapping
from typing import Any

import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from dlqlab.emulator.httpapi import calls

_ALGORITHMS = ["RS256", "RS384", "RS512"]
_KEYS_KEPT_S = 300.0
_LEEWAY_S = 60


class TokenError(Exception):
    """The token is not accepted; the text says why, for the log."""


class Issuers:
    """The keys of issuers, kept for a while; fetched again when a token names one that is not there."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[float, KeySet]] = {}
        self._lock = threading.Lock()

    def keys(self, issuer: str, *, anew: bool = False) -> KeySet:
        with self._lock:
            known = self._keys.get(issuer)
            if known and not anew and time.monotonic() - known[0] < _KEYS_KEPT_S:
                return known[1]
            found = KeySet.import_key_set(_fetch(issuer))
            self._keys[issuer] = time.monotonic(), found
            return found


def _fetch(issuer: str) -> Any:
    try:
        settings = calls.json_of(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        return calls.json_of(settings["jwks_uri"])
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise TokenError(f"issuer {issuer} does not give its keys: {error}") from error


def claims_of(issuers: Issuers, token: str, settings: Mapping[str, Any], now_s: float) -> dict[str, Any]:
    """The claims of a token that the issuer signed for one of the audiences, and that is valid now.

    Raises:
        TokenError: it is not.
    """
    text = token.removeprefix("Bearer ").removeprefix("bearer ").strip()
    try:
        claims = _decoded(issuers, text, settings["Issuer"])
    except (JoseError, ValueError, TypeError) as error:
        raise TokenError(f"{type(error).__name__}: {error}") from error
    check(claims, settings, now_s)
    return claims


def _decoded(issuers: Issuers, text: str, issuer: str) -> dict[str, Any]:
    try:
        return dict(jwt.decode(text, issuers.keys(issuer), algorithms=_ALGORITHMS).claims)
    except (JoseError, ValueError):
        return dict(jwt.decode(text, issuers.keys(issuer, anew=True), algorithms=_ALGORITHMS).claims)


def check(claims: Mapping[str, Any], settings: Mapping[str, Any], now_s: float) -> None:
    """Issuer, audience (``aud``, or ``client_id`` where that is missing), and times.

    Raises:
        TokenError: one of them is not right.
    """
    if claims.get("iss") != settings["Issuer"]:
        raise TokenError(f"iss is {claims.get('iss')!r}")
    audience = claims.get("aud", claims.get("client_id"))
    audiences = audience if isinstance(audience, list) else [audience]
    if not set(map(str, audiences)) & set(settings["Audience"]):
        raise TokenError(f"aud is {audience!r}")
    if not isinstance(claims.get("exp"), int | float) or claims["exp"] <= now_s:
        raise TokenError(f"exp is {claims.get('exp')!r}")
    for name in ("nbf", "iat"):
        at_s = claims.get(name)
        if at_s is not None and (not isinstance(at_s, int | float) or at_s > now_s + _LEEWAY_S):
            raise TokenError(f"{name} is {at_s!r}")


def scopes_of(claims: Mapping[str, Any]) -> list[str]:
    """Of ``scope`` or ``scp``, a text or a list."""
    found = claims.get("scope", claims.get("scp")) or []
    return found.split() if isinstance(found, str) else [str(scope) for scope in found]


def as_texts(claims: Mapping[str, Any]) -> dict[str, str]:
    """As an event has claims: numbers as texts, lists as ``[a b]``."""
    return {name: _text(value) for name, value in claims.items()}


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{' '.join(map(_text, value))}]"
    return ("true" if value else "false") if isinstance(value, bool) else str(value)

"""Whether a request may reach its route: JWT authorizers and those that are functions.

Sources: "Control access to HTTP APIs with JWT authorizers" and "Control access to HTTP APIs with AWS Lambda
authorizers".
"""

import json
import logging
import re
import threading
import time
from collections.abc import Mapping
from fnmatch import translate
from typing import Any

from dlqlab.emulator.httpapi import calls, checks, events, mapping, tokens
from dlqlab.emulator.httpapi.messages import Answer, Invocation, message
from dlqlab.emulator.httpapi.store import Configuration, Item

_LOG = logging.getLogger(__name__)
_LIMIT_MS = 10_000
_KEPT_MAX = 10_000
UNAUTHORIZED, FORBIDDEN = message(401, "Unauthorized"), message(403, "Forbidden")


class Denied(Exception):  # noqa: N818  (an outcome, not a fault)
    """The request does not reach its route; with what the client gets."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Authorizers:
    """Authorizes requests; keeps issuers' keys, and the answers of functions for as long as they say."""

    def __init__(self) -> None:
        self._issuers = tokens.Issuers()
        self._answers: dict[tuple[str, ...], tuple[float, Any]] = {}
        self._lock = threading.Lock()

    def authorize(self, invocation: Invocation, route: Item, configuration: Configuration) -> Mapping[str, Any] | None:
        """What the authorizer says of the caller; None where the route has no authorizer.

        Raises:
            Denied: the request may not pass.
        """
        kind = route.get("AuthorizationType", "NONE")
        if kind == "NONE":
            return None
        if kind == "AWS_IAM":  # signatures are not checked, here as elsewhere; that there is one is
            if not (invocation.request.header("authorization") or "").startswith("AWS4-HMAC-SHA256 "):
                raise Denied(FORBIDDEN)
            return None
        authorizer = configuration.authorizers[route["AuthorizerId"]]
        if kind == "JWT":
            return {"jwt": self._jwt(invocation, route, authorizer)}
        return {"lambda": self._function(invocation, authorizer)}

    def forget(self, api_id: str, stage: str) -> None:
        """Functions are asked anew from now on, for a stage."""
        with self._lock:
            for key in [key for key in self._answers if key[:2] == (api_id, stage)]:
                del self._answers[key]

    def _jwt(self, invocation: Invocation, route: Item, authorizer: Item) -> dict[str, Any]:
        token = mapping.value_of(authorizer["IdentitySource"][0], mapping.of_request(invocation))
        if not token:
            raise Denied(UNAUTHORIZED.with_headers([("www-authenticate", "Bearer")]))
        try:
            claims = tokens.claims_of(self._issuers, token, authorizer["JwtConfiguration"], time.time())
        except tokens.TokenError as error:
            _LOG.warning("HTTP API %s refuses a token: %s", invocation.api_id, error)
            challenge = 'Bearer error="invalid_token"'
            raise Denied(UNAUTHORIZED.with_headers([("www-authenticate", challenge)])) from error
        wanted, given = route.get("AuthorizationScopes") or [], tokens.scopes_of(claims)
        if wanted and not set(wanted) & set(given):
            challenge = f'Bearer scope="{" ".join(wanted)}" error="insufficient_scope"'
            raise Denied(FORBIDDEN.with_headers([("www-authenticate", challenge)]))
        return {"claims": tokens.as_texts(claims), "scopes": [name for name in wanted if name in given] or None}

    def _function(self, invocation: Invocation, authorizer: Item) -> dict[str, Any]:
        find = mapping.of_request(invocation)
        sources = [mapping.value_of(source, find) for source in authorizer["IdentitySource"]]
        identities = tuple(source for source in sources if source)
        if len(identities) < len(sources):
            raise Denied(UNAUTHORIZED)
        answer = self._asked(invocation, authorizer, identities)
        try:
            allowed, context = decide(
                answer, invocation.method_arn, is_simple=bool(authorizer.get("EnableSimpleResponses"))
            )
        except ValueError as error:
            raise calls.internal(f"the authorizer {authorizer['Name']} answers what is none: {error}") from error
        if not allowed:
            raise Denied(FORBIDDEN)
        return context

    def _asked(self, invocation: Invocation, authorizer: Item, identities: tuple[str, ...]) -> Any:
        ttl_s = authorizer.get("AuthorizerResultTtlInSeconds") or 0
        key = (invocation.api_id, invocation.stage, authorizer["AuthorizerId"], *identities)
        with self._lock:
            known = self._answers.get(key) if ttl_s and identities else None
        if known and known[0] > time.monotonic():
            return known[1]
        event = json.dumps(event_of(invocation, authorizer["AuthorizerPayloadFormatVersion"], identities)).encode()
        arn = checks.function_arn(authorizer["AuthorizerUri"]) or ""
        source = f"arn:aws:execute-api:{invocation.region}:{invocation.account_id}:{invocation.api_id}"
        trace = invocation.request.header("x-amzn-trace-id")
        payload = calls.function(
            arn, event, f"{source}/authorizers/{authorizer['AuthorizerId']}", trace=trace, limit_ms=_LIMIT_MS
        )
        try:
            answer = json.loads(payload or b"null")
        except ValueError as error:
            raise calls.internal(f"the authorizer {authorizer['Name']} answers no JSON") from error
        if ttl_s and identities:
            with self._lock:
                if len(self._answers) >= _KEPT_MAX:
                    del self._answers[next(iter(self._answers))]
                self._answers[key] = time.monotonic() + ttl_s, answer
        return answer


def event_of(invocation: Invocation, version: str, identities: tuple[str, ...]) -> dict[str, Any]:
    """The event of an authorizer that is a function, by its payload format version. Pure."""
    made = events.event(invocation, version)
    for member in ("body", "isBase64Encoded", "multiValueHeaders", "multiValueQueryStringParameters"):
        made.pop(member, None)
    if version == "2.0":
        return {**made, "type": "REQUEST", "routeArn": invocation.method_arn, "identitySource": list(identities)}
    joined = ",".join(identities)
    return {
        **made,
        "type": "REQUEST",
        "methodArn": invocation.method_arn,
        "identitySource": joined,
        "authorizationToken": joined,
    }


def decide(answer: Any, method_arn: str, *, is_simple: bool) -> tuple[bool, dict[str, Any]]:
    """Whether an authorizer's answer lets the request pass, and the context that the function gets. Pure.

    Raises:
        ValueError: it is not an answer of that kind.
    """
    if not isinstance(answer, dict):
        raise ValueError(f"{type(answer).__name__} is not an object")  # noqa: TRY004  (bad data, not a bad call)
    context = answer.get("context") or {}
    if is_simple:
        if not isinstance(answer.get("isAuthorized"), bool):
            raise ValueError("isAuthorized is neither true nor false")
        return answer["isAuthorized"], dict(context)
    statements = (answer.get("policyDocument") or {}).get("Statement")
    if statements is None or "principalId" not in answer:
        raise ValueError("it has no principalId or no policyDocument with a Statement")
    statements = statements if isinstance(statements, list) else [statements]
    effects = {statement.get("Effect") for statement in statements if _concerns(statement, method_arn)}
    return effects == {"Allow"}, {**context, "principalId": answer["principalId"]}


def _concerns(statement: Mapping[str, Any], method_arn: str) -> bool:
    if statement.get("Condition") and statement.get("Effect") == "Allow":
        return False  # conditions are not evaluated: what depends on one is not allowed
    return _matches(statement.get("Action"), "execute-api:Invoke") and _matches(statement.get("Resource"), method_arn)


def _matches(patterns: Any, value: str) -> bool:
    patterns = patterns if isinstance(patterns, list) else [patterns]
    return any(re.fullmatch(translate(str(pattern)), value, re.IGNORECASE) for pattern in patterns if pattern)

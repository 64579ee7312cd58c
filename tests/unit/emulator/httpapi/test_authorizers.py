"""What authorizers of HTTP APIs let pass."""

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from dlqlab.emulator.httpapi import tokens
from dlqlab.emulator.httpapi.authorizers import decide, event_of
from tests.unit.emulator.httpapi.requests_of import invocation, request

ARN = "arn:aws:execute-api:us-east-1:000000000000:abc/$default/GET/tasks"
SETTINGS = {"Issuer": "http://127.0.0.1:1/i", "Audience": ["api"]}
CLAIMS = {"iss": SETTINGS["Issuer"], "aud": "api", "exp": 2000, "sub": "me"}
NOW_S = 1000.0
KEY = RSAKey.generate_key(2048, {"kid": "k"})


class KnownIssuer(tokens.Issuers):
    """Has the keys already."""

    def keys(self, issuer: str, *, anew: bool = False) -> KeySet:  # noqa: ARG002  (as the real one)
        return KeySet([KEY])


def test_a_token_of_the_issuer_gives_its_claims() -> None:
    token = jwt.encode({"alg": "RS256", "kid": "k"}, CLAIMS, KEY)

    assert CLAIMS == tokens.claims_of(KnownIssuer(), f"Bearer {token}", SETTINGS, NOW_S)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "Bearer e30.e30.e30"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(tokens.TokenError):
        tokens.claims_of(KnownIssuer(), token, SETTINGS, NOW_S)


def test_a_token_that_another_key_signed_is_refused() -> None:
    other = RSAKey.generate_key(2048, {"kid": "k"})
    token = jwt.encode({"alg": "RS256", "kid": "k"}, CLAIMS, other)

    with pytest.raises(tokens.TokenError, match="BadSignature"):
        tokens.claims_of(KnownIssuer(), token, SETTINGS, NOW_S)


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "x"},
        {"aud": "x"},
        {"aud": None},
        {"exp": NOW_S},
        {"exp": None},
        {"exp": "2"},
        {"nbf": 1999},
        {"iat": 1999},
    ],
    ids=str,
)
def test_claims_that_do_not_fit_are_refused(wrong: dict[str, Any]) -> None:
    """The text names the claim."""
    with pytest.raises(tokens.TokenError, match=next(iter(wrong))):
        tokens.check(CLAIMS | wrong, SETTINGS, NOW_S)


def test_a_client_stands_in_for_a_missing_audience() -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != "aud"}

    tokens.check({**claims, "client_id": "api"}, SETTINGS, NOW_S)
    with pytest.raises(tokens.TokenError, match="aud"):
        tokens.check({**claims, "client_id": "other"}, SETTINGS, NOW_S)


def test_scopes_and_claims_as_an_event_has_them() -> None:
    assert [["a", "b"], ["c"], []] == [tokens.scopes_of(claims) for claims in ({"scope": "a b"}, {"scp": ["c"]}, {})]
    assert {"n": "1", "l": "[a b]", "t": "true"} == tokens.as_texts({"n": 1, "l": ["a", "b"], "t": True})


def policy(*statements: tuple[str, str], **more: Any) -> dict[str, Any]:
    made = [{"Effect": effect, "Action": "execute-api:*", "Resource": arn, **more} for effect, arn in statements]
    return {"principalId": "p", "policyDocument": {"Version": "2012-10-17", "Statement": made}, "context": {"k": "v"}}


@pytest.mark.parametrize(
    ("answer", "passes"),
    [
        (policy(("Allow", ARN)), True),
        (policy(("Allow", "arn:aws:execute-api:*:*:abc/*/GET/*")), True),
        (policy(("Allow", ARN.replace("GET", "PUT"))), False),
        (policy(("Allow", "*"), ("Deny", ARN)), False),
        (policy(("Allow", "*"), Condition={"IpAddress": {}}), False),
        (policy(), False),
    ],
)
def test_a_policy_decides(answer: Any, passes: bool) -> None:
    """A denial wins, and what depends on a condition is not allowed."""
    assert (passes, {"k": "v", "principalId": "p"}) == decide(answer, ARN, is_simple=False)


def test_a_simple_answer_decides() -> None:
    assert (True, {"k": 1}) == decide({"isAuthorized": True, "context": {"k": 1}}, ARN, is_simple=True)
    assert (False, {}) == decide({"isAuthorized": False}, ARN, is_simple=True)


@pytest.mark.parametrize(
    ("answer", "simple"), [({}, True), ({"isAuthorized": "true"}, True), ({}, False), (None, False)]
)
def test_another_answer_is_none(answer: Any, simple: bool) -> None:
    with pytest.raises(ValueError, match=r"."):
        decide(answer, ARN, is_simple=simple)


def test_events_of_authorizers() -> None:
    """By version: the identity as a list or as a text, and the ARN under a name of its own."""
    asked = invocation(request("GET", "/tasks", X="1"), "GET /tasks")

    second, first = (event_of(asked, version, ("a", "b")) for version in ("2.0", "1.0"))

    assert (["a", "b"], ARN, "REQUEST") == (second["identitySource"], second["routeArn"], second["type"])
    assert ("a,b", "a,b", ARN) == (first["identitySource"], first["authorizationToken"], first["methodArn"])
    assert "body" not in second

"""A request to an HTTP API and its answer, as the pure modules of this folder know them."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl

_TEXT_TYPES = frozenset({"application/json", "application/javascript", "application/xml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request; ``path`` begins with the stage unless that is ``$default``, both as sent and percent-encoded."""

    method: str
    path: str
    raw_path: str
    """The path with its percent-encoding undone, as payload format 2.0 has it."""
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source_ip: str
    protocol: str
    host: str

    def header(self, name: str) -> str | None:
        """All values of a header, joined by commas."""
        values = [value for known, value in self.headers if known.lower() == name.lower()]
        return ",".join(values) if values else None

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """Of the query, decoded."""
        return parse_qsl(self.query, keep_blank_values=True)

    @property
    def cookies(self) -> tuple[str, ...]:
        """Each as ``name=value``."""
        joined = ";".join(value for name, value in self.headers if name.lower() == "cookie")
        return tuple(part.strip() for part in joined.split(";") if part.strip())

    def cookie(self, name: str) -> str | None:
        try:
            found = SimpleCookie("; ".join(self.cookies)).get(name)
        except CookieError:
            return None
        return found.value if found else None

    def text(self) -> tuple[str, bool]:
        """The body for a function, and whether it is in base64: all that is not declared to be text."""
        kind = (self.header("content-type") or "").partition(";")[0].strip().lower()
        if kind.startswith("text/") or kind in _TEXT_TYPES:
            try:
                return self.body.decode(), False
            except UnicodeDecodeError:
                pass
        return base64.b64encode(self.body).decode(), True


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What API Gateway knows of a request that a route serves."""

    request: Request
    api_id: str
    account_id: str
    region: str
    stage: str
    route_key: str
    request_id: str
    at: datetime
    path_parameters: Mapping[str, str] = field(default_factory=dict)
    stage_variables: Mapping[str, str] = field(default_factory=dict)
    authorizer: Mapping[str, Any] | None = None
    """``{"jwt": {"claims": ..., "scopes": ...}}`` or ``{"lambda": context}``."""

    @property
    def source_arn(self) -> str:
        """On whose behalf API Gateway calls: as the condition of a function's permission has it."""
        method, _, path = self.route_key.partition(" ")
        called = f"{'*' if method == 'ANY' else method}{path}"
        return f"arn:aws:execute-api:{self.region}:{self.account_id}:{self.api_id}/{self.stage}/{called}"

    @property
    def method_arn(self) -> str:
        """What a policy of an authorizer allows: the request's own method and path."""
        path = self.request.raw_path
        if self.stage != "$default":
            path = path.removeprefix(f"/{self.stage}")
        return (
            f"arn:aws:execute-api:{self.region}:{self.account_id}:{self.api_id}/{self.stage}"
            f"/{self.request.method}/{path.removeprefix('/')}"
        )

    @property
    def time(self) -> str:
        """In common log format."""
        return self.at.astimezone(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")

    @property
    def time_epoch_ms(self) -> int:
        return int(self.at.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client gets; header names may occur more than once."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def with_headers(self, headers: Iterable[tuple[str, str]]) -> "Answer":
        """With these instead of those of the same names."""
        added = tuple(headers)
        names = {name.lower() for name, _ in added}
        kept = tuple((name, value) for name, value in self.headers if name.lower() not in names)
        return replace(self, headers=kept + added)


def message(status: int, text: str) -> Answer:
    """API Gateway's own answer."""
    return Answer(
        status, (("Content-Type", "application/json"),), json.dumps({"message": text}).replace(": ", ":").encode()
    )

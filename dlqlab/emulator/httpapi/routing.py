"""Which route of an HTTP API serves a request. Pure.

Source: "Create routes for HTTP APIs in API Gateway" (routing API requests): a full match comes before a greedy path
variable, that before ``$default``; a method before ``ANY``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

DEFAULT = "$default"
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"})
_KEY = re.compile(r"(?P<method>[A-Z]+) (?P<path>/\S*)")
_VARIABLE = re.compile(r"\{(?P<name>[A-Za-z0-9._:-]+)(?P<greedy>\+?)\}")


class RouteKeyError(ValueError):
    """It is no route key; the text says why."""


@dataclass(frozen=True, slots=True)
class Match:
    """The route that serves a request, by its key, with the values of the path variables, decoded."""

    key: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Route:
    key: str
    method: str
    segments: tuple[str, ...]
    rank: tuple[bool, tuple[bool, ...], int, bool]
    """Smaller is served first: without a greedy variable, more that is fixed, longer, a method of its own."""


def parse(key: str) -> tuple[str, tuple[str, ...]]:
    """Method and segments of a route key other than ``$default``.

    Raises:
        RouteKeyError: it is neither ``$default`` nor a method and a path.
    """
    found = _KEY.fullmatch(key)
    if not found or found["method"] not in METHODS:
        raise RouteKeyError(
            f"The provided route key is not formatted properly for HTTP protocol: {key!r} is neither $default nor "
            "a method and a path, such as 'GET /tasks/{id}'"
        )
    segments = tuple(found["path"][1:].split("/"))
    for position, segment in enumerate(segments):
        variable = _VARIABLE.fullmatch(segment)
        if ("{" in segment or "}" in segment) and not variable:
            raise RouteKeyError(f"The path of the route key {key!r} has a segment that is no path variable: {segment}")
        if variable and variable["greedy"] and position != len(segments) - 1:
            raise RouteKeyError(f"The greedy path variable of the route key {key!r} is not its last segment: {segment}")
    return found["method"], segments


def shape(key: str) -> str:
    """The key without the names of its variables: routes of one shape are in each other's way."""
    return re.sub(r"\{[^}+]+(\+?)\}", r"{\1}", key)


class Table:
    """The routes of a stage."""

    def __init__(self, keys: Iterable[str]) -> None:
        keys = list(keys)
        self._default = DEFAULT in keys
        self._routes = sorted((_route(key) for key in keys if key != DEFAULT), key=lambda route: route.rank)

    def find(self, method: str, path: str) -> Match | None:
        """The route of a request; ``path`` without the stage, still percent-encoded."""
        segments = path.removeprefix("/").split("/")
        for route in self._routes:
            if route.method in {method, "ANY"} and (found := _parameters(route.segments, segments)) is not None:
                return Match(route.key, found)
        return Match(DEFAULT, {}) if self._default else None


def _route(key: str) -> _Route:
    method, segments = parse(key)
    variables = tuple(bool(_VARIABLE.fullmatch(segment)) for segment in segments)
    is_greedy = segments[-1].endswith("+}")
    return _Route(key, method, segments, (is_greedy, variables, -len(segments), method == "ANY"))


def _parameters(route: tuple[str, ...], path: list[str]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for position, segment in enumerate(route):
        if position >= len(path):
            return None
        variable = _VARIABLE.fullmatch(segment)
        if not variable:
            if segment != unquote(path[position]):
                return None
        elif variable["greedy"]:
            rest = unquote("/".join(path[position:]))
            return found | {variable["name"]: rest} if rest else None
        elif path[position]:
            found[variable["name"]] = unquote(path[position])
        else:
            return None
    return found if len(route) == len(path) else None

"""Which route of an HTTP API serves a request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.httpapi.routing import RouteKeyError, Table, parse, shape

KEYS = [
    "GET /pets/dog/1",
    "GET /pets/dog/{id}",
    "GET /pets/{proxy+}",
    "ANY /{proxy+}",
    "ANY /pets",
    "POST /pets",
    "$default",
]


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("GET", "/pets/dog/1", "GET /pets/dog/1", {}),
        ("GET", "/pets/dog/2", "GET /pets/dog/{id}", {"id": "2"}),
        ("GET", "/pets/cat/1", "GET /pets/{proxy+}", {"proxy": "cat/1"}),
        ("POST", "/pets/cat/1", "ANY /{proxy+}", {"proxy": "pets/cat/1"}),
        ("POST", "/pets", "POST /pets", {}),
        ("GET", "/pets", "ANY /pets", {}),
        ("GET", "/pets/dog/a%2Fb%20c", "GET /pets/dog/{id}", {"id": "a/b c"}),
        ("GET", "/", "$default", {}),
    ],
)
def test_most_specific_route_serves(method: str, path: str, key: str, parameters: dict[str, str]) -> None:
    """A full match before a greedy variable, that before $default; a method before ANY."""
    found = Table(reversed(KEYS)).find(method, path)

    assert found is not None
    assert (key, parameters) == (found.key, found.parameters)


def test_no_route_serves_what_matches_none() -> None:
    """Neither another method, nor a slash more, nor an empty variable."""
    table = Table(["GET /tasks/{id}"])

    assert [None] * 3 == [
        table.find(*asked) for asked in (("PUT", "/tasks/1"), ("GET", "/tasks/1/"), ("GET", "/tasks/"))
    ]


@pytest.mark.parametrize("key", ["", "get /x", "FETCH /x", "GET x", "GET /a{id}", "GET /{p+}/x", "$connect"])
def test_other_route_keys_are_refused(key: str) -> None:
    """The text has the key."""
    with pytest.raises(RouteKeyError) as refused:
        parse(key)

    assert repr(key) in str(refused.value)


@given(st.permutations(KEYS), st.sampled_from(["/", "/pets", "/pets/dog/1", "/pets/dog/x", "/pets/a/b", "/x/y"]))
def test_order_of_routes_says_nothing(keys: list[str], path: str) -> None:
    """Whatever was made first."""
    assert Table(KEYS).find("GET", path) == Table(keys).find("GET", path)


def test_names_of_variables_tell_no_routes_apart() -> None:
    """Two such routes would be in each other's way; a greedy one is another."""
    assert shape("GET /a/{x}") == shape("GET /a/{y}")
    assert shape("GET /a/{x}") != shape("GET /a/{x+}")

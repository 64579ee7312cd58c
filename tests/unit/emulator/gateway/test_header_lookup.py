"""Headers are what werkzeug's are, however they are looked up."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import EnvironHeaders, Headers

from dlqlab.emulator.gateway import header_lookup

NAMES = st.sampled_from(
    ["Host", "host", "HOST", "Origin", "x-a", "X-A", "x-b", "X-İ", "x-i̇", "X-ẞ", "x-ß", "", "\u212a", "k"]
)
VALUES = st.text("abc 1", max_size=3)
ITEMS = st.lists(st.tuples(NAMES, VALUES), max_size=8)


class Quick(Headers):
    """Headers with the patch; its own class, so that no other test sees it."""


@pytest.fixture(autouse=True, scope="module")
def patched() -> Any:
    """The patched methods take this class for the plain one."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(header_lookup, "Headers", Quick)
    for name, make in (("get", "_get"), ("__contains__", "_contains"), ("set", "_set")):
        method: Callable[..., Any] = getattr(header_lookup, make)(getattr(Headers, name))
        monkeypatch.setattr(Quick, name, method, raising=False)
    yield
    monkeypatch.undo()


def _pair(items: list[tuple[str, str]]) -> tuple[Headers, Quick]:
    plain, quick = Headers(items), Quick(items)
    return plain, quick


@given(items=ITEMS, name=NAMES)
def test_look_ups_find_the_same(items: list[tuple[str, str]], name: str) -> None:
    """The first header whose name is the same in whatever case, or the default."""
    plain, quick = _pair(items)

    assert plain.get(name) == quick.get(name)
    assert plain.get(name, "default") == quick.get(name, "default")
    assert plain.get(name, 7, type=int) == quick.get(name, 7, type=int)
    assert (name in plain) == (name in quick)


@given(items=ITEMS, changes=ITEMS)
def test_changes_leave_the_same(items: list[tuple[str, str]], changes: list[tuple[str, str]]) -> None:
    """Set replaces every header of the name, and stands where the first was."""
    plain, quick = _pair(items)
    for name, value in changes:
        plain.set(name, value)
        quick.set(name, value)

    assert list(plain) == list(quick)


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb"])
def test_line_breaks_are_refused(value: str) -> None:
    """A value brings no other header along."""
    with pytest.raises(ValueError, match="newline"):
        Quick().set("a", value)


def test_options_of_a_value_are_kept() -> None:
    """What werkzeug makes of keyword arguments stays werkzeug's."""
    plain, quick = _pair([])
    plain.set("Content-Disposition", "attachment", filename="a b")
    quick.set("Content-Disposition", "attachment", filename="a b")

    assert list(plain) == list(quick)


def test_headers_of_a_request_in_wsgi_are_werkzeugs_own() -> None:
    """A subclass that keeps them elsewhere is asked as before."""
    headers = EnvironHeaders({"HTTP_X_A": "1"})

    assert ("1", None) == (
        header_lookup._get(Headers.get)(headers, "x-a"),
        header_lookup._get(Headers.get)(headers, "b"),
    )
    assert header_lookup._contains(Headers.__contains__)(headers, "X-A")

"""Requests of the runtime are told apart however their bytes are cut, and bodies over the limit are not kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.runtime.inbox import PAYLOAD_LIMIT_BYTES, Inbox, ProtocolError, RuntimeRequest


def request(body: bytes, path: str = "/r") -> bytes:
    return f"POST {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def taken(inbox: Inbox) -> list[RuntimeRequest]:
    found = []
    while (one := inbox.take()) is not None:
        found.append(one)
    return found


@given(bodies=st.lists(st.binary(max_size=40), max_size=5), cuts=st.lists(st.integers(1, 60), min_size=1))
def test_requests_are_the_same_however_they_are_cut(bodies: list[bytes], cuts: list[int]) -> None:
    """Each request comes out once, whole and in order, whatever pieces arrive."""
    data = b"".join(request(body, f"/{number}") for number, body in enumerate(bodies))
    inbox, found, turn = Inbox(), [], 0
    while data:
        size = cuts[turn % len(cuts)]
        inbox.add(data[:size])
        found += taken(inbox)
        data, turn = data[size:], turn + 1

    assert [(f"/{number}", body) for number, body in enumerate(bodies)] == [(one.path, one.body) for one in found]


@pytest.mark.parametrize("chunk_bytes", [70_000, 262_144, 20_000_000])
def test_body_over_the_limit_is_counted_and_not_kept(chunk_bytes: int) -> None:
    """Its request comes out without it, and the one behind it is whole."""
    size = 2 * PAYLOAD_LIMIT_BYTES
    data = request(b"x" * size) + request(b"next")
    inbox, found, held = Inbox(), [], 0
    for start in range(0, len(data), chunk_bytes):
        inbox.add(data[start : start + chunk_bytes])
        found += taken(inbox)
        held = max(held, len(inbox._buffer))

    assert [(b"", size, True), (b"next", 4, False)] == [(one.body, one.body_bytes, one.is_too_large) for one in found]
    assert held <= chunk_bytes


def test_body_of_just_the_limit_is_kept() -> None:
    """6,291,556 bytes pass."""
    inbox = Inbox()
    inbox.add(request(b"x" * PAYLOAD_LIMIT_BYTES))
    found = inbox.take()

    assert found is not None
    assert (PAYLOAD_LIMIT_BYTES, False) == (len(found.body), found.is_too_large)


@pytest.mark.parametrize("complete", [True, False])
def test_completeness_is_told_without_taking(complete: bool) -> None:
    """A request that lacks a byte is not complete."""
    inbox = Inbox()
    inbox.add(request(b"body")[: None if complete else -1])

    assert complete is inbox.is_complete()
    assert complete is (inbox.take() is not None)


@pytest.mark.parametrize("head", [b"POST /x HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"POST /x\r\n\r\n"])
def test_what_is_not_http_is_refused(head: bytes) -> None:
    """A length that is not a number, a request line of two words."""
    inbox = Inbox()
    inbox.add(head)

    with pytest.raises(ProtocolError):
        inbox.take()

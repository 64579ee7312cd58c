"""The X-Ray daemon takes what SDKs send, and nothing that is sent to it stops it."""

import json
import socket
from collections.abc import Iterator

import pytest

from dlqlab.emulator.xray.daemon import LOOPBACK, Daemon
from dlqlab.emulator.xray.sent import Store
from dlqlab.waiting import wait_for

TRACE = "1-6b0b29af-392687750b9865922f2016bf"
HEAD = b'{"format":"json","version":1}\n'


def document(segment_id: str) -> bytes:
    return json.dumps({"id": segment_id, "trace_id": TRACE, "name": "n", "start_time": 1.5, "end_time": 2}).encode()


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def daemon(store: Store) -> Iterator[Daemon]:
    daemon = Daemon(store)
    yield daemon
    daemon.close()


def send(daemon: Daemon, *datagrams: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for data in datagrams:
            client.sendto(data, (LOOPBACK, daemon.port))


def test_segment_is_kept_whatever_came_before(daemon: Daemon, store: Store) -> None:
    """No head, another head, no JSON, no text, none of X-Ray's documents, nothing at all."""
    bad = [
        document("0" * 16),
        b'{"format":"xml"}\n' + document("1" * 16),
        HEAD + b"{",
        HEAD + b"\xff",
        HEAD + b"{}",
        b"",
    ]
    send(daemon, *bad, b"[" * 60_000 + b"\n", HEAD + document("a" * 16))

    wait_for("the segment", lambda: (bool(found := store.of(TRACE)), found), deadline_s=10, interval_s=0.01)

    assert ["a" * 16] == [one.document["id"] for one in store.of(TRACE)]


def test_closed_daemon_frees_its_port(daemon: Daemon) -> None:
    """Twice closed is once closed; whoever sends afterwards is not disturbed."""
    daemon.close()
    daemon.close()

    send(daemon, HEAD + document("a" * 16))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((LOOPBACK, daemon.port))

"""The requests of one connection, as the server tells of them."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlqlab.emulator.core import taps
from dlqlab.emulator.recorder.actors import HERE, SQS, Actor, Environment, Environments
from dlqlab.emulator.recorder.finish import Finisher
from dlqlab.emulator.recorder.journal import Journal
from dlqlab.emulator.recorder.reader import read
from dlqlab.emulator.recorder.requests import BODY_MAX, Connection
from dlqlab.emulator.recorder.witness import Witness

UPDATE = {"TableName": "orders", "Key": {"id": {"S": "o-1"}}, "UpdateExpression": "SET n = :n"}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    environments = Environments()
    environments.add("LSIAWORKER", Environment("worker", "request-1"))
    finishers = Finisher(keeps_bodies=True, keys_of=lambda _table: None).by_tag
    yield Connection(Witness(Journal(tmp_path, finishers)), environments)
    HERE.doing.actor, HERE.doing.connection = SQS, None


def signed(key: str, service: str, operation: str) -> dict[bytes, bytes]:
    scope = f"AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/{service}/aws4_request"
    return {
        b"authorization": f"{scope}, SignedHeaders=host, Signature=0".encode(),
        b"x-amz-target": f"Api.{operation}".encode(),
    }


def calls(connection: Connection) -> list[dict[str, Any]]:
    journal = connection._witness.journal
    assert journal.flush()
    assert {} == journal.lost()
    found: list[dict[str, Any]] = read(journal.folder).calls.to_pylist()
    return found


def ask(connection: Connection, headers: dict[bytes, bytes], body: bytes, status: str = "200 OK") -> None:
    connection.began(b"POST", b"/", headers, body)
    connection.answered(status, b"{}")


def test_each_request_of_a_connection_is_of_its_own_sender(connection: Connection) -> None:
    """A function's, another client's, and the function's again."""
    body = json.dumps(UPDATE).encode()
    for key in ("LSIAWORKER", "test", "LSIAWORKER"):
        ask(connection, signed(key, "dynamodb", "UpdateItem"), body)

    assert ["worker", None, "worker"] == [row["function"] for row in calls(connection)]
    assert Actor("invocation", "worker", "request-1") == HERE.doing.actor


def test_what_another_thread_has_parsed_is_not_taken_for_this_request(connection: Connection) -> None:
    """Not even where it is the same text: only the same object is this request's own."""
    headers, body = signed("LSIAWORKER", "dynamodb", "UpdateItem"), json.dumps(UPDATE).encode()
    connection.began(b"POST", b"/", headers, body)
    taps.said = bytes(bytearray(body)), "others", {"id": {"S": "others"}}, None
    connection.answered("200 OK", b"{}")
    connection.began(b"POST", b"/", headers, body)
    taps.said = body, "orders", UPDATE["Key"], "SET m = :m"
    connection.answered("200 OK", b"{}")
    parsed, told = calls(connection)

    assert ("orders", '{"id":{"S":"o-1"}}', "SET n = :n") == tuple(
        parsed[name] for name in ("resource", "item_key", "update")
    )
    assert ("orders", "SET m = :m") == (told["resource"], told["update"])


def test_first_request_that_the_chain_parses_is_the_clients(connection: Connection) -> None:
    """What that one leads to, in the same service or in another, does not rename it."""
    connection.began(b"POST", b"/", signed("test", "sqs", "SendMessage"), b"{}")
    connection.parsed("kms", "GenerateDataKey", {"KeyId": "k"})
    connection.parsed("sqs", "SendMessage", {"QueueUrl": "http://q"})
    connection.parsed("sqs", "GetQueueAttributes", {"QueueUrl": "http://dead-letters"})
    connection.answered("200 OK", b"{}")
    (row,) = calls(connection)

    assert ("SendMessage", "http://q") == (row["operation"], row["resource"])


def test_body_over_the_limit_is_not_kept(connection: Connection) -> None:
    """The call is told by its head; nor does a body in a file stand in the way."""
    for body in (b'{"TableName": "orders", "x": "' + b"x" * BODY_MAX + b'"}', object()):
        ask(connection, signed("LSIAWORKER", "dynamodb", "UpdateItem"), body)  # type: ignore[arg-type]

    assert [("UpdateItem", None)] * 2 == [(row["operation"], row["resource"]) for row in calls(connection)]


def test_idle_connection_holds_no_body(connection: Connection) -> None:
    """It may be large, and there may be many connections."""
    body = json.dumps(UPDATE).encode()
    held = sys.getrefcount(body)
    ask(connection, signed("test", "dynamodb", "UpdateItem"), body)
    calls(connection)

    assert held == sys.getrefcount(body)


def test_refused_call_has_its_error(connection: Connection) -> None:
    connection.began(b"POST", b"/", signed("test", "dynamodb", "UpdateItem"), json.dumps(UPDATE).encode())
    connection.answered("400 Bad Request", b'{"__type": "com.amazonaws#ConditionalCheckFailedException"}')
    (row,) = calls(connection)

    assert (400, "ConditionalCheckFailedException", "orders") == (row["status"], row["error_code"], row["resource"])


@pytest.mark.parametrize(("status", "error"), [("200 OK", None), ("404 Not Found", "Missing")])
def test_request_to_an_http_api_is_a_call_of_its_client(connection: Connection, status: str, error: str | None) -> None:
    """By method and path, of which secrets are taken out before it is written; answered well or not."""
    target = b"/_aws/execute-api/a/$default/keys/AKIAABCDEFGHIJKLMNOP?token=secret"
    connection.began(b"PUT", target, {b"user-agent": b"curl", b"x-request-id": b"r-1"}, b"{}")
    connection.answered(status, b'{"code": "Missing"}')
    (row,) = calls(connection)
    (segment,) = connection._witness.journal.folder.iterdir()

    assert ("client", "curl", "r-1", "execute-api", "PUT", int(status[:3])) == tuple(
        row[name] for name in ("actor_kind", "actor", "request_id", "service", "operation", "status")
    )
    assert row["resource"].startswith("/_aws/execute-api/a/$default/keys/")
    assert error == row["error_code"]
    assert all(secret not in segment.read_bytes() for secret in (b"AKIAABC", b"token=secret"))


def test_request_with_its_stage_is_told_with_it(connection: Connection) -> None:
    """The address leaves it out where it is ``$default``."""
    connection.began(b"GET", b"/orders", {b"host": b"a.execute-api.localhost"}, b"")
    connection.routed(b"/_aws/execute-api/a/$default/orders")
    connection.answered("200 OK", b"")
    (row,) = calls(connection)

    assert ("GET", "/_aws/execute-api/a/$default/orders") == (row["operation"], row["resource"])


def test_request_for_the_emulator_itself_is_no_call(connection: Connection) -> None:
    """Nor is what it does taken for the last sender's."""
    ask(connection, signed("LSIAWORKER", "dynamodb", "UpdateItem"), b"{}")
    ask(connection, {b"user-agent": b"curl", b"host": b"127.0.0.1"}, b"")

    assert 1 == len(calls(connection))
    assert Actor("client", "curl", None) == HERE.doing.actor
    assert connection.service is None

"""The API over HTTP: every way in which a request can be wrong, and what it leaves behind."""

import json
from types import ModuleType
from typing import Any

import pytest
from chalice.test import Client, HTTPResponse

JSON = {"Content-Type": "application/json"}


def post(client: Client, body: bytes, headers: dict[str, str] | None = None, path: str = "/tasks") -> HTTPResponse:
    return client.http.post(path, body=body, headers=JSON if headers is None else headers)


def wrong_fields(response: HTTPResponse) -> list[str]:
    """The fields that an error answer names; its shape is checked on the way."""
    errors = response.json_body["errors"]
    assert all(set(error) == {"field", "value", "message"} for error in errors)
    return [error["field"] for error in errors]


def nested(depth: int) -> bytes:
    return b'{"taskId":"t","payload":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"


@pytest.mark.parametrize("path", ["/tasks", "/submit-task"])
def test_task_is_accepted(client: Client, path: str) -> None:
    """A valid task is answered 202 on both paths and can be seen at once."""
    response = post(client, b'{"taskId": "t-1", "payload": {"x": 1}}', path=path)
    shown = client.http.get("/tasks/t-1")

    assert (202, {"taskId": "t-1", "status": "QUEUED"}) == (response.status_code, response.json_body)
    assert (200, "QUEUED", 0) == (shown.status_code, shown.json_body["status"], shown.json_body["attemptCount"])


@pytest.mark.parametrize("message", ["SUCCESS", "ERROR", "any other text", ""])
def test_message_shorthand_is_accepted(client: Client, app_module: ModuleType, message: str) -> None:
    """The shorthand gets a generated id, and its text becomes the payload."""
    response = post(client, json.dumps({"message": message}).encode())
    task_id = response.json_body["taskId"]

    assert 202 == response.status_code
    assert json.dumps(message) == app_module.world.task(task_id).payload_json


def test_missing_task_id_is_generated(client: Client) -> None:
    """Two tasks without an id get two different ones."""
    ids = {post(client, b'{"payload": {}}').json_body["taskId"] for _ in range(2)}

    assert 2 == len(ids)


BAD_REQUESTS: dict[str, tuple[bytes, list[str]]] = {
    "no body": (b"", ["body"]),
    "blank body": (b" \n", ["body"]),
    "not JSON": (b"{taskId: 1}", ["body"]),
    "not UTF-8": (b'{"message": "\xff"}', ["body"]),
    "a list": (b"[]", ["body"]),
    "a text": (b'"x"', ["body"]),
    "a number": (b"1", ["body"]),
    "null": (b"null", ["body"]),
    "taskId empty": (b'{"taskId": "", "payload": {}}', ["taskId"]),
    "taskId null": (b'{"taskId": null, "payload": {}}', ["taskId"]),
    "taskId a number": (b'{"taskId": 1, "payload": {}}', ["taskId"]),
    "taskId a huge number": (b'{"taskId": 1' + b"0" * 100 + b', "payload": {}}', ["taskId"]),
    "taskId long": (json.dumps({"taskId": "x" * 10_000, "payload": {}}).encode(), ["taskId"]),
    "taskId with control characters": (b'{"taskId": "a\\u0000b\\n", "payload": {}}', ["taskId"]),
    "taskId with a final newline": (b'{"taskId": "a\\n", "payload": {}}', ["taskId"]),
    "taskId half a surrogate pair": (b'{"taskId": "\\ud800", "payload": {}}', ["taskId"]),
    "payload missing": (b'{"taskId": "t"}', ["payload"]),
    "payload null": (b'{"taskId": "t", "payload": null}', ["payload"]),
    "payload a list": (b'{"taskId": "t", "payload": []}', ["payload"]),
    "payload a number": (b'{"taskId": "t", "payload": 1}', ["payload"]),
    "payload nested 1,000 deep": (nested(1_000), ["payload"]),
    "payload half a surrogate pair": (b'{"taskId": "t", "payload": "\\ud800"}', ["payload"]),
    "NaN": (b'{"taskId": "t", "payload": {"x": NaN}}', ["body"]),
    "Infinity": (b'{"taskId": "t", "payload": {"x": -Infinity}}', ["body"]),
    "a number beyond a float": (b'{"taskId": "t", "payload": {"x": 1e999}}', ["body"]),
    "5,000 digits": (b'{"taskId": "t", "payload": {"x": ' + b"1" * 5_000 + b"}}", ["body"]),
    "a key twice": (b'{"taskId": "t", "taskId": "u", "payload": {}}', ["body"]),
    "a key twice within the payload": (b'{"taskId": "t", "payload": {"x": 1, "x": 2}}', ["body"]),
    "message not a text": (b'{"message": {"x": 1}}', ["message"]),
    "message and payload": (b'{"message": "x", "payload": {}}', ["message"]),
    "a field that is not known": (b'{"taskID": "t", "payload": {}}', ["taskID"]),
    "everything wrong": (b'{"taskId": 1, "payload": [], "extra": 0}', ["extra", "taskId", "payload"]),
}


@pytest.mark.parametrize(("body", "fields"), BAD_REQUESTS.values(), ids=BAD_REQUESTS)
def test_bad_request_is_refused_field_by_field(
    client: Client, app_module: ModuleType, body: bytes, fields: list[str]
) -> None:
    """Bad input gets 400 with one entry per wrong field and leaves neither item nor message."""
    response = post(client, body)

    assert (400, fields) == (response.status_code, wrong_fields(response))
    assert ({}, []) == (app_module.world.store.tasks, app_module.world.tasks.messages)


@pytest.mark.parametrize("depth", [10_000, 200_000])
def test_nesting_beyond_the_parser_is_refused(client: Client, depth: int) -> None:
    """Nesting that would end the parser's recursion is a bad request, not a crash."""
    assert 400 == post(client, nested(depth)).status_code


@pytest.mark.parametrize(
    "payload", ["x" * 300 * 1024, {"x": "é" * 150 * 1024}, {str(key): key for key in range(30_000)}]
)
def test_payload_over_the_limit_is_too_large(client: Client, app_module: ModuleType, payload: Any) -> None:
    """A payload over 256 KiB gets 413 and leaves nothing."""
    response = post(client, json.dumps({"taskId": "t", "payload": payload}, ensure_ascii=False).encode())

    assert (413, ["payload"]) == (response.status_code, wrong_fields(response))
    assert {} == app_module.world.store.tasks


def test_payload_at_the_limit_fits_the_queue(client: Client, app_module: ModuleType) -> None:
    """A payload of exactly 256 KiB is accepted, and its message is ASCII within SQS's 1 MiB even if all is escaped."""
    response = post(client, json.dumps({"payload": "é" * (128 * 1024 - 1)}).encode())
    body = app_module.world.tasks.messages[0].body

    assert 202 == response.status_code
    assert (True, True) == (body.isascii(), len(body) < 1024 * 1024)


def test_body_far_over_the_limit_is_not_parsed(client: Client) -> None:
    """A body of megabytes gets 413 before anything parses it."""
    assert 413 == post(client, b"[" * 3 * 1024 * 1024).status_code


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/jsonp", "", "multipart/form-data"]
)
def test_wrong_content_type_is_unsupported(client: Client, app_module: ModuleType, content_type: str) -> None:
    """What is not declared as JSON gets 415 in the API's own format."""
    response = post(client, b'{"payload": {}}', {"Content-Type": content_type})

    assert (415, ["content-type"]) == (response.status_code, wrong_fields(response))
    assert {} == app_module.world.store.tasks


@pytest.mark.parametrize(
    "headers", [{"Content-Type": "application/json; charset=utf-8"}, {"content-type": "Application/JSON"}, {}]
)
def test_json_content_types_are_accepted(client: Client, headers: dict[str, str]) -> None:
    """A charset, another case or no header at all do not matter."""
    assert 202 == post(client, b'{"payload": {}}', headers).status_code


def test_same_payload_again_is_a_replay(client: Client, app_module: ModuleType) -> None:
    """The same task again, keys in another order, gets 200 with its status, and nothing is enqueued twice."""
    post(client, b'{"taskId": "t", "payload": {"a": 1, "b": 2}}')
    response = post(client, b'{"payload": {"b": 2, "a": 1}, "taskId": "t"}')

    assert (200, {"taskId": "t", "status": "QUEUED"}) == (response.status_code, response.json_body)
    assert 1 == len(app_module.world.tasks.messages)


def test_other_payload_is_a_conflict(client: Client, app_module: ModuleType) -> None:
    """The same id with another payload gets 409 and changes nothing."""
    post(client, b'{"taskId": "t", "payload": {"a": 1}}')
    response = post(client, b'{"taskId": "t", "payload": {"a": 2}}')

    assert (409, ["taskId"]) == (response.status_code, wrong_fields(response))
    assert ('{"a":1}', 1) == (app_module.world.task("t").payload_json, len(app_module.world.tasks.messages))


def test_refusing_queue_is_unavailable_and_a_retry_is_safe(client: Client, app_module: ModuleType) -> None:
    """If the queue refuses, the answer is 503 with Retry-After, the task is gone, and the same request works later."""
    world = app_module.world
    world.tasks.is_refusing = True
    refused = post(client, b'{"taskId": "t", "payload": {}}')
    left = dict(world.store.tasks)
    world.tasks.is_refusing = False
    retried = post(client, b'{"taskId": "t", "payload": {}}')

    assert (503, "1", {}) == (refused.status_code, refused.headers["Retry-After"], left)
    assert 202 == retried.status_code


@pytest.mark.parametrize("method", ["create", "withdraw"])
def test_table_that_does_not_answer_is_unavailable(client: Client, app_module: ModuleType, method: str) -> None:
    """If the table does not answer, the answer is 503 and not 500."""
    app_module.world.store.broken.add(method)
    app_module.world.tasks.is_refusing = True

    assert 503 == post(client, b'{"payload": {}}').status_code


@pytest.mark.parametrize("task_id", ["unknown", "x" * 1_000, "a%00b", "..."])
def test_unknown_task_is_not_found(client: Client, task_id: str) -> None:
    """An id that nobody submitted, or nobody could have, gets 404."""
    response = client.http.get(f"/tasks/{task_id}")

    assert (404, ["taskId"]) == (response.status_code, wrong_fields(response))


def test_look_up_without_the_table_is_unavailable(client: Client, app_module: ModuleType) -> None:
    """A look-up while the table does not answer gets 503, not 404."""
    app_module.world.store.broken.add("get")

    assert 503 == client.http.get("/tasks/t").status_code


def test_health_answers(client: Client) -> None:
    """GET /health is 200."""
    assert 200 == client.http.get("/health").status_code


def test_browsers_may_call(client: Client) -> None:
    """Every answer carries the CORS header, errors too."""
    answers = [client.http.get("/health"), post(client, b""), client.http.get("/tasks/none")]

    assert ["*"] * 3 == [answer.headers["Access-Control-Allow-Origin"] for answer in answers]

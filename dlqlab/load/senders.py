"""How a message of the load gets into a pipeline: over HTTP, into a queue, a topic, a bus, a bucket or a stream."""

from collections.abc import Mapping
from typing import Any

from dlqlab.load.messages import (
    ERROR_CHARACTERS_MAX,
    REQUEST_ID,
    Answer,
    EntrySettings,
    FromTemplate,
    Message,
    Sender,
)
from dlqlab.load.tasks import payload, request_body, script, task_id, to_json

_TASK_SYSTEM_TAKES = frozenset({200, 202})


def sender_of(
    entry: EntrySettings | None, *, seed: int, payload_bytes: int, scripted_rate: float, headers: Mapping[str, str]
) -> Sender:
    """The sender of an entry; that of the task system where none is given."""
    if entry is None:
        return TaskSystem(seed, payload_bytes, scripted_rate, headers)
    if entry.kind == "http":
        return Http(entry, seed)
    from dlqlab.load import service_senders  # noqa: PLC0415  (boto3: half a second and 30 MB in each process)

    return service_senders.BY_KIND[entry.kind](entry, seed)


class TaskSystem:
    """``POST /tasks`` of the task system."""

    accepted: frozenset[int] | None = None

    def __init__(self, seed: int, payload_bytes: int, scripted_rate: float, headers: Mapping[str, str]) -> None:
        self._seed, self._payload_bytes, self._scripted_rate = seed, payload_bytes, scripted_rate
        self._headers = headers

    def compose(self, counter: int) -> Message:
        identifier = task_id(self._seed, counter)
        text = script(self._seed, counter, self._scripted_rate)
        payload_json = to_json(text or payload(self._seed, counter, self._payload_bytes))
        return Message(identifier, payload_json, request_body(identifier, payload_json).decode())

    def send(self, client: Any, message: Message, counter: int, request_id: str) -> Answer:
        del counter
        headers = {**self._headers, REQUEST_ID: request_id}
        return _over_http(client, "POST", "/tasks", message.body, headers, _TASK_SYSTEM_TAKES)


class Http(FromTemplate):
    """A route: path and headers may hold fields of the template, too."""

    def send(self, client: Any, message: Message, counter: int, request_id: str) -> Answer:
        headers = {"Content-Type": "application/json", **self.filled(self._entry.headers, counter)}
        path = self.fill(self._entry.address, counter)
        body = None if self._entry.method in {"GET", "HEAD"} else message.body
        taken = self.accepted or frozenset()
        return _over_http(client, self._entry.method, path, body, {**headers, REQUEST_ID: request_id}, taken)


def _over_http(
    client: Any, method: str, path: str, body: str | None, headers: Mapping[str, str], taken: frozenset[int]
) -> Answer:
    name = f"{method} {path}" if method == "POST" else method
    data = body.encode() if body is not None else None
    with client.request(method, path, data=data, headers=headers, name=name, catch_response=True) as response:
        status = response.status_code or None
        if status in taken:
            response.success()
            return Answer(status, None)
        if status is None:  # Locust's stand-in for no answer
            return Answer(None, f"{type(response.error).__name__}: {response.error}"[:ERROR_CHARACTERS_MAX])
        return Answer(status, f"HTTP {status}: {response.text or ''}"[:ERROR_CHARACTERS_MAX])

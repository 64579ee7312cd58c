"""How a message of the load gets into a pipeline: over HTTP, into a queue, a topic, a bus or a bucket."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dlqlab.lineage.keys import key_finder
from dlqlab.load.rows import read_rows
from dlqlab.load.tasks import payload, request_body, script, task_id, to_json
from dlqlab.load.templates import Row, render
from dlqlab.sessions import isolated_session

REQUEST_ID = "X-Request-Id"
"""By which a recorder at the other end knows the request that the ledger knows."""
ERROR_CHARACTERS_MAX = 300
_TASK_SYSTEM_TAKES = frozenset({200, 202})


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: the task's key, its payload as JSON for the ledger, and the body."""

    task_id: str
    payload_json: str
    body: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The HTTP status, None without an answer; what went wrong in one line, None where the message is taken."""

    status_code: int | None
    error: str | None


class Sender(Protocol):
    """One way into a pipeline. ``accepted``: statuses that say that it is taken; None for those of the task system."""

    accepted: frozenset[int] | None

    def compose(self, counter: int) -> Message:
        """The message of the task with this number."""

    def send(self, client: Any, message: Message, counter: int, request_id: str) -> Answer:
        """Send it once. ``client`` is Locust's, bound to the host that it was started with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySettings:
    """What the load generator is told of an entry; ``address`` is a path, a queue's URL, a topic's ARN or a name.

    ``endpoint`` and ``region`` are those of the AWS API; ``rows_path`` is the file of rows that the template may use.
    """

    kind: str
    address: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    rows_path: str = ""
    group: str = ""
    fifo: bool = False
    detail_type: str = ""
    source: str = ""
    accepted: tuple[int, ...] = ()
    key: str = ""
    endpoint: str = ""
    region: str = ""
    access_key: str = ""
    secret_key: str = field(default="", repr=False)

    @classmethod
    def from_plain(cls, value: Mapping[str, Any]) -> Self:
        """Of the values of ``dataclasses.asdict``, by way of JSON."""
        return cls(**{**value, "accepted": tuple(value["accepted"])})


def sender_of(
    entry: EntrySettings | None, *, seed: int, payload_bytes: int, scripted_rate: float, headers: Mapping[str, str]
) -> Sender:
    """The sender of an entry; that of the task system where none is given."""
    if entry is None:
        return TaskSystem(seed, payload_bytes, scripted_rate, headers)
    if entry.kind == "http":
        return Http(entry, seed)
    return _SERVICES[entry.kind](entry, seed)


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


class _FromTemplate:
    """Bodies by the entry's template."""

    def __init__(self, entry: EntrySettings, seed: int) -> None:
        self._entry, self._seed = entry, seed
        self._rows: Sequence[Row] = read_rows(Path(entry.rows_path)) if entry.rows_path else ()
        self._key_of = key_finder(entry.key or None)
        self.accepted: frozenset[int] | None = frozenset(entry.accepted) or frozenset(range(200, 300))

    def compose(self, counter: int) -> Message:
        body = self._fill(self._entry.body, counter)
        key = self._key_of(body) or task_id(self._seed, counter)
        return Message(key, json.dumps(body, ensure_ascii=False), body)

    def _fill(self, template: str, counter: int) -> str:
        return render(template, seed=self._seed, counter=counter, rows=self._rows)

    def _filled(self, templates: Mapping[str, str], counter: int) -> dict[str, str]:
        return {name: self._fill(text, counter) for name, text in templates.items()}


class Http(_FromTemplate):
    """A route: path and headers may hold fields of the template, too."""

    def send(self, client: Any, message: Message, counter: int, request_id: str) -> Answer:
        headers = {"Content-Type": "application/json", **self._filled(self._entry.headers, counter)}
        path = self._fill(self._entry.address, counter)
        body = None if self._entry.method in {"GET", "HEAD"} else message.body
        taken = self.accepted or frozenset()
        return _over_http(client, self._entry.method, path, body, {**headers, REQUEST_ID: request_id}, taken)


class _Service(_FromTemplate):
    """An operation of AWS, tried once."""

    service = ""

    def __init__(self, entry: EntrySettings, seed: int) -> None:
        super().__init__(entry, seed)
        session = isolated_session(region=entry.region, access_key=entry.access_key, secret_key=entry.secret_key)
        config = Config(retries={"total_max_attempts": 1}, max_pool_connections=100)
        make: Any = session.client
        self._aws = make(self.service, endpoint_url=entry.endpoint, config=config)
        self._aws.meta.events.register("before-send.*", _with_request_id)

    def send(self, client: Any, message: Message, counter: int, request_id: str) -> Answer:
        del client
        _SENDING[0] = request_id
        try:
            answer = self._call(message, counter)
        except ClientError as error:
            found = error.response
            return Answer(found["ResponseMetadata"]["HTTPStatusCode"], str(error)[:ERROR_CHARACTERS_MAX])
        except BotoCoreError as error:
            return Answer(None, f"{type(error).__name__}: {error}"[:ERROR_CHARACTERS_MAX])
        return Answer(answer["ResponseMetadata"]["HTTPStatusCode"], self._refusal(answer))

    def _call(self, message: Message, counter: int) -> Mapping[str, Any]:
        raise NotImplementedError

    def _refusal(self, answer: Mapping[str, Any]) -> str | None:
        del answer
        return None

    def _attributes(self, counter: int) -> dict[str, dict[str, str]]:
        filled = self._filled(self._entry.attributes, counter)
        return {name: {"DataType": "String", "StringValue": text} for name, text in filled.items()}

    def _ordered(self, message: Message, counter: int) -> dict[str, str]:
        """What a FIFO queue or topic asks for besides."""
        if not self._entry.fifo:
            return {}
        return {
            "MessageGroupId": self._fill(self._entry.group, counter),
            "MessageDeduplicationId": message.task_id,
        }


class Queue(_Service):
    service = "sqs"

    def _call(self, message: Message, counter: int) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._aws.send_message(
            QueueUrl=self._entry.address,
            MessageBody=message.body,
            MessageAttributes=self._attributes(counter),
            **self._ordered(message, counter),
        )
        return answer


class Topic(_Service):
    service = "sns"

    def _call(self, message: Message, counter: int) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._aws.publish(
            TopicArn=self._entry.address,
            Message=message.body,
            MessageAttributes=self._attributes(counter),
            **self._ordered(message, counter),
        )
        return answer


class Bus(_Service):
    service = "events"

    def _call(self, message: Message, counter: int) -> Mapping[str, Any]:
        del counter
        entry = self._entry
        event = {
            "EventBusName": entry.address,
            "DetailType": entry.detail_type,
            "Source": entry.source,
            "Detail": message.body,
        }
        answer: Mapping[str, Any] = self._aws.put_events(Entries=[event])
        return answer

    def _refusal(self, answer: Mapping[str, Any]) -> str | None:
        (entry,) = answer["Entries"]
        return f"{entry['ErrorCode']}: {entry.get('ErrorMessage', '')}" if entry.get("ErrorCode") else None


class Bucket(_Service):
    service = "s3"

    def _call(self, message: Message, counter: int) -> Mapping[str, Any]:
        del counter
        answer: Mapping[str, Any] = self._aws.put_object(
            Bucket=self._entry.address, Key=f"{message.task_id}.json", Body=message.body.encode()
        )
        return answer


_SERVICES: Mapping[str, type[_Service]] = {"queue": Queue, "topic": Topic, "bus": Bus, "bucket": Bucket}
_SENDING: list[str] = [""]
"""The id of the request that is being sent: no other greenlet runs between its setting and the headers of the request,
since nothing waits in between.
"""


def _with_request_id(request: Any, **_: Any) -> None:
    request.headers[REQUEST_ID] = _SENDING[0]


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

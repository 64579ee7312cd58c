"""Who does what happens now, on this thread.

A thread that serves a request acts for whoever sent it; a mapping's poller acts for the mapping; what no one asked for,
such as the end of a visibility timeout, SQS does by itself. An execution environment has credentials of its own and
runs one invocation at a time, so that the access key of a call names the invocation.
"""

import functools
import json
import re
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

from dlqlab.contracts.recorded import ActorKind

_CLIENT, _INVOCATION = ActorKind.CLIENT.value, ActorKind.INVOCATION.value
_MAPPING, _SERVICE = ActorKind.MAPPING.value, ActorKind.SERVICE.value
_CREDENTIAL = re.compile(rb"Credential=([^/,\s]+)/\d{8}/[^/,\s]+/([a-z0-9-]+)/aws4_request")
_ACCESS_KEY = re.compile(rb'AccessKeyId(?:>|":\s*")([A-Z0-9]+)')
_OF_LOCALSTACK = b"__internal_call__"
_ON_BEHALF = b"x-localstack-data"
_TEXT_MAX = 200
_KEYS_MAX = 10_000
_NO_SCOPE = b"\0"
"""No header begins with it."""


class Actor(NamedTuple):
    """As the columns ``actor_kind``, ``actor`` and ``request_id``."""

    kind: str
    name: str | None
    request_id: str | None


_NEW = tuple.__new__
"""What the class does when it is called, without a call of Python's: for those that are made while others wait."""
SQS = Actor(_SERVICE, "sqs", None)


def mapping(uuid: str, request_id: str | None = None) -> Actor:
    return _NEW(Actor, (_MAPPING, uuid, request_id))


def of_worker(worker: Any) -> Actor:
    """The mapping of a worker, or the pipe whose worker it is."""
    pipe_arn = getattr(worker, "pipe_arn", None)
    return mapping(worker.uuid) if pipe_arn is None else Actor(_SERVICE, f"pipes {pipe_arn}", None)


def dead_letters_of(queue_arn: str) -> Actor:
    return Actor(_SERVICE, queue_arn, None)


def api_gateway(api_arn: str, client_request_id: str | None) -> Actor:
    """An integration of a REST API; the request id is the client's."""
    return Actor(_SERVICE, f"apigateway {api_arn}", client_request_id)


def topic(topic_arn: str, request_id: str | None) -> Actor:
    """A topic of SNS that delivers; the request id is that of whoever published."""
    return Actor(_SERVICE, f"sns {topic_arn}", request_id)


def redrive(task_id: str) -> Actor:
    return Actor(_SERVICE, f"redrive {task_id}", None)


class Environment:
    """An execution environment, and the invocation that it runs."""

    __slots__ = ("_idle", "actor")

    def __init__(self, function: str, request_id: str | None = None) -> None:
        self._idle = Actor(_INVOCATION, function, None)
        self.actor = Actor(_INVOCATION, function, request_id)
        """Who its calls are of, made once for all calls of an invocation."""

    def runs(self, request_id: str) -> None:
        """An invocation begins."""
        self.actor = _NEW(Actor, (_INVOCATION, self._idle.name, request_id))

    def rests(self) -> None:
        """It has ended."""
        self.actor = self._idle


class Signed(NamedTuple):
    """What a signature tells: access key, service, and the environment that alone has the key."""

    scope: bytes
    """What the header ``Authorization`` begins with, by which the same signer is known again."""
    access_key: bytes
    service: str
    environment: Environment | None


class Environments:
    """Execution environments by the access keys that they, and nobody else, have."""

    def __init__(self) -> None:
        self._by_key: dict[bytes, Environment] = {}
        self._signed: dict[bytes, Signed] = {}

    def add(self, access_key: str, environment: Environment) -> None:
        if len(self._by_key) >= _KEYS_MAX:
            del self._by_key[next(iter(self._by_key))]  # the oldest
        self._by_key[access_key.encode()] = environment
        self._signed.clear()  # after it is found by its key

    def find(self, access_key: bytes) -> Environment | None:
        return self._by_key.get(access_key)

    def signed(self, headers: Mapping[bytes, bytes], target: bytes) -> Signed | None:
        """Who signed a request, and for what; None where it is not signed.

        Args:
            headers: by names in lower case.
            target: with its query, in which a presigned request has its signature.
        """
        text = headers.get(b"authorization")
        if text is None and b"X-Amz-Credential=" not in target:
            return None
        scope = text[: text.find(b",")] if text else b""  # the same for all requests of a day
        return self._signed.get(scope) or self._look(headers, target, scope)

    def _look(self, headers: Mapping[bytes, bytes], target: bytes, scope: bytes) -> Signed | None:
        found = credential(headers, target)
        if found is None:
            return None
        is_whole = _CREDENTIAL.search(scope) is not None
        signed = Signed(scope if is_whole else _NO_SCOPE, *found, self.find(found[0]))
        if is_whole:
            if len(self._signed) >= _KEYS_MAX:
                self._signed.clear()
            self._signed[scope] = signed
        return signed


def credential(headers: Mapping[bytes, bytes], target: bytes) -> tuple[bytes, str] | None:
    """Access key and service that a request is signed for; None where it is not signed.

    Args:
        headers: by names in lower case.
        target: with its query, in which a presigned request has its signature.
    """
    text = headers.get(b"authorization")
    if text is None:
        if b"X-Amz-Credential=" not in target:
            return None
        text = target.replace(b"X-Amz-Credential=", b"Credential=").replace(b"%2F", b"/")
    found = _CREDENTIAL.search(text)
    return (found[1], found[2].decode()) if found else None


def caller(headers: Mapping[bytes, bytes], signed: Signed | None) -> Actor:
    """Who sent a request."""
    if signed is not None:
        if signed.environment is not None:
            return signed.environment.actor
        if on_behalf := headers.get(_ON_BEHALF):
            return Actor(_SERVICE, _service(on_behalf), None)
        if signed.access_key == _OF_LOCALSTACK:
            return Actor(_SERVICE, "localstack", None)
    agent = headers.get(b"user-agent")
    return Actor(_CLIENT, _name(agent) if agent else None, client_request_id(headers))


@functools.lru_cache(1024)
def _name(agent: bytes) -> str:
    return agent[:_TEXT_MAX].decode("latin-1")


def client_request_id(headers: Mapping[bytes, bytes]) -> str | None:
    """The id that the client gave its request."""
    found = headers.get(b"x-request-id") or headers.get(b"amz-sdk-invocation-id")
    return found[:_TEXT_MAX].decode("latin-1") if found else None


def learn(access_key: bytes, answer: bytes, environments: Environments) -> None:
    """A function that takes a role gets other credentials: calls with them are the function's too."""
    environment = environments.find(access_key)
    found = _ACCESS_KEY.search(answer) if environment is not None else None
    if environment is not None and found:
        environments.add(found[1].decode(), environment)


@functools.lru_cache(1024)
def _service(on_behalf: bytes) -> str:
    """The principal and the ARN on whose behalf a service of LocalStack calls another, as its header tells."""
    try:
        data = json.loads(on_behalf)
        names = data.get("service_principal"), data.get("source_arn")
    except (ValueError, AttributeError):
        return "localstack"
    return " ".join(str(name) for name in names if name) or "localstack"


class Doing:
    """What one thread is busy with."""

    __slots__ = (
        "actor",
        "api_arn",
        "connection",
        "is_deleting_queue",
        "is_invoked",
        "poller",
        "redrive",
        "redriven",
        "run",
        "stream_arn",
    )

    def __init__(self) -> None:
        self.actor = SQS
        self.connection: Any = None
        """The requests that it serves, one after the other (``requests.Connection``)."""
        self.poller: Any = None
        """The poller of a queue that hands over a batch now (LocalStack's ``SqsPoller``)."""
        self.is_invoked = False
        """Whether a function has been given anything of that batch."""
        self.stream_arn: str | None = None
        """Of the stream whose records a mapping hands over now."""
        self.api_arn: str | None = None
        """The API that invokes a function."""
        self.run: Any = None
        """The invocation that it waits for (``functions.Run``)."""
        self.redriven: tuple[str, int, Any] | None = None
        """What a move task has just taken out of its dead-letter queue: message id, receive count before, message."""
        self.redrive: tuple[str, str] | None = None
        """Task id and dead-letter queue of the move task that runs."""
        self.is_deleting_queue = False


class Here(threading.local):
    """All of it in one object: to look up what belongs to a thread takes several times as long as an attribute."""

    def __init__(self) -> None:
        self.doing = Doing()


HERE = Here()

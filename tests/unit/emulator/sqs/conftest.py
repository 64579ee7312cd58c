"""LocalStack's own queues with a patch applied, on a clock of the test's, in this process."""

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from localstack import config
from localstack.services.sqs import models, provider, queue
from localstack.services.sqs.models import FifoQueue, SqsMessage, SqsQueue, StandardQueue, sqs_stores

from dlqlab.emulator.sqs import fifo_groups, message_retention, queue_limits, redelivery_order, redrive

PATCHED = (
    config,
    models,
    provider,
    SqsMessage,
    models.MessageMoveTask,
    SqsQueue,
    StandardQueue,
    FifoQueue,
    provider.SqsProvider,
    provider.MessageMoveTaskManager,
    queue.InterruptiblePriorityQueue,
    models.MessageGroup,
    message_retention,
)
"""What patches of SQS, and the recorder's hooks, change."""


class Clock:
    """Time that passes when told, and a microsecond whenever somebody looks, as LocalStack's queues expect."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def time(self) -> float:
        self.now += 1e-6
        return self.now

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module("time"), name)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of LocalStack's queues and of the patches."""
    made = Clock()
    for module in (models, fifo_groups, message_retention, queue_limits, redelivery_order, redrive):
        monkeypatch.setattr(module, "time", made)
    monkeypatch.setattr(provider, "now", lambda millis: int(made.time() * (1000 if millis else 1)))
    return made


@pytest.fixture
def apply() -> Iterator[Callable[[str], None]]:
    """Applies patches by name until the test ends."""
    before = [(owner, dict(vars(owner))) for owner in PATCHED]
    yield lambda name: importlib.import_module(f"dlqlab.emulator.sqs.{name}").patch()
    for owner, names in before:
        for name in vars(owner).keys() - names.keys():
            delattr(owner, name)
        for name, value in names.items():
            if vars(owner)[name] is not value:
                setattr(owner, name, value)


class Queues:
    """Queues of one account, with the calls that the service makes of them."""

    def __init__(self) -> None:
        self.service = provider.SqsProvider()
        self._store = sqs_stores["111111111111"]["eu-north-1"]

    def make(self, name: str, **attributes: str) -> Any:
        kind = FifoQueue if name.endswith(".fifo") else StandardQueue
        made = kind(name, "eu-north-1", "111111111111", attributes or None)
        self._store.queues[name] = made
        return made

    def remove(self, target: SqsQueue) -> None:
        del self._store.queues[target.name]


@pytest.fixture
def queues() -> Iterator[Queues]:
    """Makes queues; they are gone after the test."""
    yield Queues()
    sqs_stores["111111111111"]["eu-north-1"].queues.clear()


def message(body: str = "b", *, message_id: str | None = None, sent_ts: float | None = None) -> dict[str, Any]:
    """A message as the service puts it into a queue."""
    attributes = {} if sent_ts is None else {"SentTimestamp": str(int(sent_ts * 1000))}
    return {"MessageId": message_id or f"id-{body}", "Body": body, "MD5OfBody": "m", "Attributes": attributes}


def bodies(result: models.ReceiveMessageResult) -> list[str]:
    return [one.message["Body"] for one in result.successful]

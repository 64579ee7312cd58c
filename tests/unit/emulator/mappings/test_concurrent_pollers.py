"""Pollers go on after whatever happens to a receive, a batch or the scaling, and gather for the whole mapping."""

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from localstack.services.sqs.models import StandardQueue

from dlqlab.emulator.mappings import concurrent_pollers, mapped_queues
from dlqlab.emulator.mappings.concurrent_pollers import PollerGroup
from dlqlab.emulator.mappings.mapped_queues import Message
from dlqlab.emulator.mappings.sqs_records import NotStartedError
from tests.unit.emulator.mappings.test_sqs_records import Sqs

PATIENCE_S = 30


class Worker:
    """Stands for LocalStack's worker of a mapping: its poller remembers batches, and fails as it is told to."""

    def __init__(self, queue: StandardQueue, *, window_s: int, batch_size: int) -> None:
        self.uuid = "uuid"
        self.esm_config = {"BatchSize": batch_size}
        self._shutdown_event = threading.Event()
        self.poller: Any = SimpleNamespace(
            source_arn=queue.arn,
            queue_url="",
            batch_size=batch_size,
            maximum_batching_window=window_s,
            handle_messages=self._handle,
        )
        self.failures: list[Exception] = []
        self.batches: list[list[str]] = []
        self.handled = threading.Semaphore(0)

    def _handle(self, messages: list[Message]) -> bool:
        self.batches.append(sorted(message["Body"] for message in messages))
        failure = self.failures.pop(0) if self.failures else None
        self.handled.release()
        if failure:
            raise failure
        return False


class Running:
    """A group of pollers at work."""

    def __init__(self, queue: StandardQueue, sqs: Sqs, worker: Worker) -> None:
        self.queue, self.sqs, self.worker = queue, sqs, worker
        self.group = PollerGroup(worker)
        self.thread = threading.Thread(target=self.group.run)

    def send(self, *bodies: str) -> None:
        for body in bodies:
            message = {"MessageId": f"id-{body}", "Body": body, "MD5OfBody": "0", "Attributes": {}}
            self.queue.put(message=message)

    def wait_handled(self) -> None:
        assert self.worker.handled.acquire(timeout=PATIENCE_S)

    def stop(self) -> None:
        self.worker._shutdown_event.set()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()


Start = Callable[..., Running]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts a group on a queue of its own; it ends with the test."""
    monkeypatch.setattr(concurrent_pollers, "_ERROR_PAUSE_S", 0.01)
    monkeypatch.setattr(concurrent_pollers, "_OBSERVE_S", 0.01)
    started: list[Running] = []

    def begin(*bodies: str, window_s: int = 0, batch_size: int = 1, failures: tuple[Exception, ...] = ()) -> Running:
        queue = StandardQueue("q", "us-east-1", "000000000000", {"VisibilityTimeout": "600"})
        sqs, worker = Sqs(queue), Worker(queue, window_s=window_s, batch_size=batch_size)
        worker.failures = list(failures)
        services = {"sqs": sqs, "lambda": SimpleNamespace(esm_workers={})}
        for module in (mapped_queues, concurrent_pollers):
            monkeypatch.setattr(module, "provider", services.__getitem__)
        made = Running(queue, sqs, worker)
        made.send(*bodies)
        started.append(made)
        return made

    yield begin
    for made in started:
        made.stop()


@pytest.mark.parametrize("failure", [RuntimeError("ours"), NotStartedError("gone"), KeyError("x")], ids=str)
def test_failed_batch_ends_no_poller(start: Start, failure: Exception) -> None:
    """After as many failures as there are pollers the next messages are handled all the same."""
    running = start(*"abcdefgh", failures=(failure,) * 6)
    running.thread.start()
    for _ in range(8):
        running.wait_handled()

    assert sorted("abcdefgh") == sorted(body for batch in running.worker.batches for body in batch)


def test_failed_receive_ends_no_poller(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A queue that refuses is asked again; the log says so once, not with every poll."""
    running = start("a")
    receive, refusals = running.sqs.receive_message, [OSError("no")] * 12

    def refuse_first(*arguments: Any, **more: Any) -> dict[str, Any]:
        if refusals:
            raise refusals.pop()
        return receive(*arguments, **more)

    monkeypatch.setattr(running.sqs, "receive_message", refuse_first)
    running.thread.start()
    running.wait_handled()

    assert [["a"]] == running.worker.batches
    assert 1 == caplog.text.count("has to wait: OSError: no")


def test_trouble_with_scaling_ends_no_mapping(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What looks at the queue to scale may fail: messages that come later are handled."""
    running, looked = start(), threading.Semaphore(0)

    def fail(*_arguments: Any) -> None:
        looked.release()
        raise RuntimeError("cannot look")

    monkeypatch.setattr(concurrent_pollers, "follow", fail)
    running.thread.start()
    for _ in range(2):
        assert looked.acquire(timeout=PATIENCE_S)
    running.send("later")
    running.wait_handled()

    assert [["later"]] == running.worker.batches
    assert "cannot scale" in caplog.text


def test_pollers_gather_one_batch_together(start: Start) -> None:
    """Messages that come one by one make one batch of the mapping, not one for each poller; it goes when it is full."""
    running = start(window_s=300, batch_size=4)
    running.thread.start()
    for body in "abcd":
        running.send(body)
    running.wait_handled()

    assert [["a", "b", "c", "d"]] == running.worker.batches


def test_stopped_mapping_puts_back_what_it_gathered(start: Start) -> None:
    """The messages are visible again, and have not been received."""
    running = start("a", "b", window_s=300, batch_size=10)
    received = threading.Event()
    receive = running.sqs.receive_message

    def tell(*arguments: Any, **more: Any) -> dict[str, Any]:
        found = receive(*arguments, **more)
        received.set()
        return found

    running.sqs.receive_message = tell  # type: ignore[method-assign]
    running.thread.start()
    assert received.wait(PATIENCE_S)
    running.stop()

    assert [] == running.worker.batches
    assert [("id-a", 0), ("id-b", 0)] == sorted(
        (message.message_id, message.receive_count) for message in running.queue.visible.queue
    )
    assert not running.queue.inflight

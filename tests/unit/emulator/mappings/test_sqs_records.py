"""The delivery of a batch, on LocalStack's own queues: whatever goes wrong with one message harms no other."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from localstack.aws.api import CommonServiceException
from localstack.aws.api.lambda_ import ResourceNotFoundException, TooManyRequestsException
from localstack.aws.api.sqs import QueueDoesNotExist
from localstack.services.sqs.models import FifoQueue, StandardQueue, to_sqs_api_message

from dlqlab.emulator.mappings import mapped_queues, records
from dlqlab.emulator.mappings.mapped_queues import put_back, receive
from dlqlab.emulator.mappings.sqs_records import Delivery, NotStartedError, Response, deliver

type Queue = StandardQueue | FifoQueue
FAILED = {"Id": "0", "Message": "refused"}


class Sqs:
    """Stands for the SQS service, with one queue."""

    def __init__(self, queue: Queue) -> None:
        self.queues = {queue.name: queue}
        self.queue = queue
        self.refusals: list[Exception | dict[str, str]] = []
        """What the next deletions come to, one each."""

    def get_store(self, _account: str, _region: str) -> "Sqs":
        return self

    def receive_message(self, _context: Any, *, max_number_of_messages: int, **_arguments: Any) -> dict[str, Any]:
        found = self.queue.receive(max_number_of_messages)
        messages = [to_sqs_api_message(message, ["All"], ["All"]) for message in found.successful]
        for message, handle in zip(messages, found.receipt_handles, strict=True):
            message["ReceiptHandle"] = handle
        return {"Messages": messages or None}

    def delete_message_batch(self, _context: Any, *, entries: list[dict[str, str]], **_arguments: Any) -> Any:
        refusal = self.refusals.pop(0) if self.refusals else None
        if isinstance(refusal, Exception):
            raise refusal
        for entry in entries[1:] if refusal else entries:
            self.queue.remove(entry["ReceiptHandle"])
        return {"Failed": [refusal] if refusal else []}


class Function:
    """Stands for the function: remembers the bodies of each batch."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.sizes: list[int] = []
        self.response = Response(is_error=False, payload=b"null")
        self.error: Exception | None = None

    def invoke(self, _sender: Any, event: bytes, _trace_header: str | None) -> Response:
        if self.error:
            raise self.error
        self.sizes.append(len(event))
        self.batches.append([record["body"] for record in json.loads(event)["Records"]])
        return self.response


class Mapping:
    """A queue, its poller and its function."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, is_fifo: bool = False) -> None:
        name = "q.fifo" if is_fifo else "q"
        kind, more = (FifoQueue, {"ContentBasedDeduplication": "true"}) if is_fifo else (StandardQueue, {})
        self.queue: Queue = kind(name, "us-east-1", "000000000000", {"VisibilityTimeout": "60"} | more)
        self.sqs, self.function = Sqs(self.queue), Function()
        monkeypatch.setattr(mapped_queues, "provider", {"sqs": self.sqs}.__getitem__)
        monkeypatch.setattr(Delivery, "invoke", self.function.invoke)
        sender = SimpleNamespace(target_arn="arn", report_batch_item_failures=True)
        self.poller: Any = SimpleNamespace(
            source_arn=self.queue.arn,
            aws_region="us-east-1",
            queue_url="",
            filter_patterns=[],
            source_parameters={},
            processor=SimpleNamespace(sender=sender),
        )

    def send(self, *bodies: str, group: str | None = None) -> None:
        for body in bodies:
            message = {"MessageId": f"id-{''.join(body[:9].split())}", "Body": body, "MD5OfBody": "0", "Attributes": {}}
            self.queue.put(message=message, message_group_id=group)

    def deliver(self) -> bool:
        return deliver(self.poller, receive(self.poller, 10))

    def state(self) -> tuple[list[str], list[str]]:
        """Ids of what is visible and of what is in flight."""
        groups = self.queue.message_groups.values() if isinstance(self.queue, FifoQueue) else []
        visible = (
            [one for group in groups for one in group.messages]
            if isinstance(self.queue, FifoQueue)
            else self.queue.visible.queue
        )
        return sorted(one.message_id for one in visible), sorted(one.message_id for one in self.queue.inflight)


@pytest.fixture
def mapping(monkeypatch: pytest.MonkeyPatch) -> Mapping:
    """A mapping of a standard queue."""
    return Mapping(monkeypatch)


@pytest.fixture
def fifo(monkeypatch: pytest.MonkeyPatch) -> Mapping:
    """A mapping of a FIFO queue."""
    return Mapping(monkeypatch, is_fifo=True)


def _break_bodies(monkeypatch: pytest.MonkeyPatch, *broken: str) -> None:
    """Let records with these bodies be such that JSON cannot say them."""
    original = records.encode

    def encode(made: dict[str, Any]) -> bytes:
        if made["body"] in broken:
            raise TypeError("Object of type bytes is not JSON serializable")
        return original(made)

    monkeypatch.setattr(records, "encode", encode)


def test_done_messages_are_deleted(mapping: Mapping) -> None:
    """The ordinary way: one batch, one event, nothing left."""
    mapping.send("a", "b")

    assert not mapping.deliver()
    assert ([["a", "b"]], ([], [])) == (mapping.function.batches, mapping.state())


def test_message_that_cannot_be_handed_over_fails_alone(
    mapping: Mapping, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The others of its batch are handled; it stays in flight, and the log names it and its fault."""
    _break_bodies(monkeypatch, "b")
    mapping.send("a", "b", "c")
    mapping.deliver()

    assert ([["a", "c"]], ([], ["id-b"])) == (mapping.function.batches, mapping.state())
    assert "message id-b of arn:aws:sqs:us-east-1:000000000000:q cannot be handed over" in caplog.text
    assert "not JSON serializable" in caplog.text


def test_function_is_not_invoked_for_nothing(mapping: Mapping, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of which no message can be handed over is no event without records."""
    _break_bodies(monkeypatch, "a")
    mapping.send("a")

    assert not mapping.deliver()
    assert ([], ([], ["id-a"])) == (mapping.function.batches, mapping.state())


def test_group_waits_behind_a_message_that_cannot_be_handed_over(
    fifo: Mapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No message of a FIFO group overtakes an earlier one; other groups go on."""
    _break_bodies(monkeypatch, "a1")
    for body in ("a1", "b1", "a2", "b2"):
        fifo.send(body, group=body[0])
    fifo.deliver()

    assert [["b1", "b2"]] == fifo.function.batches
    assert (["id-a2"], ["id-a1"]) == fifo.state()
    assert [] == receive(fifo.poller, 10)


@pytest.mark.parametrize("kind", ["mapping", "fifo"])
def test_what_is_beyond_six_megabytes_goes_with_the_next_batch(kind: str, request: pytest.FixtureRequest) -> None:
    """As much as fits is one event; the rest is visible again with the receive count of before, in its order."""
    chosen: Mapping = request.getfixturevalue(kind)
    bodies = [f"{number}{'x' * 1_000_000}" for number in range(8)]
    chosen.send(*bodies, group="g" if kind == "fifo" else None)
    chosen.deliver()
    again = receive(chosen.poller, 10)

    assert [bodies[:6]] == chosen.function.batches
    assert max(chosen.function.sizes) <= records.MAX_EVENT_BYTES
    assert bodies[6:] == [message["Body"] for message in again]
    assert ["1", "1"] == [message["Attributes"]["ApproximateReceiveCount"] for message in again]


def test_function_that_cannot_be_started_costs_nothing(mapping: Mapping) -> None:
    """A function that is gone: the messages are back in the queue, as if they had not been received."""
    mapping.send("a", "b")
    mapping.function.error = ResourceNotFoundException("Function not found")
    with pytest.raises(NotStartedError):
        mapping.deliver()

    assert (["id-a", "id-b"], []) == mapping.state()
    assert ["1", "1"] == [one["Attributes"]["ApproximateReceiveCount"] for one in receive(mapping.poller, 10)]


@pytest.mark.parametrize(
    "error", [TooManyRequestsException("Rate exceeded"), CommonServiceException("ServiceException", "x"), OSError()]
)
def test_failed_invocation_keeps_everything_in_flight(mapping: Mapping, error: Exception) -> None:
    """A throttle, and whatever may have happened after the function began: the visibility timeout decides."""
    mapping.send("a")
    mapping.function.error = error
    with pytest.raises(type(error)):
        mapping.deliver()

    assert ([], ["id-a"]) == mapping.state()


def test_error_of_the_function_deletes_nothing(mapping: Mapping) -> None:
    """Whatever the response says."""
    mapping.send("a")
    mapping.function.response = Response(is_error=True, payload=b'{"batchItemFailures": []}')

    assert mapping.deliver()
    assert ([], ["id-a"]) == mapping.state()


def test_failed_items_stay(mapping: Mapping) -> None:
    """Those that the function names, and no others; it has not failed as a whole."""
    mapping.send("a", "b")
    mapping.function.response = Response(
        is_error=False, payload=json.dumps({"batchItemFailures": [{"itemIdentifier": "id-b"}]})
    )

    assert not mapping.deliver()
    assert ([], ["id-b"]) == mapping.state()


def test_response_is_ignored_unless_the_mapping_asks_for_it(mapping: Mapping) -> None:
    """Without ReportBatchItemFailures success deletes everything."""
    mapping.send("a")
    mapping.poller.processor.sender.report_batch_item_failures = False
    mapping.function.response = Response(
        is_error=False, payload=json.dumps({"batchItemFailures": [{"itemIdentifier": "id-a"}]})
    )
    mapping.deliver()

    assert ([], []) == mapping.state()


def test_trouble_with_deleting_one_part_leaves_the_others_deleted(
    mapping: Mapping, caplog: pytest.LogCaptureFixture
) -> None:
    """Twelve messages are deleted in two calls, of which the first breaks: ten stay in flight, and the log says so."""
    mapping.send(*[f"{number:02}" for number in range(12)])
    mapping.sqs.refusals = [RuntimeError("broken")]
    messages = [*receive(mapping.poller, 10), *receive(mapping.poller, 10)]

    assert not deliver(mapping.poller, messages)
    assert ([], [f"id-{number:02}" for number in range(10)]) == mapping.state()
    assert "messages that are done will come again" in caplog.text


def test_message_that_sqs_does_not_delete_is_named(mapping: Mapping, caplog: pytest.LogCaptureFixture) -> None:
    """One entry of a batch of deletions fails: the others are deleted."""
    mapping.send("a", "b")
    mapping.sqs.refusals = [FAILED]
    mapping.deliver()

    assert ([], ["id-a"]) == mapping.state()
    assert "cannot delete message id-a" in caplog.text


def test_queue_that_is_gone_when_the_function_is_done_is_no_trouble(
    mapping: Mapping, caplog: pytest.LogCaptureFixture
) -> None:
    """Its messages are gone with it."""
    mapping.send("a")
    mapping.sqs.refusals = [QueueDoesNotExist("gone")]

    assert not mapping.deliver()
    assert "" == caplog.text


def test_message_that_was_received_again_is_not_put_back(mapping: Mapping) -> None:
    """Whoever has it now keeps it: an earlier receipt has no say."""
    mapping.send("a")
    (first,) = receive(mapping.poller, 1)
    mapping.queue.update_visibility_timeout(first["ReceiptHandle"], 0)
    receive(mapping.poller, 1)
    put_back(mapping.queue.arn, [first])

    assert ([], ["id-a"]) == mapping.state()


def test_filter_hands_over_what_matches_and_deletes_the_rest(mapping: Mapping) -> None:
    """The body that matches is not rewritten."""
    patterns = ['{"body": {"n": [1]}}', '{"body": ["text"]}']
    mapping.poller.filter_patterns = [json.loads(pattern) for pattern in patterns]
    mapping.poller.source_parameters = {"FilterCriteria": {"Filters": [{"Pattern": one} for one in patterns]}}
    mapping.send('{"n":  1.0}', '{"n": 2}', "text", "other")
    mapping.deliver()

    assert ([['{"n":  1.0}', "text"]], ([], [])) == (mapping.function.batches, mapping.state())

"""An outage as a fault from outside: refused meanwhile, nothing accepted is lost, work under way is delivered again."""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ConnectionClosedError, EndpointConnectionError

from dlqlab.contracts.injection import Fault, Kind, Plan
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.run.injection import clear_plan, put_plan
from dlqlab.waiting import wait_for
from tests.integration.conftest import FunctionFactory, make_client, queue_arn
from tests.integration.test_recorder import of_function, of_queue, recording

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

GONE_S = 1.5
OUTAGE = Fault(kind=Kind.OUTAGE, name="gone", from_s=1.5, delay_s=GONE_S)
KEY = "t-1-00000001"
WORKS = """
import time

def handler(event, context):
    for record in event.get("Records", ()):
        time.sleep(4 if record["attributes"]["ApproximateReceiveCount"] == "1" else 0)
"""


class Sender:
    """A client that sends again and again, and goes on whatever becomes of its calls; it tries each once."""

    def __init__(self, emulator: Emulator, url: str) -> None:
        self.accepted: set[str] = set()
        self.errors: list[type[Exception]] = []
        self.accepted_after = 0
        self._sqs, self._url = make_client(emulator, "sqs"), url
        self._is_ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._is_ended.wait(0.02):
            try:
                sent = self._sqs.send_message(QueueUrl=self._url, MessageBody="one of many")
            except BotoCoreError as error:
                self.errors.append(type(error))
            else:
                self.accepted.add(sent["MessageId"])
                self.accepted_after += bool(self.errors)

    def end(self) -> None:
        self._is_ended.set()
        self._thread.join()


def test_outage_refuses_clients_loses_no_message_and_work_under_way_comes_again(
    emulator: Emulator,
    aws: Callable[[str], Any],
    make_queue: Callable[..., str],
    make_function: FunctionFactory,
    cleanups: ExitStack,
) -> None:
    """The process stays, and with it all that it holds; the invocation is cut off, told, and tried again."""
    work, kept, empty = make_queue(VisibilityTimeout="5"), make_queue(), make_queue()
    arn, process = queue_arn(aws, work), emulator.process()
    function = make_function(WORKS, Timeout=5)
    function.invoke()
    mapping = aws("lambda").create_event_source_mapping(FunctionName=function.name, EventSourceArn=arn, BatchSize=1)
    cleanups.callback(aws("lambda").delete_event_source_mapping, UUID=mapping["UUID"])
    waits: list[type[Exception]] = []
    waiter = threading.Thread(target=_wait_for_a_message, args=(emulator, empty, waits), daemon=True)
    waiter.start()
    began = time.monotonic()
    put_plan(emulator.port, Plan(faults=(OUTAGE,)))
    cleanups.callback(clear_plan, emulator.port)
    message_id = aws("sqs").send_message(QueueUrl=work, MessageBody=KEY)["MessageId"]
    sender = Sender(emulator, kept)
    wait_for("an end of the outage", lambda: (sender.accepted_after > 0, "not yet"), deadline_s=30, interval_s=0.05)
    sender.end()
    waiter.join()

    assert time.monotonic() - began >= OUTAGE.from_s + GONE_S
    assert EndpointConnectionError in sender.errors
    assert [ConnectionClosedError] == waits
    wait_for(
        "the message's end",
        lambda: ("deleted" in [row["kind"] for row in of_queue(recording(emulator), arn)], "not yet"),
        deadline_s=30,
        interval_s=0.2,
    )
    record = recording(emulator)
    assert ["sent", "received", "returned", "received", "deleted"] == [row["kind"] for row in of_queue(record, arn)]
    first, second = [row for row in of_function(record.invocations, function.name) if row["source"] == "mapping"]
    assert [("crash", "gone"), ("ok", None)] == [(row["outcome"], row["fault"]) for row in (first, second)]
    told = [row for row in record.faults.to_pylist() if row["fault"] == "gone"]
    assert [("gone", None, None), (KEY, message_id, first["request_id"])] == [
        (row["task_key"], row["message_id"], row["request_id"]) for row in told
    ]
    # Of a send that was cut off before its answer nobody knows whether it was done: those may be more.
    assert sender.accepted <= _ids_in(emulator, kept)
    assert process == emulator.process()


def _wait_for_a_message(emulator: Emulator, url: str, errors: list[type[Exception]]) -> None:
    try:
        make_client(emulator, "sqs").receive_message(QueueUrl=url, WaitTimeSeconds=20)
    except BotoCoreError as error:
        errors.append(type(error))


def _ids_in(emulator: Emulator, url: str) -> set[str]:
    """The ids of all messages of a queue."""
    sqs, found = make_client(emulator, "sqs"), set[str]()
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found |= {one["MessageId"] for one in messages}
    return found

"""DynamoDB's JSON, and the calls to SQS."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from chalicelib.queues import SqsQueue
from hypothesis import given
from hypothesis import strategies as st

from taskrules.queues import QueueError
from taskrules.wire import from_item, to_item, to_wire

values = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@given(item=st.dictionaries(st.text(), values))
def test_item_reads_back(item: dict[str, Any]) -> None:
    """What the tables hold goes through unchanged."""
    assert item == from_item(to_item(item))


@given(ts=st.floats(0, 4_000_000_000))
def test_times_keep_their_microseconds(ts: float) -> None:
    """An epoch time comes back within a microsecond, never in exponent notation."""
    (number,) = to_wire(ts).values()

    assert abs(ts - float(number)) <= 1e-6
    assert "e" not in number


def test_none_is_left_out() -> None:
    """An absent attribute is absent, not null."""
    assert {"a": {"N": "1"}} == to_item({"a": 1, "b": None})


def test_value_that_no_table_holds_is_refused() -> None:
    """Bytes and sets are an error of the program."""
    with pytest.raises(TypeError, match="no attribute value"):
        to_wire(b"x")


class Sqs:
    """A client that records its calls and gives scripted answers."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._answers = {"get_queue_url": {"QueueUrl": "url"}, "send_message": {"MessageId": "m"}} | answers

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.calls.append((name, arguments))
            answer = self._answers.get(name, {})
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def queue(**answers: Any) -> tuple[SqsQueue, Sqs]:
    client = Sqs(answers)
    return SqsQueue(client, "tasks"), client  # type: ignore[arg-type]  # only what the queue calls


def test_url_is_asked_for_once() -> None:
    """The name is resolved at the first use, and never again."""
    tasks, client = queue()
    tasks.send("a")
    tasks.send("b", {"reason": "x\x00"})
    tasks.hide("h", 5)
    sent = [arguments for name, arguments in client.calls if name == "send_message"]

    assert ["get_queue_url", "send_message", "send_message", "change_message_visibility"] == [
        name for name, _ in client.calls
    ]
    assert {"reason": {"DataType": "String", "StringValue": "x?"}} == sent[1]["MessageAttributes"]


def test_deletion_goes_in_tens() -> None:
    """A batch call takes ten entries; none are no call."""
    tasks, client = queue()
    tasks.delete([])
    tasks.delete([str(place) for place in range(21)])

    assert [10, 10, 1] == [len(arguments["Entries"]) for _, arguments in client.calls if "Entries" in arguments]


REFUSED = ClientError({"Error": {"Code": "OverLimit", "Message": "no"}}, "any")
UNREACHABLE = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


@pytest.mark.parametrize("error", [REFUSED, UNREACHABLE])
@pytest.mark.parametrize("method", ["get_queue_url", "send_message"])
def test_send_that_fails_is_a_queue_error(method: str, error: Exception) -> None:
    """Whatever SQS or the network says, the caller sees one kind of error."""
    with pytest.raises(QueueError, match="tasks did not take"):
        queue(**{method: error})[0].send("x")


@pytest.mark.parametrize("error", [REFUSED, UNREACHABLE])
def test_other_calls_that_fail_are_queue_errors(error: Exception) -> None:
    """The same for hiding and deleting."""
    with pytest.raises(QueueError, match="did not hide"):
        queue(change_message_visibility=error)[0].hide("h", 1)
    with pytest.raises(QueueError, match="did not delete 1"):
        queue(delete_message_batch=error)[0].delete(["h"])


def test_entry_that_was_not_deleted_is_a_queue_error() -> None:
    """A deletion that is answered with 200 and a failed entry has failed."""
    with pytest.raises(QueueError, match="did not delete 1 messages: gone"):
        queue(delete_message_batch={"Failed": [{"Message": "gone"}]})[0].delete(["a", "b"])

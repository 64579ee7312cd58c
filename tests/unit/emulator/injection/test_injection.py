"""What faults from outside do, apart from the emulator in which they do it."""

import json
from typing import Any

import pytest

from dlqlab.contracts.injection import Case, Fault, Form, Kind, Place, Plan
from dlqlab.emulator.core import strikes
from dlqlab.emulator.core.strikes import Strike
from dlqlab.emulator.injection.batches import cases_of, with_failures
from dlqlab.emulator.injection.errors import error_of
from dlqlab.emulator.injection.invocations import _FORMS, Running, _Interference, cut_off
from dlqlab.emulator.injection.state import InForce
from dlqlab.emulator.mappings.responses import failed_ids
from dlqlab.emulator.runtime.outcomes import Outcome

CASE = Case(key="t-1-00000001")


class Clock:
    """Seconds that a test sets."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def anywhere(_fault: Fault) -> bool:
    return True


def record(number: int, **more: Any) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": str(number)}
    return {
        "eventSource": "aws:sqs",
        "messageId": f"m-{number}",
        "body": f"b-{number}",
        "attributes": attributes,
        **more,
    }


def test_event_of_a_mapping_has_a_case_for_each_message() -> None:
    """By its task's key, or its id where it has none."""
    payload = json.dumps({"Records": [record(1), record(2)]}).encode()
    found = cases_of(payload, "r-1", {"b-1": "t-1"}.get)

    assert [Case("t-1", "m-1", 1), Case("m-2", "m-2", 2)] == found


@pytest.mark.parametrize(
    "payload", [b"", b"no json", b"[]", b'{"Records": [{"eventSource": "aws:s3"}]}', b'{"Records": 1}']
)
def test_any_other_event_is_one_case(payload: bytes) -> None:
    """Of its request."""
    assert [Case("r-1")] == cases_of(payload, "r-1", lambda _body: None)
    assert [Case("t-9")] == cases_of(payload, "r-1", lambda _body: "t-9")


@pytest.mark.parametrize(
    ("before", "named"),
    [
        (b"null", ["m-1"]),
        (b"", ["m-1"]),
        (b'{"batchItemFailures": null}', ["m-1"]),
        (b'{"batchItemFailures": [{"itemIdentifier": "m-2"}]}', ["m-2", "m-1"]),
    ],
)
def test_message_is_added_to_what_failed(before: bytes, named: list[str]) -> None:
    """Beside what the function names itself."""
    answer = json.loads(with_failures(before, ["m-1"]))

    assert named == [one["itemIdentifier"] for one in answer["batchItemFailures"]]


@pytest.mark.parametrize("before", [b"no json", b'"text"', b'{"batchItemFailures": 3}'])
def test_answer_that_nobody_can_read_stays(before: bytes) -> None:
    """It fails the whole batch already."""
    assert before == with_failures(before, ["m-1"])


@pytest.mark.parametrize("form", Form)
def test_every_malformed_answer_fails_the_whole_batch(form: Form) -> None:
    """As Lambda reads it."""
    assert {"m-1", "m-2"} == failed_ids(_FORMS[form], {"m-1", "m-2"})


@pytest.mark.parametrize("kind", [Kind.CALL_THROTTLED, Kind.CALL_FAILED, Kind.CALL_DENIED, Kind.CALL_RESET])
@pytest.mark.parametrize("service", ["dynamodb", "sqs", "sns", "s3", "lambda", "events", "states"])
def test_services_refuse_in_their_own_words(kind: Kind, service: str) -> None:
    """With a status of the client's for what it may not do, and of the service's for what it cannot."""
    error = error_of(kind, service, "PutItem", "f")

    assert error.code
    assert error.message
    assert (kind in {Kind.CALL_FAILED, Kind.CALL_RESET}) == (error.status == 500)


def test_window_and_queue_that_must_be_reached() -> None:
    """Nothing is struck before or after, nor before a message is in that queue."""
    clock = Clock()
    fault = Fault(kind=Kind.ERROR, from_s=5, until_s=10, after_queue="orders")
    in_force = InForce(Plan(faults=(fault,)), clock)
    struck = []
    for now_s in (0, 5, 9, 10):
        clock.now_s = now_s
        if now_s == 9:
            in_force.entered("orders")
        struck.append(in_force.struck(Place.FUNCTION, CASE, anywhere))

    assert [None, None, fault, None] == struck
    assert in_force.struck(Place.QUEUE, CASE, anywhere) is None


def test_what_waits_for_a_queue_is_done_once_a_message_is_there() -> None:
    """Also where the first one has been before anybody waits."""
    done: list[str] = []
    in_force = InForce(Plan(faults=(Fault(kind=Kind.OUTAGE, after_queue="orders"),)))
    in_force.once_entered("orders", lambda: done.append("waited"))
    in_force.entered("bills")
    assert not done
    in_force.entered("orders")
    in_force.entered("orders")
    in_force.once_entered("orders", lambda: done.append("late"))

    assert ["waited", "late"] == done


def test_invocation_under_way_is_cut_off_whatever_it_answers_and_one_that_is_over_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is told for each of its messages."""
    told: list[Strike] = []
    monkeypatch.setattr(strikes, "WATCHES", [told.append])
    fault = Fault(kind=Kind.OUTAGE)
    in_force = InForce(Plan(faults=(fault,)))
    cases = [Case("t-1", "m-1", 2), Case("t-2", "m-2")]
    cut, over = (_Interference(in_force, Running("f", one, cases), one) for one in ("r-1", "r-2"))
    answer = Outcome("success", b"{}")

    def answers_late() -> Outcome:
        cut_off(in_force, fault)
        return answer

    assert over.around(lambda: answer, None) is answer
    assert cut.around(answers_late, None).error_type == "Runtime.ExitError"
    found = [(one.request_id, one.message_id, one.receive_count) for one in told]
    assert [("r-1", "m-1", 2), ("r-1", "m-2", 1)] == found
    assert {"outage": 2} == in_force.counts()


def test_strikes_are_counted_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of the fault, with all that is known of the case."""
    told: list[Strike] = []
    monkeypatch.setattr(strikes, "WATCHES", [told.append])
    fault = Fault(kind=Kind.ERROR, name="first")
    in_force = InForce(Plan(faults=(fault, Fault(kind=Kind.KILL))))
    in_force.tell(fault, CASE, function="f", request_id="r-1")

    assert {"first": 1, "kill": 0} == in_force.counts()
    assert [Strike("first", "error", CASE.key, function="f", request_id="r-1")] == told


def test_keys_are_found_by_the_declared_path_or_as_dlqlab_gave_them() -> None:
    """The declared path comes first."""
    body = '{"order": "o-7", "id": "t-1-00000001"}'

    assert InForce(Plan(task_key="order")).key_of(body) == "o-7"
    assert InForce(Plan()).key_of(body) == "t-1-00000001"
    assert InForce(Plan(task_key="order")).key_of("{}") is None

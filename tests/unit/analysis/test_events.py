"""What becomes of asynchronous invocations: done, handed on, dropped, or not known yet."""

from typing import Any

import pytest

from dlqlab.analysis.judge import MESSAGE_CHECKS, judge
from dlqlab.contracts.topology import Function, Topology
from dlqlab.contracts.verdict import Check, Status
from tests.support.flows import Story, evidence, facts
from tests.support.recordings import T0

FAILED = {"outcome": "error", "error_type": "RuntimeError", "error_message": "no price"}


def topology(**function: Any) -> Topology:
    return Topology(name="shop", functions=(Function(role="bill", name="bill", **function),))


def attempts(*outcomes: dict[str, Any], source: str = "sns", **more: Any) -> list[dict[str, Any]]:
    """The attempts at one event of the function ``bill``, a minute between them."""
    return [
        {"request_id": "e1", "function": "bill", "source": source, "started_ts": T0 + 60 * n, **outcome, **more}
        for n, outcome in enumerate(outcomes)
    ]


def checked(rows: list[dict[str, Any]], pipeline: Topology | None = None, **more: Any) -> Check:
    return MESSAGE_CHECKS["events"](facts(Story(), topology=pipeline, invocations=rows, **more))


NOWHERE = topology(event_retries=2, drops_failed_events=True)


def test_event_that_fails_for_good_and_has_nowhere_to_go_is_dropped() -> None:
    found = checked(attempts(FAILED, FAILED, FAILED), NOWHERE)
    assert (found.status, found.members["dropped"]) == (Status.INVALID, ("e1",))
    assert "1 of bill, which has no on-failure destination (RuntimeError: no price): e1" in found.statement


def test_event_that_succeeds_when_it_is_tried_again() -> None:
    found = checked(attempts(FAILED, FAILED, {"outcome": "ok"}), NOWHERE)
    assert (found.status, found.members["done"]) == (Status.VALID, ("e1",))


def test_event_that_is_handed_on() -> None:
    found = checked(attempts(FAILED), topology(event_retries=0, drops_failed_events=False))
    assert (found.status, found.members["handed_on"]) == (Status.VALID, ("e1",))


@pytest.mark.parametrize(
    ("rows", "pipeline"),
    [
        (attempts(FAILED, FAILED), NOWHERE),
        (attempts({"outcome": None}), NOWHERE),
        (attempts(*[{"outcome": "throttled"}] * 5), NOWHERE),
        (attempts(FAILED, FAILED, FAILED), topology(event_retries=2)),
        (attempts(FAILED, FAILED, FAILED), None),
    ],
    ids=["to be tried again", "not ended", "throttled", "its destination is not known", "nothing is known"],
)
def test_event_whose_end_is_not_known(rows: list[dict[str, Any]], pipeline: Topology | None) -> None:
    found = checked(rows, pipeline)
    assert (found.status, found.members["open"]) == (Status.UNKNOWN, ("e1",))


def calls(*statuses: int, resource: str = "bill") -> list[dict[str, Any]]:
    """Calls of Invoke by one invocation of another function."""
    return [
        {"request_id": "caller", "service": "lambda", "operation": "Invoke", "resource": resource, "status": status}
        for status in statuses
    ]


@pytest.mark.parametrize("resource", ["bill", "arn:aws:lambda:eu-central-1:000000000000:function:bill:live"])
def test_function_that_another_function_does_not_wait_for(resource: str) -> None:
    rows = attempts(FAILED, FAILED, FAILED, source="invocation", client_request_id="caller")
    assert checked(rows, NOWHERE, calls=calls(202, 202, resource=resource)).members["dropped"] == ("e1",)


@pytest.mark.parametrize("statuses", [(200,), (200, 202)], ids=["waited for", "not known which"])
def test_function_that_its_caller_may_wait_for_is_its_callers_business(statuses: tuple[int, ...]) -> None:
    rows = attempts(FAILED, FAILED, FAILED, source="invocation", client_request_id="caller")
    assert "nothing is proven" in checked(rows, NOWHERE, calls=calls(*statuses)).statement


def test_functions_of_others_and_batches_are_no_events_of_the_pipeline() -> None:
    others = [{**row, "function": "theirs"} for row in attempts(FAILED, FAILED, FAILED)]
    story = Story().sent("m1").tried("m1", 1).deleted("m1", 2)
    for run in (evidence(story, topology=NOWHERE, invocations=others), evidence(story, topology=NOWHERE)):
        assert "events" not in {check.name for check in judge(run).checks}


def test_run_with_events_is_judged_by_them() -> None:
    run = evidence(Story(), topology=NOWHERE, invocations=attempts(FAILED, FAILED, FAILED))
    assert {check.name: check.status for check in judge(run).checks}["events"] is Status.INVALID

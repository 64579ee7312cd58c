"""What a flow knows of single attempts."""

from dlqlab.analysis.flow import Flow, attempts_of
from tests.support.flows import Story, evidence
from tests.support.recordings import QUEUE, T0, recording


def test_attempt_knows_when_its_environment_went_on() -> None:
    """As the lives of tasks tell it: of the next invocation there, whatever that was for."""
    ran = {"message_ids": ["m1"], "source_arn": QUEUE, "environment": "e1", "outcome": "ok"}
    rows = recording(
        messages=[
            {"kind": "sent", "message_id": "m1"},
            {"kind": "received", "message_id": "m1", "ts": T0 + 1, "receive_count": 1},
            {"kind": "deleted", "message_id": "m1", "ts": T0 + 3},
        ],
        invocations=[
            {**ran, "request_id": "i1", "started_ts": T0 + 1.1, "ended_ts": T0 + 2},
            {"request_id": "i2", "started_ts": T0 + 5, "environment": "e1"},
            {"request_id": "i3", "started_ts": T0 + 4, "environment": "e2"},
        ],
    )
    [stay] = Flow(rows).stays

    assert [T0 + 5] == [one.next_started_ts for one in attempts_of(stay)]


def test_what_was_over_before_the_load_is_none_of_this_run() -> None:
    """The record begins earlier: with what a deployment sent to try itself out, or with another run."""
    story = Story().sent("probe", 0).tried("probe", 1, request_id="before").deleted("probe", 2)
    story.sent("early", 3).tried("early", 11).deleted("early", 12).sent("m1", 11).tried("m1", 12).deleted("m1", 13)
    record = evidence(story).recording
    assert record is not None
    flow = Flow(record, since_ts=T0 + 10)

    assert [stay.message_id for stay in flow.stays] == ["early", "m1"]
    assert [row["message_ids"] for row in flow.invocations] == [["early"], ["m1"]]
    assert [stay.message_id for stay in Flow(record).stays] == ["probe", "early", "m1"]

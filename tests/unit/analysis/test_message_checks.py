"""The checks of any pipeline's messages: for each a history that is valid, for each set one that gets into it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlqlab.analysis.causes import shape
from dlqlab.analysis.judge import MESSAGE_CHECKS, judge
from dlqlab.contracts.promise import Promise
from dlqlab.contracts.topology import Consumer, Entry, EntryKind, Evidence, Function, Queue, Topology
from dlqlab.contracts.verdict import Check, SetKind, Status
from tests.support.flows import FIFO, Story, evidence, facts, ledger
from tests.support.recordings import QUEUE, T0

PIPELINE = Topology(
    name="orders",
    queues=(
        Queue(role="tasks", name="tasks", dead_letters="dead", max_receive_count=3),
        Queue(role="dead", name="dead-letters"),
    ),
    functions=(Function(role="processor", name="processor"),),
    consumers=(Consumer(queue="tasks", function="processor"),),
)


def checked(name: str, story: Story, promise: Promise | None = None, topology: Topology | None = None) -> Check:
    return MESSAGE_CHECKS[name](facts(story, promise, topology))


def filled(found: Check) -> dict[str, tuple[str, ...]]:
    """The sets that speak against the check, with their members."""
    return {one.name: found.members[one.name] for one in found.sets if one.kind.is_against and found.members[one.name]}


def done() -> Story:
    return Story().sent("m1").tried("m1", 1).deleted("m1", 2)


def retried() -> Story:
    return Story().sent("m1").tried("m1", 1, ok=False).back("m1", 31).tried("m1", 31).deleted("m1", 32)


def dead() -> Story:
    story = Story().sent("m1")
    for at in (1, 31, 61):
        story.tried("m1", at, ok=False).back("m1", at + 30)
    return story.moved("m1", 91)


def fifo(**second: Any) -> Story:
    """Two messages of a group in one batch, the first of which fails."""
    story = Story(queue=FIFO).sent("m1", group_id="g").sent("m2", group_id="g")
    story.received("m1", 1).received("m2", 1).invoked("m1", "m2", at=1, **second)
    return story


OF_MORE_THAN_THE_RECORD = {"finished", "accepted", "same_end", "alarms", "faults", "done", "events"}
"""Checks that look at something else as well: how the run went, the clients, what was left behind, what was planned;
or at something else than messages.
"""
VALID: Mapping[str, Story] = {"done": done(), "retried": retried(), "dead-lettered": dead()}


@pytest.mark.parametrize("name", [name for name in MESSAGE_CHECKS if name not in OF_MORE_THAN_THE_RECORD])
@pytest.mark.parametrize("story", VALID.values(), ids=VALID)
def test_sound_history_is_valid(name: str, story: Story) -> None:
    found = checked(name, story)
    if found.status is Status.UNKNOWN:  # once, backlog: nothing was ever done
        assert story is VALID["dead-lettered"]
        assert "nothing is proven" in found.statement
    else:
        assert found.status is Status.VALID, found.statement


@pytest.mark.parametrize(
    "name",
    [name for name in MESSAGE_CHECKS if name not in {*OF_MORE_THAN_THE_RECORD, "effects", "order", "retries"}],
)
def test_nothing_recorded_proves_nothing(name: str) -> None:
    assert checked(name, Story()).status is Status.UNKNOWN


LOST = {
    "named_in_vain": Story().sent("m1").tried("m1", 1, reports_failures=False, named_ids=["m1"]).deleted("m1", 2),
    "called_failed_in_vain": Story().sent("m1").tried("m1", 1, reports_failures=True, misread_ids=["m1"])
    .deleted("m1", 2),
    "deleted_unfinished": Story().sent("m1").received("m1", 1)
    .deleted("m1", 1.2, actor_kind="invocation", actor="processor").invoked("m1", at=1.1, outcome="error"),
    "deleted_untried": Story().sent("m1").received("m1", 1).deleted("m1", 2),
    "filtered": Story().sent("m1").received("m1", 1).left("filtered", "m1", 1),
    "expired": Story().sent("m1").left("expired", "m1", 60),
    "purged": Story().sent("m1").left("purged", "m1", 60),
}  # fmt: skip


@pytest.mark.parametrize("name", LOST)
def test_lost_message_is_named(name: str) -> None:
    found = checked("messages", LOST[name])
    assert found.status is Status.INVALID
    assert filled(found) == {name: ("m1",)}
    assert "1 message entered, 1 lost" in found.statement
    assert "m1" in found.statement


def test_delete_in_the_middle_of_a_failing_attempt() -> None:
    """A handler that deletes before it is done, and fails then: nobody tries the message again."""
    story = Story().sent("m1").tried("m1", 1, ok=False)
    story.deleted("m1", 1.2, actor_kind="invocation", actor="processor")
    assert filled(checked("messages", story)) == {"deleted_unfinished": ("m1",)}


def test_what_is_reported_and_asked_for_is_not_lost() -> None:
    story = Story().sent("m1").received("m1", 1)
    story.invoked("m1", at=1, failed=["m1"], named_ids=["m1"], reports_failures=True)
    story.back("m1", 31).tried("m1", 31).deleted("m1", 32)
    assert checked("messages", story).status is Status.VALID


def test_consumer_outside_of_lambda_knows_best() -> None:
    """Nobody but a client that polls by itself knows whether it did the work before it deleted the message."""
    client = {"actor_kind": "client", "actor": "curl/8"}
    story = Story().sent("m1").received("m1", 1, **client).deleted("m1", 2, **client)
    assert checked("messages", story).status is Status.VALID


@pytest.mark.parametrize(("topology", "name"), [(PIPELINE, "open"), (None, "unread")])
def test_message_that_is_left_proves_nothing(topology: Topology | None, name: str) -> None:
    found = checked("messages", Story().sent("m1"), topology=topology)
    assert found.status is Status.UNKNOWN
    assert filled(found) == {name: ("m1",)}


def test_queues_of_others_do_not_count() -> None:
    story = done()
    story.queue = story.queue.replace("tasks", "probe")
    story.sent("m2").left("purged", "m2", 3)
    assert checked("messages", story, topology=PIPELINE).status is Status.VALID
    assert checked("messages", story).status is Status.INVALID


def outlasted() -> Story:
    """The function takes 41 s, and the queue hides a message for 30."""
    story = Story().sent("m1").received("m1", 1).invoked("m1", at=1, ended_ts=facts_ts(42)).back("m1", 31)
    return story.received("m1", 31).invoked("m1", at=31, ended_ts=facts_ts(72)).deleted("m1", 42)


def facts_ts(at: float) -> float:
    from tests.support.recordings import T0  # noqa: PLC0415  (beside the stories, whose times begin there)

    return T0 + at


def test_function_that_outlasts_the_visibility_timeout() -> None:
    found = checked("once", outlasted())
    assert filled(found) == {"done_again": ("m1",), "at_once": ("m1",)}
    assert "processor took 41.0 s where tasks hides a message for 30.0 s" in found.statement


def test_two_functions_may_each_do_their_part() -> None:
    story = Story().sent("m1").tried("m1", 1).back("m1", 31).tried("m1", 31, function="other").deleted("m1", 32)
    assert checked("once", story).status is Status.VALID


def test_dead_letter_after_a_success() -> None:
    story = Story().sent("m1").tried("m1", 1).back("m1", 31).moved("m1", 31)
    assert filled(checked("once", story)) == {"dead_after_done": ("m1",)}


def test_receives_that_throttles_burn() -> None:
    story = Story().sent("m1")
    for at in (1, 31, 61):
        story.received("m1", at).invoked("m1", at=at, outcome="throttled").back("m1", at + 30)
    found = checked("attempts", story.moved("m1", 91))
    assert filled(found) == {"dead_untried": ("m1",)}
    assert "3 times no environment was free" in found.statement


def test_receives_that_throttles_burn_beside_an_attempt() -> None:
    story = Story().sent("m1").tried("m1", 1, ok=False).back("m1", 31)
    story.received("m1", 31).invoked("m1", at=31, outcome="throttled").back("m1", 61).moved("m1", 61)
    assert filled(checked("attempts", story)) == {"tried_too_little": ("m1",)}


def test_more_attempts_than_promised() -> None:
    assert filled(checked("attempts", dead(), Promise(attempts=2))) == {"tried_too_often": ("m1",)}
    assert checked("attempts", dead(), Promise(attempts=3)).status is Status.VALID


def test_failure_rate_against_the_promise() -> None:
    story = Story()
    for n in range(100):
        story.sent(f"m{n}", n * 10).tried(f"m{n}", n * 10 + 1, ok=n % 2 == 0)
    assert checked("failure_rates", story).status is Status.VALID
    assert checked("failure_rates", story, Promise(failure_rate=0.5)).status is not Status.INVALID
    assert checked("failure_rates", story, Promise(failure_rate=0.1)).status is Status.INVALID


def never_done(n: int, **more: Any) -> Story:
    story = Story()
    for number in range(n):
        name = f"m{number}"
        story.sent(name).tried(name, 1, ok=False, **more).back(name, 31).moved(name, 31)
    return story


def test_function_that_never_succeeds() -> None:
    found = checked("failure_rates", never_done(10))
    assert filled(found) == {"never_succeeded": ("processor",)}
    assert "processor failed in all of 10 attempts" in found.statement
    assert checked("failure_rates", never_done(9)).status is Status.VALID
    assert checked("failure_rates", never_done(10).sent("m").tried("m", 2)).status is Status.VALID
    assert not filled(checked("failure_rates", never_done(10), Promise(failure_rate=1.0)))


def test_function_that_faults_from_outside_never_let_succeed() -> None:
    faults = [{"request_id": f"i{n}"} for n in range(1, 11)]
    assert MESSAGE_CHECKS["failure_rates"](facts(never_done(10), faults=faults)).status is Status.VALID


def test_function_that_goes_on_after_a_failure() -> None:
    found = checked("order", fifo(failed=["m1"], named_ids=["m1"], reports_failures=True).deleted("m2", 2))
    assert filled(found) == {"gone_on_after_a_failure": ("m2",)}


def test_function_that_stops_at_a_failure() -> None:
    story = fifo(failed=["m1", "m2"], named_ids=["m1", "m2"], reports_failures=True).back("m1", 31).back("m2", 31)
    story.received("m1", 31).received("m2", 31).invoked("m1", "m2", at=31).deleted("m1", 32).deleted("m2", 32)
    assert checked("order", story).status is Status.VALID


def test_message_that_overtakes_its_group() -> None:
    story = Story(queue=FIFO).sent("m1", group_id="g").sent("m2", group_id="g")
    story.tried("m1", 1, ended_ts=facts_ts(9)).tried("m2", 2).deleted("m2", 3).deleted("m1", 9)
    assert filled(checked("order", story)) == {"overtook": ("m2",)}


def test_groups_go_side_by_side() -> None:
    story = Story(queue=FIFO).sent("m1", group_id="g").sent("m2", group_id="h")
    story.tried("m1", 1, ended_ts=facts_ts(9)).tried("m2", 2).deleted("m2", 3).deleted("m1", 9)
    assert checked("order", story).status is Status.VALID


def test_dead_letter_lets_its_group_go_on() -> None:
    story = Story(queue=FIFO).sent("m1", group_id="g").sent("m2", group_id="g")
    story.tried("m1", 1, ok=False).back("m1", 31).moved("m1", 31).tried("m2", 32).deleted("m2", 33)
    assert checked("order", story).status is Status.VALID


def test_backoff_that_never_happens() -> None:
    found = checked("retries", retried(), Promise(backoff_s=(2, 4)))
    assert filled(found) == {"late": ("m1",)}
    assert "tasks: 29.5 s by visibility timeout of the queue" in found.statement
    assert "promised: 2.00 s, 4.00 s" in found.statement


def test_promised_backoff_by_visibility() -> None:
    story = Story().sent("m1")
    for at, wait_s in ((1.0, 2), (3.2, 4)):
        story.tried("m1", at, ok=False).hidden("m1", at + 0.2, wait_s).back("m1", at + 0.2 + wait_s)
    story.tried("m1", 7.4).deleted("m1", 8)
    found = checked("retries", story, Promise(backoff_s=(2, 4), tolerance_s=0.1))
    assert found.status is Status.VALID, found.statement
    assert "backoff 2.00 s, 4.00 s by ChangeMessageVisibility" in found.statement


def resent(times: int) -> Story:
    """A function that fails, sends its message anew at once, and answers as if all were well."""
    story = Story().sent("m0")
    for n in range(times):
        story.tried(f"m{n}", n + 1.0).deleted(f"m{n}", n + 1.6)
        by = {"actor_kind": "invocation", "actor": "processor", "request_id": f"i{n + 1}"}
        story.sent(f"m{n + 1}", n + 1.2, **by, parent_ids=[f"m{n}"], delay_s=0.0)
    return story


def test_resends_without_delay_where_backoff_is_promised() -> None:
    found = checked("retries", resent(2), Promise(backoff_s=(2,)))
    assert filled(found) == {"early": ("m1", "m2")}
    assert "the promised backoff never happens" in found.statement
    assert "sent anew at once" in found.statement


def test_resends_that_lose_the_count() -> None:
    """The queue allows three receives, but each new message begins at none."""
    assert filled(checked("retries", resent(5), topology=PIPELINE)) == {"sent_anew_too_often": ("m0",)}
    assert checked("retries", resent(3), topology=PIPELINE).status is Status.VALID


def test_good_record_redone_because_of_a_mate() -> None:
    story = Story().sent("m1").sent("m2").received("m1", 1).received("m2", 1)
    story.invoked("m1", "m2", at=1, outcome="error").back("m1", 31).back("m2", 31)
    story.tried("m1", 31).deleted("m1", 32).tried("m2", 33, ok=False)
    found = checked("retries", story)
    assert found.members["redone_for_a_mate"] == ("m1",)
    assert found.status is Status.VALID


def test_handler_that_raises_although_it_is_asked_for_names() -> None:
    story = Story().sent("m1").sent("m2").received("m1", 1).received("m2", 1)
    story.invoked("m1", "m2", at=1, outcome="error", reports_failures=True).back("m1", 31).back("m2", 31)
    story.tried("m1", 31).deleted("m1", 32)
    assert filled(checked("retries", story)) == {"raised_for_a_mate": ("m1",)}


@pytest.mark.parametrize("error", ["BatchProcessingError", "FullBatchFailureError"])
def test_library_that_raises_since_all_failed(error: str) -> None:
    """Batch processors of Powertools name what failed, and raise where every message did."""
    story = Story().sent("m1").sent("m2").received("m1", 1).received("m2", 1)
    story.invoked("m1", "m2", at=1, outcome="error", error_type=error, reports_failures=True)
    story.back("m1", 31).back("m2", 31).tried("m1", 31).deleted("m1", 32).tried("m2", 33).deleted("m2", 34)
    assert checked("retries", story).status is Status.VALID


def buried_together(**how: Any) -> Story:
    """Two messages that come in one batch each time, until both are dead-lettered."""
    story = Story().sent("m1").sent("m2")
    for at in (1, 31):
        story.received("m1", at).received("m2", at).invoked("m1", "m2", at=at, reports_failures=True, **how)
        story.back("m1", at + 30).back("m2", at + 30)
    return story.moved("m1", 61).moved("m2", 61)


def test_batch_that_is_buried_for_one_of_its_messages() -> None:
    story = buried_together(outcome="error", error_type="KeyError")
    assert filled(checked("retries", story)) == {"buried_for_a_mate": ("m1", "m2")}
    alone = Story().sent("m1").received("m1", 1).invoked("m1", at=1, outcome="error", reports_failures=True)
    assert checked("retries", alone.back("m1", 31).moved("m1", 31)).status is Status.VALID
    assert checked("retries", buried_together(outcome="timeout")).status is Status.VALID


def test_answer_that_lambda_cannot_read() -> None:
    """It names a receipt handle, say: no message of the batch, so all of it fails although nothing did."""
    story = buried_together(failed=["m1", "m2"], named_ids=[])
    found = checked("retries", story)
    assert filled(found) == {"answer_unread": ("m1", "m2")}
    causes = checked("dead_letters", story).details["causes"]
    assert [one["why"] for one in causes] == [
        "Lambda could not read the function's answer, so that all <n> of the batch failed"
    ]


def test_answer_that_a_fault_from_outside_spoilt_is_not_the_handlers() -> None:
    story = buried_together(failed=["m1", "m2"], named_ids=[])
    faults = [{"kind": "malformed", "request_id": request_id} for request_id in ("i1", "i2")]
    found = MESSAGE_CHECKS["retries"](facts(story, faults=faults))
    assert found.status is Status.VALID


def test_answer_that_names_some_and_one_that_is_not_there() -> None:
    """The one that is named did fail; the other was spoilt by the answer."""
    story = buried_together(failed=["m1", "m2"], named_ids=["m1"])
    assert filled(checked("retries", story)) == {"answer_unread": ("m2",)}


def passed_on(laps: int, body: str = "same") -> Story:
    """Two functions that send to each other's queues, so that a message comes back as another one."""
    story = Story()
    for lap in range(laps):
        by = (
            {} if lap == 0 else {"actor_kind": "invocation", "request_id": f"i{2 * lap}", "parent_ids": [f"b{lap - 1}"]}
        )
        sha = body if lap == 0 or body == "same" else f"{body}{lap}"
        story.queue = QUEUE
        story.sent(f"a{lap}", 4 * lap, body_sha256=sha, **by).tried(f"a{lap}", 4 * lap + 1).deleted(
            f"a{lap}", 4 * lap + 2
        )
        story.queue = QUEUE.replace("tasks", "second")
        by = {"actor_kind": "invocation", "request_id": f"i{2 * lap + 1}", "parent_ids": [f"a{lap}"]}
        story.sent(f"b{lap}", 4 * lap + 1.2, body_sha256="b", **by)
        story.tried(f"b{lap}", 4 * lap + 2).deleted(f"b{lap}", 4 * lap + 3)
    return story


LOOP = replace(PIPELINE, queues=(*PIPELINE.queues, Queue(role="second", name="second")))


def test_message_that_goes_round_through_other_queues() -> None:
    assert filled(checked("retries", passed_on(5), topology=LOOP)) == {"sent_anew_too_often": ("a0",)}
    assert checked("retries", passed_on(3), topology=LOOP).status is Status.VALID


def test_message_that_comes_back_as_another_step() -> None:
    assert checked("retries", passed_on(5, body="step"), topology=LOOP).status is Status.VALID


def test_parent_of_a_message_that_is_sent_anew_from_a_batch() -> None:
    """The body tells which of the batch it is."""
    story = Story().sent("m0", body_sha256="x")
    for n in range(5):
        mate = f"mate{n}"
        story.sent(mate, n, body_sha256=mate).received(f"m{n}", n + 1).received(mate, n + 1)
        story.invoked(f"m{n}", mate, at=n + 1).deleted(f"m{n}", n + 1.6).deleted(mate, n + 1.6)
        by = {"actor_kind": "invocation", "request_id": f"i{n + 1}", "parent_ids": [f"m{n}", mate]}
        story.sent(f"m{n + 1}", n + 1.2, body_sha256="x", **by)
    assert filled(checked("retries", story, topology=PIPELINE)) == {"sent_anew_too_often": ("m0",)}


def dropped(**second: Any) -> Story:
    """Two messages whose functions send to a FIFO queue, which takes the second one's for the first one's."""
    story = Story().sent("m1", body_sha256="one").tried("m1", 1).deleted("m1", 2)
    story.sent("m2", 3, body_sha256=second.pop("parent", "two")).tried("m2", 4).deleted("m2", 5)
    by = {"actor_kind": "invocation", "dedup_id": "same", "queue": FIFO, "body_sha256": "out"}
    story.sent("f1", 1.2, request_id="i1", parent_ids=["m1"], **by)
    return story.left("deduplicated", "f1", 4.2, **{**by, "request_id": "i2"} | second)


def test_message_that_is_dropped_as_a_duplicate_of_another_tasks() -> None:
    found = checked("messages", dropped())
    assert filled(found)["dropped_as_duplicate"] == ("m2",)
    assert found.status is Status.INVALID


@pytest.mark.parametrize("second", [{"parent": "one"}, {"request_id": "i1"}], ids=["came twice", "sends twice"])
def test_duplicate_that_is_one(second: Mapping[str, Any]) -> None:
    assert "dropped_as_duplicate" not in filled(checked("messages", dropped(**second)))


def test_two_different_messages_of_one_invocation_with_one_deduplication_id() -> None:
    story = dropped(request_id="i1", body_sha256="another")
    assert filled(checked("messages", story))["dropped_as_duplicate"] == ("m1",)


def test_accepted_requests_whose_messages_are_dropped_as_duplicates() -> None:
    story = Story(queue=FIFO)
    by = {"actor_kind": "invocation", "dedup_id": "same", "body_sha256": "x"}
    story.sent("f1", 1, request_id="api1", **by).left("deduplicated", "f1", 2, **{**by, "request_id": "api2"})
    posts = [{"request_id": f"api{n}", "client_request_id": f"r{n}", "source": "api gateway"} for n in (1, 2)]
    requests = ledger(("t-1-00000001", "r1", "acknowledged"), ("t-1-00000002", "r2", "acknowledged"))
    found = MESSAGE_CHECKS["accepted"](facts(story, invocations=posts, requests=requests))
    assert filled(found) == {"dropped_as_duplicate": ("t-1-00000002",)}
    assert "dropped as duplicates of other requests' messages: t-1-00000002" in found.statement


def test_messages_of_another_pipeline_prove_nothing() -> None:
    """Pipelines that share an emulator have tasks of the same names."""
    story = Story(queue=QUEUE.replace("tasks", "theirs")).sent("m1", request_id="r1")
    story.queue = QUEUE
    story.sent("m2", request_id="r2")
    requests = ledger(("t-1-00000001", "r1", "acknowledged"), ("t-1-00000002", "r2", "acknowledged"))
    found = MESSAGE_CHECKS["accepted"](facts(story, topology=PIPELINE, requests=requests))
    assert filled(found) == {"without_a_message": ("t-1-00000001",)}


def test_dead_letters_are_grouped_by_cause() -> None:
    story = Story()
    for n in range(3):
        text = f"order o-{n} has {n} items"
        story.sent(f"m{n}").received(f"m{n}", 1).invoked(
            f"m{n}", at=1, outcome="error", error_type="ValueError", error_message=text
        )
        story.back(f"m{n}", 31).moved(f"m{n}", 31)
    found = checked("dead_letters", story)
    assert [(one["why"], one["n"]) for one in found.details["causes"]] == [("ValueError: order <id> has <n> items", 3)]


def test_dead_letter_without_a_receive_is_unexplained() -> None:
    assert filled(checked("dead_letters", Story().sent("m1").moved("m1", 5))) == {"unexplained": ("m1",)}


def test_dead_letter_that_was_worked_off_and_not_deleted_is_explained() -> None:
    story = Story().sent("m1").tried("m1", at=1).back("m1", at=31).tried("m1", at=31).back("m1", 61).moved("m1", 62)
    found = checked("dead_letters", story)

    assert not filled(found)
    assert "1 time processor: worked off, and not deleted" in found.statement


def test_dead_letter_that_expires_is_lost() -> None:
    story = dead()
    story.queue = story.queue.replace("tasks", "dead-letters")
    story.left("expired", "m1", 200)
    assert filled(checked("dead_letters", story)) == {"lost_there": ("m1",)}
    assert filled(checked("messages", story)) == {"expired": ("m1",)}


def test_dead_letter_rate_against_the_promise() -> None:
    assert checked("dead_letters", done(), Promise(dead_letter_rate=0.0)).status is Status.VALID
    assert checked("dead_letters", dead(), Promise(dead_letter_rate=0.0)).status is Status.INVALID


def test_completion_against_the_promise() -> None:
    assert filled(checked("backlog", retried(), Promise(completes_within_s=10))) == {"too_slow": ("m1",)}
    assert checked("backlog", retried(), Promise(completes_within_s=60)).status is Status.VALID


def test_backlog_that_is_left() -> None:
    assert checked("backlog", done().sent("m2"), topology=PIPELINE).status is Status.UNKNOWN


def test_gaps_of_the_record_leave_nothing_valid() -> None:
    run = evidence(done(), topology=PIPELINE, gaps=["5 rows are missing: the disk did not take them"])
    found = {check.name: check for check in judge(run).checks}
    assert "messages" in found
    assert all(check.status is Status.UNKNOWN for name, check in found.items() if name != "finished")
    assert "5 rows are missing" in found["messages"].statement


def test_pipeline_with_events_of_its_own_has_its_own_checks() -> None:
    topology = Topology(name="own", queues=PIPELINE.queues, evidence=Evidence(events=True))
    assert "oracle" in {check.name for check in judge(evidence(done(), topology=topology)).checks}
    assert "messages" in {check.name for check in judge(evidence(done(), topology=PIPELINE)).checks}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no stock for 'widget-7'", "no stock for <value>"),
        ("task 3f2504e0-4f89-11d3-9a0c-0305e82c3301 failed", "task <id> failed"),
        ("took 12.5 s of 10", "took <n> s of <n>"),
        ("first line\nsecond", "first line"),
        ("utf-8 is no id, v2 is none either", "<id> is no id, v2 is none either"),
    ],
)
def test_shape_of_an_error(text: str, expected: str) -> None:
    assert shape(text) == expected


fates = st.lists(st.sampled_from(["ok", "error", "throttled", "named"]), min_size=1, max_size=4)
ends = st.sampled_from(["stays", "expired", "purged", "moved"])


@settings(max_examples=60)
@given(st.lists(st.tuples(fates, ends), min_size=1, max_size=6))
def test_every_message_is_in_exactly_one_place(histories: list[tuple[list[str], str]]) -> None:
    """Whatever happens to messages: each is counted once, and the verdict is invalid if and only if one was lost."""
    story, lost = Story(), 0
    for n, (tries, end) in enumerate(histories):
        lost += _told(story, f"m{n}", tries, end)
    found = checked("messages", story, topology=PIPELINE)
    places = [one.name for one in found.sets if one.name not in {"entered", "letters_taken"}]
    where = sorted(message for name in places for message in found.members[name])
    assert where == sorted(f"m{n}" for n in range(len(histories)))
    assert sum(len(found.members[one.name]) for one in found.sets if one.kind is SetKind.VIOLATION) == lost
    assert (found.status is Status.INVALID) == (lost > 0)


def _told(story: Story, message_id: str, tries: list[str], end: str) -> int:
    """Play one message; how many were lost: 0 or 1."""
    story.sent(message_id)
    at = 1.0
    for what in tries:
        story.received(message_id, at)
        if what in {"ok", "named"}:
            named = [message_id] if what == "named" else []
            story.invoked(message_id, at=at, named_ids=named, reports_failures=False).deleted(message_id, at + 1)
            return int(what == "named")
        story.invoked(message_id, at=at, outcome=what).back(message_id, at + 30)
        at += 30
    if end == "moved":
        story.moved(message_id, at)
    elif end != "stays":
        story.left(end, message_id, at)
    return int(end in {"expired", "purged"})


BILLS = ("dynamodb:PutItem bills",)


def billed(*requests: str, error: str | None = None) -> dict[str, Any]:
    """The body of message m1, which is about order o-1, and an item of it written by each of these invocations."""
    key = '{"orderId": {"S": "o-1"}}'
    call = {"operation": "PutItem", "resource": "bills", "item_key": key, "error_code": error}
    body = {"body_sha256": "h", "body": '{"order": "o-1"}', "body_bytes": 16}
    return {"calls": [{"request_id": request, **call} for request in requests], "bodies": [body]}


@pytest.mark.parametrize(
    ("requests", "error", "expected"),
    [
        (["i1"], None, {}),
        (["i1", "i2"], None, {"doubled": ("m1",)}),
        ([], None, {"missing": ("m1",)}),
        (["i1"], "ConditionalCheckFailedException", {"missing": ("m1",)}),
    ],
)
def test_effects_are_counted_where_they_are_named(requests: list[str], error: str | None, expected: Any) -> None:
    story = Story().sent("m1", body_sha256="h").tried("m1", 1).deleted("m1", 2)
    rows = billed(*requests, error=error)
    found = MESSAGE_CHECKS["effects"](facts(story, effects=BILLS, **rows))
    assert filled(found) == expected
    assert (found.status is Status.VALID) == (not expected)


def test_effects_of_a_message_that_was_dead_lettered() -> None:
    """It happened, and then the attempt failed: again and again, or once."""
    story = Story().sent("m1", body_sha256="h").tried("m1", 1, ok=False).back("m1", 31).tried("m1", 31, ok=False)
    story.back("m1", 61).moved("m1", 61)
    twice = MESSAGE_CHECKS["effects"](facts(story, effects=BILLS, **billed("i1", "i2")))
    assert filled(twice) == {"doubled": ("m1",)}
    once = MESSAGE_CHECKS["effects"](facts(story, effects=BILLS, **billed("i2")))
    assert (once.members["failed_after_it"], once.status) == (("m1",), Status.UNKNOWN)


def test_effect_that_the_function_does_not_wait_for() -> None:
    """Its call has no invocation, since that had answered before."""
    story = Story().sent("m1", body_sha256="h").tried("m1", 1).deleted("m1", 2)
    rows = billed("i1")
    rows["calls"] = [{**call, "request_id": None, "function": "processor"} for call in rows["calls"]]
    found = MESSAGE_CHECKS["effects"](facts(story, effects=BILLS, **rows))
    assert filled(found) == {"after_the_answer": ("m1",)}
    assert "after the function's answer, which did not wait for it: m1" in found.statement


def tried_again(*calls: dict[str, Any], batch: Sequence[str] = ("m1",), effects: Sequence[str] = ()) -> Check:
    """A message that crashes at its first attempt and is done at its second, with what the two called."""
    story = Story().sent("m1", body_sha256="h")
    for at, outcome in ((1, "crash"), (31, "ok")):
        story.received("m1", at).invoked(*batch, at=at, outcome=outcome, function="processor")
    rows = [{"function": "processor", "service": "dynamodb", "resource": "bills", **call} for call in calls]
    bodies = [{"body_sha256": "h", "body": '{"id": "m1", "customer": "c1"}', "body_bytes": 30}]
    return MESSAGE_CHECKS["effects"](facts(story.deleted("m1", 32), calls=rows, bodies=bodies, effects=effects))


def adds(request_id: str, item: str = "c1", **more: Any) -> dict[str, Any]:
    update = {"operation": "UpdateItem", "item_key": f'{{"id":{{"S":"{item}"}}}}', "update": "ADD total :one"}
    return {"request_id": request_id, **update, **more}


def test_what_two_attempts_add_is_done_twice_though_no_effect_is_named() -> None:
    found = tried_again(adds("i1"), adds("i2"))
    assert (found.status, filled(found)) == (Status.INVALID, {"doubled": ("m1",)})
    assert found.statement == (
        "1 message with an effect that happened again, as processor made dynamodb:UpdateItem "
        '{"id":{"S":"c1"}} in 2 attempts: m1'
    )


@pytest.mark.parametrize(
    ("calls", "batch"),
    [
        ((adds("i1"),), ["m1"]),
        ((adds("i1"), adds("i2", error_code="ConditionalCheckFailedException")), ["m1"]),
        ((adds("i1", update="SET #s = :done"), adds("i2", update="SET #s = :done")), ["m1"]),
        ((adds("i1", item="all"), adds("i2", item="all")), ["m1", "m2"]),
    ],
    ids=["once", "refused", "the same again", "of nobody knows which of the batch"],
)
def test_what_is_done_again_without_harm_is_no_second_effect(calls: Sequence[dict[str, Any]], batch: list[str]) -> None:
    assert tried_again(*calls, batch=batch).status is Status.VALID


def test_named_effects_alone_count_where_there_are_any() -> None:
    assert tried_again(adds("i1"), adds("i2"), effects=["dynamodb:PutItem bills"]).members["doubled"] == ()


LATE = {
    "request_id": None,
    "function": "processor",
    "service": "dynamodb",
    "operation": "PutItem",
    "resource": "bills",
    "item_key": '{"id":{"S":"m1"}}',
}


def late(at: float, *others: dict[str, Any], **more: Any) -> Check:
    """A message whose function answers at 1.5, and writes at this time, with invocations of other environments."""
    story = Story().sent("m1", body_sha256="h").tried("m1", 1, environment="e1", **more).deleted("m1", 2)
    bodies = [{"body_sha256": "h", "body": '{"id": "m1"}', "body_bytes": 12}]
    rows: dict[str, Any] = {"calls": [{**LATE, "ts": T0 + at}], "bodies": bodies, "invocations": others}
    return MESSAGE_CHECKS["effects"](facts(story, **rows))


def beside(begins: float, ends: float, environment: str) -> dict[str, Any]:
    times = {"started_ts": T0 + begins, "ended_ts": T0 + ends}
    return {"request_id": environment, "environment": environment, "message_ids": ["m9"], "outcome": "ok", **times}


def test_write_after_the_answer_is_found_where_no_effect_is_named() -> None:
    found = late(1.6)
    assert (found.status, filled(found)) == (Status.INVALID, {"after_the_answer": ("m1",)})
    assert "1 write after the answer of processor, which did not wait for it: m1" in found.statement


@pytest.mark.parametrize(
    ("at", "more"), [(0.5, {}), (1.2, {"init_s": 0.3}), (1.2, {})], ids=["before", "init", "within, nobody knows whose"]
)
def test_write_that_may_be_of_an_init_is_not_late(at: float, more: dict[str, Any]) -> None:
    assert late(at, **more).status is Status.VALID


def test_late_write_belongs_to_an_environment_that_waits() -> None:
    """Of two that do, to the one whose message has its key; one that works on something else is none of them."""
    assert filled(late(1.6, beside(1.55, 3, "e2"))) == {"after_the_answer": ("m1",)}
    assert filled(late(1.6, beside(0.5, 0.9, "e2"))) == {"after_the_answer": ("m1",)}
    assert late(1.6, beside(1.55, 3, "e1")).status is Status.VALID


def test_effects_of_another_pipelines_functions_do_not_count() -> None:
    story = Story().sent("m1", body_sha256="h").tried("m1", 1).deleted("m1", 2)
    rows = billed("i1", "i2")
    rows["calls"][1]["function"] = "theirs"
    found = MESSAGE_CHECKS["effects"](facts(story, topology=PIPELINE, effects=BILLS, **rows))
    assert found.status is Status.VALID, found.statement


TASK = "t-1-00000007"


def of_task(**more: Any) -> dict[str, Any]:
    text = f'{{"id": "{TASK}"}}'
    return {"bodies": [{"body_sha256": "h", "body": text, "body_bytes": len(text)}], **more}


def test_accepted_request_has_a_message_by_its_key() -> None:
    story = Story().sent("m1", body_sha256="h").tried("m1", 1).deleted("m1", 2)
    found = MESSAGE_CHECKS["accepted"](facts(story, requests=ledger((TASK, "r1", "acknowledged")), **of_task()))
    assert found.status is Status.VALID
    assert found.members["accepted"] == (TASK,)


def test_filter_before_the_queue_is_named_where_messages_are_missing() -> None:
    entry = Entry(kind=EntryKind.TOPIC, name="orders", queue="tasks", filter='{"kind": ["new"]}')
    pipeline = replace(PIPELINE, entries=(entry,))
    requests = ledger((TASK, "r1", "acknowledged"))
    found = MESSAGE_CHECKS["accepted"](facts(Story(), topology=pipeline, requests=requests))
    assert filled(found) == {"without_a_message": (TASK,)}
    assert 'topic orders lets through only {"kind": ["new"]}' in found.statement


def test_accepted_request_has_a_message_by_the_invocation_that_it_caused() -> None:
    by: dict[str, Any] = {"actor_kind": "invocation", "actor": "api", "request_id": "api-1"}
    story = Story().sent("m1", **by).tried("m1", 1).deleted("m1", 2)
    caused = [{"request_id": "api-1", "client_request_id": "r1", "outcome": "ok", "function": "api"}]
    requests = ledger((TASK, "r1", "acknowledged"), ("t-1-00000008", "r2", "acknowledged"))
    found = MESSAGE_CHECKS["accepted"](facts(story, requests=requests, invocations=caused))
    assert filled(found) == {"without_a_message": ("t-1-00000008",)}


def test_request_that_broke_between_write_and_publish() -> None:
    """The item is there, the message is not, and the client knows only that something went wrong."""
    story = Story().sent("m1", body_sha256="h").tried("m1", 1).deleted("m1", 2)
    broken = [{"request_id": "api-2", "client_request_id": "r2", "outcome": "crash", "function": "api"}]
    wrote = [{"request_id": "api-2", "operation": "PutItem", "resource": "orders"}]
    requests = ledger((TASK, "r1", "acknowledged"), ("t-1-00000008", "r2", "unknown"))
    found = MESSAGE_CHECKS["accepted"](facts(story, requests=requests, **of_task(invocations=broken, calls=wrote)))
    assert filled(found) == {"half_done": ("t-1-00000008",)}


def test_requests_that_nothing_joins_with_messages_are_unknown() -> None:
    run = evidence(done(), topology=PIPELINE, requests=ledger((TASK, "r1", "acknowledged")))
    (found,) = [check for check in judge(run).checks if check.name == "accepted"]
    assert found.status is Status.UNKNOWN
    assert "put {{key}} into entry.body" in found.statement

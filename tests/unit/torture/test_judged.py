"""What a row says of a pipeline, from histories of a few rows."""

from dataclasses import replace
from typing import Any

import pytest

from dlqlab.analysis.doubled import doubled
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.injected import Oracle
from dlqlab.analysis.judge import MESSAGE_CHECKS, judge
from dlqlab.contracts.injection import Fault, Kind, Plan
from dlqlab.contracts.promise import Promise
from dlqlab.contracts.topology import Consumer, Evidence, Function, Queue, Topology
from dlqlab.contracts.verdict import SetKind
from dlqlab.torture.advice import advice
from dlqlab.torture.harms import BREAKS, COSTS, NO_HARMS
from dlqlab.torture.judged import Judged, Outcome, Usual, judged
from dlqlab.torture.own_rows import since
from tests.support.flows import FIFO, Story, evidence, facts
from tests.support.recordings import QUEUE, T0

PIPELINE = Topology(
    name="orders",
    queues=(
        Queue(role="tasks", name="tasks", dead_letters="dead", max_receive_count=2),
        Queue(role="next", name="next"),
        Queue(role="dead", name="dead-letters"),
    ),
    functions=(Function(role="processor", name="processor"), Function(role="biller", name="biller")),
    consumers=(Consumer(queue="tasks", function="processor"), Consumer(queue="next", function="biller")),
    evidence=Evidence(events=False),
)
NEXT = QUEUE.replace("tasks", "next")
ONCE = Fault(kind=Kind.ERROR, name="once", receives=(1,))


def row(
    story: Story,
    *faults: Fault,
    struck: tuple[tuple[str, int], ...] = (),
    usual: Usual = Usual(),  # noqa: B008  (frozen)
    topology: Topology = PIPELINE,
    **rows: Any,
) -> Judged:
    plan = Plan(faults=faults)
    strikes = [
        {
            "fault": faults[0].name,
            "kind": faults[0].kind.value,
            "task_key": message_id,
            "message_id": message_id,
            "receive_count": receive,
            "request_id": next(
                each["request_id"]
                for each in [one for one in story.invocations if message_id in one["message_ids"]][receive - 1 :]
            ),
        }
        for message_id, receive in struck
    ]
    run = evidence(story, topology=topology, plan=plan, faults=strikes, **rows)
    found = Facts(run)
    return judged(found, judge(run), plan, Oracle(found.flow, plan), usual)


def retried() -> Story:
    return Story().sent("m1").tried("m1", 1, ok=False).back("m1", 31).tried("m1", 31).deleted("m1", 32)


def dead(*, second_ok: bool = False) -> Story:
    story = Story().sent("m1").tried("m1", 1, ok=False).back("m1", 31).tried("m1", 31, ok=second_ok).back("m1", 61)
    return story.moved("m1", 61)


def names(found: Judged) -> set[str]:
    return {harm.name for harm in (*found.breaks, *found.costs)}


def test_a_struck_message_that_is_done_at_its_second_receive_is_survived() -> None:
    found = row(retried(), ONCE, struck=(("m1", 1),))

    assert (found.outcome, found.strikes) == (Outcome.SURVIVED, 1), names(found)


def test_a_row_that_struck_nothing_proves_nothing() -> None:
    assert row(Story().sent("m1").tried("m1", 1).deleted("m1", 2), ONCE).outcome is Outcome.UNTOUCHED


def test_a_message_that_is_lost_breaks() -> None:
    story = Story().sent("m1").tried("m1", 1, ok=False).deleted("m1", 2)

    found = row(story, ONCE, struck=(("m1", 1),))

    assert (found.outcome, found.breaks[0].name) == (Outcome.BROKEN, "deleted_unfinished")
    assert found.breaks[0].messages == ("m1",)


def test_a_message_that_is_stuck_breaks() -> None:
    found = row(Story().sent("m1").tried("m1", 1, ok=False).back("m1", 31), ONCE, struck=(("m1", 1),))

    assert {harm.name for harm in found.breaks} == {"open"}


def test_a_message_that_is_to_come_again_when_the_row_ends_leaves_it_unknown_and_says_what_to_raise() -> None:
    story = Story().sent("m1", -50).tried("m1", -40, ok=False).back("m1", -10).tried("m1", -5, ok=False)

    found = row(story, ONCE, struck=(("m1", 1),))

    assert found.outcome is Outcome.UNKNOWN, names(found)
    assert found.why_unknown == ("1 message had receives left when the row ended: give a higher drain.deadline_s")


def test_a_dead_letter_is_no_harm_where_every_receive_was_struck() -> None:
    always = Fault(kind=Kind.ERROR, name="always")

    found = row(dead(), always, struck=(("m1", 1), ("m1", 2)))

    assert "buried_wrongly" not in names(found)


def test_a_dead_letter_is_no_harm_of_the_fault_where_it_struck_another() -> None:
    story = dead().sent("m2").tried("m2", 1, ok=False).back("m2", 31).tried("m2", 31).deleted("m2", 32)

    found = row(story, replace(ONCE, keys=("m2",)), struck=(("m2", 1),))

    assert found.outcome is Outcome.SURVIVED, names(found)


def test_a_struck_message_that_the_code_then_fails_is_buried_wrongly_unless_the_code_buries_anyway() -> None:
    usually_not = row(dead(), ONCE, struck=(("m1", 1),))
    usually = row(dead(), ONCE, struck=(("m1", 1),), usual=Usual(buries=True))

    assert (usually_not.outcome, "buried_wrongly" in names(usually_not)) == (Outcome.BROKEN, True)
    assert (usually.outcome, "buried_perhaps" in names(usually)) == (Outcome.DEGRADED, True)


POISON = Fault(kind=Kind.CALL_DENIED, name="poison", operation="dynamodb:PutItem")


def test_a_dead_letter_whose_work_was_refused_at_every_receive_is_no_harm_and_one_at_the_first_is() -> None:
    every = row(dead(), POISON, struck=(("m1", 1), ("m1", 2)))
    first = row(dead(), replace(POISON, receives=(1,)), struck=(("m1", 1),))

    assert "buried_wrongly" not in names(every)
    assert "buried_wrongly" in names(first)


def test_a_handler_that_raises_for_a_refused_call_fails_its_mates() -> None:
    story = Story().sent("m1").sent("m2").received("m1", 1).received("m2", 1)
    story.invoked("m1", "m2", at=1, outcome="error", reports_failures=True)
    for one in ("m1", "m2"):
        story.back(one, 31).tried(one, 31).deleted(one, 32)

    found = row(story, replace(POISON, receives=(1,)), struck=(("m1", 1),))

    assert {harm.name: harm.messages for harm in found.costs}["raised_for_a_mate"] == ("m1", "m2")


LOST_AFTER = Fault(kind=Kind.ANSWER_LOST, name="lost")


@pytest.mark.parametrize(("fault", "is_harm"), [(LOST_AFTER, False), (ONCE, True), (POISON, True)])
def test_to_delete_before_a_failure_is_a_loss_unless_the_work_was_done_by_then(fault: Fault, *, is_harm: bool) -> None:
    story = Story().sent("m1").tried("m1", 1, ok=False).deleted("m1", 2)

    assert ("deleted_unfinished" in names(row(story, fault, struck=(("m1", 1),)))) is is_harm


DROPPED = Fault(kind=Kind.DELETE_DROPPED, name="dropped")
CLAIM = {"function": "processor", "operation": "UpdateItem", "resource": "tasks", "item_key": '{"id": "m1"}'}


def again() -> Story:
    return Story().sent("m1").tried("m1", 1).back("m1", 31).tried("m1", 31).deleted("m1", 32)


@pytest.mark.parametrize(
    ("second", "is_harm"),
    [
        ([{**CLAIM, "error_code": "ConditionalCheckFailedException"}], False),
        ([{**CLAIM, "operation": "GetItem"}], False),
        ([CLAIM], True),
        ([], True),
    ],
    ids=["refused", "only read", "done", "nothing is known"],
)
def test_a_second_attempt_that_looked_and_did_nothing_did_no_work_again(
    second: list[dict[str, Any]], *, is_harm: bool
) -> None:
    calls = [{**CLAIM, "request_id": "i1"}, *({**one, "request_id": "i2"} for one in second)]

    found = row(again(), DROPPED, struck=(("m1", 1),), calls=calls)

    assert ("done_again" in names(found)) is is_harm


def test_of_two_at_a_time_the_first_may_be_the_one_that_did_nothing() -> None:
    calls = [
        {**CLAIM, "request_id": "i1", "error_code": "ConditionalCheckFailedException"},
        {**CLAIM, "request_id": "i2"},
    ]

    assert "done_again" not in names(row(again(), DROPPED, struck=(("m1", 1),), calls=calls))


@pytest.mark.parametrize(("kind", "is_harm"), [(Kind.DUPLICATE, False), (Kind.DELETE_DROPPED, True)])
def test_what_a_fault_gives_out_twice_at_once_is_no_visibility_timeout_that_is_too_short(
    kind: Kind, *, is_harm: bool
) -> None:
    story = Story().sent("m1").received("m1", 1).invoked("m1", at=1, ended_ts=T0 + 5)
    story.received("m1", 2).invoked("m1", at=2).deleted("m1", 6)

    found = row(story, Fault(kind=kind, name="twice"), struck=(("m1", 1),))

    assert ("at_once" in names(found)) is is_harm


@pytest.mark.parametrize(("at", "is_harm"), [(1.2, False), (2.5, True)])
def test_a_handler_that_goes_on_to_work_after_its_delete_was_not_done_by_then(at: float, *, is_harm: bool) -> None:
    story = Story().sent("m1").tried("m1", 1, ok=False).deleted("m1", 2)
    call = {"function": "processor", "operation": "PutItem", "resource": "bills", "request_id": "i1", "ts": T0 + at}

    found = row(story, LOST_AFTER, struck=(("m1", 1),), calls=[call])

    assert ("deleted_unfinished" in names(found)) is is_harm


@pytest.mark.parametrize(("fault", "is_harm"), [(ONCE, False), (POISON, True)])
def test_a_retry_is_too_early_only_where_the_code_could_set_its_time(fault: Fault, *, is_harm: bool) -> None:
    found = row(retried(), fault, struck=(("m1", 1),), promise=Promise(backoff_s=(60.0,)))

    assert ("early" in names(found)) is is_harm


def test_a_message_that_a_fault_named_in_a_group_does_not_accuse_the_handler() -> None:
    named = Fault(kind=Kind.NAMED, name="named")
    story = Story(queue=FIFO).sent("m1", group_id="g").sent("m2", 0.1, group_id="g")
    story.received("m1", 1).received("m2", 1).invoked("m1", "m2", at=1, failed=["m1"], named_ids=["m1"])
    story.deleted("m2", 2).back("m1", 31).tried("m1", 31).deleted("m1", 32)
    fifo = replace(PIPELINE, queues=(Queue(role="tasks", name="tasks.fifo", fifo=True), *PIPELINE.queues[1:]))

    def of(fault: Fault) -> set[str]:
        return names(row(story, fault, struck=(("m1", 1),), topology=fifo))

    assert ("gone_on_after_a_failure" in of(named), "gone_on_after_a_failure" in of(POISON)) == (False, True)


def test_what_is_taken_along_costs_and_is_no_handlers_doing() -> None:
    mate = replace(ONCE, keys=("m1",))
    story = Story().sent("m1").sent("m2").received("m1", 1).received("m2", 1)
    story.invoked("m1", "m2", at=1, outcome="error", reports_failures=True)
    for one in ("m1", "m2"):
        story.back(one, 31).tried(one, 31).deleted(one, 32)

    found = row(story, mate, struck=(("m1", 1),))

    assert (found.outcome, names(found)) == (Outcome.DEGRADED, {"taken_along"})


def test_a_message_that_nothing_struck_and_that_waits_long_is_held_up() -> None:
    story = retried().sent("m2").tried("m2", 39).deleted("m2", 40)
    fault = replace(ONCE, keys=("m1",))

    assert "held_up" in names(row(story, fault, struck=(("m1", 1),), usual=Usual(slowest_s=5.0)))
    assert "held_up" not in names(row(story, fault, struck=(("m1", 1),), usual=Usual(slowest_s=20.0)))


def test_gaps_in_the_record_leave_a_row_unknown() -> None:
    found = row(retried(), ONCE, struck=(("m1", 1),), gaps=["2 rows are missing"])

    assert (found.outcome, found.why_unknown) == (Outcome.UNKNOWN, "of the record 2 rows are missing")


def _twice(**second: Any) -> list[dict[str, Any]]:
    call = {
        "function": "processor",
        "operation": "UpdateItem",
        "resource": "totals",
        "item_key": '{"id": "1"}',
        "update": "ADD n :one",
    }
    return [{**call, "request_id": "i1"}, {**call, "request_id": "i2", **second}]


@pytest.mark.parametrize(
    "update",
    [
        "ADD n :one",
        "SET n = n + :one",
        "SET n = if_not_exists(n, :zero) + :one",
        "SET attempts = attempts + :one ADD n :one",
        "SET attempts = attempts + :one, n = n + :one",
    ],
)
def test_an_update_that_adds_in_both_attempts_is_an_effect_twice(update: str) -> None:
    calls = [{**one, "update": update} for one in _twice()]

    (found,) = doubled(facts(retried(), calls=calls).flow)

    assert found.message_id == "m1"
    assert "dynamodb:UpdateItem" in found.what


@pytest.mark.parametrize(
    "second",
    [
        {"error_code": "ConditionalCheckFailedException"},
        {"update": "SET n = :one"},
        {"item_key": '{"id": "2"}'},
        {"operation": "PutItem", "update": None},
        {"update": "SET #status = :p, attempts = attempts + :one, history = list_append(history, :s) REMOVE notBefore"},
        {"update": "ADD attempts :one"},
    ],
)
def test_what_was_refused_or_changes_nothing_the_second_time_is_none(second: dict[str, Any]) -> None:
    assert doubled(facts(retried(), calls=_twice(**second)).flow) == ()


def test_where_the_owner_names_the_effects_none_is_guessed() -> None:
    named = row(retried(), ONCE, struck=(("m1", 1),), calls=_twice(), effects=["dynamodb:PutItem bills"])
    unnamed = row(retried(), ONCE, struck=(("m1", 1),), calls=_twice())

    assert ("effect_twice" in names(named), "effect_twice" in names(unnamed)) == (False, True)


LOST = {"fault": "lost", "kind": "call-answer-lost", "service": "dynamodb", "resource": "totals", "message_id": "m1"}


@pytest.mark.parametrize(("update", "twice"), [("ADD n :one", True), ("SET n = :one", False)])
def test_a_call_that_is_made_again_when_its_answer_was_lost_is_an_effect_twice(update: str, *, twice: bool) -> None:
    calls = [{**one, "request_id": "i1", "update": update} for one in _twice()]
    calls[0]["fault"] = "lost"
    strikes = [{**LOST, "operation": "UpdateItem", "request_id": "i1", "function": "processor"}]
    story = Story().sent("m1").tried("m1", 1).deleted("m1", 2)

    found = doubled(facts(story, calls=calls, faults=strikes).flow)

    assert [one.message_id for one in found] == (["m1"] if twice else [])


@pytest.mark.parametrize(("second", "twice"), [("b-1", True), ("b-2", False)])
def test_a_message_that_is_sent_again_when_the_answer_was_lost_is_an_effect_twice(second: str, *, twice: bool) -> None:
    by: dict[str, Any] = {"actor_kind": "invocation", "actor": "api", "request_id": "a1"}
    call = {"function": "api", "service": "sqs", "operation": "SendMessage", "resource": "tasks", "request_id": "a1"}
    strikes = [{**LOST, **call, "message_id": None, "task_key": "t-1-00000001"}]
    story = Story().sent("m1", body_sha256="b-1", **by).sent("m2", body_sha256=second, **by)

    found = doubled(facts(story, calls=[{**call, "fault": "lost"}, call], faults=strikes).flow)

    assert [one.message_id for one in found] == (["t-1-00000001"] if twice else [])


def test_a_message_sent_on_by_both_attempts_is_an_effect_twice() -> None:
    story = retried()
    for number in (1, 2):
        by = {"actor_kind": "invocation", "actor": "processor", "request_id": f"i{number}", "parent_ids": ["m1"]}
        story.sent(f"c{number}", number * 30, queue=NEXT, **by)

    found = doubled(facts(story, topology=PIPELINE).flow)

    assert [(one.message_id, "next" in one.what) for one in found] == [("m1", True)]


def test_what_the_load_before_left_behind_is_not_of_this_row() -> None:
    story = Story().sent("old", 0).sent("new", 10).tried("old", 11).tried("new", 12)
    story.sent("child", 13, parent_ids=["old"]).deleted("old", 14).deleted("new", 15)
    whole = evidence(story).recording
    assert whole is not None

    own = since(whole, T0 + 5)

    assert set(own.messages["message_id"].to_pylist()) == {"new"}
    assert own.invocations["message_ids"].to_pylist() == [["new"]]


def test_no_set_of_a_check_that_tells_of_something_wrong_is_forgotten() -> None:
    known = {(check, name) for some in (BREAKS, COSTS, NO_HARMS) for check, names in some.items() for name in names}
    told = {
        (checker.name, one.name)
        for checker in MESSAGE_CHECKS.values()
        for one in checker.sets
        if one.kind in {SetKind.VIOLATION, SetKind.OPEN, SetKind.REPORTED}
    }
    declared = {(checker.name, one.name) for checker in MESSAGE_CHECKS.values() for one in checker.sets}

    assert told - known == set()
    assert known - declared == set()
    assert all(reason for names in NO_HARMS.values() for reason in names.values())


def test_every_harm_has_a_remedy_and_rules_are_those_that_there_are() -> None:
    by_checks = [name for sets in (*BREAKS.values(), *COSTS.values()) for name in sets]
    unheard = advice("never heard of")
    for name in (
        *by_checks,
        "effect_twice",
        "sent_twice",
        "buried_wrongly",
        "buried_perhaps",
        "taken_along",
        "held_up",
        "never_made_again",
    ):
        assert advice(name) != unheard, name
    assert advice("named_in_vain").rule == "silent-loss"

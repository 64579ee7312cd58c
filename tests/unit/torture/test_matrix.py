"""The rows of a matrix follow from what a pipeline consists of."""

from dataclasses import replace
from typing import Any

import pytest

from dlqlab.contracts.injection import KINDS, Case, Kind, Place, Plan, strikes
from dlqlab.contracts.topology import Consumer, Entry, EntryKind, Function, Queue, Topology
from dlqlab.torture.matrix import Matrix, Row, Target, matrix

PIPELINE = Topology(
    name="orders",
    entries=(Entry(kind=EntryKind.HTTP, name="POST /orders", function="api"),),
    queues=(
        Queue(role="orders", name="orders", dead_letters="dead", max_receive_count=3),
        Queue(role="bills", name="bills", dead_letters="dead", max_receive_count=3),
        Queue(role="dead", name="dead"),
    ),
    functions=(
        Function(role="api", name="api", timeout_s=3),
        Function(role="count", name="count", timeout_s=3),
        Function(role="bill", name="bill", timeout_s=60),
    ),
    consumers=(
        Consumer(queue="orders", function="count", response_types=("ReportBatchItemFailures",)),
        Consumer(queue="bills", function="bill"),
    ),
)
CALLS = (
    Target("count", "dynamodb:UpdateItem", "totals", 50),
    Target("count", "dynamodb:GetItem", "totals", 50),
    Target("api", "sqs:SendMessage", "orders", 50),
)


def rows(found: Matrix) -> dict[str, Row]:
    return {row.name: row for row in found.rows}


def test_a_matrix_has_some_twenty_rows_and_each_is_a_plan() -> None:
    found = matrix(PIPELINE, CALLS)

    assert 18 <= len(found.rows) <= 30
    assert len({row.name for row in found.rows}) == len(found.rows)
    for row in found.rows:
        assert Plan(faults=row.faults).faults


def test_every_kind_of_function_fault_strikes_the_functions_with_a_mapping_and_not_the_entry() -> None:
    found = rows(matrix(PIPELINE, CALLS))

    assert {fault.function for fault in found["error"].faults} == {"count", "bill"}
    assert {fault.function for fault in found["entry-answer-lost"].faults} == {"api"}


def test_the_outage_comes_once_work_is_under_way_and_where_nobody_works_there_is_none() -> None:
    (fault,) = rows(matrix(PIPELINE))["outage"].faults

    assert (fault.kind, fault.after_queue) == (Kind.OUTAGE, "orders")
    assert fault.from_s > 0
    assert "outage" not in rows(matrix(replace(PIPELINE, consumers=())))


def test_an_answer_is_malformed_only_where_the_mapping_reads_it() -> None:
    assert {fault.function for fault in rows(matrix(PIPELINE))["malformed"].faults} == {"count"}


def test_a_stall_is_longer_than_the_timeout_and_left_out_where_it_would_take_minutes() -> None:
    found = matrix(PIPELINE)

    (stall,) = rows(found)["stall"].faults
    assert (stall.function, stall.seconds > 3) == ("count", True)
    assert any("bill" in text for text in found.left_out)


def test_slow_work_ends_before_its_timeout() -> None:
    (slow,) = rows(matrix(PIPELINE))["slow"].faults

    assert (slow.kind, slow.function, 2 < slow.seconds < 3) == (Kind.STALL, "count", True)


def test_a_message_is_named_where_it_is_asked_for_or_the_function_names_messages_by_itself() -> None:
    def named(**more: Any) -> set[str]:
        return {fault.function for fault in rows(matrix(PIPELINE, **more))["named"].faults}

    assert named() == {"count"}
    assert named(naming={"bill"}) == {"count", "bill"}


def test_no_single_message_of_a_fifo_queue_is_named() -> None:
    queues = tuple(replace(one, fifo=one.role == "orders") for one in PIPELINE.queues)

    assert "named" not in rows(matrix(replace(PIPELINE, queues=queues)))


@pytest.mark.parametrize("name", ["error-always", "call-denied-always", "throttle-spell"])
def test_what_strikes_a_task_at_several_receives_strikes_it_at_each_of_them(name: str) -> None:
    receives = (1, 2, 3)
    cases = [[Case(key=f"t-1-{n:08d}", receive_count=count, nth=1) for count in receives] for n in range(200)]

    for fault in rows(matrix(PIPELINE, CALLS))[name].faults:
        struck = [[strikes(fault, case, 7) for case in some] for some in cases]
        assert {len(set(some)) for some in struck} == {1}
        assert 5 < sum(all(some) for some in struck) < 60


def test_in_groups_calls_are_refused_while_messages_gather_behind_a_slow_one() -> None:
    queues = tuple(replace(one, fifo=one.role == "orders") for one in PIPELINE.queues)
    kinds = {fault.kind for fault in rows(matrix(replace(PIPELINE, queues=queues), CALLS))["call-denied+slow"].faults}

    assert kinds == {Kind.CALL_DENIED, Kind.STALL}
    assert "call-denied+slow" not in rows(matrix(PIPELINE, CALLS))


def test_calls_are_refused_at_every_receive_only_where_there_are_receives() -> None:
    assert {one.function for one in rows(matrix(PIPELINE, CALLS))["call-denied-always"].faults} == {"count"}


def test_calls_are_struck_where_they_were_seen_and_answers_lost_only_of_those_that_change_something() -> None:
    found = rows(matrix(PIPELINE, CALLS))

    assert {(one.operation, one.resource) for one in found["call-failed"].faults} == {
        ("dynamodb:UpdateItem", "totals"),
        ("dynamodb:GetItem", "totals"),
        ("sqs:SendMessage", "orders"),
    }
    assert {one.operation for one in found["call-answer-lost"].faults} == {"dynamodb:UpdateItem", "sqs:SendMessage"}


def test_without_calls_their_rows_are_left_out_with_a_word() -> None:
    found = matrix(PIPELINE)

    assert not any(fault.place is Place.CALL for row in found.rows for fault in row.faults)
    assert any(text.startswith("calls") for text in found.left_out)


def test_only_queues_that_functions_work_on_are_struck_and_fifo_queues_not_by_what_they_do_not_have() -> None:
    queues = tuple(replace(one, fifo=one.role == "bills") for one in PIPELINE.queues)
    found = matrix(replace(PIPELINE, queues=queues))

    assert {one.queue for one in rows(found)["duplicate"].faults} == {"orders"}
    assert {one.queue for one in rows(found)["delete-dropped"].faults} == {"orders", "bills"}
    assert any("FIFO" in text for text in found.left_out)


def test_the_short_matrix_is_a_part_of_the_whole() -> None:
    whole, short = rows(matrix(PIPELINE, CALLS)), rows(matrix(PIPELINE, CALLS, quick=True))

    assert set(short) < set(whole)
    assert {"error", "answer-lost", "kill", "call-denied", "call-denied-always", "delete-dropped", "duplicate"} <= set(
        short
    )


@pytest.mark.parametrize("pair", [row for row in rows(matrix(PIPELINE, CALLS)) if "+" in row])
def test_a_pair_has_the_faults_of_both_rows(pair: str) -> None:
    found = rows(matrix(PIPELINE, CALLS))

    first, second = pair.split("+")
    assert found[pair].faults == (*found[first].faults, *found[second].faults)


def test_what_loses_messages_by_itself_is_no_row() -> None:
    kinds = {fault.kind for row in matrix(PIPELINE, CALLS).rows for fault in row.faults}

    assert Kind.EXPIRED in KINDS
    assert Kind.EXPIRED not in kinds

"""Rates, retry timing, dead letters and series on small histories, where each number can be counted by hand."""

import pandas as pd
import pytest

from dlqlab.analysis.attempts import attempts_table, retries_table
from dlqlab.analysis.checks.dlq_volume import dlq_volume_check
from dlqlab.analysis.checks.effects import effects_check
from dlqlab.analysis.checks.failure_rate import failure_rate_check
from dlqlab.analysis.checks.records import records_check
from dlqlab.analysis.checks.recovery import recovery_check
from dlqlab.analysis.checks.retry_timing import retry_timing_check
from dlqlab.analysis.dead_letters import dead_letter_times
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.lateness import lateness_by_attempt
from dlqlab.analysis.rates import failure_rate_by_attempt, sample
from dlqlab.analysis.series import completions, rate_per_s
from dlqlab.charts.run.latency import completion_latency, submission_latency
from dlqlab.charts.run.queue_depths import depths
from dlqlab.charts.run.throughput import rates
from dlqlab.contracts.evidence import RunEvidence
from dlqlab.contracts.scenario import Judge, Load, Scenario
from dlqlab.contracts.verdict import Status
from taskrules.faults import FaultMode, FaultPlan
from tests.support.histories import simulate
from tests.support.rows import (
    ALWAYS_FAILS,
    T0,
    acked,
    completed,
    depth,
    empty_queues,
    event,
    evidence,
    exhausted,
    failed,
    in_flight,
    item,
    junk,
    letter,
    started,
    succeeded,
)
from tests.support.simulation import task_id

ONE, TWO = task_id(1), task_id(2)
UNLUCKY_SEED = 103
"""Its first 300 tasks miss 30 % by more than two standard deviations."""
PROBE = {"n": 20, "median_s": 0.05, "p95_s": 0.2, "backoff_s": 1}


def outcomes(run: RunEvidence) -> list[tuple[int, str]]:
    table = attempts_table(run.table("events"), run.table("tasks"))
    return list(zip(table["attempt"], table["outcome"], strict=True))


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (evidence(completed(1)), [(1, "succeeded")]),
        (evidence(exhausted(1)), [(1, "failed"), (2, "failed"), (3, "failed")]),
        (evidence(started(1), item(1, "PROCESSING")), [(1, "open")]),
        (evidence(started(1), started(1, 2, at=9), item(1, "PROCESSING")), [(1, "died"), (2, "open")]),
        (evidence(started(1), item(1, "FAILED")), [(1, "died")]),
        (evidence(started(1), item(1, "COMPLETED")), [(1, "died_after_effect")]),
        (evidence(started(1), item(1, "QUEUED", generation=2)), [(1, "died")]),
        (evidence(succeeded(1), item(1, "COMPLETED")), [(1, "succeeded")]),
        (evidence(started(1)), [(1, "open")]),
        (evidence(), []),
    ],
)
def test_outcome_of_attempts(run: RunEvidence, expected: list[tuple[int, str]]) -> None:
    """An attempt without a reported end is dead, done or open, as the rest of the evidence says."""
    assert expected == outcomes(run)


def test_retries_are_measured_from_the_failure() -> None:
    """Gap, backoff and lateness of the two retries of a task that fails three times."""
    run = evidence(exhausted(1))
    table = retries_table(attempts_table(run.table("events"), run.table("tasks")))
    numbers = table[["attempt", "backoff_s", "gap_s", "lateness_s"]].astype(float).round(3)

    assert [[2.0, 2.0, 2.1, 0.1], [3.0, 4.0, 4.2, 0.2]] == numbers.to_numpy().tolist()


def test_wait_after_a_death_is_no_retry_gap() -> None:
    """After a time-out the queue's visibility timeout decides, which no event states."""
    run = evidence(started(1), started(1, 2, at=60), failed(1, 2, at=61), started(1, 3, at=66))
    table = retries_table(attempts_table(run.table("events"), run.table("tasks")))

    assert [3] == table["attempt"].tolist()


def test_failure_rate_counts_every_ended_attempt() -> None:
    """Two tasks: one attempt that succeeded, three that failed; the attempt still open counts for nothing."""
    run = evidence(acked(1), completed(1), acked(2), exhausted(2), acked(3), started(3), item(3, "PROCESSING"))
    found = sample(Facts(run))

    assert (3, 4, "attempt") == (found.failures, found.n, found.trial)


def test_failure_rate_by_attempt_number() -> None:
    """Counts and Wilson intervals for each attempt number."""
    table = failure_rate_by_attempt(Facts(evidence(acked(1), completed(1), acked(2), exhausted(2))))

    assert [[1, 1, 2], [2, 1, 1], [3, 1, 1]] == table[["attempt", "failures", "n"]].to_numpy().tolist()
    assert [0.0945, 0.9055] == pytest.approx([table["low"][0], table["high"][0]], abs=1e-4)


def test_scripted_tasks_are_left_out_of_the_rate() -> None:
    """A message ERROR always fails and says nothing about the declared rate."""
    run = evidence(
        acked(1), completed(1), acked(2, payload='"ERROR"'), *[exhausted(2)[:-1]], item(2, "FAILED", payload='"ERROR"')
    )
    check = failure_rate_check(Facts(run))

    assert (1, 1) == (check.n, check.details["excluded_tasks"])
    assert check.statement.endswith("1 scripted task left out")


def test_sticky_faults_count_tasks() -> None:
    """One draw decides a task, so its three attempts are one trial."""
    sticky = Scenario(name="sticky", faults=FaultPlan(mode=FaultMode.PER_TASK))
    found = sample(Facts(evidence(acked(1), completed(1), acked(2), exhausted(2), scenario=sticky)))

    assert (1, 2, "task") == (found.failures, found.n, found.trial)


def test_luck_of_the_seed_is_named_and_valid() -> None:
    """A seed whose own draws leave 30 % out of the interval is no fault of an app that follows them to the letter."""
    scenario = Scenario(name="x", seed=UNLUCKY_SEED, load=Load(tasks=300), judge=Judge(max_half_width=0.06))
    check = failure_rate_check(Facts(simulate(scenario).evidence()))

    assert check.interval is not None
    assert Status.VALID is check.status
    assert not check.interval[0] <= 0.3 <= check.interval[1]
    assert f"outside by the luck of seed {UNLUCKY_SEED}" in check.statement


def test_no_retry_seen_is_unknown_where_one_was_due() -> None:
    """Retries were predicted and none is in the log."""
    check = retry_timing_check(Facts(evidence(acked(1), in_flight(1), scenario=ALWAYS_FAILS)))

    assert (Status.UNKNOWN, "no retry was observed, 2 were predicted") == (check.status, check.statement)


def test_no_retry_due_is_valid() -> None:
    """A fault-free run has no retry to be late."""
    check = retry_timing_check(Facts(evidence(acked(1), completed(1))))

    assert (Status.VALID, "no retry was due and none happened") == (check.status, check.statement)


@pytest.mark.parametrize(
    ("probe", "part"),
    [
        (PROBE, "of which 50 ms is the emulator's"),
        ({**PROBE, "median_s": 9.0}, "of which 0.15 s is the emulator's"),
        (None, "the emulator's own lateness was not measured"),
    ],
)
def test_lateness_is_split(probe: dict[str, float] | None, part: str) -> None:
    """The emulator's share is its probed median, and never more than there is."""
    check = retry_timing_check(Facts(evidence(acked(1), exhausted(1), scenario=ALWAYS_FAILS, retry_probe=probe)))

    assert f"no retry early; late by 0.15 s at the median (n = 2), {part}" == check.statement


def test_late_median_is_invalid() -> None:
    """The scenario bounds the median lateness."""
    strict = Scenario(name="x", faults=FaultPlan(failure_rate=1.0), judge=Judge(max_median_lateness_s=0.1))
    check = retry_timing_check(Facts(evidence(acked(1), exhausted(1), scenario=strict)))

    assert Status.INVALID is check.status


def test_early_retry_is_named() -> None:
    """The statement has the task and by how much it was early."""
    check = retry_timing_check(Facts(evidence(acked(1), exhausted(1, early_s=0.6), scenario=ALWAYS_FAILS)))

    assert (
        f"1 retry early of 2: {ONE} (the earliest started 1.500 s after the failure, 2 s were asked for)"
    ) == check.statement


def test_other_copy_of_a_declared_duplicate_is_not_early() -> None:
    """The second message of a duplicate carries no backoff; an undeclared one is judged like any other."""
    declared = Scenario(name="x", faults=FaultPlan(failure_rate=1.0, duplicate_rate=1.0))
    rows = (*acked(1), *started(1), *failed(1, at=0.2), *started(1, 2, at=0.5, message_id="m1b"))
    statuses = [
        retry_timing_check(Facts(evidence(rows, scenario=scenario))).status for scenario in (declared, ALWAYS_FAILS)
    ]

    assert [Status.UNKNOWN, Status.INVALID] == statuses


def test_lateness_by_attempt() -> None:
    """One row for each attempt number."""
    table = lateness_by_attempt(Facts(evidence(acked(1), exhausted(1))))

    assert [[2, 1, 2.0, 0.1], [3, 1, 4.0, 0.2]] == table[["attempt", "n", "backoff_s", "p50_s"]].round(
        3
    ).to_numpy().tolist()


def test_dlq_volume_outside_its_band_is_invalid() -> None:
    """Every task dead-lettered where none should be."""
    check = dlq_volume_check(Facts(evidence(acked(1), exhausted(1))))

    assert (Status.INVALID, [0, 0], 1.0) == (check.status, check.details["band"], check.measured)


def test_dlq_volume_of_an_open_run_is_unknown() -> None:
    """Tasks without an end may still be dead-lettered."""
    check = dlq_volume_check(Facts(evidence(acked(1), completed(1), acked(2), in_flight(2))))

    assert Status.UNKNOWN is check.status


def test_time_to_the_dead_letter_queue() -> None:
    """From acceptance, and from the end of the last attempt."""
    run = evidence(acked(1), exhausted(1)[:-2], letter(1, first_ts=T0, last_ts=T0 + 6.7), item(1, "FAILED"))
    times = dead_letter_times(Facts(run))

    assert [9.0, 2.3] == pytest.approx([times["age_s"][0], times["move_s"][0]])


RECORDS = {
    "without_log_line": evidence(acked(1), item(1, "FAILED"), scenario=ALWAYS_FAILS),
    "without_payload": evidence(acked(1), letter(1, payload=" "), item(1, "FAILED"), scenario=ALWAYS_FAILS),
    "without_error_message": evidence(
        acked(1), letter(1, error_message=None), item(1, "FAILED"), scenario=ALWAYS_FAILS
    ),
    "without_archive": evidence(acked(1), letter(1), item(1, "FAILED", archived=False), scenario=ALWAYS_FAILS),
}


@pytest.mark.parametrize("missing", RECORDS)
def test_missing_record_is_invalid_and_named(missing: str) -> None:
    """Each record that a dead letter lacks fills its own set and no other."""
    check = records_check(Facts(RECORDS[missing]))

    assert (Status.INVALID, {missing: (ONE,)}) == (check.status, {k: v for k, v in check.members.items() if v})


def test_junk_that_is_not_archived_is_invalid() -> None:
    """Five bodies were written to the queue, one is in the archive."""
    scenario = Scenario(name="x", faults=FaultPlan(failure_rate=0.0), load=Load(junk_messages=5))
    check = records_check(Facts(evidence(acked(1), completed(1), junk(1), scenario=scenario)))

    assert (Status.INVALID, "0 dead letters, but 1 of 5 junk messages archived") == (check.status, check.statement)


@pytest.mark.parametrize(
    ("run", "status", "members"),
    [
        (evidence(acked(1), completed(1)), Status.VALID, {}),
        (evidence(acked(1), item(1, "COMPLETED", effects=3)), Status.INVALID, {"doubled": (ONE,)}),
        (evidence(acked(1), item(1, "COMPLETED", effects=0)), Status.INVALID, {"missing": (ONE,)}),
        (evidence(acked(1), item(1, "FAILED", effects=1)), Status.INVALID, {"despite_failure": (ONE,)}),
        (evidence(acked(1), item(1, "RETRYING")), Status.UNKNOWN, {}),
        (evidence(), Status.UNKNOWN, {}),
    ],
)
def test_effects(run: RunEvidence, status: Status, members: dict[str, tuple[str, ...]]) -> None:
    """Once for a completed task, never for a failed one."""
    check = effects_check(Facts(run))

    assert (status, members) == (check.status, {k: v for k, v in check.members.items() if v})


def test_recovery_of_an_undrained_run_is_unknown() -> None:
    """What is left is said."""
    run = evidence(acked(1), completed(1), empty_queues(0, 3), depth("tasks", 5, visible=2, hidden=1), drained=False)
    check = recovery_check(Facts(run))

    assert (Status.UNKNOWN, "the backlog had not drained 120 s after the load: 3 messages left") == (
        check.status,
        check.statement,
    )


@pytest.mark.parametrize(
    ("after", "status", "returned", "said"),
    [
        ({"api_ms": 200.0, "processor_ms": 5.0}, Status.VALID, True, "latency returned to its baseline: the API"),
        ({"api_ms": 290.0, "processor_ms": 5.0}, Status.INVALID, False, "latency did not return to its baseline"),
        (
            {"api_ms": 10.0, "processor_ms": 900.0},
            Status.INVALID,
            False,
            "returns in 900.0 ms (before the load 5.0 ms)",
        ),
        (None, Status.VALID, None, "is not known: no traffic after the load was measured"),
    ],
)
def test_recovery_needs_latency_to_return(
    after: dict[str, float] | None, status: Status, returned: bool | None, said: str
) -> None:
    """A pipeline at rest that is over three times slower than before the load, plus 0.25 s, has not recovered."""
    probes = {"before": {"api_ms": 10.0, "processor_ms": 5.0}} | ({"after": after} if after else {})
    check = recovery_check(Facts(evidence(acked(1), completed(1), latency_probe=probes)))

    assert (status, returned) == (check.status, check.details["latency_returned"])
    assert said in check.statement


def test_throughput_has_zeros_for_quiet_seconds() -> None:
    """Two completions with a quiet second between them."""
    run = evidence(acked(1), completed(1), acked(2), started(2, at=2.1), succeeded(2, at=2.2), item(2, "COMPLETED"))
    table = rates(Facts(run))

    assert [[0.0, 1.0], [1.0, 0.0], [2.0, 1.0]] == table[["t_s", "completed_per_s"]].to_numpy().tolist()


def test_rate_is_that_of_the_whole_load() -> None:
    """Two tasks completed in a load of 2.5 s are 0.8 a second, however many steps a chart makes of it."""
    run = evidence(acked(1), completed(1), acked(2), completed(2), load_started_ts=T0, load_ended_ts=T0 + 2.5)

    assert 0.8 == rate_per_s(Facts(run), "attempt.succeeded")


def test_completions_run_from_the_first_request() -> None:
    """Latency is from sending to the reported success, by the attempt that made it."""
    run = evidence(acked(1, at=0.0), acked(1, at=1.0), started(1, 2, at=3), succeeded(1, 2, at=4), item(1, "COMPLETED"))
    table = completions(Facts(run))

    assert [[2, 4.0]] == table[["attempts", "latency_s"]].astype(float).to_numpy().tolist()
    assert [[0.0, 1, 4.0, 4.0]] == completion_latency(Facts(run)).to_numpy().tolist()


@pytest.mark.parametrize("series", [rates, completions, completion_latency, submission_latency, depths])
def test_series_of_nothing_are_empty_tables(series: object) -> None:
    """No data gives the columns without rows."""
    assert callable(series)
    table = series(Facts(evidence()))

    assert isinstance(table, pd.DataFrame)
    assert (0, True) == (len(table), len(table.columns) > 0)


def test_queue_depths_count_from_the_load() -> None:
    """Time zero is the start of the load."""
    table = depths(Facts(evidence(depth("tasks", 2, visible=3))))

    assert [[2.0, "tasks", 3, 0, 0]] == table.to_numpy().tolist()


def test_event_without_a_task_is_no_attempt() -> None:
    """A skipped junk message belongs to no task."""
    assert [] == outcomes(evidence(event("attempt.skipped", None, attempt=None)))

"""The circuit breaker: while the dependency is down nothing is burnt, and nothing is dead-lettered for it."""

import json
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from chalicelib.breaker import (
    Breaker,
    BreakerRecord,
    BreakerState,
    BreakerStore,
)
from chalicelib.dynamo_breaker import DynamoBreakerStore
from moto import mock_aws

from taskrules.breaker import CACHE_S, TRIAL_LEASE_S, WAIT_MIN_S, BreakerPolicy
from taskrules.events import Context
from taskrules.store import StoreError
from taskrules.tasks import Status
from taskrules.telemetry import Telemetry
from tests.functional.app.fakes import Clock, MemoryBreakerStore
from tests.functional.app.world import World

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
POLICY = BreakerPolicy(failure_ratio=0.5, window_s=10, min_calls=4, cool_down_s=10)
BREAKER = {"BREAKER_TABLE": "breakers", "BREAKER": json.dumps({"min_calls": 4, "cool_down_s": 10})}
NOW = 1_700_000_000.0


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    """A DynamoDB in this process with the breakers' table."""
    with mock_aws():
        session = botocore.session.get_session()
        session.set_credentials("test", "test")
        client: Any = session.create_client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName="breakers",
            KeySchema=[{"AttributeName": "breakerId", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "breakerId", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> BreakerStore:
    """Each keeper of the state in turn: they must do the same."""
    if request.param == "memory":
        return MemoryBreakerStore()
    return DynamoBreakerStore(request.getfixturevalue("dynamodb"), "breakers")


class Bench:
    """Breakers of several environments around one dependency, on a clock of the test's."""

    def __init__(self, store: BreakerStore) -> None:
        self.store = store
        self.clock = Clock(NOW)
        self.is_up = True
        self.trials = 0
        self.lines: list[str] = []
        self.log = Telemetry(context=Context(), clock=self.clock, write=self.lines.append)

    def breaker(self) -> Breaker:
        return Breaker(policy=POLICY, store=self.store, is_up=self.trial, clock=self.clock)

    def trial(self) -> bool:
        self.trials += 1
        return self.is_up

    def fail(self, breaker: Breaker, times: int = 4) -> None:
        for _ in range(times):
            breaker.record(self.log, is_failure=True)

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.lines if line.startswith("{")]


def test_record_counts_within_a_window_and_starts_anew_in_the_next(store: BreakerStore) -> None:
    """Calls and failures add up in one window; the first call of the next one begins at 1."""
    counts = [store.count(window=window, is_failure=bad) for window, bad in ((5, True), (5, False), (6, True))]

    assert [(1, 1), (2, 1), (1, 1)] == [(record.calls, record.failures) for record in counts]
    assert BreakerRecord(window=6, calls=1, failures=1) == store.read()


def test_only_the_first_of_two_moves_happens(store: BreakerStore) -> None:
    """A transition starts from the state as it was seen; counts are gone after it."""
    seen = store.count(window=5, is_failure=True)
    moves = [store.move(seen, OPEN, now=NOW), store.move(seen, OPEN, now=NOW + 1)]
    opened = store.read()
    uncounted = store.count(window=5, is_failure=True)
    closing = [store.move(opened, HALF_OPEN, now=NOW + 2), store.move(store.read(), CLOSED, now=NOW + 3)]
    counted = store.count(window=5, is_failure=False)

    assert ([True, False], BreakerRecord(state=OPEN, since_ts=NOW)) == (moves, opened)
    assert (opened, [True, True]) == (uncounted, closing)
    assert (CLOSED, NOW + 3, 1, 0) == (counted.state, counted.since_ts, counted.calls, counted.failures)


def test_missing_table_is_a_store_error(dynamodb: Any) -> None:
    """Any refusal but the condition's is an error of the store."""
    store = DynamoBreakerStore(dynamodb, "no-such-table")
    for call in (store.read, lambda: store.count(window=1, is_failure=True)):
        with pytest.raises(StoreError, match="no-such-table"):
            call()


def test_opens_at_the_ratio_and_not_before_enough_calls(store: BreakerStore) -> None:
    """Three failures are too few calls; half of four are enough; it is logged once."""
    bench = Bench(store)
    breaker = bench.breaker()
    bench.fail(breaker, 2)
    breaker.record(bench.log, is_failure=False)
    early = breaker.wait_s("t", bench.log)
    breaker.record(bench.log, is_failure=False)

    assert early is None
    assert (OPEN, ["breaker.opened"]) == (store.read().state, bench.events())


def test_failures_below_the_ratio_leave_it_closed(store: BreakerStore) -> None:
    """A failure rate under the ratio, however long it lasts, opens nothing."""
    bench = Bench(store)
    breaker = bench.breaker()
    for number in range(60):
        breaker.record(bench.log, is_failure=number % 4 == 1)
        bench.clock.pass_s(0.5)

    assert ([], None) == (bench.events(), breaker.wait_s("t", bench.log))


def test_other_environments_learn_of_it_within_the_cache(store: BreakerStore) -> None:
    """One that has just looked believes it for a moment, then waits like the one that opened it."""
    bench = Bench(store)
    first, second = bench.breaker(), bench.breaker()
    before = second.wait_s("t", bench.log)
    bench.fail(first)
    bench.clock.pass_s(CACHE_S + 0.1)
    waits = [breaker.wait_s("t", bench.log) for breaker in (first, second)]

    assert before is None
    assert all(wait is not None and 9 <= wait <= 15 for wait in waits)


def test_waits_are_spread_and_never_shorter_than_the_clocks_grace(store: BreakerStore) -> None:
    """Tasks that are put off together come back over half a cool-down, none at once."""
    bench = Bench(store)
    breaker = bench.breaker()
    bench.fail(breaker)
    waits = {breaker.wait_s(f"t{number}", bench.log) for number in range(100)}
    bench.clock.pass_s(9.9)
    late = {breaker.wait_s(f"t{number}", bench.log) for number in range(100)}

    assert {10, 11, 12, 13, 14, 15} == waits | {10}
    assert WAIT_MIN_S == min(wait or 0 for wait in late)


def test_cool_down_ends_in_one_trial_that_closes_it(store: BreakerStore) -> None:
    """After the cool-down one environment tries the dependency; if it is up again, work goes on."""
    bench = Bench(store)
    breakers = [bench.breaker() for _ in range(3)]
    bench.fail(breakers[0])
    bench.clock.pass_s(10.5)
    waits = [breaker.wait_s("t", bench.log) for breaker in breakers]

    assert ([None] * 3, 1) == (waits, bench.trials)
    assert ["breaker.opened", "breaker.half_opened", "breaker.closed"] == bench.events()


def test_failed_trial_opens_it_for_another_cool_down(store: BreakerStore) -> None:
    """As long as the dependency is down there is one trial in each cool-down."""
    bench = Bench(store)
    bench.is_up = False
    breakers = [bench.breaker() for _ in range(3)]
    bench.fail(breakers[0])
    waits = []
    for _ in range(10):
        bench.clock.pass_s(5.1)
        waits += [breaker.wait_s("t", bench.log) for breaker in breakers]

    assert None not in waits
    assert 5 == bench.trials


def test_trial_whose_function_died_is_made_by_another(store: BreakerStore) -> None:
    """Half-open is not for ever: the next environment tries when the lease of the trial is over."""
    bench = Bench(store)
    breaker = bench.breaker()
    bench.fail(breaker)
    assert store.move(store.read(), HALF_OPEN, now=NOW + 10)
    bench.clock.pass_s(12)
    waiting = breaker.wait_s("t", bench.log)
    bench.clock.pass_s(TRIAL_LEASE_S)
    done = breaker.wait_s("t", bench.log)

    assert (True, None) == (waiting is not None and waiting >= WAIT_MIN_S, done)
    assert CLOSED is store.read().state


def test_breaker_without_its_table_lets_work_through() -> None:
    """A table that does not answer stops nothing, and the log says so."""
    store = MemoryBreakerStore()
    store.is_broken = True
    bench = Bench(store)
    breaker = bench.breaker()
    bench.fail(breaker, 1)

    assert breaker.wait_s("t", bench.log) is None
    assert ["breaker not told", "breaker not asked"] == [line.split(":")[0] for line in bench.lines]


@pytest.mark.parametrize("outage_s", [15, 90, 1200])
def test_no_task_is_dead_lettered_for_an_outage(outage_s: int) -> None:
    """However long the dependency is down, every task completes; only those that found it out lost an attempt."""
    start = NOW + 5
    world = World(
        faults={"mode": "none", "outage_start_s": 5, "outage_duration_s": outage_s},
        env=BREAKER | {"RUN_STARTED_TS": str(NOW)},
    )
    for second in range(40):
        world.submit({"taskId": f"t{second}", "payload": {}})
        world.process(1)
        world.clock.pass_s(0.5)
    world.drain(steps=3000, step_s=0.5)
    tasks = world.store.tasks.values()
    burnt = [event for event in world.events("attempt.failed") if event["errorType"] == "DependencyUnavailable"]

    assert [Status.COMPLETED] * 40 == [task.status for task in tasks]
    # 10 calls succeed in the first window before the outage, so as many must fail until it opens.
    assert (True, True) == (4 <= len(burnt) <= 14, all(event["ts"] <= start + 10 for event in burnt))
    assert [] == world.events("task.dead_lettered")
    assert ("breaker.opened", "breaker.closed") == (world.names_of("breaker")[0], world.names_of("breaker")[-1])
    assert all(event["receiveCount"] <= 3 for event in world.events("attempt.started", "attempt.skipped"))


def test_without_a_breaker_the_outage_fills_the_dead_letter_queue() -> None:
    """The control: the same outage without a breaker dead-letters what was due in it."""
    world = World(
        faults={"mode": "none", "outage_start_s": 0, "outage_duration_s": 90}, env={"RUN_STARTED_TS": str(NOW)}
    )
    for number in range(5):
        world.submit({"taskId": f"t{number}", "payload": {}})
    world.drain()

    assert [Status.FAILED] * 5 == [task.status for task in world.store.tasks.values()]


def test_breaker_that_is_switched_off_is_never_asked(world: World) -> None:
    """By default no call more is made for a task."""
    world.submit({"taskId": "t", "payload": {}})
    world.process()

    assert (None, 0) == (world.breaker, world.breaker_store.calls)


def test_permanent_errors_do_not_open_it() -> None:
    """The dependency answered: it is the task that is at fault."""
    world = World(faults={"failure_rate": 0.0, "permanent_rate": 1.0}, env=BREAKER)
    for number in range(8):
        world.submit({"taskId": f"t{number}", "payload": {}})
    world.drain()

    assert [] == world.breaker_store.moves


@pytest.mark.parametrize(
    "policy", [{"failure_ratio": 0}, {"failure_ratio": 1.1}, {"window_s": 0}, {"min_calls": 0}, {"cool_down_s": 451}]
)
def test_unusable_policy_is_refused(policy: dict[str, Any]) -> None:
    """A policy out of its range is an error that names the field."""
    with pytest.raises(ValueError, match=next(iter(policy))):
        BreakerPolicy(**policy)

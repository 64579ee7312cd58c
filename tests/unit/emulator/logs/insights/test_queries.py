"""Started queries: one after the other, each with its own fate."""

import threading
from collections.abc import Callable, Iterable, Iterator

import pytest

from dlqlab.emulator.logs.insights import queries
from dlqlab.emulator.logs.insights.queries import ACTIVE_MAX, Queries, StartedQuery, Status, TooManyQueriesError
from dlqlab.insights import LogLine, compile_query
from dlqlab.waiting import wait_for
from tests.support.queries import lines

COUNT = compile_query("stats count(*) as n", now_s=0)


def wait_until_over(asked: StartedQuery) -> StartedQuery:
    wait_for("query", lambda: (asked.status not in queries.ACTIVE, asked.status), deadline_s=30, interval_s=0.005)
    return asked


class Held:
    """Lines that come once they are let go."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self) -> Iterator[LogLine]:
        self.begun.set()
        assert self.go.wait(30)
        yield from lines("a", "b")


@pytest.fixture
def held() -> Iterator[Held]:
    made = Held()
    yield made
    made.go.set()


def rows(asked: StartedQuery) -> list[dict[str, str]]:
    assert asked.result is not None
    return asked.result.rows


def ask(found: Queries, given: Callable[[], Iterable[LogLine]] = lambda: lines("a")) -> StartedQuery:
    return found.start(COUNT, ("g",), given)


def test_one_query_after_the_other(held: Held) -> None:
    """The second waits for the first; both are answered."""
    found = Queries()
    first = ask(found, held)
    second = ask(found)
    assert held.begun.wait(30)

    assert [Status.SCHEDULED, Status.RUNNING] == [one.status for one in found.all()]
    held.go.set()
    assert [[{"n": "2"}], [{"n": "1"}]] == [rows(wait_until_over(one)) for one in (first, second)]
    assert [Status.COMPLETE] * 2 == [first.status, second.status]


def test_a_stopped_query_has_no_answer(held: Held) -> None:
    """Stopped while it runs or before its turn; an ended one cannot be stopped."""
    found = Queries()
    first, second, third = ask(found, held), ask(found), ask(found)
    assert held.begun.wait(30)

    assert [True, True] == [found.stop(first), found.stop(second)]
    held.go.set()
    wait_until_over(third)
    assert [Status.CANCELLED, Status.CANCELLED, Status.COMPLETE] == [first.status, second.status, third.status]
    assert [None, None] == [first.result, second.result]
    assert not found.stop(third)


def test_a_query_that_breaks_fails_alone(caplog: pytest.LogCaptureFixture) -> None:
    """It says so in the emulator's log; the next one is answered."""

    def broken() -> Iterator[LogLine]:
        yield from lines("a")
        raise OSError("the disk is gone")

    found = Queries()
    failed, fine = ask(found, broken), ask(found)

    assert Status.COMPLETE == wait_until_over(fine).status
    assert Status.FAILED == failed.status
    assert "the disk is gone" in caplog.text


def test_a_query_ends_after_an_hour() -> None:
    """By its own clock, asked between lines."""
    times = iter([0.0, 1.0, queries.TIMEOUT_S + 1])
    asked = ask(Queries(clock=lambda: next(times), sleep=lambda _s: None), lambda: lines(*["a"] * 600))

    assert Status.TIMEOUT == wait_until_over(asked).status
    assert asked.result is None


def test_more_queries_than_may_run_are_refused(held: Held) -> None:
    """Those that wait count; once one is stopped there is room for another."""
    found = Queries()
    waiting = [ask(found, held) for _ in range(ACTIVE_MAX)]

    with pytest.raises(TooManyQueriesError):
        ask(found)
    found.stop(waiting[-1])
    assert Status.SCHEDULED == ask(found).status


def test_old_answers_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest first, when there are too many queries or too many rows; memory stays bounded."""
    monkeypatch.setattr(queries, "KEPT_MAX", 2)
    found = Queries()
    asked = [wait_until_over(ask(found)) for _ in range(4)]

    assert [None, None, asked[2], asked[3]] == [found.get(one.id) for one in asked]
    monkeypatch.setattr(queries, "ROWS_KEPT_MAX", 0)
    last = wait_until_over(ask(found))
    assert [last] == found.all()

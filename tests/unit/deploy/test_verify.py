"""The proof by a task that fails: what tells that its message was kept, and that it touches nothing but its own."""

import dataclasses
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dlqlab import waiting
from dlqlab.contracts.names import probe_prefix
from dlqlab.contracts.scenario import from_dict
from dlqlab.deploy import probe as probes
from dlqlab.deploy import verify
from dlqlab.deploy.target import Target, TargetKind, url_target
from dlqlab.errors import DeployError
from taskrules.tasks import Status, Task

MESSAGE = "m-1"
SCENARIO = from_dict({"name": "s", "seed": 1}, source="tests")


def _task(attempts: int = 1, status: Status = Status.RETRYING, backoff_s: float = 0.0) -> Task:
    return Task(
        task_id="probe-1",
        status=status,
        generation=1,
        attempts=attempts,
        effects=0,
        payload_json='"ERROR"',
        payload_digest="",
        created_ts=0.0,
        updated_ts=0.0,
        not_before_ts=time.time() + backoff_s,
        carrier=MESSAGE,
    )


class ScriptedProbe:
    """A probe whose task and message do as they are told; the last of each list stays. Keeps what was done to it."""

    def __init__(
        self,
        tasks: Iterable[Task | None],
        queued: Iterable[bool | None] = (None,),
        acknowledged: Iterable[bool] = (True,),
    ) -> None:
        self._tasks, self._queued, self._acknowledged = _lasting(tasks), _lasting(queued), _lasting(acknowledged)
        self.done: list[str] = []

    def task(self) -> Task | None:
        return next(self._tasks)

    def is_queued(self, message_id: str) -> bool | None:
        assert message_id == MESSAGE
        return next(self._queued)

    def is_acknowledged(self) -> bool:
        return next(self._acknowledged)

    def end(self) -> bool:
        self.done.append("end")
        return True

    def remove(self) -> None:
        self.done.append("remove")


def _lasting[T](values: Iterable[T]) -> Iterator[T]:
    first, *others = values
    yield first
    yield from others
    while True:
        yield (others or [first])[-1]


class Clock:
    """Time that passes only while somebody waits for it."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the proof and of its waiting loop."""
    clock = Clock()
    monkeypatch.setattr("dlqlab.deploy.verify.time.monotonic", clock.monotonic)

    def wait_for(what: str, probe: Any, *, deadline_s: float, interval_s: float = 0.1) -> Any:
        return waiting.wait_for(
            what, probe, deadline_s=deadline_s, interval_s=interval_s, clock=clock.monotonic, sleep=clock.sleep
        )

    monkeypatch.setattr(verify, "wait_for", wait_for)
    return clock


def _watch(tasks: Iterable[Task | None], queued: Iterable[bool | None] = (None,)) -> None:
    verify._watch_message(ScriptedProbe(tasks, queued), _task())  # type: ignore[arg-type]


def _end(probe: ScriptedProbe, failed: Task, *, wait_for_end: bool = True) -> str:
    return verify._end(probe, failed, wait_for_end=wait_for_end)  # type: ignore[arg-type]


def test_message_that_stays_is_a_proof(clock: Clock) -> None:
    """It is looked for, by its id, for longer than Lambda takes to delete a batch; one missed look is none."""
    _watch([_task()], [True, False, True])

    assert clock.now_s >= verify._SETTLED_S


def test_message_that_goes_while_its_task_waits_was_deleted(clock: Clock) -> None:
    """Messages of others do not stand in for it, and nobody waits for the deadline."""
    with pytest.raises(DeployError, match="does not honour ReportBatchItemFailures"):
        _watch([_task()], [True, True, False, False])
    assert clock.now_s < 1


@pytest.mark.parametrize("later", [_task(2), _task(3, Status.FAILED)])
def test_message_that_has_gone_its_way_is_a_proof(clock: Clock, later: Task) -> None:
    """With a backoff of 0 it may have been delivered again, or dead-lettered, before anybody looked."""
    _watch([later], [True, False, False])

    assert clock.now_s < 1


@pytest.mark.parametrize("last", [_task(2), _task(1, Status.FAILED)])
def test_message_that_comes_back_is_a_proof(clock: Clock, last: Task) -> None:
    """Where nobody can look into a queue: a second attempt, or an end in the DLQ, needs a kept message."""
    _watch([_task(), _task(), _task(), last])

    assert 3.0 == clock.now_s


@pytest.mark.parametrize("backoff_s", [0.0, 600.0])
def test_message_that_never_comes_back_is_named(clock: Clock, backoff_s: float) -> None:
    """A task that stays at its first attempt has lost its message; a long backoff is not taken for that."""
    failed = _task(backoff_s=backoff_s)
    with pytest.raises(DeployError, match="does not honour ReportBatchItemFailures"):
        verify._watch_message(ScriptedProbe([failed]), failed)  # type: ignore[arg-type]
    assert clock.now_s == pytest.approx(verify.AGAIN_DEADLINE_S + backoff_s, abs=5)


def test_task_is_removed_after_its_message(clock: Clock) -> None:
    """Its task ends first, so that the message is acknowledged; the item goes last, or the message would be junk."""
    seen = ScriptedProbe([_task()], [True] * 20 + [False])

    assert "" == _end(seen, _task())
    assert ["end", "remove"] == seen.done
    assert clock.now_s >= 2


def test_task_is_removed_once_the_log_has_its_message(clock: Clock) -> None:
    """Where nobody can look into a queue, the log says that the message was acknowledged."""
    seen = ScriptedProbe([_task()], [None], [False, False, True])

    assert "" == _end(seen, _task())
    assert ["end", "remove"] == seen.done
    assert clock.now_s > 0


@pytest.mark.parametrize("queued", [True, None])
def test_message_that_waits_for_long_keeps_its_task(clock: Clock, queued: bool | None) -> None:
    """Behind a flood of others the deployment does not wait for ever, and does not make the message junk."""
    seen = ScriptedProbe([_task()], [queued], [False])

    assert "leaves the task queue by itself" in _end(seen, _task())
    assert ["end"] == seen.done
    assert clock.now_s <= verify.END_DEADLINE_S + 1


def test_long_backoff_is_not_waited_for(clock: Clock) -> None:
    """With a backoff of minutes the deployment says when the message goes."""
    failed = _task(backoff_s=600)
    seen = ScriptedProbe([failed], [True])

    assert "in 600 s" in _end(seen, failed)
    assert (0.0, ["end"]) == (clock.now_s, seen.done)


def test_run_that_empties_the_queues_does_not_wait(clock: Clock) -> None:
    """A run's reset removes message and task."""
    seen = ScriptedProbe([_task()], [True])

    assert "" == _end(seen, _task(), wait_for_end=False)
    assert 0.0 == clock.now_s


def test_probe_meets_no_fault_but_its_own() -> None:
    """With an API that dies for half of the tasks and doubles the rest, the probe is one that it takes, once."""
    faults = {"api_crash_rate": 0.5, "duplicate_rate": 0.5}
    scenario = from_dict({"name": "s", "seed": 1, "faults": faults}, source="tests")
    ids = [probes.probe_id("run", scenario) for _ in range(50)]
    plan = scenario.faults

    assert not any(plan.is_api_crash(task_id) or plan.is_duplicated(task_id) for task_id in ids)
    assert all(task_id.startswith(probe_prefix("run")) for task_id in ids)
    assert 50 == len(set(ids))


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (None, set()),
        ({"Message": {"MessageId": "a"}}, {"a"}),
        ({"Message": [{"MessageId": "a"}, {"MessageId": "b"}]}, {"a", "b"}),
    ],
)
def test_side_door_lists_none_one_or_many(result: Any, expected: set[str]) -> None:
    """XML turned to JSON has no list of one."""
    assert expected == probes.listed({"ReceiveMessageResponse": {"ReceiveMessageResult": result}})


def test_nobody_looks_into_an_accounts_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS has no side door: no request is made."""
    target = dataclasses.replace(url_target("http://127.0.0.1:1", state_root=tmp_path), kind=TargetKind.AWS)
    monkeypatch.setattr(Target, "client", lambda *_: pytest.fail("a request"))

    assert probes.Probe(target=target, task_id="probe-1").is_queued(MESSAGE) is None

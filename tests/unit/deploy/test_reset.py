"""Emptying queues before a run: on AWS a purge goes on for a while after it was asked for."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from dlqlab import waiting
from dlqlab.deploy import reset
from dlqlab.deploy.target import Target, TargetKind, url_target
from dlqlab.errors import DeployError


class Clock:
    """Time that passes only while somebody waits for it."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class Sqs:
    """Takes a purge of each queue; the first ``busy`` ones are refused."""

    class exceptions:  # noqa: N801  (boto3's name)
        class PurgeQueueInProgress(Exception):
            """As boto3 makes it."""

    def __init__(self, busy: int = 0) -> None:
        self.busy = busy
        self.purged: list[str] = []

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:
        return {"QueueUrl": QueueName}

    def purge_queue(self, *, QueueUrl: str) -> None:
        if self.busy:
            self.busy -= 1
            raise self.exceptions.PurgeQueueInProgress
        self.purged.append(QueueUrl)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of a purge and of its waiting loop."""
    clock = Clock()
    monkeypatch.setattr("dlqlab.deploy.reset.time.monotonic", clock.monotonic)

    def wait_for(what: str, probe: Any, *, deadline_s: float, interval_s: float = 0.1) -> Any:
        return waiting.wait_for(
            what, probe, deadline_s=deadline_s, interval_s=interval_s, clock=clock.monotonic, sleep=clock.sleep
        )

    monkeypatch.setattr(reset, "wait_for", wait_for)
    return clock


def _target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: TargetKind, sqs: Sqs) -> Target:
    target = dataclasses.replace(url_target("http://127.0.0.1:1", state_root=tmp_path), kind=kind)
    monkeypatch.setattr(Target, "client", lambda _self, _service: sqs)
    return target


@pytest.mark.parametrize(("kind", "waited_s"), [(TargetKind.URL, 0.0), (TargetKind.LOCAL, 0.0), (TargetKind.AWS, 60.0)])
def test_purge_on_aws_is_waited_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock, kind: TargetKind, waited_s: float
) -> None:
    """On AWS a message that is sent within 60 s of a purge may be deleted by it."""
    sqs = Sqs()
    reset.purge(_target(tmp_path, monkeypatch, kind, sqs))

    assert ["dlqlab-local-tasks", "dlqlab-local-dead-letters"] == sqs.purged
    assert waited_s == clock.now_s


def test_purge_that_is_refused_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """A queue that was purged a moment ago is purged once SQS takes it."""
    sqs = Sqs(busy=3)
    reset.purge(_target(tmp_path, monkeypatch, TargetKind.URL, sqs))

    assert (2, 6.0) == (len(sqs.purged), clock.now_s)


def test_purge_that_is_refused_for_good_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """It does not wait for ever."""
    with pytest.raises(DeployError, match="a purge of dlqlab-local-tasks"):
        reset.purge(_target(tmp_path, monkeypatch, TargetKind.URL, Sqs(busy=10_000)))
    assert reset.PURGE_DEADLINE_S == clock.now_s

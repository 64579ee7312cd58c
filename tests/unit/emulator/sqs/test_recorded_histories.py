"""Whatever is done with queues, the recorder holds each event once, in order for each message, and nothing else.

The expectation comes from what the calls answer and from where messages are before and after them, not from the hooks.
"""

import hashlib
import itertools
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from localstack.aws.api import ServiceException
from localstack.services.sqs.models import FifoQueue, MessageMoveTask

from dlqlab.contracts.recorded import ENTERS, LEAVES, Kind
from dlqlab.emulator.core.services import sqs_context
from dlqlab.emulator.recorder import queues as hooks
from dlqlab.emulator.recorder.actors import HERE, SQS, Actor
from dlqlab.emulator.recorder.finish import Finisher
from dlqlab.emulator.recorder.journal import Journal
from dlqlab.emulator.recorder.leaving import id_in
from dlqlab.emulator.recorder.reader import Reader, read
from dlqlab.emulator.recorder.witness import FAILED, Witness
from tests.unit.emulator.sqs.conftest import Clock, Queues, message

PATCHES = (
    "fifo_groups",
    "queue_limits",
    "batch_entries",
    "receipt_handles",
    "redelivery_order",
    "redrive",
    "message_retention",
)
RETENTION_S = 60
RECEIVES_MAX = 2

Event = tuple[str, int | None]
"""Kind and receive count."""


class Recorder:
    """The hooks, with a record of its own for each history."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._count = 0
        self.witness = Witness(Journal(root / "0"))
        hooks.install(self.witness)

    def begin(self) -> int:
        self._count += 1
        finishers = Finisher(keeps_bodies=True, keys_of=lambda _table: None).by_tag
        journal = self.witness.journal = Journal(self._root / str(self._count), finishers)
        self.witness.give_finished = journal.give_finished
        return self._count

    def rows(self) -> list[dict[str, Any]]:
        assert self.witness.journal.flush()
        assert {} == self.witness.journal.lost()
        folder = self.witness.journal.folder
        if not folder.exists():
            return []
        with Reader(folder, folder.with_suffix(".scratch")) as reader:  # of all that is recorded, only the messages
            return [row for part in reader.parts("messages") for row in part.to_pylist()]


@pytest.fixture
def recorder(apply: Callable[[str], None], tmp_path: Path) -> Iterator[Recorder]:
    for name in PATCHES:
        apply(name)
    yield Recorder(tmp_path)
    HERE.doing.actor = SQS


class History:
    """A queue with its dead-letter queue, what is done with them, and what the record must hold of it."""

    def __init__(self, queues: Queues, clock: Clock, number: int, *, is_fifo: bool) -> None:
        suffix = ".fifo" if is_fifo else ""
        kind = {"FifoQueue": "true"} if is_fifo else {}
        kept = {"MessageRetentionPeriod": str(RETENTION_S), **kind}
        self.service, self.clock, self.is_fifo = queues.service, clock, is_fifo
        self.dead = queues.make(f"dead{number}{suffix}", **kept)
        policy = json.dumps({"deadLetterTargetArn": self.dead.arn, "maxReceiveCount": RECEIVES_MAX})
        self.main = queues.make(f"main{number}{suffix}", RedrivePolicy=policy, **kept)
        self.expected: dict[tuple[str, str], list[Event]] = defaultdict(list)
        self.actors: dict[tuple[str, str], list[Actor | None]] = defaultdict(list)
        self.handles: list[tuple[Any, str]] = []
        self.context = sqs_context("111111111111", "eu-north-1")
        self._sent = self._steps = 0

    def do(self, step: str, *arguments: Any) -> None:
        self._steps += 1
        HERE.doing.actor = Actor("client", "test", f"request-{self._steps}")
        before = self._places()
        getattr(self, f"_{step}")(before, *arguments)

    def _event(self, queue: Any, message_id: str, kind: Kind, count: int | None, *, by: Actor | None = None) -> None:
        self.expected[queue.arn, message_id].append((kind, count))
        self.actors[queue.arn, message_id].append(by or HERE.doing.actor)

    def _places(self) -> dict[tuple[str, str], tuple[str, int, str]]:
        """Place, receive count and body by queue and message."""
        found = {}
        for queue in (self.main, self.dead):
            heaps = (
                [group.messages for group in queue.message_groups.values()]
                if isinstance(queue, FifoQueue)
                else [queue.visible.queue]
            )
            places = [("delayed", queue.delayed), ("hidden", queue.inflight), *(("visible", heap) for heap in heaps)]
            for place, messages in places:
                for one in messages:
                    count = int(one.message["Attributes"]["ApproximateReceiveCount"])
                    found[queue.arn, one.message_id] = place, count, one.message["Body"]
        return found

    def _entry(self, body: int, group: int, delay_s: int) -> dict[str, Any]:
        self._sent += 1
        entry: dict[str, Any] = {"MessageBody": f"body {self._sent}"}
        if self.is_fifo:
            return entry | {"MessageGroupId": f"g{group}", "MessageDeduplicationId": f"d{body}"}
        return entry | {"DelaySeconds": delay_s}

    def _note_sent(self, before: dict[tuple[str, str], Any], message_ids: list[str]) -> None:
        after = self._places()
        for message_id in message_ids:
            key = self.main.arn, message_id
            is_new = key in after and key not in before and not self.expected[key]
            self._event(self.main, message_id, Kind.SENT if is_new else Kind.DEDUPLICATED, 0 if is_new else None)

    def _send(self, before: Any, body: int, group: int, delay_s: int) -> None:
        entry = self._entry(body, group, delay_s)
        options = {
            "delay_seconds": entry.get("DelaySeconds"),
            "message_group_id": entry.get("MessageGroupId"),
            "message_deduplication_id": entry.get("MessageDeduplicationId"),
        }
        answer = self.service.send_message(self.context, self.main.name, entry["MessageBody"], **options)
        self._note_sent(before, [answer["MessageId"]])

    def _send_batch(self, before: Any, body: int, group: int, delay_s: int) -> None:
        """Three messages, of which the second is refused."""
        entries = [{"Id": str(number), **self._entry(body + number, group, delay_s)} for number in range(3)]
        entries[1]["MessageBody"] = "\x00"
        answer = self.service.send_message_batch(self.context, self.main.name, entries)
        assert ["1"] == [one["Id"] for one in answer["Failed"]]
        self._note_sent(before, [one["MessageId"] for one in answer["Successful"]])

    def _refused_send(self, _before: Any) -> None:
        """To a standard queue with a deduplication id, to a FIFO queue without a group."""
        with pytest.raises(ServiceException):
            self.service.send_message(
                self.context, self.main.name, "b", message_deduplication_id=None if self.is_fifo else "d"
            )

    def _receive(self, before: Any, count: int, visibility_s: int, of_dead: bool) -> None:
        queue = self.dead if of_dead else self.main
        answer = self.service.receive_message(
            self.context,
            queue_url=queue.name,
            max_number_of_messages=count,
            visibility_timeout=visibility_s,
            wait_time_seconds=0,
            message_system_attribute_names=["All"],
        )
        after = self._places()
        for (arn, message_id), (_, receives, _) in before.items():
            if arn == queue.arn and (arn, message_id) not in after:
                if (self.dead.arn, message_id) in after:
                    self._event(self.main, message_id, Kind.MOVED, receives)
                    source = Actor("service", self.main.arn, None)
                    self._event(self.dead, message_id, Kind.SENT, receives, by=source)
                else:
                    self._event(queue, message_id, Kind.EXPIRED, receives, by=SQS)
        for given_out in answer.get("Messages") or []:
            receives = int(given_out["Attributes"]["ApproximateReceiveCount"])
            self.handles.append((queue, given_out["ReceiptHandle"]))
            self._event(queue, given_out["MessageId"], Kind.RECEIVED, receives)
            if not visibility_s:
                self._event(queue, given_out["MessageId"], Kind.RETURNED, receives)

    def _hide(self, before: Any, which: int, visibility_s: int) -> None:
        if not self.handles:
            return
        queue, handle = self.handles[which % len(self.handles)]
        message_id = id_in(queue.arn, handle)
        try:
            self.service.change_message_visibility(self.context, queue.name, handle, visibility_s)
        except ServiceException:
            return
        place, receives, _ = before[queue.arn, str(message_id)]
        assert "hidden" == place
        self._event(queue, str(message_id), Kind.HIDDEN, receives)
        if not visibility_s:
            self._event(queue, str(message_id), Kind.RETURNED, receives)

    def _delete(self, before: Any, which: int, in_batch: bool) -> None:
        if not self.handles:
            return
        queue, handle = self.handles[which % len(self.handles)]
        message_id = str(id_in(queue.arn, handle))
        try:
            if in_batch:
                entries = [{"Id": "1", "ReceiptHandle": handle}, {"Id": "2", "ReceiptHandle": "none"}]
                self.service.delete_message_batch(self.context, queue.name, entries)
            else:
                self.service.delete_message(self.context, queue.name, handle)
        except ServiceException:
            assert self.is_fifo  # which refuses a receipt handle that has expired
        key = queue.arn, message_id
        is_gone = key in before and key not in self._places()
        self._event(queue, message_id, *((Kind.DELETED, before[key][1]) if is_gone else (Kind.NOT_DELETED, None)))

    def _pass(self, before: Any, seconds: float) -> None:
        """What the queues' worker does once a second."""
        self.clock.now += seconds
        HERE.doing.actor = SQS
        for queue in (self.main, self.dead):
            queue.requeue_inflight_messages()
            queue.enqueue_delayed_messages()
            returned = self._places()
            for (arn, message_id), (place, receives, _) in before.items():
                if arn == queue.arn and place == "hidden" and returned[arn, message_id][0] == "visible":
                    self._event(queue, message_id, Kind.RETURNED, receives)
            queue.remove_expired_messages()
            kept = self._places()
            for (arn, message_id), (_, receives, _) in returned.items():
                if arn == queue.arn and (arn, message_id) not in kept:
                    self._event(queue, message_id, Kind.EXPIRED, receives)

    def _purge(self, before: Any, of_dead: bool) -> None:
        queue = self.dead if of_dead else self.main
        queue.purge_timestamp = None
        self.service.purge_queue(self.context, queue.name)
        for (arn, message_id), (_, receives, _) in before.items():
            if arn == queue.arn:
                self._event(queue, message_id, Kind.PURGED, receives)

    def _redrive(self, before: Any) -> None:
        from localstack.services.sqs.provider import MessageMoveTaskManager  # noqa: PLC0415  (as it is patched)

        task = MessageMoveTask(self.dead.arn, self.main.arn)
        task.mark_started()
        task.approximate_number_of_messages_moved = 0
        manager = MessageMoveTaskManager()
        manager._run(task)
        manager.close()
        after = self._places()
        mover = Actor("service", f"redrive {task.task_id}", None)
        arrived = {
            body: message_id for (arn, message_id), (_, _, body) in after.items() if (arn, message_id) not in before
        }
        for (arn, message_id), (_, receives, body) in before.items():
            if arn == self.dead.arn and (arn, message_id) not in after:
                if body in arrived:
                    self._event(self.dead, message_id, Kind.REDRIVEN, receives, by=mover)
                    self._event(self.main, arrived[body], Kind.SENT, 0, by=mover)
                else:
                    self._event(self.dead, message_id, Kind.EXPIRED, receives, by=SQS)

    def _delete_queue(self, before: Any) -> None:
        self.service.delete_queue(self.context, f"http://host/queue/eu-north-1/{self.main.account_id}/{self.main.name}")
        for (arn, message_id), (_, receives, _) in before.items():
            if arn == self.main.arn:
                self._event(self.main, message_id, Kind.PURGED, receives)


def _steps() -> st.SearchStrategy[list[tuple[Any, ...]]]:
    small, which = st.integers(0, 3), st.integers(0, 50)
    delays = st.sampled_from([0, 0, 5])
    seconds = st.sampled_from([0, 2, 2, 10])
    step = st.one_of(
        st.tuples(st.just("send"), small, small, delays),
        st.tuples(st.just("send_batch"), small, small, delays),
        st.tuples(st.just("refused_send")),
        st.tuples(st.just("receive"), st.integers(1, 3), seconds, st.just(False)),
        st.tuples(st.just("receive"), st.integers(1, 3), seconds, st.booleans()),
        st.tuples(st.just("hide"), which, seconds),
        st.tuples(st.just("delete"), which, st.booleans()),
        st.tuples(st.just("delete"), st.just(-1), st.booleans()),
        st.tuples(st.just("pass"), st.sampled_from([1.0, 3.0, 3.0, 20.0, 61.0])),
        st.tuples(st.just("purge"), st.booleans()),
        st.tuples(st.just("redrive")),
    )
    return st.lists(step, max_size=40)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_steps(), is_fifo=st.booleans(), ends_with_deletion=st.booleans())
def test_record_of_a_random_history_is_exact(
    recorder: Recorder,
    queues: Queues,
    clock: Clock,
    steps: list[tuple[Any, ...]],
    is_fifo: bool,
    ends_with_deletion: bool,
) -> None:
    """Each event once with its count and its actor, in order for each message, and no other row."""
    history = History(queues, clock, recorder.begin(), is_fifo=is_fifo)
    for step in steps:
        history.do(*step)
    if ends_with_deletion:
        history.do("delete_queue")
    rows = recorder.rows()

    recorded = check_exact(history, rows)
    left = set() if ends_with_deletion else {key for key in history._places() if key[0] == history.main.arn}
    inside = {
        key
        for key, events in recorded.items()
        if key[0] == history.main.arn
        and sum(kind in ENTERS for kind, _ in events) > sum(kind in LEAVES for kind, _ in events)
    }
    assert left == inside


def check_exact(history: History, rows: list[dict[str, Any]]) -> dict[tuple[str, str], list[Event]]:
    """The record is what is expected of the history; its events by queue and message."""
    recorded, actors = defaultdict(list), defaultdict(list)
    for row in rows:
        key = row["queue"], row["message_id"]
        recorded[key].append((row["kind"], row["receive_count"]))
        actors[key].append(Actor(row["actor_kind"], row["actor"], row["request_id"]))
    assert {key: events for key, events in history.expected.items() if events} == dict(recorded)
    assert {key: by for key, by in history.actors.items() if by} == dict(actors)
    assert rows == sorted(rows, key=lambda row: row["ts"])
    return recorded


TOUR: list[tuple[Any, ...]] = [
    ("send", 0, 0, 0),
    ("receive", 1, 2, False),
    ("hide", -1, 10),
    ("hide", -1, 0),
    ("receive", 1, 2, False),
    ("pass", 3.0),
    ("receive", 1, 2, False),  # too often: it moves
    ("redrive",),
    ("receive", 1, 10, False),
    ("delete", -1, False),
    ("delete", -1, True),  # once more
    ("send", 1, 1, 0),
    ("send", 1, 1, 0),
    ("pass", 61.0),
    ("send", 2, 2, 0),
    ("purge", False),
]


@pytest.mark.parametrize("is_fifo", [False, True], ids=["standard", "FIFO"])
def test_tour_of_everything_that_can_happen(recorder: Recorder, queues: Queues, clock: Clock, is_fifo: bool) -> None:
    """Each kind of event is among those that the histories above are made of; mappings alone filter."""
    history = History(queues, clock, recorder.begin(), is_fifo=is_fifo)
    for step in TOUR:
        history.do(*step)
    rows = recorder.rows()
    check_exact(history, rows)
    kinds = {row["kind"] for row in rows}

    assert set(Kind) - {Kind.FILTERED} - (set() if is_fifo else {Kind.DEDUPLICATED}) == kinds


def test_what_is_sent_is_recorded_with_its_body(recorder: Recorder, queues: Queues, clock: Clock) -> None:
    """Hash and size are of the body as it was sent; the body itself is kept redacted, once."""
    history = History(queues, clock, recorder.begin(), is_fifo=False)
    body = '{"taskId": "ö", "password": "hunter2"}'
    for _ in range(2):
        history.service.send_message(history.context, history.main.name, body, delay_seconds=5)
    rows = recorder.rows()
    kept = read(recorder.witness.journal.folder).bodies.to_pylist()

    sha256 = hashlib.sha256(body.encode()).hexdigest()
    assert [(sha256, len(body.encode()), 5.0)] * 2 == [
        (row["body_sha256"], row["body_bytes"], row["delay_s"]) for row in rows
    ]
    (only,) = kept
    assert (sha256, True, False) == (only["body_sha256"], only["is_redacted"], only["is_cut"])
    assert {"taskId": "ö", "password": "[redacted]"} == json.loads(only["body"])


def test_order_holds_when_many_threads_use_a_queue(recorder: Recorder, queues: Queues, clock: Clock) -> None:
    """Each message is sent, received and deleted, in this order, although consumers wait for it on other threads."""
    history = History(queues, clock, recorder.begin(), is_fifo=False)
    sent, consumers, each = threading.Barrier(8), 4, 50

    def send() -> None:
        sent.wait()
        for _ in range(each):
            history.main.put(message(f"b{next(numbers)}"))

    def consume() -> None:
        sent.wait()
        taken = 0
        while taken < each:
            result = history.main.receive(1, wait_time_seconds=5, visibility_timeout=1000)
            for handle in result.receipt_handles:
                history.main.remove(handle)
                taken += 1

    numbers = itertools.count()
    threads = [threading.Thread(target=target) for target in [send] * 4 + [consume] * consumers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kinds = defaultdict(list)
    for row in recorder.rows():
        kinds[row["message_id"]].append(row["kind"])

    assert 4 * each == len(kinds)
    assert {("sent", "received", "deleted")} == {tuple(one) for one in kinds.values()}


@pytest.mark.parametrize("is_fifo", [False, True], ids=["standard", "FIFO"])
def test_recorder_that_fails_changes_nothing(
    recorder: Recorder, queues: Queues, clock: Clock, is_fifo: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Queues do with every message what they did; each row that is missing is counted."""
    runs = []
    for fails in (False, True):
        history = History(queues, clock, recorder.begin(), is_fifo=is_fifo)
        if fails:
            monkeypatch.setattr(Journal, "give", _fail)
            monkeypatch.setattr(recorder.witness, "give_finished", _fail)
        for step in TOUR[:-1]:
            history.do(*step)
        places = [(place, count, body) for place, count, body in history._places().values()]
        runs.append((places, [list(events) for events in history.expected.values()]))

    assert runs[0] == runs[1]
    assert {FAILED: sum(map(len, runs[1][1]))} == recorder.witness.journal.lost()


def _fail(*_arguments: Any, **_options: Any) -> None:
    raise OSError("on purpose")

"""Mappings of DynamoDB and Kinesis streams: order per key, retries, halves, partial failures, a destination.

LocalStack reads streams by HTTP, hands over one shard after another, knows neither halves nor ParallelizationFactor,
and loses the rest of a batch whose mapping is stopped. Here a mapping has one thread for each lane, which reads the
stream in-process; where it is, it keeps when the mapping is disabled or updated. What a stream no longer has, it skips
with a warning in the emulator's log, as it does with what it gives up and nobody wants to be told of.
"""

import functools
import logging
import threading
import time
from collections import deque
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from localstack.aws.api import ServiceException
from localstack.services.lambda_.event_source_mapping.esm_worker import EsmState, EsmWorker
from localstack.services.lambda_.event_source_mapping.pollers.dynamodb_poller import DynamoDBPoller
from localstack.services.lambda_.event_source_mapping.pollers.kinesis_poller import KinesisPoller
from localstack.utils.aws.client_types import ServicePrincipal
from localstack.utils.patch import patch as replace

from dlqlab.emulator.core.record_log import Numbered, TrimmedError
from dlqlab.emulator.mappings import destinations, records
from dlqlab.emulator.mappings.concurrent_pollers import serve
from dlqlab.emulator.mappings.filters import Filter
from dlqlab.emulator.mappings.responses import failed_ids
from dlqlab.emulator.mappings.sqs_records import Delivery, Response
from dlqlab.emulator.mappings.stream_batches import (
    Batch,
    GivenUp,
    Rules,
    after_failure,
    batch_document,
    failure_context,
    lane_of,
    pause_s,
    without_old,
)
from dlqlab.emulator.mappings.stream_sources import Shard, Shards, find, start

_READ = 1_000
_WAIT_S = 20.0
_TROUBLE_PAUSE_S = 2.0
_LOG = logging.getLogger(__name__)

POSITIONS: dict[str, dict[str, list[int]]] = {}
"""By the mapping's UUID and the shard's id: for each lane the number of the next record to look at."""
_TURNS: dict[str, threading.Lock] = {}
"""By the mapping's UUID: after an update the lanes of before end their batches first."""


class Lane:
    """One of a mapping's readers of a shard, of the items or partition keys that are its own."""

    def __init__(self, worker: EsmWorker, shard: Shard, number: int, rules: Rules) -> None:
        self.worker, self.shard, self._number, self._rules = worker, shard, number, rules
        self._ended: threading.Event = worker._shutdown_event
        criteria = worker.esm_config.get("FilterCriteria") or {}
        self._filters = [Filter(one["Pattern"]) for one in criteria.get("Filters") or []]
        self._positions = POSITIONS[worker.uuid][shard.shard_id]
        self._role_arn: str | None = getattr(worker.poller, "invoke_identity_arn", None)
        self._trouble = ""

    @property
    def stream_arn(self) -> str:
        return self.shard.stream_arn

    def run(self) -> None:
        """Until the mapping has ended, or the shard."""
        while not self._ended.is_set() and not self.shard.log.is_at_end(self._positions[self._number]):
            try:
                found, end = self._gather()
                left = self.work(Batch(tuple(found))) if found else None
                self._positions[self._number] = end if left is None else left
            except Exception:  # noqa: BLE001  (a lane goes on whatever happened, from where it was)
                _LOG.exception("the mapping of %s has to wait", self.stream_arn)
                self._ended.wait(_TROUBLE_PAUSE_S)

    def _gather(self) -> tuple[list[Numbered], int]:
        """A batch by its size, by 6 MB, or by the window since its first record; and where the next one begins."""
        number, found, size, due = self._positions[self._number], list[Numbered](), 0, 0.0
        while not self._ended.is_set():
            for record in self._read(number):
                if self._is_wanted(record):
                    size += len(self._encoded(record)) + 1
                    if found and size > records.MAX_RECORD_BYTES:
                        return found, number
                    due = due or time.monotonic() + self._rules.window_s
                    found.append(record)
                number = record.number + 1
                if len(found) >= self._rules.batch_size:
                    return found, number
            if self.shard.log.is_at_end(number):
                return found, number
            if not found:
                self._positions[self._number] = number
            elif due <= time.monotonic():
                return found, number
            self.shard.log.wait(number, due - time.monotonic() if found else _WAIT_S, self._ended.is_set)
        return [], self._positions[self._number]

    def _read(self, number: int) -> list[Numbered]:
        log = self.shard.log
        try:
            return log.read(number, _READ)
        except TrimmedError:
            oldest = log.oldest
            _LOG.warning("the mapping of %s has missed %d records: trimmed", self.stream_arn, oldest - number)
            return log.read(oldest, _READ)

    def _is_wanted(self, record: Numbered) -> bool:
        if lane_of(record, self._rules.lanes) != self._number:
            return False
        if not self._filters:
            return True
        seen = self.shard.filtered(record)
        return any(one.matches(seen) for one in self._filters)

    def shown(self, record: Numbered) -> dict[str, Any]:
        """The record as it is handed over."""
        return self.shard.shown(record, self._role_arn)

    def _encoded(self, record: Numbered) -> bytes:
        return records.encode(self.shown(record))

    def work(self, batch: Batch) -> int | None:
        """Until it is done or given up; where it was when the mapping has ended before, else None."""
        waiting = deque([batch])
        while waiting:
            first = waiting[0]
            if self._ended.wait(pause_s(first.failures)):
                return first.records[0].number
            first, old = without_old(first, self._rules, time.time())
            if old is not None:
                self._give_up(old, {})
            if not first.records:
                waiting.popleft()
                continue
            response = self._invoke(first)
            if response is None:
                self._ended.wait(_TROUBLE_PAUSE_S)
                continue
            waiting.popleft()
            failed = self._failed(first, response)
            if failed is None or failed:
                again, given_up = after_failure(first, self._rules, failed)
                waiting.extendleft(reversed(again))
                if given_up is not None:
                    self._give_up(given_up, _answer(response))
        return None

    def _invoke(self, batch: Batch) -> Response | None:
        """None where the function could not be started, or was throttled."""
        try:
            return self.hand_over(records.event(map(self._encoded, batch.records)))
        except (ServiceException, ClientError) as error:
            trouble = f"{type(error).__name__}: {error}"
            if trouble != self._trouble:
                self._trouble = trouble
                _LOG.warning("the mapping of %s has to wait: %s", self.stream_arn, trouble)
            return None

    def hand_over(self, event: bytes) -> Response:
        """Invoke the function and wait for it."""
        return self.pass_on(event)

    def pass_on(self, event: bytes) -> Response:
        """What is done with a batch, here an invocation."""
        return Delivery.invoke(self.worker.poller.processor.sender, event, None)

    def _failed(self, batch: Batch, response: Response) -> frozenset[str] | None:
        """The reported numbers; None where all of it has failed."""
        if response.is_error:
            return None
        if not self._rules.reports:
            return frozenset()
        numbers = {str(record.number) for record in batch.records}
        failed = failed_ids(response.payload, numbers)
        return None if len(failed) == len(numbers) else frozenset(failed)

    def _give_up(self, given_up: GivenUp, answer: dict[str, Any]) -> None:
        target = ((self.worker.esm_config.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
        count = len(given_up.records)
        _LOG.warning("the mapping of %s gives up %d records: %s", self.stream_arn, count, given_up.condition)
        if target:
            at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            self.tell(target, {**self.context(given_up, answer), **batch_document(given_up, self.shard, at=at)})

    def context(self, given_up: GivenUp, answer: dict[str, Any]) -> dict[str, Any]:
        """Who gave up, and why, as a destination is told."""
        return failure_context(given_up, function_arn=self.worker.esm_config["FunctionArn"], answer=answer)

    def tell(self, target_arn: str, document: dict[str, Any]) -> None:
        """Send what was given up to the destination."""
        function_arn = self.worker.esm_config["FunctionArn"]
        destinations.send(target_arn, document, principal=ServicePrincipal.lambda_, source_arn=function_arn)


def _answer(response: Response) -> dict[str, Any]:
    return {
        "requestId": response.request_id,
        "executedVersion": response.executed_version,
        "functionError": "Unhandled" if response.is_error else None,
    }


def read_stream(worker: EsmWorker, lane: type[Lane] = Lane) -> None:
    """Until the mapping is stopped, deleted or replaced.

    Args:
        lane: what reads, of which each lane is one.
    """
    ended = worker._shutdown_event
    turn = _TURNS.setdefault(worker.uuid, threading.Lock())
    while not ended.is_set():
        if turn.acquire(timeout=1):
            try:
                _run_lanes(worker, lane)
            finally:
                turn.release()
    if worker.current_state == EsmState.DELETING:
        POSITIONS.pop(worker.uuid, None)
        _TURNS.pop(worker.uuid, None)


class _Readers:
    """The lanes of a mapping. A shard that was split or merged is read to its end before its children are."""

    def __init__(self, worker: EsmWorker, shards: Shards, lane: type[Lane]) -> None:
        self._worker, self._shards, self._lane = worker, shards, lane
        self._rules = Rules.of(worker.esm_config)
        self._lock = threading.Lock()
        self._threads: dict[str, list[threading.Thread]] = {}

    def start_due(self) -> None:
        """Start to read each shard whose turn has come."""
        with self._lock:
            if self._worker._shutdown_event.is_set():
                return
            for shard in self._shards():
                if shard.shard_id not in self._threads and all(map(self._is_read, shard.parents)):
                    self._start(shard)

    def _is_read(self, shard_id: str) -> bool:
        positions = POSITIONS[self._worker.uuid].get(shard_id)
        shard = next((one for one in self._shards() if one.shard_id == shard_id), None)
        return shard is None or (positions is not None and all(map(shard.log.is_at_end, positions)))

    def _start(self, shard: Shard) -> None:
        _spread(POSITIONS[self._worker.uuid], shard, self._rules.lanes)
        lanes = [self._lane(self._worker, shard, number, self._rules) for number in range(self._rules.lanes)]
        threads = [threading.Thread(target=self._read, args=(one,), daemon=True, name="dlqlab-stream") for one in lanes]
        self._threads[shard.shard_id] = threads
        for thread in threads:
            thread.start()

    def _read(self, lane: Lane) -> None:
        lane.run()
        self.start_due()

    def end(self) -> None:
        """Wait until running batches are done."""
        for shard in self._shards():
            shard.log.wake()
        with self._lock:  # after which no thread is started
            threads = [thread for each in self._threads.values() for thread in each]
        for thread in threads:
            thread.join()


def _run_lanes(worker: EsmWorker, lane: type[Lane]) -> None:
    arn, ended = worker.esm_config["EventSourceArn"], worker._shutdown_event
    shards = find(arn)
    if shards is None:
        _LOG.warning("the mapping of %s has nothing to read: there is no such stream", arn)
        ended.wait()
        return
    place(worker)
    readers = _Readers(worker, shards, lane)
    readers.start_due()
    ended.wait()
    readers.end()


def place(worker: EsmWorker) -> None:
    """Where a new mapping begins; one that was there goes on where it was."""
    config = worker.esm_config
    shards = find(config["EventSourceArn"])
    if shards is not None and worker.uuid not in POSITIONS:
        lanes = Rules.of(config).lanes
        POSITIONS[worker.uuid] = {shard.shard_id: [start(shard.log, config)] * lanes for shard in shards()}


def left(uuid: str, shards: Shards) -> int:
    """How many records a mapping has not handled yet."""
    positions = POSITIONS.get(uuid)
    if positions is None:
        return 0
    return sum(shard.log.next - min(positions.get(shard.shard_id) or [shard.log.oldest]) for shard in shards())


def _spread(positions: dict[str, list[int]], shard: Shard, lanes: int) -> None:
    """A new shard is read from its beginning; with another number of lanes each begins where the last of them was,
    since those of before have ended.
    """
    known = positions.get(shard.shard_id)
    if known is None or len(known) != lanes:
        positions[shard.shard_id] = [min(known) if known else shard.log.oldest] * lanes


def patch() -> None:

    @replace(EsmWorker.poller_loop)
    def poller_loop(original, self, *args, **kwargs):  # type: ignore[no-untyped-def]
        if isinstance(self.poller, DynamoDBPoller | KinesisPoller):
            place(self)  # before the mapping says that it is enabled: from then on nothing is missed
            serve(self, functools.partial(read_stream, self))
        else:
            original(self, *args, **kwargs)

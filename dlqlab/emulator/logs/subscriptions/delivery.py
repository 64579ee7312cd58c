"""Delivery of the lines that subscription filters let through.

Each filter has a thread that gathers the lines of a stream for a moment and invokes the destination asynchronously, or
writes a record to it.
CloudWatch Logs tries again what may pass, and does not send again what a missing function would have got
("Log group-level subscription filters", user guide).
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from localstack.aws.api.lambda_ import InvocationType, ResourceNotFoundException
from localstack.utils.strings import long_uid
from moto.logs.models import LogEvent, LogStream

from dlqlab.emulator.core.invocations import invoke
from dlqlab.emulator.core.isolation import Worker, isolated, warn_once
from dlqlab.emulator.logs import intake
from dlqlab.emulator.logs.patterns import compile_pattern
from dlqlab.emulator.logs.subscriptions import streams
from dlqlab.emulator.logs.subscriptions.messages import Event, Source, messages
from dlqlab.emulator.metrics.sums import Metric, shared

GATHER_S = 0.2
BACKLOG_CHARACTERS_MAX = 32 * 1024 * 1024
DEPTH_MAX = 16
"""Deliveries in a row that each were caused by what the one before logged."""
RETRY_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Before another try, where the destination could not be invoked for a reason that may pass."""
_CAUSED_MAX = 10_000

Key = tuple[str, str, str, str]
"""Account, region, log group and filter."""


@dataclass(frozen=True, slots=True)
class Job:
    """Events of one stream, with the filter as it is when they are logged."""

    source: Source
    pattern: str
    destination: str
    is_random: bool
    depth: int
    events: list[Event]


class Depths:
    """How many deliveries in a row led to an invocation, by its request id; the latest ones are remembered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depths: OrderedDict[str, int] = OrderedDict()

    def put(self, request_id: str, depth: int) -> None:
        with self._lock:
            self._depths[request_id] = depth
            if len(self._depths) > _CAUSED_MAX:
                self._depths.popitem(last=False)

    def of(self, request_id: str | None) -> int:
        return self._depths.get(request_id or "", 0)


_DEPTHS = Depths()
_WORKERS: dict[Key, Worker[Job]] = {}
_WORKERS_LOCK = threading.Lock()


def forward(stream: LogStream, events: Iterable[LogEvent]) -> None:
    """Give the events of a stream to the filters of its group."""
    group = stream.log_group
    depth = _DEPTHS.of(intake.printed_by())
    sent = [Event(str(event.event_id), event.timestamp, event.message) for event in events]
    size = sum(len(event.message) for event in sent)
    for found in list(group.subscription_filters.values()):
        key = (group.account_id, group.region, group.name, found.name)
        source = Source(account_id=group.account_id, group=group.name, stream=stream.log_stream_name, filter=found.name)
        is_random = getattr(found, "distribution", "") == "Random"
        job = Job(source, found.filter_pattern or "", found.destination_arn, is_random, depth, sent)
        _worker(key).give(job, size)


def _worker(key: Key) -> Worker[Job]:
    with _WORKERS_LOCK:
        found = _WORKERS.get(key)
        if found is not None and not found.is_closed:
            return found
        made: Worker[Job] = Worker(
            f"lines of log group {key[2]} for the subscription filter {key[3]}",
            lambda jobs: _deliver_all(made, key, jobs),
            backlog_max=BACKLOG_CHARACTERS_MAX,
            gather_s=GATHER_S,
            name="dlqlab-subscription",
        )
        _WORKERS[key] = made
        return made


def close(account_id: str, region: str, group: str, name: str | None = None) -> None:
    """End the threads of a filter, or of all filters of a group."""
    with _WORKERS_LOCK:
        for key in [key for key in _WORKERS if key[:3] == (account_id, region, group) and name in {None, key[3]}]:
            _WORKERS.pop(key).close()


def _deliver_all(worker: Worker[Job], key: Key, jobs: list[Job]) -> None:
    """Deliver the events, those of one stream together."""
    guard = isolated(worker.part)
    by_stream = sorted(jobs, key=_gathered)  # stable: in the order of their arrival
    for (stream, pattern, destination, is_random, depth), together in groupby(by_stream, key=_gathered):
        if depth >= DEPTH_MAX:
            text = f"dropped, because {destination} receives what its own invocations log, {depth} times in a row"
            warn_once(worker.part, "loop", text)
            continue
        source = Source(account_id=key[0], group=key[2], stream=stream, filter=key[3])
        events = [event for job in together for event in job.events]
        for message in messages(events, compile_pattern(pattern)):
            with guard:
                if service := streams.service_of(destination):
                    is_delivered = _put(worker, destination, message.packed(source), stream, is_random=is_random)
                else:
                    is_delivered = _invoke(worker, destination, message.payload(source), depth)
                counted = (len(message.events), message.size) if is_delivered else (0, 0)
                _count(key, *counted, kind=streams.SERVICES[service] if service else "Lambda")


def _gathered(job: Job) -> tuple[str, str, str, bool, int]:
    return job.source.stream, job.pattern, job.destination, job.is_random, job.depth


def _put(worker: Worker[Job], stream_arn: str, data: bytes, log_stream: str, *, is_random: bool) -> bool:
    """Have the record written; whether it is."""
    for pause_s in (*RETRY_PAUSES_S, None):
        try:
            streams.put(stream_arn, data, log_stream=log_stream, is_random=is_random)
        except Exception as error:  # noqa: BLE001  (whatever the stream's API answers)
            if pause_s is None or worker.is_closed or "ResourceNotFound" in str(error):
                warn_once(worker.part, "failed", f"lost, because {stream_arn} takes nothing: {error}", error)
                return False
            worker.pause(pause_s)
        else:
            return True
    return False


def _invoke(worker: Worker[Job], function_arn: str, payload: bytes, depth: int) -> bool:
    """Have the function invoked asynchronously; whether it will be."""
    request_id = long_uid()
    _DEPTHS.put(request_id, depth + 1)
    for pause_s in (*RETRY_PAUSES_S, None):
        try:
            invoke(function_arn, payload, kind=InvocationType.Event, request_id=request_id)
        except ResourceNotFoundException:
            warn_once(worker.part, "gone", f"lost, because {function_arn} does not exist")
            return False
        except Exception as error:  # noqa: BLE001  (whatever LocalStack raises while a function is being changed)
            if pause_s is None or worker.is_closed:
                warn_once(worker.part, "failed", f"lost, because {function_arn} cannot be invoked: {error}", error)
                return False
            worker.pause(pause_s)
        else:
            return True
    return False


def _count(key: Key, events: int, size: int, *, kind: str) -> None:
    """The metrics of CloudWatch Logs itself ("Monitoring with CloudWatch metrics", user guide)."""
    account_id, region, group, name = key
    dimensions = (("DestinationType", kind), ("FilterName", name), ("LogGroupName", group))

    def add(metric: str, value: float, unit: str) -> None:
        shared().add(Metric(account_id, region, "AWS/Logs", metric, dimensions, unit), [value])

    if events:
        add("ForwardedLogEvents", events, "Count")
        add("ForwardedBytes", size, "Bytes")
    else:
        add("DeliveryErrors", 1, "Count")

"""The emulator says what it is still going to do: events, schedules, stream records, executions, deliveries.

A pipeline is at rest when its queues are empty and nothing of this is left. Asked for by HTTP, on the path of
``contracts.owed``; what no call has loaded yet owes nothing, and is not loaded by the question.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from localstack.http import Request, Response
from localstack.services.edge import ROUTER
from localstack.services.lambda_.event_source_mapping.esm_worker import EsmState
from localstack.services.lambda_.invocation import event_manager
from localstack.services.plugins import SERVICE_PLUGINS

from dlqlab.contracts.owed import OWED_PATH, Owed, OwedKind
from dlqlab.contracts.plain import to_plain
from dlqlab.emulator.core.services import provider
from dlqlab.emulator.mappings.stream_pollers import left
from dlqlab.emulator.mappings.stream_sources import find
from dlqlab.emulator.schedules.expressions import At

_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


def patch() -> None:
    ROUTER.add(OWED_PATH, _serve, methods=["GET"])


def _serve(_request: Request, **_parameters: Any) -> Response:
    sources = {
        "lambda": (_events, _records),
        "scheduler": (_schedules,),
        "stepfunctions": (_executions,),
        "firehose": (_deliveries,),
    }
    loaded = [asked for service, asked in sources.items() if SERVICE_PLUGINS.is_running(service)]
    return Response.for_json([to_plain(one) for asked in loaded for ask in asked for one in ask()])


def _events() -> Iterator[Owed]:
    """Asynchronous invocations: in the queue in which Lambda keeps them until they are done or given up."""
    for manager in list(provider("lambda").lambda_service.event_managers.values()):
        url = manager.event_queue_url
        if url is None:
            continue
        version = manager.version_manager.function_version
        client = event_manager.get_sqs_client(version)
        counts = client.get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))["Attributes"]
        n, name = sum(int(counts[count]) for count in _COUNTS), version.id.function_name
        if n:
            yield Owed(kind=OwedKind.EVENT, of=name, n=n, leads_to=name)


def _records() -> Iterator[Owed]:
    """Records of streams that a mapping has not handled yet."""
    for uuid, worker in list(provider("lambda").esm_workers.items()):
        shards = find(worker.esm_config.get("EventSourceArn", ""))
        if shards is None or worker.current_state != EsmState.ENABLED:
            continue
        n = left(uuid, shards)
        if n > 0:
            name = worker.esm_config["FunctionArn"].partition(":function:")[2].partition(":")[0]
            yield Owed(kind=OwedKind.RECORD, of=name, n=n, leads_to=name)


def _schedules() -> Iterator[Owed]:
    """One-time schedules that are still to fire."""
    for schedule in _all_schedules():
        armed = getattr(schedule, "armed", None)
        if armed is None or armed.due is None or schedule.state != "ENABLED" or not isinstance(armed.expression, At):
            continue
        target = str(schedule.target.get("Arn", ""))
        yield Owed(
            kind=OwedKind.SCHEDULE,
            of=schedule.name,
            leads_to=target.rpartition(":")[2] or None,
            due_ts=armed.due.timestamp(),
        )


def _all_schedules() -> Iterator[Any]:
    from moto.scheduler.models import scheduler_backends  # noqa: PLC0415  (loaded when it is used)

    for regions in list(scheduler_backends.values()):
        for backend in list(regions.values()):
            for group in list(backend.schedule_groups.values()):
                yield from list(group.schedules.values())


def _executions() -> Iterator[Owed]:
    """Executions of state machines that run."""
    from localstack.services.stepfunctions.backend.store import sfn_stores  # noqa: PLC0415  (loaded when it is used)

    running: Counter[str] = Counter()
    for regions in list(sfn_stores.values()):
        for store in list(regions.values()):
            for execution in list(store.executions.values()):
                running[execution.state_machine.name] += execution.exec_status == "RUNNING"
    for name, n in running.items():
        if n:
            yield Owed(kind=OwedKind.EXECUTION, of=name, n=n)


def _deliveries() -> Iterator[Owed]:
    """Records that Firehose has taken and not delivered yet."""
    for stream in provider("firehose").streams:
        if n := stream.waiting:
            yield Owed(kind=OwedKind.DELIVERY, of=stream.name, n=n)

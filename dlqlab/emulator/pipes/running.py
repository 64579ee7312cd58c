"""The workers of a pipe: the pollers of event source mappings, with the pipe's stages in the place of a function."""

import functools
import json
import logging
import threading
from collections.abc import Mapping
from typing import Any

from localstack.services.lambda_.event_source_mapping.esm_worker import EsmState
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import get_queue_url
from localstack.utils.aws.arns import parse_arn
from localstack.utils.aws.client_types import ServicePrincipal

from dlqlab.emulator.core.record_log import Numbered
from dlqlab.emulator.mappings import destinations
from dlqlab.emulator.mappings.concurrent_pollers import PollerGroup
from dlqlab.emulator.mappings.mapped_queues import Message, delete
from dlqlab.emulator.mappings.sqs_records import Response, prepare
from dlqlab.emulator.mappings.stream_batches import GivenUp
from dlqlab.emulator.mappings.stream_pollers import Lane, place, read_stream
from dlqlab.emulator.pipes import settings, targets
from dlqlab.emulator.pipes.stages import Stages
from dlqlab.emulator.pipes.targets import Sending

_LOG = logging.getLogger(__name__)


class PipeQueue:
    """The queue of a pipe, as the pollers of mappings use one."""

    def __init__(self, mapping: Mapping[str, Any], stages: Stages) -> None:
        self.source_arn: str = mapping["EventSourceArn"]
        self.aws_region: str = parse_arn(self.source_arn)["region"]
        self.queue_url: str = get_queue_url(self.source_arn)
        self.batch_size = int(mapping.get("BatchSize") or 10)
        self.maximum_batching_window = int(mapping.get("MaximumBatchingWindowInSeconds") or 0)
        criteria = mapping.get("FilterCriteria") or {}
        self.source_parameters = {"FilterCriteria": criteria}
        self.filter_patterns = criteria.get("Filters") or []
        self._stages = stages

    def handle_messages(self, messages: list[Message]) -> bool:
        """Pass on one batch and delete what is done; whether all of it has failed.

        Raises:
            Exception: all of it has failed, and stays in flight until its visibility timeout is over.
        """
        poller: Any = self
        handed = prepare(poller, messages)
        if not handed:
            return False
        batch = {message["MessageId"]: message for message, _ in handed}
        failed = self._stages.run([json.loads(encoded) for _, encoded in handed], [*batch])
        delete(poller, [message for message_id, message in batch.items() if message_id not in failed])
        return len(failed) == len(batch)


class PipeLane(Lane):
    """A reader of a pipe's stream."""

    def shown(self, record: Numbered) -> dict[str, Any]:
        return self.shard.flat(record)

    def pass_on(self, event: bytes) -> Response:
        records = json.loads(event)["Records"]
        try:
            failed = self.worker.stages.run(records, [self.shard.number_of(record) for record in records])
        except Exception as error:  # noqa: BLE001  (whatever it is, the batch has failed)
            _LOG.warning("a batch of %s has failed: %s", self.worker.pipe_arn, error)
            return Response(is_error=True, payload=None)
        failures = [{"itemIdentifier": number} for number in failed]
        return Response(is_error=False, payload=json.dumps({"batchItemFailures": failures}))

    def context(self, given_up: GivenUp, answer: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002  (of a mapping)
        return {
            "context": {
                "partnerResourceArn": self.worker.pipe_arn,
                "condition": given_up.condition,
                "approximateInvokeCount": given_up.failures,
            }
        }

    def tell(self, target_arn: str, document: dict[str, Any]) -> None:
        pipe_arn = self.worker.pipe_arn
        destinations.send(target_arn, document, principal=ServicePrincipal.pipes, source_arn=pipe_arn)


class PipeWorker:
    """What runs a pipe, as the pollers of mappings know their worker."""

    def __init__(self, pipe: Mapping[str, Any]) -> None:
        """Args:
        pipe: what CreatePipe was given, and its ``Arn``.
        """
        self.uuid = self.pipe_arn = str(pipe["Arn"])
        self.current_state: EsmState | None = None
        self.stages = stages_of(pipe)
        self.esm_config = settings.as_mapping(pipe)
        self._shutdown_event = threading.Event()
        self._is_queue = settings.service_of(pipe["Source"]) == "sqs"
        self.poller = PipeQueue(self.esm_config, self.stages) if self._is_queue else None

    def start(self) -> None:
        worker: Any = self
        run = PollerGroup(worker).run if self._is_queue else functools.partial(read_stream, worker, PipeLane)
        if not self._is_queue:
            place(worker)  # before the pipe says that it runs: from then on nothing is missed
        threading.Thread(target=run, daemon=True, name="dlqlab-pipe").start()

    def stop(self, *, for_good: bool) -> None:
        """Running batches end by themselves.

        Args:
            for_good: where it was in a stream is forgotten.
        """
        if for_good:
            self.current_state = EsmState.DELETING
        self._shutdown_event.set()


def stages_of(pipe: Mapping[str, Any]) -> Stages:
    """What a pipe does with a batch."""
    parameters = pipe.get("TargetParameters") or {}
    arn, enrichment = str(pipe["Arn"]), pipe.get("Enrichment")
    sending = Sending(
        pipe_name=pipe["Name"],
        pipe_arn=arn,
        source_arn=pipe["Source"],
        target_arn=pipe["Target"],
        parameters=parameters,
    )
    return Stages(
        sending=sending,
        template=parameters.get("InputTemplate"),
        send=functools.partial(targets.send, sending),
        enrich=functools.partial(targets.invoke, arn, enrichment, waits=True) if enrichment else None,
        enrichment_arn=enrichment,
        enrichment_template=(pipe.get("EnrichmentParameters") or {}).get("InputTemplate"),
    )

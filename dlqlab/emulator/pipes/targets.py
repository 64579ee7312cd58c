"""How events get to each kind of target of a pipe, by the target's own API.

Source: "Amazon EventBridge Pipes targets" and "batching and concurrency" (EventBridge user guide): functions and state
machines are given the batch as an array, the others each event by itself.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localstack.aws.connect import connect_to
from localstack.utils.aws.arns import parse_arn, sqs_queue_url_for_arn
from localstack.utils.aws.client_types import ServicePrincipal

from dlqlab.emulator.pipes import templates
from dlqlab.emulator.pipes.settings import TARGETS, service_of


class TargetError(Exception):
    """A target has not taken events; ``done`` of them it had taken before, one by one."""

    def __init__(self, reason: str, done: int = 0) -> None:
        super().__init__(reason)
        self.done = done


@dataclass(frozen=True, slots=True)
class Sending:
    """A pipe's target with its settings."""

    pipe_name: str
    pipe_arn: str
    source_arn: str
    target_arn: str
    parameters: Mapping[str, Any]

    @property
    def own(self) -> Mapping[str, Any]:
        """The settings of this kind of target."""
        found: Mapping[str, Any] = self.parameters.get(TARGETS[service_of(self.target_arn)]) or {}
        return found

    def given(self, name: str, event: Any) -> Any | None:
        """A setting, or what is at its path in the event."""
        value = self.own.get(name)
        return templates.value_at(value, event) if isinstance(value, str) and value.startswith("$") else value


def client(pipe_arn: str, target_arn: str, service: str) -> Any:
    """A client of the service in the target's account and region, on behalf of the pipe."""
    target, pipe = parse_arn(target_arn), parse_arn(pipe_arn)
    clients = connect_to(
        aws_access_key_id=target["account"] or pipe["account"], region_name=target["region"] or pipe["region"]
    )
    return clients.get_client(service).request_metadata(service_principal=ServicePrincipal.pipes, source_arn=pipe_arn)


def text_of(event: Any) -> str:
    return event if isinstance(event, str) else json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def send(sending: Sending, events: Sequence[Any]) -> Any:
    """Give the target the events; what it answers, where the pipe waits for it.

    Raises:
        TargetError: it has not taken them, or not all.
    """
    service = service_of(sending.target_arn)
    if service in _OF_BATCHES:
        try:
            return _OF_BATCHES[service](sending, events)
        except TargetError:
            raise
        except Exception as error:
            raise TargetError(f"{sending.target_arn}: {error}") from error
    for done, event in enumerate(events):
        try:
            _OF_EVENTS[service](sending, event)
        except Exception as error:
            raise TargetError(f"{sending.target_arn}: {error}", done) from error
    return None


def invoke(pipe_arn: str, function_arn: str, events: Sequence[Any], *, waits: bool) -> Any:
    """What a function answers to the batch; None where nobody waits.

    Raises:
        TargetError: it has failed.
    """
    answer = client(pipe_arn, function_arn, "lambda").invoke(
        FunctionName=function_arn,
        InvocationType="RequestResponse" if waits else "Event",
        Payload=json.dumps(events).encode(),
    )
    payload = answer["Payload"].read()
    if "FunctionError" in answer:
        raise TargetError(f"{function_arn} has failed: {payload[:500]!r}")
    return json.loads(payload) if payload else None


def _to_function(sending: Sending, events: Sequence[Any]) -> Any:
    waits = sending.own.get("InvocationType") != "FIRE_AND_FORGET"
    return invoke(sending.pipe_arn, sending.target_arn, events, waits=waits)


def _to_state_machine(sending: Sending, events: Sequence[Any]) -> Any:
    states = client(sending.pipe_arn, sending.target_arn, "stepfunctions")
    given = {"stateMachineArn": sending.target_arn, "input": json.dumps(events)}
    if sending.own.get("InvocationType") == "FIRE_AND_FORGET":
        states.start_execution(**given)
        return None
    answer = states.start_sync_execution(**given)
    if answer["status"] != "SUCCEEDED":
        raise TargetError(f"{sending.target_arn} has {answer['status']}: {answer.get('error')}")
    return json.loads(answer.get("output") or "null")


def _to_queue(sending: Sending, event: Any) -> None:
    names = {"MessageGroupId", "MessageDeduplicationId"} & sending.own.keys()
    ids = {name: str(sending.given(name, event)) for name in names}
    queue = client(sending.pipe_arn, sending.target_arn, "sqs")
    queue.send_message(QueueUrl=sqs_queue_url_for_arn(sending.target_arn), MessageBody=text_of(event), **ids)


def _to_topic(sending: Sending, event: Any) -> None:
    topic = client(sending.pipe_arn, sending.target_arn, "sns")
    topic.publish(TopicArn=sending.target_arn, Message=text_of(event))


def _to_bus(sending: Sending, event: Any) -> None:
    entry = {
        "EventBusName": sending.target_arn,
        "Source": sending.given("Source", event) or f"Pipe {sending.pipe_name}",
        "DetailType": sending.given("DetailType", event) or f"Event from aws:{service_of(sending.source_arn)}",
        "Detail": text_of(event),
        **({"Resources": list(sending.own["Resources"])} if sending.own.get("Resources") else {}),
    }
    answer = client(sending.pipe_arn, sending.target_arn, "events").put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        raise TargetError(str(answer["Entries"][0].get("ErrorMessage")))


def _to_log(sending: Sending, event: Any) -> None:
    logs, group = client(sending.pipe_arn, sending.target_arn, "logs"), sending.target_arn.split(":log-group:")[1]
    where = {"logGroupName": group.removesuffix(":*"), "logStreamName": str(sending.given("LogStreamName", event))}
    line = {"timestamp": int(sending.given("Timestamp", event) or time.time() * 1000), "message": text_of(event)}
    try:
        logs.put_log_events(**where, logEvents=[line])
    except logs.exceptions.ResourceNotFoundException:
        logs.create_log_stream(**where)
        logs.put_log_events(**where, logEvents=[line])


_OF_BATCHES: dict[str, Callable[[Sending, Sequence[Any]], Any]] = {"lambda": _to_function, "states": _to_state_machine}
_OF_EVENTS: dict[str, Callable[[Sending, Any], None]] = {
    "sqs": _to_queue,
    "sns": _to_topic,
    "events": _to_bus,
    "logs": _to_log,
}

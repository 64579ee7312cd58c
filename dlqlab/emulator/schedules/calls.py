"""Calls of a schedule's target, in the name of EventBridge Scheduler."""

import json
from collections.abc import Mapping
from typing import Any

from localstack.aws.connect import connect_to
from localstack.utils.aws.arns import parse_arn, sqs_queue_url_for_arn

from dlqlab.emulator.schedules import payloads

PRINCIPAL = "scheduler"


def call(schedule: Any, target: Mapping[str, Any], text: str) -> None:
    """Hand the input over.

    Raises:
        ClientError: the target refused.
        ValueError: the input is not what the target takes.
    """
    arn = target["Arn"]
    if found := payloads.UNIVERSAL.fullmatch(arn):
        _universal(schedule, payloads.service_of(found[1]), found[2], text)
        return
    parts = parse_arn(arn)
    service = parts["service"]
    client = _client(schedule, {"states": "stepfunctions"}.get(service, service))
    if service == "sqs":
        send(client, arn, text, target.get("SqsParameters") or {})
    elif service == "lambda":
        client.invoke(FunctionName=arn, InvocationType="Event", Payload=text)
    elif service == "sns":
        client.publish(TopicArn=arn, Message=text)
    elif service == "states":
        client.start_execution(stateMachineArn=arn, input=text)
    else:
        given = target.get("EventBridgeParameters") or {}
        entry = {"EventBusName": arn, "DetailType": given["DetailType"], "Source": given["Source"], "Detail": text}
        _check_entries(client.put_events(Entries=[entry]))


def send(client: Any, queue_arn: str, text: str, parameters: Mapping[str, Any], **more: Any) -> None:
    """Send a message to a queue by its ARN."""
    group = {"MessageGroupId": parameters["MessageGroupId"]} if parameters.get("MessageGroupId") else {}
    client.send_message(QueueUrl=sqs_queue_url_for_arn(queue_arn), MessageBody=text, **group, **more)


def bury(schedule: Any, queue_arn: str, text: str, attributes: Mapping[str, Any]) -> None:
    """Send the dead letter of an invocation."""
    send(_client(schedule, "sqs"), queue_arn, text, {}, MessageAttributes=attributes)


def _universal(schedule: Any, service: str, action: str, text: str) -> None:
    """Any operation, with its members as the input names them, whatever their case."""
    client = _plain_client(schedule, service)
    model = client.meta.service_model.operation_model(f"{action[:1].upper()}{action[1:]}")
    members = model.input_shape.members if model.input_shape else {}
    names = {name.lower(): name for name in members}
    given = json.loads(text)
    unknown = [name for name in given if name.lower() not in names]
    if unknown:
        raise ValueError(f"{service} {action} takes no {', '.join(unknown)}: it takes {', '.join(members)}")
    answer = client._make_api_call(
        model.name,
        {
            **{names[name.lower()]: value for name, value in given.items()},
            "_ServicePrincipal": PRINCIPAL,
            "_SourceArn": schedule.arn,
        },
    )
    _check_entries(answer)


def _check_entries(answer: Mapping[str, Any]) -> None:
    """A batch of one may be refused in an answer that is none of an error."""
    if answer.get("FailedEntryCount"):
        failed = [entry for entry in answer.get("Entries", []) if entry.get("ErrorCode")]
        raise ValueError(f"refused: {json.dumps(failed)}")


def _plain_client(schedule: Any, service: str) -> Any:
    parts = parse_arn(schedule.arn)
    return connect_to(aws_access_key_id=parts["account"], region_name=parts["region"]).get_client(service)


def _client(schedule: Any, service: str) -> Any:
    parts = parse_arn(schedule.arn)
    clients = connect_to(aws_access_key_id=parts["account"], region_name=parts["region"])
    kept = clients.get_client(service)
    return kept.request_metadata(service_principal=PRINCIPAL, source_arn=schedule.arn)

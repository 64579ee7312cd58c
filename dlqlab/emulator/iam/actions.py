"""Calls as IAM sees them: which actions on which resources they need. Pure.

Source: "Actions, resources, and condition keys for AWS services" (Service Authorization Reference), by service. Where
it is not known here, the resource is ``UNKNOWN``.
"""

from collections.abc import Callable, Mapping
from typing import Any

from dlqlab.emulator.iam.policies import UNKNOWN, Need

Request = Mapping[str, Any]

_SAME = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sns:PublishBatch": "sns:Publish",
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:InvokeAsync": "lambda:InvokeFunction",
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
}
"""Operations that need another operation's permission."""
_OF_NONE = frozenset(
    {
        "sqs:ListQueues",
        "sns:ListTopics",
        "dynamodb:ListTables",
        "lambda:ListFunctions",
        "s3:ListAllMyBuckets",
        "kms:ListKeys",
        "kms:ListAliases",
        "ssm:DescribeParameters",
        "secretsmanager:ListSecrets",
        "secretsmanager:GetRandomPassword",
        "cloudwatch:PutMetricData",
        "cloudwatch:GetMetricData",
        "cloudwatch:GetMetricStatistics",
        "cloudwatch:ListMetrics",
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "states:ListStateMachines",
        "kinesis:ListStreams",
        "firehose:ListDeliveryStreams",
    }
)
"""Actions on no resource: policies name all, ``*``."""
_TRANSACTED = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
_S3_OBJECTS = frozenset({"s3:GetObject", "s3:PutObject", "s3:DeleteObject"})
SERVICE_PREFIX = {"stepfunctions": "states"}


def needs_of(service: str, operation: str, request: Request, *, region: str, account_id: str) -> list[Need]:
    """What a call needs of policies; all of it.

    Args:
        service: its name in botocore.
        operation: its name there.
        request: its members.
        region: that of the call.
        account_id: that of the call.
    """
    prefix = SERVICE_PREFIX.get(service, service)
    action = _SAME.get(f"{prefix}:{operation}", f"{prefix}:{operation}")
    if action in _OF_NONE:
        return [Need(action, "*")]
    if service == "dynamodb":
        return _dynamodb(action, request, region, account_id)
    if service == "s3":
        return _s3(action, operation, request)
    find = _RESOURCES.get(service)
    found = find(request, region, account_id) if find else []
    return [Need(action, resource) for resource in found] or [Need(action, UNKNOWN)]


def _dynamodb(action: str, request: Request, region: str, account_id: str) -> list[Need]:
    def arn(name: str, index: str | None = None) -> str:
        table = name if name.startswith("arn:") else f"arn:aws:dynamodb:{region}:{account_id}:table/{name}"
        return f"{table}/index/{index}" if index else table

    if "TableName" in request:
        return [Need(action, arn(request["TableName"], request.get("IndexName")))]
    if "RequestItems" in request:
        return [Need(action, arn(name)) for name in request["RequestItems"]]
    transacted = [
        Need(f"dynamodb:{_TRANSACTED[kind]}", arn(item["TableName"]))
        for entry in request.get("TransactItems", ())
        for kind, item in entry.items()
        if kind in _TRANSACTED
    ]
    return list(dict.fromkeys(transacted)) or [Need(action, UNKNOWN)]


def _s3(action: str, operation: str, request: Request) -> list[Need]:
    bucket = f"arn:aws:s3:::{request.get('Bucket', '')}"
    if operation == "DeleteObjects":
        keys = [one["Key"] for one in (request.get("Delete") or {}).get("Objects", ())]
        return [Need("s3:DeleteObject", f"{bucket}/{key}") for key in keys] or [Need("s3:DeleteObject", UNKNOWN)]
    if action == "s3:ListBucket":
        return [Need(action, bucket)]
    if action in _S3_OBJECTS and not request.get("VersionId"):
        return [Need(action, f"{bucket}/{request.get('Key', '')}")]
    return [Need(action, UNKNOWN)]


def _sqs(request: Request, region: str, account_id: str) -> list[str]:
    name = request.get("QueueName") or str(request.get("QueueUrl") or "").rpartition("/")[2]
    return [f"arn:aws:sqs:{region}:{account_id}:{name}"] if name else []


def _sns(request: Request, _region: str, _account_id: str) -> list[str]:
    found = request.get("TopicArn") or request.get("TargetArn")
    return [str(found)] if found else []


def _lambda(request: Request, region: str, account_id: str) -> list[str]:
    name = str(request.get("FunctionName") or "")
    if not name:
        return []
    if not name.startswith("arn:"):
        parts = name.split(":")
        name = ":".join(parts[2:]) if parts[1:2] == ["function"] else name  # ACCOUNT:function:NAME
        name = f"arn:aws:lambda:{region}:{account_id}:function:{name}"
    qualifier = request.get("Qualifier")
    is_qualified = len(name.split(":")) > 7  # noqa: PLR2004  (parts of a function's ARN)
    return [f"{name}:{qualifier}" if qualifier and not is_qualified else name]


def _ssm(request: Request, region: str, account_id: str) -> list[str]:
    names = request.get("Names") or [request.get("Name") or request.get("Path")]
    return [
        name if name.startswith("arn:") else f"arn:aws:ssm:{region}:{account_id}:parameter/{name.lstrip('/')}"
        for name in names
        if name
    ]


def _events(request: Request, region: str, account_id: str) -> list[str]:
    buses = {str(entry.get("EventBusName") or "default") for entry in request.get("Entries", ()) if "Detail" in entry}
    return [
        bus if bus.startswith("arn:") else f"arn:aws:events:{region}:{account_id}:event-bus/{bus}"
        for bus in sorted(buses)
    ]


def _logs(request: Request, region: str, account_id: str) -> list[str]:
    group = request.get("logGroupName")
    stream = request.get("logStreamName") or ""
    return [f"arn:aws:logs:{region}:{account_id}:log-group:{group}:log-stream:{stream}"] if group else []


def _kinesis(request: Request, region: str, account_id: str) -> list[str]:
    arn, name = request.get("StreamARN") or request.get("ConsumerARN"), request.get("StreamName")
    found = arn or (f"arn:aws:kinesis:{region}:{account_id}:stream/{name}" if name else None)
    return [str(found)] if found else []


def _firehose(request: Request, region: str, account_id: str) -> list[str]:
    name = request.get("DeliveryStreamName")
    return [f"arn:aws:firehose:{region}:{account_id}:deliverystream/{name}"] if name else []


def _by_arn(*members: str) -> Callable[[Request, str, str], list[str]]:
    def find(request: Request, _region: str, _account_id: str) -> list[str]:
        found = [str(request[name]) for name in members if str(request.get(name) or "").startswith("arn:")]
        return found[:1]

    return find


_RESOURCES: Mapping[str, Callable[[Request, str, str], list[str]]] = {
    "sqs": _sqs,
    "sns": _sns,
    "lambda": _lambda,
    "ssm": _ssm,
    "events": _events,
    "kinesis": _kinesis,
    "firehose": _firehose,
    "logs": _logs,
    "kms": _by_arn("KeyId"),
    "secretsmanager": _by_arn("SecretId"),
    "stepfunctions": _by_arn("stateMachineArn", "executionArn"),
    "sts": _by_arn("RoleArn"),
}
"""By service: the ARNs of what a request is about, and no one where they are not known."""

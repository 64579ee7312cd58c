"""Calls by which functions do their work or hand it on, by their names in botocore."""

from collections.abc import Mapping
from typing import Final

ITEM_WRITES: Final = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem")
"""Of DynamoDB."""
WRITES: Final[Mapping[str, frozenset[str]]] = {
    "sqs": frozenset({"SendMessage", "SendMessageBatch"}),
    "sns": frozenset({"Publish", "PublishBatch"}),
    "events": frozenset({"PutEvents"}),
    "dynamodb": frozenset(ITEM_WRITES),
    "s3": frozenset({"PutObject", "CopyObject"}),
    "lambda": frozenset({"Invoke"}),
    "stepfunctions": frozenset({"StartExecution"}),
    "kinesis": frozenset({"PutRecord", "PutRecords"}),
    "firehose": frozenset({"PutRecord", "PutRecordBatch"}),
}
"""By service."""

"""Forgetting all tasks of a stage: what a run does before its load, and a deployment never does."""

import time
from typing import Any

from dlqlab.deploy.target import Target, TargetKind
from dlqlab.errors import DeployError
from dlqlab.waiting import DeadlinePassedError, wait_for

PURGE_DEADLINE_S = 90.0
"""SQS takes one PurgeQueue of a queue in 60 s (PurgeQueue in the SQS API reference)."""
PURGE_SETTLES_S = 60.0
"""A purge takes up to 60 s on AWS and may delete what is sent meanwhile; nothing tells its end (ibidem)."""


def reset(target: Target) -> None:
    """Empty all queues and all tables of the stage.

    Raises:
        DeployError: SQS refuses for too long.
    """
    purge(target)
    dynamodb = target.client("dynamodb")
    for table in target.topology.tables:
        _clear(dynamodb, table.name, table.key)


def purge(target: Target) -> None:
    """Empty all queues, after a while where they were emptied a moment ago.

    Raises:
        DeployError: SQS refuses for too long.
    """
    sqs = target.client("sqs")
    for queue in target.topology.queues:
        _purge(sqs, queue.name)
    if target.kind is TargetKind.AWS:
        purged = time.monotonic()
        over = lambda: (time.monotonic() - purged >= PURGE_SETTLES_S, "")  # noqa: E731  (one expression, used on the next line)
        wait_for("the end of a purge", over, deadline_s=2 * PURGE_SETTLES_S, interval_s=1.0)


def _purge(sqs: Any, name: str) -> None:
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]

    def probe() -> tuple[bool, str]:
        try:
            sqs.purge_queue(QueueUrl=url)
        except sqs.exceptions.PurgeQueueInProgress as error:
            return False, str(error)
        return True, "purged"

    try:
        wait_for(f"a purge of {name}", probe, deadline_s=PURGE_DEADLINE_S, interval_s=2.0)
    except DeadlinePassedError as error:
        raise DeployError(str(error)) from error


def _clear(dynamodb: Any, table: str, key: str) -> None:
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression=key)
    keys = [item for page in pages for item in page["Items"]]
    for start in range(0, len(keys), 25):
        waiting = {table: [{"DeleteRequest": {"Key": item}} for item in keys[start : start + 25]]}
        while waiting:
            waiting = dynamodb.batch_write_item(RequestItems=waiting).get("UnprocessedItems") or {}

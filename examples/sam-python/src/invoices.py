"""Write an invoice for each order."""

import os
import zlib

import boto3
import orjson  # a wheel with native code: it must be that of the function's Python
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

logger = Logger()
processor = BatchProcessor(event_type=EventType.SQS)
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


class LedgerRefusedError(Exception):
    """The ledger does not take the invoice now."""


def invoice(record):
    """The invoice of one order; one attempt in five is refused, which ones depends on order and attempt alone."""
    order = orjson.loads(record.body)["id"]
    attempt = record.attributes.approximate_receive_count
    if zlib.crc32(f"{order}/{attempt}".encode()) % 5 == 0:
        raise LedgerRefusedError(order)
    table.put_item(Item={"order": order, "attempts": int(attempt)})
    logger.info("invoiced", extra={"order": order})


@logger.inject_lambda_context
def handler(event, context):
    """A batch of orders in, those that failed out."""
    return process_partial_response(event=event, record_handler=invoice, processor=processor, context=context)

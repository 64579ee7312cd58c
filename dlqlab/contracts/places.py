"""Kinds of places where a pipeline leaves something; a place is written as ``dynamodb orders``."""

from typing import Final

TABLE: Final = "dynamodb"
BUCKET: Final = "s3"
QUEUE: Final = "sqs"
KINDS: Final = (TABLE, BUCKET, QUEUE)

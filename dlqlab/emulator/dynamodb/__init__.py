"""DynamoDB on moto's tables: LocalStack's own provider downloads and runs a Java server.

    provider      the service; each request goes to the fast path first, to the full path where that declines, and to
                  moto where it is about tables
    operations    the full path: every operation on items, with DynamoDB's errors
    single_item   the fast path: GetItem, PutItem, UpdateItem and DeleteItem on moto's own tables
    search        the fast path of Scan, and of Query of an index
    requests      request bodies that the fast path takes, read into records
    tables        moto's tables and items, as the fast path sees and makes them
    expressions   ConditionExpression and UpdateExpression, compiled and kept
    conditions, updates, documents, grammar
                  what they are compiled from and to
    values        attribute values: reading, writing, comparing, sizes; numeric has the numbers

The fast path answers what it understands fully and otherwise raises UnsupportedError before anything has changed; the
full path then serves the request, or moto where the full path is off (patch dynamodb_rules). All work on the same
items, under one lock.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localstack.services.plugins import Service


def make_service() -> "Service":
    """The service for LocalStack."""
    from dlqlab.emulator.dynamodb import provider  # noqa: PLC0415  (LocalStack and moto, which expressions do without)

    return provider.make_service()

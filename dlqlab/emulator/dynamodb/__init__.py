"""DynamoDB served by moto's backend: LocalStack's own provider downloads and runs a Java server.

    provider      the service; each request goes to the fast path first, and to moto where that declines
    single_item   the fast path: GetItem, PutItem, UpdateItem and DeleteItem on moto's own tables
    requests      request bodies that the fast path takes, read into records
    tables        moto's tables and items, as the fast path sees and makes them
    expressions   compiled ConditionExpression and UpdateExpression, from grammar, conditions and updates
    values        attribute values: reading, writing, comparing, sizes; numeric has the numbers

The fast path answers what it understands fully and otherwise raises UnsupportedError before anything has changed; moto
then serves the request, so errors are moto's. Both work on the same items, under one lock.
"""

from dlqlab.emulator.dynamodb.provider import make_service

__all__ = ["make_service"]

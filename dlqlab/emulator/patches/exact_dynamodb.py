"""DynamoDB answers and refuses as AWS: numbers, sizes, expressions, batches, transactions, PartiQL, descriptions.

Operations on items are served by dlqlab's own code on moto's tables instead of by moto, which accepts much that AWS
refuses, answers with what nobody asked for, and misreads PartiQL. Off where moto serves all calls (DLQLAB_DYNAMODB).
"""

from moto.dynamodb.models.table import StreamShard, Table

from dlqlab.emulator.dynamodb import provider
from dlqlab.emulator.patches import expect

NAME = "exact_dynamodb"


def patch() -> None:
    expect(NAME, Table.describe, "c210fd310f65")
    expect(NAME, Table.put_item, "b1415823090d")
    expect(NAME, Table.delete_item, "6bce29bdcc7a")
    expect(NAME, StreamShard.add, "3ef1e8225873")
    provider.be_exact()

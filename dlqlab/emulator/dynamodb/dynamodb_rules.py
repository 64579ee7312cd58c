"""DynamoDB answers and refuses as AWS: numbers, sizes, expressions, batches, transactions, PartiQL, descriptions.

Operations on items are served by dlqlab's own code on moto's tables instead of by moto, which accepts much that AWS
refuses, answers with what nobody asked for, and misreads PartiQL. Off where moto serves all calls (DLQLAB_DYNAMODB).
"""

from dlqlab.emulator.dynamodb import provider


def patch() -> None:
    provider.serve_all_operations()

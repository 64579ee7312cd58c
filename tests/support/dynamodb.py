"""The task table as the stack defines it: its key and its sparse index."""

from typing import Any

PENDING_ATTRIBUTES = [
    {"AttributeName": "pendingShard", "AttributeType": "S"},
    {"AttributeName": "pendingSince", "AttributeType": "N"},
]
PENDING_INDEX: dict[str, Any] = {
    "IndexName": "pending",
    "KeySchema": [
        {"AttributeName": "pendingShard", "KeyType": "HASH"},
        {"AttributeName": "pendingSince", "KeyType": "RANGE"},
    ],
    "Projection": {"ProjectionType": "KEYS_ONLY"},
}


def table_of(key: str) -> dict[str, Any]:
    """The members of CreateTable, apart from the name, for a table with this key and the index."""
    return {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}, *PENDING_ATTRIBUTES],
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [PENDING_INDEX],
    }


TASK_TABLE = table_of("taskId")

"""DynamoDB over HTTP, through an SDK: what moto does otherwise than AWS."""

import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.emulator.host import fidelity_card
from dlqlab.emulator.host.lifecycle import Emulator

pytestmark = pytest.mark.integration


@pytest.fixture
def client(aws: Callable[[str], Any]) -> Any:
    return aws("dynamodb")


@pytest.fixture
def table(client: Any, cleanups: ExitStack) -> str:
    """A table with an index that holds keys only."""
    name = f"table-{uuid.uuid4().hex[:8]}"
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("id", "state")],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-state",
                "KeySchema": [{"AttributeName": "state", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    cleanups.callback(client.delete_table, TableName=name)
    return name


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def body_of(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def test_a_transaction_that_an_sdk_repeats_runs_once(client: Any, table: str) -> None:
    """With the token that the SDK makes for a call, or that the caller gives."""
    add = {
        "TableName": table,
        "Key": {"id": {"S": "counter"}},
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    token = str(uuid.uuid4())
    answers = [
        body_of(client.transact_write_items(TransactItems=[{"Update": add}], ClientRequestToken=token))
        for _ in range(2)
    ]
    other = {**add, "ExpressionAttributeValues": {":one": {"N": "2"}}}

    assert [{}, {}] == answers
    assert {"N": "1"} == client.get_item(TableName=table, Key={"id": {"S": "counter"}})["Item"]["n"]
    assert "IdempotentParameterMismatchException" == code_of(
        lambda: client.transact_write_items(TransactItems=[{"Update": other}], ClientRequestToken=token)
    )


def test_batches_and_descriptions(client: Any, table: str) -> None:
    """Nothing unasked in an answer, 25 writes at most, and a table that has an id."""
    puts = [{"PutRequest": {"Item": {"id": {"S": str(place)}}}} for place in range(26)]
    described = client.describe_table(TableName=table)["Table"]

    assert {"UnprocessedItems": {}} == body_of(client.batch_write_item(RequestItems={table: puts[:25]}))
    assert "ValidationException" == code_of(lambda: client.batch_write_item(RequestItems={table: puts}))
    assert uuid.UUID(described["TableId"])
    assert described["GlobalSecondaryIndexes"][0]["IndexArn"].endswith(f"{table}/index/by-state")
    assert "LocalSecondaryIndexes" not in described


def test_statements(client: Any, table: str) -> None:
    """Written with parameters, read by an index, refused where they are nonsense."""
    for place in range(3):
        client.execute_statement(
            Statement=f"INSERT INTO \"{table}\" VALUE {{'id': ?, 'state': 'NEW', 'n': ?}}",
            Parameters=[{"S": str(place)}, {"N": str(place)}],
        )
    client.put_item(TableName=table, Item={"id": {"S": "apart"}})
    by_state = {"Statement": f'SELECT id FROM "{table}"."by-state" WHERE state = ?', "Parameters": [{"S": "NEW"}]}
    found = client.execute_statement(**by_state)

    assert {"0", "1", "2"} == {item["id"]["S"] for item in found["Items"]}
    assert "ValidationException" == code_of(lambda: client.execute_statement(Statement="SELEKT nothing"))
    assert "DuplicateItemException" == code_of(
        lambda: client.execute_statement(Statement=f"INSERT INTO \"{table}\" VALUE {{'id': '1'}}")
    )


def test_the_card_says_so(emulator: Emulator) -> None:
    """And says what is still moto's."""
    entries = {str(entry["name"]): entry for entry in fidelity_card.card(emulator)}

    assert entries["patch dynamodb_rules"]["ok"]
    assert "backups" in str(entries["DynamoDB"]["statement"])
    assert "one shard" in str(entries["DynamoDB streams"]["statement"])

"""DynamoDB over HTTP: conditional writes are atomic, and the fast path can be turned off."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.emulator import settings
from dlqlab.emulator.core.loopback import ANY_PORT
from dlqlab.emulator.host import fidelity_card, lifecycle
from dlqlab.emulator.host.lifecycle import Emulator
from tests.integration.conftest import make_client

pytestmark = pytest.mark.integration

KEY = {"id": {"S": "counter"}}
THREADS = 8
UPDATES_PER_THREAD = 100


@pytest.fixture
def make_table(cleanups: ExitStack) -> Callable[[Any], str]:
    """Makes tables with unique names."""

    def make(client: Any) -> str:
        name = f"table-{uuid.uuid4().hex[:8]}"
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        cleanups.callback(client.delete_table, TableName=name)
        return name

    return make


@pytest.fixture(scope="module")
def emulator_of_moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator without the fast path."""
    running = lifecycle.start(
        ANY_PORT,
        bound=True,
        root=tmp_path_factory.mktemp("moto"),
        extra={settings.DYNAMODB: settings.DYNAMODB_MOTO},
    )
    yield running
    lifecycle.stop(running)


def in_threads(emulator: Emulator, work: Callable[[Any], int]) -> list[int]:
    """The results of the work, done at once by threads with a connection each."""
    clients = [make_client(emulator, "dynamodb") for _ in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, clients))


def test_no_conditional_increment_is_lost(
    emulator: Emulator, aws: Callable[[str], Any], make_table: Callable[[Any], str]
) -> None:
    """Eight clients that count up at once arrive at the sum."""
    table = make_table(aws("dynamodb"))
    aws("dynamodb").put_item(TableName=table, Item={**KEY, "n": {"N": "0"}, "seen": {"L": []}})

    def count_up(client: Any) -> int:
        for _ in range(UPDATES_PER_THREAD):
            client.update_item(
                TableName=table,
                Key=KEY,
                UpdateExpression="SET n = n + :one, seen = list_append(seen, :entry)",
                ConditionExpression="n < :limit",
                ExpressionAttributeValues={
                    ":one": {"N": "1"},
                    ":limit": {"N": str(THREADS * UPDATES_PER_THREAD)},
                    ":entry": {"L": [{"S": "x"}]},
                },
            )
        return UPDATES_PER_THREAD

    done = in_threads(emulator, count_up)
    item = aws("dynamodb").get_item(TableName=table, Key=KEY)["Item"]

    assert THREADS * UPDATES_PER_THREAD == sum(done)
    assert {"N": str(THREADS * UPDATES_PER_THREAD)} == item["n"]
    assert THREADS * UPDATES_PER_THREAD == len(item["seen"]["L"])


def test_each_version_has_one_winner(
    emulator: Emulator, aws: Callable[[str], Any], make_table: Callable[[Any], str]
) -> None:
    """Of clients that all try to replace version v by v + 1, exactly one does, and the others see who did."""
    versions = 50
    table = make_table(aws("dynamodb"))
    aws("dynamodb").put_item(TableName=table, Item={**KEY, "version": {"N": "0"}})

    def win_versions(client: Any) -> int:
        won = 0
        for version in range(versions):
            try:
                client.update_item(
                    TableName=table,
                    Key=KEY,
                    UpdateExpression="SET version = :next",
                    ConditionExpression="version = :version",
                    ExpressionAttributeValues={":version": {"N": str(version)}, ":next": {"N": str(version + 1)}},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except client.exceptions.ConditionalCheckFailedException as error:
                # This client had seen or made the version before, so the refusal shows a later one.
                assert int(error.response["Item"]["version"]["N"]) > version  # noqa: PT017  (refused or not: both may be)
            else:
                won += 1
        return won

    won = in_threads(emulator, win_versions)

    assert versions == sum(won)
    assert {"N": str(versions)} == aws("dynamodb").get_item(TableName=table, Key=KEY)["Item"]["version"]


def refusal_of(call: Callable[[], object]) -> dict[str, Any]:
    """What a client sees of a refusal, without what differs from call to call."""
    with pytest.raises(ClientError) as caught:
        call()
    response: dict[str, Any] = dict(caught.value.response)
    return {name: part for name, part in response.items() if name != "ResponseMetadata"}


def answers_of(client: Any, table: str) -> list[Any]:
    """The answers to a few calls of every kind, as boto3 reads them."""
    item = {**KEY, "n": {"N": "1"}, "text": {"S": "é"}, "bytes": {"B": b"\x00\x01"}, "list": {"L": [{"BOOL": True}]}}
    update = {"TableName": table, "Key": KEY, "ExpressionAttributeValues": {":n": {"N": "2"}}}
    answers = [
        client.put_item(TableName=table, Item=item, ReturnValues="ALL_OLD"),
        client.get_item(TableName=table, Key=KEY),
        client.get_item(TableName=table, Key={"id": {"S": "none"}}),
        client.update_item(**update, UpdateExpression="SET n = n + :n", ReturnValues="ALL_NEW"),
        client.scan(TableName=table),
        client.delete_item(TableName=table, Key=KEY, ReturnValues="ALL_OLD"),
    ]
    for answer in answers:
        assert answer["ResponseMetadata"]["RequestId"]
        assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 200
        answer.pop("ConsumedCapacity", None)  # moto adds it unasked
        answer.pop("ConsumedCapacityUnits", None)
        if answer.get("Attributes") == {}:  # AWS leaves it out
            del answer["Attributes"]
    client.put_item(TableName=table, Item={**KEY, "n": {"N": "1"}})
    failing = update | {"ConditionExpression": "n = :n", "UpdateExpression": "REMOVE n"}
    answers.append(refusal_of(lambda: client.update_item(**failing)))
    answers.append(refusal_of(lambda: client.update_item(**failing, ReturnValuesOnConditionCheckFailure="ALL_OLD")))
    answers.append(refusal_of(lambda: client.update_item(**update, UpdateExpression="SET id = :n")))
    answers.append(refusal_of(lambda: client.get_item(TableName="unknown", Key=KEY)))
    return answers


def test_clients_see_the_same_with_and_without_the_fast_path(
    emulator: Emulator, emulator_of_moto: Emulator, make_table: Callable[[Any], str]
) -> None:
    """DLQLAB_DYNAMODB=moto turns the fast path off; the card of a report says which it was."""
    fast, moto = (make_client(each, "dynamodb") for each in (emulator, emulator_of_moto))
    cards = [
        {entry["name"]: entry["ok"] for entry in fidelity_card.card(each)} for each in (emulator, emulator_of_moto)
    ]
    types = [
        client.get_item(TableName=table, Key=KEY)["ResponseMetadata"]["HTTPHeaders"]["content-type"]
        for client, table in ((fast, make_table(fast)), (moto, make_table(moto)))
    ]

    assert answers_of(moto, make_table(moto)) == answers_of(fast, make_table(fast))
    assert [True, False] == [card["dynamodb fast path"] for card in cards]
    assert ["application/x-amz-json-1.0", "text/plain; charset=utf-8"] == types

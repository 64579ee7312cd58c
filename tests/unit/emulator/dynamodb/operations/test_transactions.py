"""TransactWriteItems and TransactGetItems: all or nothing, and once for each token."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.emulator.dynamodb.operations.transactions import TOKEN_KEPT_S, Tokens
from dlqlab.emulator.dynamodb.unsupported import InvalidError
from tests.unit.emulator.dynamodb.operations.full import NOT_FOUND, VALIDATION, Full, number, refusal, text

CANCELED = "TransactionCanceledException"
MISMATCH = "IdempotentParameterMismatchException"


@pytest.fixture(scope="module")
def table(side: Full) -> str:
    return side.make_table()


def key(name: str, place: int = 1) -> dict[str, Any]:
    return {"pk": text(name), "sk": number(place)}


def put(table: str, name: str, place: int = 1, **members: Any) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": key(name, place), **members}}


def add(table: str, name: str, amount: int = 1) -> dict[str, Any]:
    values = {":n": number(amount)}
    update = {"TableName": table, "Key": key(name), "UpdateExpression": "ADD n :n", "ExpressionAttributeValues": values}
    return {"Update": update}


def transact(side: Full, *items: dict[str, Any], **members: Any) -> dict[str, Any]:
    return side.call("TransactWriteItems", TransactItems=list(items), **members)


def found(side: Full, table: str, name: str) -> dict[str, Any] | None:
    item: dict[str, Any] | None = side.get_item(TableName=table, Key=key(name)).get("Item")
    return item


def test_all_actions_are_done_and_nothing_is_answered(side: Full, table: str) -> None:
    """Each of the four."""
    transact(side, put(table, "checked"), put(table, "deleted"))
    check = {"TableName": table, "Key": key("checked"), "ConditionExpression": "attribute_exists(pk)"}
    delete = {"TableName": table, "Key": key("deleted")}
    answer = transact(side, put(table, "put"), add(table, "added"), {"Delete": delete}, {"ConditionCheck": check})

    assert {} == answer
    assert key("put") == found(side, table, "put")
    assert {**key("added"), "n": number(1)} == found(side, table, "added")
    assert found(side, table, "deleted") is None


def test_one_failed_condition_cancels_all(side: Full, table: str) -> None:
    """With a reason for each action, and the item where it is asked for."""
    transact(side, put(table, "there"))
    new: dict[str, Any] = {
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    with pytest.raises(ClientError) as caught:
        transact(side, put(table, "canceled"), put(table, "there", **new))
    response: Any = caught.value.response

    failed = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": key("there")}
    assert CANCELED == response["Error"]["Code"]
    assert [{"Code": "None"}, failed] == response["CancellationReasons"]
    assert response["Error"]["Message"].endswith("specific reasons [None, ConditionalCheckFailed]")
    assert found(side, table, "canceled") is None


def test_an_update_that_does_not_fit_cancels_all(side: Full, table: str) -> None:
    """Its reason is a validation error."""
    side.put_item(TableName=table, Item={**key("text"), "n": text("x")})
    with pytest.raises(ClientError) as caught:
        transact(side, put(table, "canceled"), add(table, "text"))
    response: Any = caught.value.response

    assert ["None", "ValidationError"] == [reason["Code"] for reason in response["CancellationReasons"]]
    assert found(side, table, "canceled") is None


def test_requests_that_are_refused_as_a_whole(side: Full, table: str) -> None:
    """Nothing of them is tried."""
    two_writes = "Transaction request cannot include multiple operations on one item"
    assert (VALIDATION, two_writes) == refusal(lambda: transact(side, add(table, "a"), add(table, "a")))
    assert VALIDATION == refusal(lambda: transact(side, *[put(table, "a", place) for place in range(101)]))[0]
    assert VALIDATION == refusal(lambda: transact(side))[0]
    assert VALIDATION == refusal(lambda: transact(side, {}))[0]
    assert VALIDATION == refusal(lambda: transact(side, {**put(table, "a"), **add(table, "b")}))[0]
    assert VALIDATION == refusal(lambda: transact(side, put(table, "a", ConditionExpression="status = :s")))[0]
    assert NOT_FOUND == refusal(lambda: transact(side, put(table, "a"), put("no-such-table", "a")))[0]
    assert found(side, table, "a") is None
    transact(side, *[put(table, "hundred", place) for place in range(100)])


def test_a_repeated_transaction_runs_once(side: Full, table: str) -> None:
    """An SDK that saw no answer sends the same token again: the answer is the same, and nothing is done twice."""
    first = transact(side, add(table, "once"), ClientRequestToken="once", ReturnConsumedCapacity="TOTAL")
    again = transact(side, add(table, "once"), ClientRequestToken="once", ReturnConsumedCapacity="TOTAL")
    other = refusal(lambda: transact(side, add(table, "once", 2), ClientRequestToken="once"))
    transact(side, add(table, "once"), ClientRequestToken="another")

    assert first == again
    assert MISMATCH == other[0]
    assert {**key("once"), "n": number(2)} == found(side, table, "once")


def test_a_canceled_transaction_can_be_repeated(side: Full, table: str) -> None:
    """It has not run: with the same token it may succeed later."""
    check = {"TableName": table, "Key": key("later"), "ConditionExpression": "attribute_exists(pk)"}
    items = [add(table, "counted"), {"ConditionCheck": check}]
    code, _ = refusal(lambda: transact(side, *items, ClientRequestToken="later"))
    side.put_item(TableName=table, Item=key("later"))
    transact(side, *items, ClientRequestToken="later")

    assert CANCELED == code
    assert {**key("counted"), "n": number(1)} == found(side, table, "counted")


def test_a_token_is_known_for_ten_minutes() -> None:
    """After that the transaction is a new one."""
    now = 0.0
    runs = []
    tokens = Tokens(lambda: now)

    def once(content: str = "a", region: str = "here") -> None:
        def run() -> dict[str, Any]:
            runs.append(content)
            return {}

        tokens.once(("write", region), "token", content, run)

    once()
    now = TOKEN_KEPT_S - 1
    once()
    with pytest.raises(InvalidError):
        once("b")
    once("b", region="there")
    now = TOKEN_KEPT_S
    once("b")

    assert ["a", "b", "b"] == runs


def test_reads_are_of_one_moment(side: Full, table: str) -> None:
    """An empty answer for what is not there; a projection for each."""
    side.put_item(TableName=table, Item={**key("read"), "n": number(1), "m": number(2)})
    gets = [
        {"Get": {"TableName": table, "Key": key("read"), "ProjectionExpression": "n"}},
        {"Get": {"TableName": table, "Key": key("none")}},
    ]
    answer = side.call("TransactGetItems", TransactItems=gets)
    told = side.call("TransactGetItems", TransactItems=gets, ReturnConsumedCapacity="TOTAL")
    units = {"TableName": table, "CapacityUnits": 4.0, "ReadCapacityUnits": 4.0}
    wrong = [{"Get": {"TableName": table, "Key": {"pk": text("read")}}}]

    assert {"Responses": [{"Item": {"n": number(1)}}, {}]} == answer
    assert [units] == told["ConsumedCapacity"]
    assert CANCELED == refusal(lambda: side.call("TransactGetItems", TransactItems=wrong))[0]
    assert VALIDATION == refusal(lambda: side.call("TransactGetItems", TransactItems=gets * 51))[0]

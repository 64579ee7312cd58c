"""What DynamoDB refuses of single items, with its code and text."""

from typing import Any

import pytest

from tests.unit.emulator.dynamodb.operations.full import (
    FAILED,
    NOT_FOUND,
    VALIDATION,
    Full,
    definitions,
    index,
    keys,
    number,
    refusal,
    text,
)

KEY = {"pk": text("p"), "sk": number(1)}
PARAMETERS = "One or more parameter values were invalid: "
DIGITS = "Attempting to store more than 38 significant digits in a Number"
OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
NO_NUMBER = "The parameter cannot be converted to a numeric value: "
EMPTY_KEY = "The AttributeValue for a key attribute cannot contain an empty string value."


@pytest.fixture(scope="module")
def table(side: Full) -> str:
    """A table with an index on texts and one item."""
    name = side.make_table(
        AttributeDefinitions=definitions(pk="S", sk="N", state="S", at="S"),
        GlobalSecondaryIndexes=[index("by-state", keys("state", "at"))],
    )
    side.put_item(TableName=name, Item={**KEY, "a": number(3), "s": text("x"), "l": {"L": [text("e")]}})
    return name


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (number("1" * 39), DIGITS),
        (number("0." + "1" * 39), DIGITS),
        (number("1e126"), OVERFLOW),
        (number("-1e126"), OVERFLOW),
        (number("1e-131"), UNDERFLOW),
        (number("1_000"), f"{NO_NUMBER}1_000"),
        (number("abc"), f"{NO_NUMBER}abc"),
        (number("NaN"), f"{NO_NUMBER}NaN"),
        (number(""), "The parameter cannot be converted to a numeric value"),
        ({"SS": ["a", "a"]}, f"{PARAMETERS}Input collection [a, a] contains duplicates."),
        ({"NS": ["1", "1.0"]}, "Input collection contains duplicates"),
        ({"SS": []}, f"{PARAMETERS}An string set  may not be empty"),
        ({"NS": []}, f"{PARAMETERS}An number set  may not be empty"),
        ({"BS": []}, f"{PARAMETERS}Binary sets should not be empty"),
        ({"L": [{"M": {"deep": {"SS": []}}}]}, f"{PARAMETERS}An string set  may not be empty"),
        ({"NULL": False}, f"{PARAMETERS}Null attribute value types must have the value of true"),
        ({}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
        (
            {"S": "a", "N": "1"},
            (
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported "
                "datatypes"
            ),
        ),
    ],
)
def test_a_value_that_dynamodb_does_not_store(side: Full, table: str, value: dict[str, Any], message: str) -> None:
    """It is refused wherever it stands: in an item, in a batch, in a transaction."""
    item = {**KEY, "v": value}
    put = {"TableName": table, "Item": item}
    batch = {table: [{"PutRequest": {"Item": item}}]}

    assert (VALIDATION, message) == refusal(lambda: side.put_item(**put))
    assert (VALIDATION, message) == refusal(lambda: side.call("BatchWriteItem", RequestItems=batch))
    assert (VALIDATION, message) == refusal(lambda: side.call("TransactWriteItems", TransactItems=[{"Put": put}]))


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"pk": text("p")}, f"{PARAMETERS}Missing the key sk in the item"),
        ({"pk": text("p"), "sk": text("1")}, f"{PARAMETERS}Type mismatch for key sk expected: N actual: S"),
        ({**KEY, "pk": text("")}, f"One or more parameter values are not valid. {EMPTY_KEY} Key: pk"),
        (
            {**KEY, "state": text("")},
            (
                "One or more parameter values are not valid. A value specified for a secondary index key is not "
                "supported. "
                f"{EMPTY_KEY} IndexName: by-state, IndexKey: state"
            ),
        ),
        (
            {**KEY, "state": number(1)},
            f"{PARAMETERS}Type mismatch for Index Key state Expected: S Actual: N IndexName: by-state",
        ),
        (
            {**KEY, "pk": text("k" * 2049)},
            f"{PARAMETERS}Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
        ({**KEY, "v": text("x" * 409_600)}, "Item size has exceeded the maximum allowed size"),
        ({**KEY, "": text("x")}, f"{PARAMETERS}An attribute name may not be empty"),
    ],
)
def test_an_item_that_a_table_does_not_take(side: Full, table: str, item: dict[str, Any], message: str) -> None:
    """Keys, keys of indexes and size are checked before anything is written."""
    assert (VALIDATION, message) == refusal(lambda: side.put_item(TableName=table, Item=item))


def test_keys_have_their_longest_sizes(side: Full) -> None:
    """2,048 bytes of a hash key and 1,024 of a range key fit, one more does not."""
    table = side.make_table(AttributeDefinitions=definitions(pk="S", sk="S"))
    side.put_item(TableName=table, Item={"pk": text("é" * 1024), "sk": text("x" * 1024)})
    long = {"pk": text("p"), "sk": text("x" * 1025)}

    message = f"{PARAMETERS}Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
    assert (VALIDATION, message) == refusal(lambda: side.put_item(TableName=table, Item=long))


@pytest.mark.parametrize(
    "members",
    [
        {"Key": {"pk": text("p")}},
        {"Key": {**KEY, "more": text("x")}},
        {"Key": {"pk": text("p"), "sk": text("1")}},
    ],
)
@pytest.mark.parametrize("operation", ["GetItem", "DeleteItem", "UpdateItem"])
def test_a_key_that_is_not_the_table_s(side: Full, table: str, operation: str, members: dict[str, Any]) -> None:
    """One text for all of them."""
    expected = (VALIDATION, "The provided key element does not match the schema")
    assert expected == refusal(lambda: side.call(operation, TableName=table, **members))


UPDATE, CONDITION = "Invalid UpdateExpression: ", "Invalid ConditionExpression: "
UNDEFINED = "An expression attribute value used in expression is not defined; attribute value: "


@pytest.mark.parametrize(
    ("update", "values", "message"),
    [
        ("", None, f"{UPDATE}The expression can not be empty;"),
        ("SET a = :v", None, f"{UPDATE}{UNDEFINED}:v"),
        (
            "SET status = :v",
            {":v": text("x")},
            f"{UPDATE}Attribute name is a reserved keyword; reserved keyword: status",
        ),
        (
            "SET #u = :v",
            {":v": text("x")},
            f"{UPDATE}An expression attribute name used in the document path is not defined; attribute name: #u",
        ),
        (
            "SET a = :v, a.b = :v",
            {":v": text("x")},
            (
                f"{UPDATE}Two document paths overlap with each other; must remove or rewrite one of these paths; "
                "path one: [a], path two: [a, b]"
            ),
        ),
        (
            "SET pk = :v",
            {":v": text("x")},
            f"{PARAMETERS}Cannot update attribute pk. This attribute is part of the key",
        ),
        (
            "SET a = :v SET b = :v",
            {":v": text("x")},
            f'{UPDATE}The "SET" section can only be used once in an update expression;',
        ),
        ("SET a = absent", None, "The provided expression refers to an attribute that does not exist in the item"),
        (
            "SET absent.b = :v",
            {":v": text("x")},
            "The document path provided in the update expression is invalid for update",
        ),
        ("SET s = s + :v", {":v": number(1)}, "An operand in the update expression has an incorrect data type"),
        (
            "SET a = a + :v",
            {":v": text("x")},
            f"{UPDATE}Incorrect operand type for operator or function; operator or function: +, operand type: S",
        ),
        (
            "ADD a :v",
            {":v": text("x")},
            (
                f"{UPDATE}Incorrect operand type for operator or function; operator: ADD, operand type: STRING, "
                "typeSet: ALLOWED_FOR_ADD_OPERAND"
            ),
        ),
        ("SET a = nope(:v)", {":v": text("x")}, f"{UPDATE}Invalid function name; function: nope"),
        (
            "SET a = size(s)",
            None,
            f"{UPDATE}The function is not allowed in an update expression; function: size",
        ),
        ("INVALID SYNTAX", None, f'{UPDATE}Syntax error; token: "INVALID", near: "INVALID SYNTAX"'),
        ("SET a = :v b = :v", {":v": text("x")}, f'{UPDATE}Syntax error; token: "b", near: ":v b ="'),
        ("REMOVE a", {}, "ExpressionAttributeValues must not be empty"),
        (
            "SET a = :v",
            {":v": text("x"), ":w": text("y")},
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}",
        ),
        ("SET a = :v", {"v": text("x")}, 'ExpressionAttributeValues contains invalid key: Syntax error; key: "v"'),
        (
            "SET a = :v",
            {":v": {"SS": []}},
            f"ExpressionAttributeValues contains invalid value: {PARAMETERS}An string set  may not be empty for key :v",
        ),
        ("SET a = a + :v", {":v": number("1e-130")}, DIGITS),
    ],
)
def test_an_update_that_is_wrong(
    side: Full, table: str, update: str, values: dict[str, Any] | None, message: str
) -> None:
    """The item stays as it was."""
    members = {} if values is None else {"ExpressionAttributeValues": values}
    before = side.get_item(TableName=table, Key=KEY)

    assert (VALIDATION, message) == refusal(
        lambda: side.update_item(TableName=table, Key=KEY, UpdateExpression=update, **members)
    )
    assert before == side.get_item(TableName=table, Key=KEY)


BOUNDS = "lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue: "


@pytest.mark.parametrize(
    ("condition", "values", "message"),
    [
        (
            "a BETWEEN :x AND :y",
            {":x": number(5), ":y": number(1)},
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; " + BOUNDS + "{N:1}",
        ),
        (
            "a BETWEEN :x AND :y",
            {":x": number(5), ":y": text("9")},
            "The BETWEEN operator requires same data type for lower and upper bounds; " + BOUNDS + "{S:9}",
        ),
        ("((a = :x))", {":x": number(5)}, "The expression has redundant parentheses;"),
        (
            "a = a",
            None,
            (
                "The first operand must be distinct from the remaining operands for this operator or function; "
                "operator: =, first operand: [a]"
            ),
        ),
        (
            "a < :x",
            {":x": {"BOOL": True}},
            "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
        ),
        (
            "begins_with(s, :x)",
            {":x": number(1)},
            "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
        ),
        (
            "attribute_exists(:x)",
            {":x": number(1)},
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "attribute_type(a, :x)",
            {":x": text("X")},
            "Invalid attribute type name found; type: X, valid types: {B,BOOL,BS,L,M,N,NS,NULL,S,SS}",
        ),
        ("nope(a)", None, "Invalid function name; function: nope"),
        ("a = :x AND", {":x": number(1)}, 'Syntax error; token: "<EOF>", near: "AND"'),
    ],
)
@pytest.mark.parametrize("is_there", [True, False])
def test_a_condition_that_is_wrong(
    side: Full, table: str, condition: str, values: dict[str, Any] | None, message: str, *, is_there: bool
) -> None:
    """Whatever the item: also where there is none, and where the attribute is not there."""
    members = {} if values is None else {"ExpressionAttributeValues": values}
    key = KEY if is_there else {"pk": text("none"), "sk": number(1)}

    assert (VALIDATION, CONDITION + message) == refusal(
        lambda: side.delete_item(TableName=table, Key=key, ConditionExpression=condition, **members)
    )


@pytest.mark.parametrize(
    ("operation", "members", "message"),
    [
        ("PutItem", {"Item": KEY, "ReturnValues": "ALL_NEW"}, "Return values set to invalid value"),
        ("DeleteItem", {"Key": KEY, "ReturnValues": "UPDATED_OLD"}, "Return values set to invalid value"),
        (
            "UpdateItem",
            {"Key": KEY, "ReturnValues": "SOME"},
            (
                "1 validation error detected: Value 'SOME' at 'returnValues' failed to satisfy constraint: Member must "
                "satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"
            ),
        ),
        (
            "PutItem",
            {},
            "1 validation error detected: Value null at 'item' failed to satisfy constraint: Member must not be null",
        ),
        (
            "PutItem",
            {"Item": KEY, "ExpressionAttributeNames": {"#a": "a"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            "PutItem",
            {"Item": KEY, "ExpressionAttributeValues": {":a": number(1)}},
            "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null",
        ),
        (
            "UpdateItem",
            {"Key": KEY, "UpdateExpression": "REMOVE a", "ExpressionAttributeNames": {"#a": "a"}},
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}",
        ),
        (
            "UpdateItem",
            {"Key": KEY, "UpdateExpression": "REMOVE a", "AttributeUpdates": {"a": {"Action": "DELETE"}}},
            (
                "Can not use both expression and non-expression parameters in the same request: Non-expression "
                "parameters: "
                "{AttributeUpdates} Expression parameters: {UpdateExpression}"
            ),
        ),
        (
            "GetItem",
            {"Key": KEY, "ProjectionExpression": "!!! a"},
            'Invalid ProjectionExpression: Syntax error; token: "!", near: "!!"',
        ),
        (
            "GetItem",
            {"Key": KEY, "ProjectionExpression": "l, l[0]"},
            (
                "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or "
                "rewrite one of "
                "these paths; path one: [l], path two: [l, [0]]"
            ),
        ),
    ],
)
def test_a_request_that_is_wrong(side: Full, table: str, operation: str, members: dict[str, Any], message: str) -> None:
    """Parameters that do not fit the operation, or each other."""
    assert (VALIDATION, message) == refusal(lambda: side.call(operation, TableName=table, **members))


@pytest.mark.parametrize(
    "item", [{**KEY, "v": text("\ud800")}, {**KEY, "\ud800": text("v")}, {**KEY, "pk": text("\ud800")}]
)
def test_a_text_that_is_no_unicode_is_a_serialization_error(side: Full, table: str, item: dict[str, Any]) -> None:
    """JSON can write half of a surrogate pair; no store can keep it."""
    assert "SerializationException" == refusal(lambda: side.put_item(TableName=table, Item=item))[0]


def test_several_violations_are_told_together(side: Full, table: str) -> None:
    """As AWS's own check of requests does."""
    wrong = {"Item": KEY, "ReturnValues": "A", "ReturnConsumedCapacity": "B"}
    code, message = refusal(lambda: side.put_item(TableName=table, **wrong))

    assert VALIDATION == code
    assert message.startswith("2 validation errors detected: ")
    assert "'returnValues'" in message
    assert "'returnConsumedCapacity'" in message


def test_a_member_of_another_type_is_a_serialization_error(side: Full, table: str) -> None:
    """What no SDK sends, but a client without one may."""
    assert "SerializationException" == refusal(lambda: side.put_item(TableName=table, Item=[]))[0]
    assert "SerializationException" == refusal(lambda: side.put_item(TableName=table, Item={**KEY, "v": {"S": 1}}))[0]


@pytest.mark.parametrize("operation", ["GetItem", "DeleteItem", "UpdateItem", "Query", "Scan"])
def test_a_table_that_is_not_there(side: Full, operation: str) -> None:
    """The text has no name."""
    members: dict[str, Any] = {"Key": KEY} if operation.endswith("Item") else {}
    if operation == "Query":
        members = {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": text("p")}}

    assert (NOT_FOUND, "Requested resource not found") == refusal(
        lambda: side.call(operation, TableName="no-such-table", **members)
    )


def test_a_failed_condition_shows_the_item_only_when_asked(side: Full, table: str) -> None:
    """And only where there is one."""
    condition = {"ConditionExpression": "attribute_exists(nope)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    side_answer = side.handle(side.context("DeleteItem", {"TableName": table, "Key": KEY, **condition}))
    absent = {"pk": text("none"), "sk": number(1)}

    assert b'"Item":{"pk":{"S":"p"}' in side_answer.data
    assert FAILED == refusal(lambda: side.delete_item(TableName=table, Key=absent, **condition))[0]


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = text("leaf")
    for level in range(levels):
        value = {"L": [value]} if level % 2 else {"M": {"in": value}}
    return value


def test_documents_are_32_levels_deep_at_most(side: Full, table: str) -> None:
    """The attribute is the first of them; an update that writes into a document counts what is above."""
    limits = "Nesting Levels have exceeded supported limits"
    whole = f"{limits}: Attributes in the item have nested levels beyond supported limit"
    key = {"pk": text("deep"), "sk": number(1)}
    side.put_item(TableName=table, Item={**key, "v": nested(31), "m": {"M": {}}})
    single = refusal(lambda: side.put_item(TableName=table, Item={**key, "v": nested(32)}))
    put = {"PutRequest": {"Item": {**key, "v": nested(32)}}}
    batched = refusal(lambda: side.call("BatchWriteItem", RequestItems={table: [put]}))
    update = {"UpdateExpression": "SET m.x = :v", "ExpressionAttributeValues": {":v": nested(31)}}
    into = refusal(lambda: side.update_item(TableName=table, Key=key, **update))

    assert (VALIDATION, f"1 validation error detected: {whole}") == single
    assert (VALIDATION, whole) == batched
    assert (VALIDATION, limits) == into

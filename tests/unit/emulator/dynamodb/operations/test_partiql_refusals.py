"""PartiQL: what is refused, one by one, in batches and in transactions."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

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

MALFORMED = "Statement wasn't well formed, can't be processed: "
NO_KEY = "Where clause does not contain a mandatory equality on all key attributes"
COUNT = "Number of parameters in request and statement don't match."
MISMATCH = "IdempotentParameterMismatchException"


@pytest.fixture(scope="module")
def table(side: Full) -> str:
    """A table with an index and one item."""
    name = side.make_table(
        AttributeDefinitions=definitions(pk="S", sk="N", state="S"),
        GlobalSecondaryIndexes=[index("keys", keys("state"), "KEYS_ONLY")],
    )
    side.put_item(TableName=name, Item={"pk": text("p"), "sk": number(1), "state": text("x"), "n": number(1)})
    return name


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("SELEKT nothing", f"{MALFORMED}Expected data manipulation"),
        ("CREATE TABLE t", f"{MALFORMED}Expected data manipulation"),
        ('SELECT * FROM "{}" WHERE', f"{MALFORMED}Unexpected term"),
        ("SELECT * FROM \"{}\" WHERE pk = 'p' AND", f"{MALFORMED}Missing right-hand side expression of infix operator"),
        ("SELECT * FROM \"{}\" WHERE pk = 'p' foo", f"{MALFORMED}Unexpected token after expression"),
        ('SELECT * FROM "{}" LIMIT 1', f"{MALFORMED}Unexpected token after expression"),
        ('SELECT * FROM "{}" WHERE status = date', f"{MALFORMED}Unexpected keyword"),
        ('SELECT * FROM "{}" WHERE pk = \'p', MALFORMED),
        ('SELECT * FROM "{}" WHERE pk = 1 # note', MALFORMED),
        ('SELECT * FROM "{}', MALFORMED),
        ("DELETE FROM", f"{MALFORMED}Expected identifier for simple path"),
        ("SELECT * FROM \"{}\" t WHERE pk = 'p'", "Aliasing is not supported"),
        ('SELECT * FROM "{}"."nope"', "The table does not have the specified index"),
        ('SELECT * FROM "{0}"."keys"."x"', "A path may contain at most 2 components in the FROM clause"),
        ('SELECT * FROM "{}", "other"', "Only select from a single table or index is supported."),
        ('SELECT *, pk FROM "{}"', "Other attributes should not be present in the projection when '*' is used."),
        ('SELECT pk, pk FROM "{}"', "Duplicate identifiers in select clause: pk"),
        ('SELECT COUNT(*) FROM "{}"', "Unrecognized function: count"),
        (
            'SELECT l[0] FROM "{}"',
            (
                "The emulator does not select single elements of a list: under which name DynamoDB answers them is not "
                "documented. Select the list."
            ),
        ),
        (
            'SELECT n FROM "{}"."keys" WHERE state = \'x\'',
            "One or more parameter values were invalid: Global secondary index keys does not project [n]",
        ),
        (
            'SELECT pk FROM "{}"."keys" WHERE state = \'x\' AND n = 1',
            (
                "One or more parameter values were invalid: Secondary index keys does not project one or more filter "
                "attributes: [n]"
            ),
        ),
        (
            'SELECT * FROM "{}" WHERE pk = 1',
            "Key attribute's data type should match its data type in table's schema: Key pk",
        ),
        (
            "SELECT * FROM \"{}\" WHERE pk = 'p' AND n < true",
            "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
        ),
        (
            "SELECT * FROM \"{}\" WHERE pk = 'p' AND n BETWEEN 5 AND 1",
            (
                "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
                "lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue: {N:1}"
            ),
        ),
        ("SELECT * FROM \"{}\" WHERE pk LIKE 'a'", "Unsupported operation: Like"),
        ('SELECT * FROM "{}" WHERE pk', "WHERE clause must contain an expression that resolves to a boolean"),
        ('SELECT * FROM "{}" WHERE nope(pk) = 1', "Unrecognized function: nope"),
        ('SELECT * FROM "{}" WHERE n = MISSING', "MISSING must be compared using IS operator"),
        ('SELECT * FROM "{}" ORDER BY sk', "Must have WHERE clause in the statement when using ORDER BY clause."),
        (
            "SELECT * FROM \"{}\" WHERE pk = 'p' ORDER BY n",
            "Variable reference n in ORDER BY clause must be part of the primary key",
        ),
        (
            "EXISTS(SELECT * FROM \"{}\" WHERE pk = 'p' AND sk = 1 AND n = 1)",
            "EXISTS can only be used in ExecuteTransaction write requests.",
        ),
        ("INSERT INTO \"{}\" VALUE {'pk': 'p'}", "Key attribute should be present in the item: Key sk"),
        (
            "INSERT INTO \"{}\" VALUE {'pk': 1, 'sk': 1}",
            "Key attribute's data type should match its data type in table's schema: Key pk",
        ),
        (
            "INSERT INTO \"{}\" VALUE {'pk': 'i', 'sk': 1, 'm': {'x': 1e126}}",
            "Number overflow. Attempting to store a number with magnitude larger than supported range under root.x",
        ),
        ("INSERT INTO \"{}\" VALUE {'pk': 'i', 'sk': 1, 'sk': 2}", "Duplicate keys in tuple. Key: sk under root"),
        ("INSERT INTO \"{}\" VALUE {'pk': 'i', 'sk': 1, 's': <<>>}", "Empty bags are not supported"),
        ("INSERT INTO \"{}\" VALUE {'pk': 'i', 'sk': 1} RETURNING ALL OLD *", "RETURNING is not supported in INSERT"),
        ('UPDATE "{}" SET n = 1', NO_KEY),
        ("UPDATE \"{}\" SET n = 1 WHERE pk = 'p'", NO_KEY),
        ("UPDATE \"{}\" SET n = 1 WHERE pk = 'p' AND sk > 0", NO_KEY),
        ("UPDATE \"{}\" SET n = 1 WHERE pk = 'p' AND sk = 1 OR n = 1", NO_KEY),
        ('DELETE FROM "{}" WHERE n = 1', NO_KEY),
        (
            "UPDATE \"{}\" SET sk = 2 WHERE pk = 'p' AND sk = 1",
            "One or more parameter values were invalid: Cannot update attribute sk. This attribute is part of the key",
        ),
        (
            "UPDATE \"{}\" SET n = if_not_exists(n, 1) WHERE pk = 'p' AND sk = 1",
            "Unrecognized function: if_not_exists",
        ),
        (
            "UPDATE \"{}\" SET n = absent + 1 WHERE pk = 'p' AND sk = 1",
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        (
            "DELETE FROM \"{}\" WHERE pk = 'p' AND sk = 1 RETURNING ALL NEW *",
            "Invalid returning clause: RETURNING ALL NEW *. Only RETURNING ALL OLD * is allowed in DELETE statements.",
        ),
        ('SELECT * FROM "{}" WHERE pk = ? AND sk = ?', COUNT),
        ("SELECT * FROM \"{}\" WHERE pk = 'p'", COUNT),
    ],
)
def test_statements_that_are_refused(side: Full, table: str, statement: str, message: str) -> None:
    """A ValidationException with one text, and the item stays as it was."""
    before = side.get_item(TableName=table, Key={"pk": text("p"), "sk": number(1)})
    given = statement.replace("{}", table).replace("{0}", table)
    parameters = [text("p")] if message == COUNT else []

    assert (VALIDATION, message) == refusal(lambda: side.statement(given, *parameters))
    assert before == side.get_item(TableName=table, Key={"pk": text("p"), "sk": number(1)})


def test_requests_that_are_refused(side: Full, table: str) -> None:
    """Parameters and tokens that do not fit."""
    statement = f"SELECT sk FROM \"{table}\" WHERE pk = 'p'"
    side.put_item(TableName=table, Item={"pk": text("p"), "sk": number(2)})
    token = side.call("ExecuteStatement", Statement=statement, Limit=1)["NextToken"]
    none = (
        "1 validation error detected: Value '[]' at 'parameters' failed to satisfy constraint: Member must have length "
        "greater than or equal to 1"
    )

    def with_members(**members: Any) -> tuple[str, str]:
        return refusal(lambda: side.call("ExecuteStatement", Statement=statement, **members))

    assert (VALIDATION, none) == with_members(Parameters=[])
    assert VALIDATION == with_members(Limit=0)[0]
    assert (VALIDATION, "Invalid NextToken") == with_members(NextToken="nonsense")
    assert (VALIDATION, "NextToken does not match request") == refusal(
        lambda: side.call("ExecuteStatement", Statement=f"{statement} AND n = 1", NextToken=token)
    )
    assert NOT_FOUND == refusal(lambda: side.statement("SELECT * FROM \"no-such-table\" WHERE pk = 'p'"))[0]
    consistent = {"Statement": f'SELECT pk FROM "{table}"."keys" WHERE state = \'x\'', "ConsistentRead": True}
    assert (VALIDATION, "Strongly consistent read is not supported on Global Secondary Indexes") == refusal(
        lambda: side.call("ExecuteStatement", **consistent)
    )


def test_writes_that_the_item_refuses(side: Full, table: str) -> None:
    """Inserting what is there, updating what is not; deleting what is not there is no error."""
    update = f"UPDATE \"{table}\" SET n = 1 WHERE pk = 'none' AND sk = 1"
    delete = f"DELETE FROM \"{table}\" WHERE pk = 'p' AND sk = 1 AND n = 99"
    insert = f"INSERT INTO \"{table}\" VALUE {{'pk': 'p', 'sk': 1}}"
    with pytest.raises(ClientError) as caught:
        side.call("ExecuteStatement", Statement=delete, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    shown: Any = caught.value.response

    assert ("DuplicateItemException", "Duplicate primary key exists in table") == refusal(
        lambda: side.statement(insert)
    )
    assert (FAILED, "The conditional request failed") == refusal(lambda: side.statement(update))
    assert (FAILED, text("p")) == (shown["Error"]["Code"], shown["Item"]["pk"])
    assert [] == side.statement(f"DELETE FROM \"{table}\" WHERE pk = 'none' AND sk = 1 AND n = 99")
    assert {} == side.get_item(TableName=table, Key={"pk": text("none"), "sk": number(1)})


def test_a_batch_has_a_result_or_an_error_for_each(side: Full, table: str) -> None:
    """One wrong statement does not keep the others back."""
    read = {"Statement": f'SELECT sk FROM "{table}" WHERE pk = ? AND sk = ?', "Parameters": [text("p"), number(1)]}
    reads = [read, {"Statement": f"SELECT sk FROM \"{table}\" WHERE pk = 'p'"}, {"Statement": "nonsense"}]
    found = side.call("BatchExecuteStatement", Statements=reads)["Responses"]
    insert = {"Statement": f"INSERT INTO \"{table}\" VALUE {{'pk': 'batch', 'sk': 1}}"}
    gone = {"Statement": "INSERT INTO \"no-such-table\" VALUE {'pk': 'batch', 'sk': 1}"}
    written = side.call("BatchExecuteStatement", Statements=[insert, insert, gone])["Responses"]
    mixed = refusal(lambda: side.call("BatchExecuteStatement", Statements=[read, insert]))

    assert {"TableName": table, "Item": {"sk": number(1)}} == found[0]
    assert "must specify the primary key" in found[1]["Error"]["Message"]
    assert {"Error": {"Code": "ValidationError", "Message": f"{MALFORMED}Expected data manipulation"}} == found[2]
    assert {"TableName": table} == written[0]
    assert ["DuplicateItem", "ResourceNotFound"] == [each["Error"]["Code"] for each in written[1:]]
    assert VALIDATION == mixed[0]
    assert VALIDATION == refusal(lambda: side.call("BatchExecuteStatement", Statements=[read] * 26))[0]


def transact(side: Full, *statements: str, **members: Any) -> dict[str, Any]:
    return side.call("ExecuteTransaction", TransactStatements=[{"Statement": each} for each in statements], **members)


def test_a_transaction_is_all_or_nothing(side: Full, table: str) -> None:
    """With a reason for each statement."""
    insert = f"INSERT INTO \"{table}\" VALUE {{'pk': 'all', 'sk': 1}}"
    check = f"EXISTS(SELECT * FROM \"{table}\" WHERE pk = 'p' AND sk = 1 AND n = 2)"
    with pytest.raises(ClientError) as caught:
        transact(side, insert, check)
    failed: Any = caught.value.response
    before = side.get_item(TableName=table, Key={"pk": text("all"), "sk": number(1)})
    transact(side, insert, check.replace("n = 2", "n = 1"))
    duplicate = refusal(lambda: transact(side, insert))
    read = transact(side, f"SELECT sk FROM \"{table}\" WHERE pk = 'all' AND sk = 1")

    assert ["None", "ConditionalCheckFailed"] == [each["Code"] for each in failed["CancellationReasons"]]
    assert {} == before
    assert duplicate[1].endswith("[DuplicateItem]")
    assert {"Responses": [{"Item": {"sk": number(1)}}]} == read


def test_a_repeated_transaction_runs_once(side: Full, table: str) -> None:
    """By its token."""
    side.put_item(TableName=table, Item={"pk": text("once"), "sk": number(1), "n": number(0)})
    add = f"UPDATE \"{table}\" SET n = n + 1 WHERE pk = 'once' AND sk = 1"
    first = transact(side, add, ClientRequestToken="statements")
    again = transact(side, add, ClientRequestToken="statements")
    other = refusal(lambda: transact(side, add.replace("+ 1", "+ 2"), ClientRequestToken="statements"))

    assert first == again
    assert MISMATCH == other[0]
    assert [{"n": number(1)}] == side.statement(f"SELECT n FROM \"{table}\" WHERE pk = 'once' AND sk = 1")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "UPDATE \"{}\" SET n = 1 WHERE pk = 'p' AND sk = 1 RETURNING ALL NEW *",
            ("RETURNING clause is not supported in ExecuteTransaction."),
        ),
        ('SELECT * FROM "{}"."keys" WHERE state = \'x\'', "Reads on indices are not supported within transactions."),
        (
            "SELECT * FROM \"{}\" WHERE pk = 'p'",
            "Select statements within ExecuteTransaction must specify the primary key in the where clause.",
        ),
        (
            "EXISTS(SELECT * FROM \"{}\" WHERE pk = 'p' AND sk = 1)",
            "EXISTS() must contain a single item read with additional condition",
        ),
        ('SELECT * FROM "{}" WHERE', f"{MALFORMED}Unexpected term"),
        ("UPDATE \"{}\" SET n = 1 WHERE pk = 'p'", NO_KEY),
    ],
)
def test_transactions_that_are_refused(side: Full, table: str, statement: str, message: str) -> None:
    """The text names the statement."""
    expected = (VALIDATION, f"Validation failed in TransactStatements[0]: {message}")

    assert expected == refusal(lambda: transact(side, statement.replace("{}", table)))


def test_transactions_read_or_write(side: Full, table: str) -> None:
    """Not both."""
    read = f"SELECT * FROM \"{table}\" WHERE pk = 'p' AND sk = 1"
    delete = f"DELETE FROM \"{table}\" WHERE pk = 'p' AND sk = 1"

    assert (
        VALIDATION,
        "ExecuteTransaction API does not support both read and write operations in the same request.",
    ) == refusal(lambda: transact(side, read, delete))
    assert VALIDATION == refusal(lambda: transact(side, delete, delete))[0]
    assert {} != side.get_item(TableName=table, Key={"pk": text("p"), "sk": number(1)})

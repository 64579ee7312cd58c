"""The table's conditions on the emulator's DynamoDB: the tests of the contract again, with its tables.

Each runs with the functions' own client and with botocore's, which is what a library's user would have.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from chalicelib.clients import DynamoDB
from chalicelib.dynamo import DynamoArchive
from chalicelib.dynamo_sweep import DynamoSweepStore

from tests.functional.app import test_store_contract as contract
from tests.support.dynamodb import table_of

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def tables(aws: Callable[[str], Any]) -> Iterator[dict[str, str]]:
    """A task table and an archive, with names of their own."""
    names = {table: f"{table}-{uuid.uuid4().hex[:8]}" for table in ("tasks", "archive")}
    with ExitStack() as stack:
        for table, key in (("tasks", "taskId"), ("archive", "archiveId")):
            aws("dynamodb").create_table(TableName=names[table], **table_of(key))
            stack.callback(aws("dynamodb").delete_table, TableName=names[table])
        yield names


@pytest.fixture(params=["own", "botocore"])
def client(request: pytest.FixtureRequest, aws: Callable[[str], Any]) -> Iterator[Any]:
    """A client of the emulator's DynamoDB."""
    botocores = aws("dynamodb")
    if request.param == "botocore":
        yield botocores
        return
    environment = {"REGION": "us-east-1", "ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test"}
    environment["ENDPOINT_URL"] = botocores.meta.endpoint_url
    own = DynamoDB({f"AWS_{name}": value for name, value in environment.items()})
    yield own
    own.close()


@pytest.fixture
def store(client: Any, aws: Callable[[str], Any], tables: dict[str, str]) -> Iterator[DynamoSweepStore]:
    """The task table, empty after each test."""
    yield DynamoSweepStore(client, tables["tasks"])
    for item in aws("dynamodb").scan(TableName=tables["tasks"])["Items"]:
        aws("dynamodb").delete_item(TableName=tables["tasks"], Key={"taskId": item["taskId"]})


# As attributes of this module they are collected here too, and get this module's fixture.
for _name, _test in vars(contract).items():
    if _name.startswith("test_") and "store" in _test.__code__.co_varnames[: _test.__code__.co_argcount]:
        globals()[_name] = _test


def test_archive_of_the_emulator_keeps_the_first(client: Any, tables: dict[str, str]) -> None:
    """A letter that is archived again leaves the first as it was."""
    archive = DynamoArchive(client, tables["archive"])
    letter = replace(contract.LETTER, archive_id=uuid.uuid4().hex)

    assert [True, False] == [archive.put(letter) for _ in range(2)]

"""What is left in tables and buckets of the emulator, read as it is compared."""

import json
import uuid
from contextlib import ExitStack

import pytest

from dlqlab.collect.end_state import collect_end_state
from dlqlab.contracts.topology import Topology
from dlqlab.deploy.target import emulator_target
from dlqlab.emulator.host.lifecycle import Emulator
from tests.support.recordings import recording

pytestmark = pytest.mark.integration


def test_items_and_objects_are_read_with_their_values(emulator: Emulator) -> None:
    """Numbers, sets, nested values and binaries of a table with a sort key; JSON and other objects of a bucket."""
    clients = emulator_target(emulator).client
    name = f"end-{uuid.uuid4().hex[:8]}"
    dynamodb, s3 = clients("dynamodb"), clients("s3")
    with ExitStack() as stack:
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "n", "AttributeType": "N"},
                {"AttributeName": "pk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        stack.callback(dynamodb.delete_table, TableName=name)
        detail = {"M": {"paid": {"BOOL": True}, "note": {"NULL": True}, "lines": {"L": [{"N": "1.50"}]}}}
        tags = {"SS": ["b", "a"]}
        dynamodb.put_item(TableName=name, Item={"pk": {"S": "o-1"}, "n": {"N": "7"}, "detail": detail, "tags": tags})
        s3.create_bucket(Bucket=name)
        stack.callback(s3.delete_bucket, Bucket=name)
        for key, content in (("a.json", json.dumps({"id": "o-1"}).encode()), ("b.bin", b"\0")):
            s3.put_object(Bucket=name, Key=key, Body=content)
            stack.callback(s3.delete_object, Bucket=name, Key=key)

        found = collect_end_state(clients, Topology(name="t"), recording(), chosen=[f"dynamodb {name}", f"s3 {name}"])

    (item,), objects = found.places[f"dynamodb {name}"], found.places[f"s3 {name}"]
    assert found.unread == ()
    assert item.key == "o-1/7"
    assert item.values == {
        "pk": '"o-1"',
        "n": "7",
        "detail.paid": "true",
        "detail.note": "null",
        "detail.lines[0]": "1.5",
        "tags[0]": '"a"',
        "tags[1]": '"b"',
    }
    assert {"a.json": {"id": '"o-1"'}} == {one.key: one.values for one in objects if "id" in one.values}
    assert ["b.bin"] == [one.key for one in objects if one.values.get("bytes") == "1"]

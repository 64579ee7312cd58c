"""What calls are about."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.recorder.describe import items_of, members_of, message_ids_in

_VALUE = st.one_of(
    st.dictionaries(st.sampled_from(["S", "N", "B"]), st.text(), min_size=1, max_size=2),
    st.just({"BOOL": True}),
    st.text(),
    st.none(),
)


@given(key=st.dictionaries(st.text(), _VALUE, min_size=1, max_size=2))
def test_key_of_an_item_is_compact_json_in_the_order_of_names(key: dict[str, Any]) -> None:
    """Of one attribute or several, whatever is in them."""
    members = members_of(json.dumps({"TableName": "t", "Key": key}).encode())

    assert list(items_of("dynamodb", "GetItem", members, lambda _table: None)) == [
        ("t", json.dumps(key, sort_keys=True, separators=(",", ":")), None)
    ]


@pytest.mark.parametrize("separators", [(", ", ": "), (",", ":")])
def test_messages_of_a_batch_are_those_of_its_records(separators: tuple[str, str]) -> None:
    """Not what bodies or attributes call so."""
    inner = json.dumps({"messageId": "in a body", "Records": [{"messageId": "deeper"}]})
    records = [
        {
            "messageId": name,
            "body": body,
            "attributes": {"MessageGroupId": "messageId"},
            "messageAttributes": {"messageId": {"stringValue": "of the user", "dataType": "String"}},
        }
        for name, body in (("m-1", inner), ("m-2", '"messageId": "quoted"'), ("m-3", ""))
    ]

    assert ["m-1", "m-2", "m-3"] == message_ids_in(json.dumps({"Records": records}, separators=separators).encode())
    assert [] == message_ids_in(b"{}")

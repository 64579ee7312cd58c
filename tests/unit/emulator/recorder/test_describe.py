"""What calls are about."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.recorder.describe import items_of, members_of

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

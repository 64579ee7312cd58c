"""An item whose attributes lie in the spill file is the item that it was."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.core.spill_file import SpillFile
from dlqlab.emulator.dynamodb import stored
from dlqlab.emulator.dynamodb.stored import make, stored_item
from dlqlab.emulator.dynamodb.values import Value, read, write_map

TEXT = st.text(max_size=5)
LEAF = st.one_of(
    st.builds(lambda text: {"S": text}, TEXT),
    st.builds(lambda number: {"N": str(number)}, st.integers(-99, 99)),
    st.builds(lambda flag: {"BOOL": flag}, st.booleans()),
    st.just({"NULL": True}),
    st.just({"B": "YQ=="}),
    st.just({"SS": ["a", "b"]}),
)
WIRE = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.builds(lambda held: {"L": held}, st.lists(inner, max_size=3)),
        st.builds(lambda held: {"M": held}, st.dictionaries(TEXT, inner, max_size=3)),
    ),
    max_leaves=6,
)


@pytest.fixture(autouse=True)
def own_spill_file(monkeypatch: pytest.MonkeyPatch) -> SpillFile:
    """A spill file and a list of live items for one test."""
    kept = SpillFile()
    monkeypatch.setattr(stored, "spill_file", lambda: kept)
    return kept


def _item(wire: dict[str, Any]) -> stored.StoredItem:
    key: tuple[Value, None] = (make("S", "k"), None)
    return stored_item(key, {name: read(value, make) for name, value in wire.items()}, 9)


@given(wire=st.dictionaries(TEXT, WIRE, max_size=4))
def test_attributes_come_back(wire: dict[str, Any]) -> None:
    """Of every type, nested, and in their order."""
    item, kept = _item(wire), SpillFile()
    before = write_map(item.read())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stored, "spill_file", lambda: kept)
        item.spill(kept)

        assert list(before) == list(item.names())
        assert before == write_map(item.read()) == write_map(item.attrs)


def test_what_moto_changes_stays(own_spill_file: SpillFile) -> None:
    """Moto changes attributes in place: after it has seen them they are not in the spill file, until they are again."""
    item = _item({"a": {"S": "1"}})
    item.spill(own_spill_file)

    item.attrs["b"] = make("S", "2")

    assert write_map(item.read()) == {"a": {"S": "1"}, "b": {"S": "2"}}
    item.spill(own_spill_file)
    assert write_map(item.read()) == {"a": {"S": "1"}, "b": {"S": "2"}}


def test_only_the_items_written_last_stay_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """An item that is written again is young again."""
    monkeypatch.setattr(stored, "LIVE_MAX", 2)
    first, second = _item({"n": {"N": "1"}}), _item({"n": {"N": "2"}})
    first.write({"n": make("N", "3")}, 5)
    third = _item({"n": {"N": "4"}})

    assert [item._live is None for item in (first, second, third)] == [False, True, False]
    assert ["3", "2", "4"] == [item.read()["n"].value for item in (first, second, third)]

"""UpdateExpression, as DynamoDB's developer guide describes it."""

import copy
from typing import Any

import pytest

from dlqlab.emulator.dynamodb.expressions import Compiler
from dlqlab.emulator.dynamodb.unsupported import UnsupportedError
from dlqlab.emulator.dynamodb.values import Computed, read, write_map

ITEM: dict[str, Any] = {
    "a": {"N": "1"},
    "b": {"S": "text"},
    "history": {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}]},
    "map": {"M": {"inner": {"N": "7"}, "list": {"L": [{"S": "x"}]}}},
    "tags": {"SS": ["p", "q"]},
    "numbers": {"NS": ["1", "2.50"]},
}
VALUES: dict[str, Any] = {
    ":n": {"N": "2.50"},
    ":s": {"S": "new"},
    ":l": {"L": [{"N": "9"}]},
    ":m": {"M": {"k": {"S": "v"}}},
    ":q": {"SS": ["q", "r"]},
    ":pq": {"SS": ["p", "q"]},
    ":ns": {"NS": ["2.5", "3"]},
    ":y": {"BOOL": True},
}


def program_of(update: str) -> Any:
    names = {"#a": "a", "#h": "history"}
    compiler = Compiler(reserved={"STATUS"}, make=Computed)
    used = {name: attribute for name, attribute in names.items() if name in update}
    return compiler.program(update=update, condition=None, names=used)


def updated(update: str, item: dict[str, Any] | None = None) -> dict[str, Any]:
    """What of the item is new or different after the update; None for what is gone."""
    program = program_of(update)
    values = {name: read(VALUES[name], Computed) for name in program.values_used if name in VALUES}
    program.check_values(values)
    before = ITEM if item is None else item
    old = {name: read(value, Computed) for name, value in before.items()}
    was = copy.deepcopy(old)
    after = write_map(program.update.apply(old, values))
    assert was == old  # an update changes nothing in place
    was_json = write_map(was)
    return {name: after.get(name) for name in {**was_json, **after} if was_json.get(name) != after.get(name)}


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        ("SET a = :s", {"a": {"S": "new"}}),
        ("set #a = :n, c = :m", {"a": {"N": "2.5"}, "c": {"M": {"k": {"S": "v"}}}}),
        ("SET a = a + :n", {"a": {"N": "3.5"}}),
        ("SET a = :n - a", {"a": {"N": "1.5"}}),
        ("SET a = map.inner - #a", {"a": {"N": "6"}}),
        ("SET c = if_not_exists(c, :n) + :n", {"c": {"N": "5"}}),
        ("SET a = if_not_exists(a, :n)", {}),
        ("SET c = if_not_exists(c, b)", {"c": {"S": "text"}}),
        ("SET history = list_append(history, :l)", {"history": {"L": [{"N": n} for n in "1239"]}}),
        ("SET history = list_append(:l, #h)", {"history": {"L": [{"N": n} for n in "9123"]}}),
        ("SET c = list_append(if_not_exists(c, :l), :l)", {"c": {"L": [{"N": "9"}, {"N": "9"}]}}),
        ("SET history[1] = :s", {"history": {"L": [{"N": "1"}, {"S": "new"}, {"N": "3"}]}}),
        ("SET history[7] = :s", {"history": {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}, {"S": "new"}]}}),
        (
            "SET history[9] = :s, history[8] = :n",
            {"history": {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}, {"N": "2.5"}, {"S": "new"}]}},
        ),
        (
            "SET map.inner = :s, map.more = :n",
            {"map": {"M": {**ITEM["map"]["M"], "inner": {"S": "new"}, "more": {"N": "2.5"}}}},
        ),
        ("SET map.list[0] = :n", {"map": {"M": {"inner": {"N": "7"}, "list": {"L": [{"N": "2.5"}]}}}}),
        ("REMOVE a, absent", {"a": None}),
        ("REMOVE history[0], history[2], history[9]", {"history": {"L": [{"N": "2"}]}}),
        ("REMOVE map.list[0], map.inner, map.absent", {"map": {"M": {"list": {"L": []}}}}),
        ("ADD a :n, c :n", {"a": {"N": "3.5"}, "c": {"N": "2.5"}}),
        ("ADD tags :q", {"tags": {"SS": ["p", "q", "r"]}}),
        ("ADD more :q", {"more": {"SS": ["q", "r"]}}),
        ("ADD numbers :ns", {"numbers": {"NS": ["1", "2.5", "3"]}}),
        ("DELETE tags :q", {"tags": {"SS": ["p"]}}),
        ("ADD map.inner :n", {"map": {"M": {**ITEM["map"]["M"], "inner": {"N": "9.5"}}}}),
        ("SET history[1] = :s REMOVE history[0]", {"history": {"L": [{"S": "new"}, {"N": "3"}]}}),
        ("SET history[5] = :s REMOVE history[0], history[1]", {"history": {"L": [{"N": "3"}, {"S": "new"}]}}),
        ("DELETE tags :pq", {"tags": None}),
        ("DELETE numbers :ns", {"numbers": {"NS": ["1"]}}),
        ("DELETE absent :q", {}),
        ("SET a = b, b = a", {"a": {"S": "text"}, "b": {"N": "1"}}),  # operands are of the item before
        ("REMOVE b SET c = b ADD a :n", {"b": None, "c": {"S": "text"}, "a": {"N": "3.5"}}),
    ],
)
def test_update(update: str, expected: dict[str, Any]) -> None:
    """What changes is exactly what the expression says."""
    assert expected == updated(update)


@pytest.mark.parametrize(
    "update",
    [
        "",
        "SET",
        "SET a",
        "SET a = ",
        "SET a = :s,",
        "SET a = :s SET b = :s",
        "SET a = :s b = :s",
        "SET a = :n * a",
        "SET a = (a + :n)",
        "SET a = a + :n + :n",
        "SET status = :s",  # reserved here
        "SET #undefined = :s",
        "SET a = :undefined",
        "SET a = absent",
        "SET a = b + :n",
        "SET c = c + :n",
        "SET a = list_append(a, :l)",
        "SET a = list_append(history, :s)",
        "SET a.inner = :s",
        "SET absent.inner = :s",
        "SET map.absent.inner = :s",
        "SET history[9].inner = :s",
        "SET map[0] = :s",
        "SET a = :s, #a = :n",  # the same path twice
        "SET map = :m REMOVE map.inner",
        "REMOVE absent.inner",
        "ADD a :s",
        "ADD b :n",
        "ADD tags :n",
        "ADD map.absent.inner :n",
        "SET history[0] = :s, history.inner = :s",
        "ADD a = :n",
        "DELETE a :n",
        "DELETE numbers :q",
    ],
)
def test_what_is_wrong_is_refused(update: str) -> None:
    """The fast path declines it, and the full path words the error."""
    with pytest.raises(UnsupportedError):
        updated(update)


def test_a_copied_list_is_a_list_of_its_own() -> None:
    """Lists and maps that moto changes in place must not be shared by two attributes."""
    program = program_of("SET b = nested, nested = list_append(nested, nested), d = :l, e = :l")
    old = {"nested": read({"L": [VALUES[":l"], VALUES[":m"]]}, Computed)}
    new = program.update.apply(old, {":l": read(VALUES[":l"], Computed)})
    lists = [value for attribute in new.values() for value in (attribute, *attribute.value) if value.type in "LM"]

    assert 4 + 2 + 4 == len(lists)
    assert len(lists) == len({id(value.value) for value in lists})


def test_written_attributes_are_known() -> None:
    """A caller can tell whether a key would be written."""
    assert frozenset({"a", "history", "map"}) == program_of("SET #a = :s, #h[0] = :n REMOVE map.inner").update.roots


def test_only_an_update_that_gives_values_makes_an_item() -> None:
    """Removals leave it to moto whether there is an item afterwards."""
    assert program_of("ADD a :n").update.makes_item
    assert not program_of("REMOVE a").update.makes_item

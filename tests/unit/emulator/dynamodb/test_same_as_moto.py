"""Generated calls: the fast path and moto alone give the same answers and leave the same items.

Left out are calls in which moto differs from AWS: comparisons of different types or with NULL, 0 and "" in BETWEEN, a
path compared with a path, the size of what is not there, sums that are not exact in 28 digits, differences of
fractions, binary values (on which moto fails when it returns what a condition refused). Those are in test_single_item,
as AWS documents them.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.dynamodb import TASK_TABLE
from tests.unit.emulator.dynamodb.side import Side, comparable

NAMES = {"#s": "status", "#m": "map", "#l": "list", "#n": "number"}
"""Reserved words, which need placeholders."""

KEYS = st.sampled_from(["t1", "t2", "t3"]).map(lambda text: {"taskId": {"S": text}})
INTEGERS = st.sampled_from(["1", "2", "-3", "10"]).map(lambda text: {"N": text})
NUMBERS = st.sampled_from(["1", "2", "-3", "10", "2.50", "1750000000.123450"]).map(lambda text: {"N": text})
TEXTS = st.sampled_from(["a", "ab", "b", "é", "QUEUED"]).map(lambda text: {"S": text})
SCALARS = st.one_of(NUMBERS, TEXTS, st.sampled_from([{"BOOL": True}, {"NULL": True}]))
LISTS = st.lists(SCALARS, max_size=3).map(lambda values: {"L": values})
MAPS = st.dictionaries(st.sampled_from(["x", "y"]), st.one_of(SCALARS, LISTS), max_size=2).map(lambda held: {"M": held})
TEXT_SETS = st.sets(st.sampled_from("pqr"), min_size=1).map(lambda held: {"SS": sorted(held)})
NUMBER_SETS = st.sets(st.sampled_from("123"), min_size=1).map(lambda held: {"NS": sorted(held)})

ATTRIBUTES: dict[str, tuple[str, st.SearchStrategy[dict[str, Any]]]] = {
    "n1": ("n1", NUMBERS),
    "i1": ("i1", INTEGERS),
    "status": ("#s", TEXTS),
    "pendingShard": ("pendingShard", TEXTS),
    "pendingSince": ("pendingSince", NUMBERS),
    "list": ("#l", LISTS),
    "map": ("#m", MAPS),
    "tags": ("tags", TEXT_SETS),
    "ids": ("ids", NUMBER_SETS),
    "any": ("anything", st.one_of(SCALARS, LISTS, MAPS)),
}
"""Attributes of one type each, so that comparisons are of one type: how an expression names them, and their values."""


@dataclass(frozen=True)
class Part:
    """A part of an expression with the values that it needs."""

    text: str
    values: tuple[tuple[str, dict[str, Any]], ...] = ()


@st.composite
def comparisons(draw: st.DrawFn) -> Part:
    """One condition on one attribute."""
    attribute = draw(st.sampled_from(["n1", "i1", "status", "pendingSince", "map", "list", "tags", "ids"]))
    name, values = ATTRIBUTES[attribute]
    label = f":c{draw(st.integers(0, 10**6))}"
    one = (label, draw(values))
    other = (f"{label}b", draw(values))
    texts = [f"{name} = {label}", f"{name} <> {label}", f"{name} IN ({label})"]
    if attribute in {"n1", "i1", "status", "pendingSince"}:
        texts += [f"{name} {sign} {label}" for sign in ("<", "<=", ">", ">=")]
        low, high = sorted((one[1], other[1]), key=lambda value: float(value["N"]) if "N" in value else value["S"])
        if draw(st.booleans()):
            return Part(f"{name} BETWEEN {label} AND {label}b", ((label, low), (f"{label}b", high)))
    if attribute == "status":
        texts += [f"begins_with({name}, {label})", f"contains({name}, {label})"]
    if draw(st.booleans()):
        return Part(f"{name} IN ({label}, {label}b)", (one, other))
    return Part(draw(st.sampled_from(texts)), (one,))


PRESENCE = st.sampled_from([*ATTRIBUTES.values()]).flatmap(
    lambda attribute: st.sampled_from(
        [f"attribute_exists({attribute[0]})", f"attribute_not_exists({attribute[0]})"]
    ).map(Part)
)
PATHS = st.sampled_from(
    ["attribute_exists(#m.x)", "attribute_not_exists(#l[0])", "attribute_exists(#m.y[1])", "attribute_exists(n1.x)"]
).map(Part)
TYPES = st.sampled_from(["S", "N", "L", "M", "BOOL"]).map(
    lambda kind: Part(f"attribute_type(anything, :type{kind})", ((f":type{kind}", {"S": kind}),))
)


def joined(parts: list[Part], sign: str) -> Part:
    return Part(f" {sign} ".join(part.text for part in parts), tuple(value for part in parts for value in part.values))


def wrapped(part: Part, before: str) -> Part:
    return Part(f"{before}({part.text})", part.values)


CONDITIONS = st.recursive(
    st.one_of(comparisons(), PRESENCE, PATHS, TYPES),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: joined(parts, "AND")),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: joined(parts, "OR")),
        inner.map(lambda part: wrapped(part, "NOT ")).filter(lambda part: not part.text.startswith("NOT ((")),
        st.lists(inner, min_size=2, max_size=2).map(lambda parts: wrapped(joined(parts, "AND"), "")),
    ),
    max_leaves=5,
)


def action(clause: str, path: str, text: str, label: str, values: st.SearchStrategy[Any]) -> Any:
    """A strategy of clause, path and part, for a text with the value's placeholder."""
    return values.map(lambda value: (clause, path, Part(text.format(label), ((label, value),) if "{" in text else ())))


ACTIONS = st.one_of(
    *(
        action("SET", path, f"{path} = {{}}", f":s{place}", held)
        for place, (path, held) in enumerate(ATTRIBUTES.values())
    ),
    action("SET", "i1", "i1 = i1 + {}", ":plus", INTEGERS),
    action("SET", "i1", "i1 = i1 - {}", ":minus", INTEGERS),
    action("SET", "i1", "i1 = if_not_exists(i1, {0}) + {0}", ":start", INTEGERS),
    action("SET", "n1", "n1 = if_not_exists(n1, {})", ":first", NUMBERS),
    action("SET", "anything", "anything = #s", "", st.just(None)),
    action("SET", "#l", "#l = list_append(#l, {})", ":tail", LISTS),
    action("SET", "#l", "#l = list_append({}, #l)", ":head", LISTS),
    action("SET", "#l[]", "#l[0] = {}", ":e0", SCALARS),
    action("SET", "#l[]", "#l[5] = {}", ":e5", SCALARS),
    action("SET", "#m.x", "#m.x = {}", ":x", SCALARS),
    action("SET", "#m.y", "#m.y = {}", ":y", LISTS),
    action("ADD", "i1", "i1 {}", ":more", INTEGERS),
    action("ADD", "tags", "tags {}", ":tags", TEXT_SETS),
    action("ADD", "ids", "ids {}", ":ids", NUMBER_SETS),
    action("DELETE", "tags", "tags {}", ":untag", TEXT_SETS),
    action("DELETE", "ids", "ids {}", ":unid", NUMBER_SETS),
    *(action("REMOVE", path, path, "", st.just(None)) for path, _held in ATTRIBUTES.values()),
    action("REMOVE", "#l[]", "#l[0], #l[2]", "", st.just(None)),
)


@st.composite
def updates(draw: st.DrawFn) -> Part:
    """An update of different attributes."""
    actions = draw(st.lists(ACTIONS, min_size=1, max_size=4, unique_by=lambda each: each[1].rstrip("[].xy")))
    clauses = []
    for clause in draw(st.permutations(["SET", "ADD", "DELETE", "REMOVE"])):
        parts = [part for of, _path, part in actions if of == clause]
        if parts:
            clauses.append(f"{clause} {joined(parts, ',').text}")
    return Part(" ".join(clauses), tuple(value for _clause, _path, part in actions for value in part.values))


@st.composite
def items(draw: st.DrawFn) -> dict[str, Any]:
    """An item with some of the attributes."""
    present = draw(st.sets(st.sampled_from(sorted(ATTRIBUTES))))
    named = {name: draw(ATTRIBUTES[name][1]) for name in sorted(present)}
    if "any" in named:
        named["anything"] = named.pop("any")
    return draw(KEYS) | named


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """An operation and its members, without the table."""
    operation = draw(st.sampled_from(["PutItem", "UpdateItem", "UpdateItem", "UpdateItem", "DeleteItem", "GetItem"]))
    if operation == "GetItem":
        return operation, {"Key": draw(KEYS)}
    update = draw(updates()) if operation == "UpdateItem" else None
    condition = draw(st.none() | CONDITIONS)
    parts = [part for part in (update, condition) if part]
    text = " ".join(part.text for part in parts)
    members: dict[str, Any] = {"Item": draw(items())} if operation == "PutItem" else {"Key": draw(KEYS)}
    if update:
        members["UpdateExpression"] = update.text
    if condition:
        members["ConditionExpression"] = condition.text
    if names := {name: attribute for name, attribute in NAMES.items() if name in text}:
        members["ExpressionAttributeNames"] = names
    if values := {name: value for part in parts for name, value in part.values}:
        members["ExpressionAttributeValues"] = values
    returned = ["NONE", "ALL_OLD", "ALL_NEW"] if update else ["NONE", "ALL_OLD"]
    members["ReturnValues"] = draw(st.sampled_from(returned))
    members["ReturnValuesOnConditionCheckFailure"] = draw(st.sampled_from(["NONE", "ALL_OLD"]))
    return operation, members


def answer_of(side: Side, operation: str, members: dict[str, Any]) -> Any:
    """The answer, or the refusal, comparable; moto's own failures too, which LocalStack answers with 500."""
    try:
        return comparable(side.call(operation, **members))
    except ClientError as error:
        response: Any = error.response
        return response["Error"]["Code"], response["Error"]["Message"], comparable(response.get("Item"))
    except Exception as error:  # noqa: BLE001  (of whatever type; both must fail alike)
        return "failure", type(error), str(error)


def pending(side: Side, table: str, shard: str) -> Any:
    """What the sparse index holds under a shard."""
    found = side.call(
        "Query",
        TableName=table,
        IndexName="pending",
        KeyConditionExpression="pendingShard = :s",
        ExpressionAttributeValues={":s": {"S": shard}},
    )
    return comparable(found)


FAST, MOTO = Side(fast=True), Side(fast=False)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(calls(), min_size=3, max_size=15))
def test_generated_calls_are_answered_as_by_moto(sequence: list[tuple[str, dict[str, Any]]]) -> None:
    """Answers, scans and queries of a sparse index are equal, whoever serves the calls."""
    name = uuid.uuid4().hex
    fast_table, moto_table = f"fast-{name}", f"moto-{name}"
    FAST.call("CreateTable", TableName=fast_table, **TASK_TABLE)
    MOTO.call("CreateTable", TableName=moto_table, **TASK_TABLE)

    for operation, members in sequence:
        expected = answer_of(MOTO, operation, {**members, "TableName": moto_table})
        assert expected == answer_of(FAST, operation, {**members, "TableName": fast_table})
    assert MOTO.items(moto_table) == FAST.items(fast_table)
    for shard in ("a", "ab"):
        assert pending(MOTO, moto_table, shard) == pending(FAST, fast_table, shard)


FAST_OR_FULL, FULL = Side(fast=True, full=True), Side(fast=False, full=True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(calls(), min_size=3, max_size=15))
def test_generated_calls_are_answered_alike_by_both_paths(sequence: list[tuple[str, dict[str, Any]]]) -> None:
    """Whether a call takes the fast path or the full one shows in nothing but the time that it takes."""
    name = uuid.uuid4().hex
    tables = {side: f"{kind}-{name}" for side, kind in ((FAST_OR_FULL, "fast"), (FULL, "full"))}
    for side, table in tables.items():
        side.call("CreateTable", TableName=table, **TASK_TABLE)

    for operation, members in sequence:
        fast, full = (answer_of(side, operation, {**members, "TableName": tables[side]}) for side in tables)
        assert full == fast
    assert FULL.items(tables[FULL]) == FAST_OR_FULL.items(tables[FAST_OR_FULL])
    for shard in ("a", "ab"):
        assert pending(FULL, tables[FULL], shard) == pending(FAST_OR_FULL, tables[FAST_OR_FULL], shard)


def test_most_generated_calls_are_served_by_the_fast_path() -> None:
    """Otherwise the comparison would be one of moto with itself."""
    side = Side(fast=True)
    table = f"share-{uuid.uuid4().hex}"
    side.call("CreateTable", TableName=table, **TASK_TABLE)
    side.by_moto = 0

    @settings(max_examples=200, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(calls())
    def serve(call: tuple[str, dict[str, Any]]) -> None:
        operation, members = call
        answer_of(side, operation, {**members, "TableName": table})

    serve()

    assert side.by_fast_path > 2 * side.by_moto

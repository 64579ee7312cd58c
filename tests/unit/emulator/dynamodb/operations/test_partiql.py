"""PartiQL: what statements find and change."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.emulator.dynamodb.operations.full import Full, definitions, index, keys, number, refusal, text


@pytest.fixture(scope="module")
def table(side: Full) -> str:
    """25 items of one hash key, in two indexes."""
    name = side.make_table(
        AttributeDefinitions=definitions(pk="S", sk="N", state="S"),
        GlobalSecondaryIndexes=[
            index("by-state", keys("state", "sk")),
            index("keys", keys("state"), "KEYS_ONLY"),
        ],
        LocalSecondaryIndexes=[index("local", keys("pk", "state"), "KEYS_ONLY")],
    )
    for place in range(25):
        held = {"x": number(place), "l": {"L": [text("a"), {"M": {"deep": number(place)}}]}}
        side.put_item(
            TableName=name,
            Item={
                "pk": text("p"),
                "sk": number(place),
                "state": text("FAILED"),
                "note": text(f"it's {place}"),
                "even": {"BOOL": place % 2 == 0},
                "m": {"M": held},
                "tags": {"SS": ["a", "b"]},
                "nothing": {"NULL": True},
            },
        )
    side.put_item(TableName=name, Item={"pk": text("q"), "sk": number(1), "n": number(5)})
    return name


def places(items: list[dict[str, Any]]) -> list[int]:
    return [int(item["sk"]["N"]) for item in items]


@pytest.mark.parametrize(
    ("where", "parameters", "expected"),
    [
        ("pk = 'p' AND sk = 3", [], [3]),
        ("pk = ? AND sk = ?", [text("p"), number("3.0")], [3]),
        ("'p' = pk and sk >= 23", [], [23, 24]),
        ("pk = 'p' AND sk BETWEEN 3 AND 5", [], [3, 4, 5]),
        ("pk = 'p' AND sk NOT BETWEEN 2 AND 24", [], [0, 1]),
        ("pk = 'p' AND sk IN [1, 2, 99]", [], [1, 2]),
        ("pk = 'p' AND sk IN (?, ?)", [number(7), number(8)], [7, 8]),
        ("pk IN ['q', 'none']", [], [1]),
        ("pk = 'p' AND (sk = 3 OR sk = 4) AND NOT even = true", [], [3]),
        ("pk = 'p' AND sk < 2 OR pk = 'q'", [], [0, 1, 1]),
        ("pk = 'p' AND note = 'it''s 5'", [], [5]),
        ("pk = 'p' AND begins_with(note, 'it''s 2')", [], [2, 20, 21, 22, 23, 24]),
        ("pk = 'p' AND contains(note, ?) AND sk > 20", [text("2")], [21, 22, 23, 24]),
        ("contains(tags, 'b') AND sk <= 1", [], [0, 1]),
        ("size(tags) = 2 AND sk = 9", [], [9]),
        ("attribute_type(even, 'BOOL') AND sk != 0 AND sk < 2", [], [1]),
        ("m.x = 11", [], [11]),
        ("m['l'][1].deep = 12", [], [12]),
        ("n IS MISSING AND sk = 6", [], [6]),
        ("n IS NOT MISSING", [], [1]),
        ("nothing IS NULL AND sk = 6", [], [6]),
        ("pk = 'q' AND nothing IS NOT NULL", [], [1]),
        ("n <> 6 AND pk = 'q'", [], [1]),
        ("n > 'a'", [], []),
        ("pk = 'q' AND n > -1.5e1", [], [1]),
        ("pk = 'p' AND sk = 3 -- AND sk = 4", [], [3]),
        ("pk = 'p' /* not\nsk = 4 */ AND sk = 3", [], [3]),
        ("pk = 'none'", [], []),
    ],
)
def test_conditions(side: Full, table: str, where: str, parameters: list[dict[str, Any]], expected: list[int]) -> None:
    """Each finds what it says."""
    found = side.statement(f'SELECT * FROM "{table}" WHERE {where}', *parameters)

    assert expected == sorted(places(found))


def test_the_whole_table(side: Full, table: str) -> None:
    """Without a condition, with an end of statement."""
    assert 26 == len(side.statement(f'select * from "{table}";'))


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        ("sk", {"sk": number(3)}),
        ('"sk", note', {"sk": number(3), "note": text("it's 3")}),
        ("m.x, absent, pk", {"x": number(3), "pk": text("p")}),
        ("m.l[1].deep", {"deep": number(3)}),
    ],
)
def test_selections(side: Full, table: str, selected: str, expected: dict[str, Any]) -> None:
    """By the last name of a path; what is not there is left out."""
    assert [expected] == side.statement(f"SELECT {selected} FROM \"{table}\" WHERE pk = 'p' AND sk = 3")


def test_an_index_is_read_and_no_more(side: Full, table: str) -> None:
    """Every item of it once, with what it holds."""
    found = side.statement(f'SELECT * FROM "{table}"."by-state" WHERE "state" = \'FAILED\'')
    of_what_it_lacks = side.statement(f'SELECT sk FROM "{table}"."keys" WHERE NOT even = true')
    of_keys = side.statement(f'SELECT * FROM "{table}"."keys" WHERE state = ? AND sk = 1', text("FAILED"))

    assert [*range(25)] == places(found) == places(of_what_it_lacks)
    assert [{"pk": text("p"), "sk": number(1), "state": text("FAILED")}] == of_keys


def test_a_local_index_fetches_what_is_named(side: Full, table: str) -> None:
    """A star means what the index holds."""
    where = f'FROM "{table}"."local" WHERE pk = \'p\' AND sk = 3'

    assert [{"pk": text("p"), "sk": number(3), "state": text("FAILED")}] == side.statement(f"SELECT * {where}")
    assert [{"note": text("it's 3")}] == side.statement(f"SELECT note {where}")


@pytest.mark.parametrize("source", ['"{}"', '"{}"."by-state"'])
def test_order(side: Full, table: str, source: str) -> None:
    """By the range key of the table or the index, in either direction."""
    hash_name, value = ("state", "FAILED") if "by-state" in source else ("pk", "p")
    statement = f"SELECT sk FROM {source.format(table)} WHERE {hash_name} = '{value}' AND sk < 3 ORDER BY "

    assert [2, 1, 0] == places(side.statement(f"{statement} sk DESC"))
    assert [0, 1, 2] == places(side.statement(f"{statement} {hash_name}, sk ASC"))


def test_pages(side: Full, table: str) -> None:
    """A limit is of what is looked at: the range, not the rest of the condition."""
    statement = f"SELECT sk FROM \"{table}\" WHERE pk = 'p' AND sk >= 5 AND even = true"
    found: list[int] = []
    pages = 0
    token: dict[str, str] = {}
    while True:
        page = side.call("ExecuteStatement", Statement=statement, Limit=8, **token)
        found += places(page["Items"])
        pages += 1
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}

    assert [*range(6, 25, 2)] == found
    assert 3 == pages


def test_an_item_is_inserted_changed_and_deleted(side: Full, table: str) -> None:
    """Literals and parameters of every type; words in texts are texts."""
    where = "WHERE pk = 'new' AND sk = 1"
    inserted = side.statement(
        f"INSERT INTO \"{table}\" VALUE {{'pk': 'new', 'sk': 1, 'a': ?, 's': <<'x', 'y'>>, 'n': <<1, 2.0>>, "
        "'l': [1, {'b': null}], 't': true, 'd': -1.50}",
        text("go WHERE you want"),
    )
    answers = [
        side.statement(f"UPDATE \"{table}\" SET a = 'SET b = ?', d = d + ? {where}", number(2)),
        side.statement(f"UPDATE \"{table}\" SET s = set_add(s, <<'z'>>) SET l = list_append(l, [2]) {where}"),
        side.statement(f'UPDATE "{table}" SET n = set_delete(n, ?) REMOVE l[0] REMOVE t {where}', {"NS": ["1", "2"]}),
        side.statement(f"UPDATE \"{table}\" SET m = {{'x': [1]}} {where}"),
        side.statement(f'FROM "{table}" {where} SET m.x[0] = m.x[0] + 1 RETURNING MODIFIED NEW *'),
    ]
    item = side.get_item(TableName=table, Key={"pk": text("new"), "sk": number(1)})["Item"]
    deleted = side.statement(f'DELETE FROM "{table}" {where} AND d = 0.5 RETURNING ALL OLD *')

    assert [] == inserted
    assert [[], [], [], [], [{"m": {"M": {"x": {"L": [number(2)]}}}}]] == answers
    assert {
        "pk": text("new"),
        "sk": number(1),
        "a": text("SET b = ?"),
        "s": {"SS": ["x", "y", "z"]},
        "l": {"L": [{"M": {"b": {"NULL": True}}}, number(2)]},
        "d": number("0.5"),
        "m": {"M": {"x": {"L": [number(2)]}}},
    } == item
    assert [item] == deleted
    assert [] == side.statement(f'DELETE FROM "{table}" {where}')


def test_capacity_is_told_when_asked(side: Full, table: str) -> None:
    """And a page's last key with its token."""
    statement = f"SELECT sk FROM \"{table}\" WHERE pk = 'p'"
    answer = side.call("ExecuteStatement", Statement=statement, Limit=1, ReturnConsumedCapacity="TOTAL")
    plain = side.call("ExecuteStatement", Statement=f"{statement} AND sk = 1")

    assert {"TableName": table, "CapacityUnits": 0.5} == answer["ConsumedCapacity"]
    assert {"pk": text("p"), "sk": number(0)} == answer["LastEvaluatedKey"]
    assert {"Items": [{"sk": number(1)}]} == plain


TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
LITERALS = st.recursive(
    st.one_of(
        TEXTS.map(text),
        st.integers(-(10**20), 10**20).map(number),
        st.booleans().map(lambda held: {"BOOL": held}),
        st.just({"NULL": True}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda held: {"L": held}),
        st.dictionaries(TEXTS, inner, max_size=3).map(lambda held: {"M": held}),
    ),
    max_leaves=8,
)


def literal(value: dict[str, Any]) -> str:
    """The value as a statement writes it."""
    kind, held = next(iter(value.items()))
    if kind == "S":
        return "'" + str(held).replace("'", "''") + "'"
    if kind == "L":
        return f"[{', '.join(map(literal, held))}]"
    if kind == "M":
        return f"{{{', '.join(f'{literal(text(name))}: {literal(child)}' for name, child in held.items())}}}"
    return str({"BOOL": str(held).lower(), "NULL": "null"}.get(kind, held))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=LITERALS, place=st.integers(0, 10**9))
def test_a_literal_and_a_parameter_are_the_same(side: Full, table: str, value: dict[str, Any], place: int) -> None:
    """Whatever the value, in an insert and in a condition."""
    for name, written, parameters in (("literal", literal(value), []), ("parameter", "?", [value])):
        where = f"WHERE pk = '{name}' AND sk = {place}"
        side.statement(f'DELETE FROM "{table}" {where}')
        side.statement(f"INSERT INTO \"{table}\" VALUE {{'pk': '{name}', 'sk': {place}, 'v': {written}}}", *parameters)
        found = side.statement(f'SELECT v FROM "{table}" {where} AND v = {literal(value)}')
        stored = side.get_item(TableName=table, Key={"pk": text(name), "sk": number(place)})["Item"]["v"]

        assert value == stored
        assert [{"v": value}] == found


_WORDS = """
SELECT INSERT UPDATE DELETE EXISTS FROM INTO VALUE SET REMOVE WHERE AND OR NOT IN IS NULL MISSING BETWEEN ORDER BY DESC
RETURNING ALL OLD NEW * ( ) [ ] { } , . : = < >= <> + - ? ' '' " 'a' "t" t a pk 1 -1 1e9 << >> ; -- /* size(
begins_with(a,
"""
WORDS = st.sampled_from(_WORDS.split())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(WORDS, min_size=1, max_size=14), parameters=st.lists(st.just(text("x")), max_size=2))
def test_nonsense_is_refused_and_breaks_nothing(side: Full, words: list[str], parameters: list[dict[str, Any]]) -> None:
    """A statement of any words about a table that is not there is an error that DynamoDB has: nothing else "
    "comes out.
    """
    code, message = refusal(lambda: side.statement(" ".join(words), *parameters))

    assert code in {"ValidationException", "ResourceNotFoundException"}
    assert message

"""Filter patterns by the examples of CloudWatch's documentation, and what AWS refuses."""

import json
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.logs.patterns import FilterPatternError, compile_pattern

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
LINES = ["ERROR WARN message", "ERROR message", "WARN message", "Exiting with ERRORCODE: -1", "error", '{"a": "ERROR"}']
EVENT = {
    "eventType": "UpdateTrail",
    "sourceIPAddress": "111.111.111.111",
    "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
    "SomeObject": None,
    "ThisFlag": True,
    "user": {"id": 1, "email": "John.Stiles@example.com"},
    "coordinates": [[0, 1, 2], [4, 5, 6]],
    "latency": 55.5,
    "big": 9007199254740993,
    "code": "400",
    "detail-type": "x",
    "empty": "",
}
ACCESS = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


def _matching(pattern: str, lines: list[str] = LINES) -> list[int]:
    compiled = compile_pattern(pattern)
    return [number for number, line in enumerate(lines) if compiled.match(line)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", [0, 1, 2, 3, 4, 5]),
        ('" "', [0, 1, 2, 3, 4, 5]),
        ("ERROR", [0, 1, 3, 5]),
        ("ERROR WARN", [0]),
        ("WARN  ERROR", [0]),
        ("?ERROR ?WARN", [0, 1, 2, 3, 5]),
        ("ERROR -WARN", [1, 3, 5]),
        ('"ERROR" - "Exiting"', [0, 1, 5]),
        ("-ERROR", [2, 4]),
        ('"ERROR message"', [1]),
        ('"CODE: -1"', [3]),
        ('"\\"a\\": "', [5]),
        # Optional terms beside others are passed over.
        ("?WARN message", [0, 1, 2]),
        ("?WARN -message", [3, 4, 5]),
        ("%ERR[A-Z]+%", [0, 1, 3, 5]),
        ("%^ERROR|^WARN%", [0, 1, 2]),
        (r"%-\d$%", [3]),
        (r"ERROR %\x57ARN%", [0]),
    ],
)
def test_terms(pattern: str, expected: list[int]) -> None:
    """Words and phrases anywhere in the line, by case; all, any or none of them; regular expressions."""
    assert expected == _matching(pattern)


@pytest.mark.parametrize(
    "condition",
    [
        '$.eventType = "UpdateTrail"',
        "$.eventType = UpdateTrail",
        "$.eventType = Update*",
        '$.eventType = "*Trail"',
        "$.eventType = *eTr*",
        "$.eventType = *",
        "$.eventType = %^Up.*l$%",
        "$.sourceIPAddress != 123.123.*",
        '$.arrayKey[0] = "value"',
        "$.objectList[1].id = 2",
        "$.objectList[*].id = 2",
        '$.user.* = "John.Stiles@example.com"',
        "$.SomeObject IS NULL",
        "$.SomeOtherObject NOT EXISTS",
        "$.user.name NOT EXISTS",
        "$.ThisFlag IS TRUE",
        "$.ThisFlag = true",
        "$.coordinates[1][2] = 6",
        "$.latency >= 55.5",
        "$.latency < 10e3",
        "$.latency > +10e-3",
        "$.latency != 55",
        "$.big = 9007199254740993",
        "$.big > 9007199254740992",
        "$.code = 400",
        "$.code = 4*",
        "$.code >= 400",
        "$.detail-type = x",
        '$.empty = ""',
        "($.user.id = 1) && ($.arrayKey[1] = *another*)",
        "$.user.id = 2 || $.user.id = 1",
        # && binds closer than ||.
        '$.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = x && $.arrayKey[0] = x',
        "$.latency>50&&$.code=400",
    ],
)
def test_json_conditions_that_hold(condition: str) -> None:
    """Texts with wildcards, numbers, null, booleans, what is not there, arrays and combinations."""
    assert compile_pattern(f"{{ {condition} }}").match(json.dumps(EVENT))


@pytest.mark.parametrize(
    "condition",
    [
        "$.eventType = updatetrail",
        "$.eventType = Update",
        '$.eventType = "Up*Trail"',
        "$.eventType != UpdateTrail",
        # A selector that leads to a container or to nothing matches no comparison.
        "$.arrayKey = 1",
        "$.arrayKey != 1",
        "$.user != 1",
        "$.missing != 1",
        "$.missing = *",
        "$.SomeObject = *",
        "$.arrayKey[2] = *",
        "$.eventType[0] = *",
        "$.eventType IS NULL",
        "$.missing IS NULL",
        "$.SomeObject NOT EXISTS",
        "$.ThisFlag IS FALSE",
        "$.ThisFlag > 0",
        "$.eventType > 0",
        "$.big = 9007199254740992",
        "$.latency < 55.5",
        "$.user.id = 1 && $.user.id = 2",
        '($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = x) && $.arrayKey[0] = x',
    ],
)
def test_json_conditions_that_do_not_hold(condition: str) -> None:
    """The same event, and conditions that are false."""
    assert compile_pattern(f"{{ {condition} }}").match(json.dumps(EVENT)) is None


@pytest.mark.parametrize("line", ["", "text", "[1]", '{"a": 1', "{" * 100_000, '"a"', "1"])
def test_lines_that_are_no_json_object_match_no_json_pattern(line: str) -> None:
    """Not even what is said not to exist, and none is an error."""
    assert compile_pattern("{ $.a NOT EXISTS }").match(line) is None
    assert compile_pattern("{ $.a NOT EXISTS }").match("{}\n")


@pytest.mark.parametrize(
    ("pattern", "is_match"),
    [
        ("[ip, user, username, timestamp, request, status_code, bytes]", True),
        ("[ip, user, username, timestamp, request, status_code = 4* && status_code != 403, bytes]", True),
        ("[ip, user, username, timestamp, request, status_code = 4* && status_code != 404, bytes]", False),
        ("[ip, user, username, timestamp, request = *html*, status_code = 4*, bytes > 1000]", True),
        ("[..., status_code = 404, bytes < 1534]", False),
        ("[..., status_code, bytes]", True),
        ("[ip, user, ...]", True),
        ("[ip = 127.0.0.1, ..., bytes >= 1534]", True),
        ("[ip, user]", False),
        ("[ip, ..., a, b, c, d, e, f, g]", False),
        ("[w1=404 || w1=127.0.0.1, ...]", True),
        ("[w1=!127*, ...]", False),
        ('[..., request = "GET /index.html HTTP/1.0", status, bytes]', True),
        (r"[..., status = %4\d{2}%, bytes]", True),
        ("[ip, (user = x || user = -), ...]", True),
    ],
)
def test_columns(pattern: str, *, is_match: bool) -> None:
    """Columns from the left and, after an ellipsis, from the right; brackets and quotes hold one together."""
    assert is_match == bool(compile_pattern(pattern).match(ACCESS))


def test_values_that_a_pattern_finds() -> None:
    """As TestMetricFilter shows them: selectors, column names, and numbers of columns without a name."""
    columns = compile_pattern("[..., request=*.html*, status_code=4*,]").match(ACCESS)
    selectors = compile_pattern('{ $.latency > 1 && $.user.id = 1 || $.missing = "x" }').match(json.dumps(EVENT))

    assert columns
    assert {
        "$1": "127.0.0.1",
        "$2": "-",
        "$3": "frank",
        "$4": "10/Oct/2000:13:25:15 -0700",
        "$request": "GET /index.html HTTP/1.0",
        "$status_code": "404",
        "$7": "1534",
    } == columns.extracted()
    assert selectors
    assert {"$.latency": "55.5", "$.user.id": "1"} == selectors.extracted()
    assert (55.5, None, "UpdateTrail") == tuple(
        selectors.value(name) for name in ("$.latency", "$.missing", "$.eventType")
    )


@pytest.mark.parametrize(
    ("pattern", "worded"),
    [
        ("ERROR:", "Invalid character(s) in term ':'"),
        ("?Status: timeout", "Invalid character(s) in term ':'"),
        ("failed (again)", "Invalid character(s) in term '('"),
        ("user-id", "Invalid character(s) in term '-'"),
        ("`x", "Invalid character(s) in term '`'"),
        ("%a(b)%", "Invalid character(s) in term '('"),
        ("%a!%", "Invalid character(s) in term '!'"),
        ('{ $."sc-status" = 5* }', "Invalid character(s) in term '$.\"'"),
        ("{ $.a = x@y }", "Invalid character(s) in term '@'"),
        ('"open', "Invalid filter pattern: "),
        ("%open", "Invalid filter pattern: "),
        ("-", "Invalid filter pattern: "),
        ("{ $.a = 1", "Invalid filter pattern: "),
        ("{ $.a }", "Invalid filter pattern: "),
        ("{ a = 1 }", "Invalid filter pattern: "),
        ("{ $.a = }", "Invalid filter pattern: "),
        ("{ $.a > x }", "Invalid filter pattern: "),
        ("{ $.a = 1 && }", "Invalid filter pattern: "),
        ("{ $.a = 1 $.b = 2 }", "Invalid filter pattern: "),
        ("{ ($.a = 1 }", "Invalid filter pattern: "),
        ("{ $.a IS x }", "Invalid filter pattern: "),
        ("{ $.a NOT x }", "Invalid filter pattern: "),
        ("{ $.*.* = x }", "Invalid filter pattern: "),
        ("{ $.a = %x% || $.a = %y% || $.a = %z% }", "Invalid filter pattern: "),
        ("{}", "Invalid filter pattern: "),
        ("[a, b", "Invalid filter pattern: "),
        ("[a, ..., b, ...]", "Invalid filter pattern: "),
        ("[a, a]", "Invalid filter pattern: "),
        ("[a = 1 && b = 2]", "Invalid filter pattern: "),
        ("%[%", "Invalid filter pattern: "),
        (r"%\bx%", "Invalid filter pattern: "),
        ("x" * 1025, "Invalid filter pattern: "),
        ("{ " + "(" * 60 + "$.a = 1" + ")" * 60 + " }", "Invalid filter pattern: "),
    ],
)
def test_what_breaks_the_syntax_is_refused(pattern: str, worded: str) -> None:
    """With the characters that AWS names, else with what is wrong."""
    with pytest.raises(FilterPatternError) as error:
        compile_pattern(pattern)

    assert error.value.worded("Invalid filter pattern").startswith(worded)


@given(TEXT)
def test_any_text_is_compiled_or_refused(text: str) -> None:
    """No other exception, and what was compiled can be asked."""
    for pattern in (text, f"{{{text}}}", f"[{text}]", f"{{ $.a {text} }}", f"[a {text}]"):
        try:
            compiled = compile_pattern(pattern)
        except FilterPatternError:
            continue
        for line in (text, "", json.dumps({"a": text})):
            compiled.match(line)


@given(phrase=st.text(string.printable, min_size=1, max_size=20), before=TEXT, after=TEXT)
def test_a_quoted_phrase_is_found_where_it_is(phrase: str, before: str, after: str) -> None:
    """Whatever it consists of, once quotes and backslashes are escaped."""
    escaped = phrase.replace("\\", "\\\\").replace('"', '\\"')

    assert compile_pattern(f'"{escaped}"').match(f"{before}{phrase}{after}")
    assert (compile_pattern(f'-"{escaped}"').match(f"{before}{phrase}{after}") is None) == bool(phrase.strip())


@given(value=st.one_of(st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_are_compared_exactly(value: float) -> None:
    """A number equals itself and nothing beside it, however large."""
    line = json.dumps({"a": value})

    assert compile_pattern(f"{{ $.a = {value!r} }}").match(line)
    assert compile_pattern(f"{{ $.a >= {value!r} && $.a <= {value!r} }}").match(line)
    assert compile_pattern(f"{{ $.a != {value!r} || $.a > {value!r} || $.a < {value!r} }}").match(line) is None


def test_a_regular_expression_that_never_ends_is_given_up() -> None:
    """It matches nothing then, instead of keeping the emulator."""
    pattern = compile_pattern("%" + "a*" * 30 + "x%")
    began = time.monotonic()

    assert pattern.match("a" * 5000) is None
    assert time.monotonic() - began < 30

"""The query language: what is understood, and what is refused and how."""

import pytest

from dlqlab.insights import MalformedQueryError, compile_query
from tests.support.queries import answer, column, lines, rows, value


def refusal(query: str) -> MalformedQueryError:
    with pytest.raises(MalformedQueryError) as caught:
        compile_query(query, now_s=0)
    return caught.value


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "unexpected symbol found <EOF> at line 1 and position 0"),
        ("count()", "unexpected symbol found count at line 1 and position 0"),
        ("fields a | foo b", "unexpected symbol found foo at line 1 and position 11"),
        ("fields a\n| filter a ~ 1", "unexpected symbol found ~ at line 2 and position 11"),
        ("fields a |", "unexpected symbol found <EOF> at line 1 and position 10"),
        ("fields a | sort bin(1d) desc", "unexpected symbol found ( at line 1 and position 19"),
        ("dedup a | sort a", "unexpected symbol found sort at line 1 and position 10"),
        ("fields a b", "unexpected symbol found b at line 1 and position 9"),
        ('filter a = "x', 'unexpected symbol found " at line 1 and position 11'),
        ("limit ten", "unexpected symbol found ten at line 1 and position 6"),
        ("stats count(*) by", "unexpected symbol found <EOF> at line 1 and position 17"),
    ],
)
def test_a_malformed_query_says_where(query: str, said: str) -> None:
    """In AWS's words, with the offsets of the symbol."""
    assert said == refusal(query).message


def test_the_place_of_an_error_is_that_of_its_symbol() -> None:
    error = refusal("fields a | foo b")

    assert "foo" == "fields a | foo b"[error.start : error.end]


@pytest.mark.parametrize(
    "command",
    [
        "pattern @message",
        "diff",
        "anomaly",
        "unmask @message",
        "lookup t a",
        "SOURCE logGroups()",
        "filterIndex a = 1",
        "unnest a",
        "join x",
        "order a",
        "head 5",
        "tail 5",
        "addtotals",
    ],
)
def test_a_command_of_cloudwatch_that_is_not_known_here_is_named(command: str) -> None:
    """It is not ignored, wherever it stands."""
    name = command.split(maxsplit=1)[0]

    for query in (command, f"fields a\n# note\n| {command}"):
        assert refusal(query).message.endswith(f": the command {name} of CloudWatch is not supported here")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("fields frobnicate(a)", "unknown function frobnicate"),
        ("filter case(a, 1, 2)", "unknown function case"),
        ("fields strlen()", "strlen takes 1 arguments"),
        ("fields replace(a, 'b')", "replace takes 3 arguments"),
        ("fields strcontains(a, 'b', true)", "strcontains takes 2 arguments"),
        ("fields substr(a)", "substr takes 2 to 3 arguments"),
        ("fields concat()", "concat takes 1 or more arguments"),
        ("fields abs(*)", "abs takes 1 arguments"),
        ("fields ispresent(1)", "ispresent takes the name of a field"),
        ("fields bin(a)", "bin takes a period such as 5m"),
        ("stats count(*) by bin(0m)", "0m is not a period: give a number and a unit such as 5m"),
        ("fields 5m", "a period stands in bin, datefloor and dateceil only"),
        ("fields count(*)", "unknown function count"),
        ("stats pct(a)", "pct takes 2 arguments"),
        ("stats pct(a, 101)", "pct takes a field and a percentage from 0 to 100"),
        ("stats sum(*)", "sum takes 1 argument"),
        ("stats sum(avg(a))", "unknown function avg"),
        ("stats a by b", "Unknown symbols found in or after stats: a"),
        ("stats count(*) by a | sort b", "Unknown symbols found in or after stats: b"),
        ("stats count(*) by a | filter @message like /x/", "Unknown symbols found in or after stats: @message"),
        ("stats count(*) as n by a | stats max(n) by bin(1h)", "Unknown symbols found in or after stats: @timestamp"),
        ("stats count(*) | stats count(*) | stats count(*)", "a query has at most 2 stats commands"),
        (
            "stats count(*) as n by a | sort n | stats max(n)",
            "sort and limit must stand after the second stats command",
        ),
        ("limit 0", "limit 0: give 1 to 10000"),
        ("limit 10001", "limit 10001: give 1 to 10000"),
        ("limit 1.5", "limit 1.5 is not a whole number"),
        ("filter 'abc'", "'abc' is not a condition"),
        ("filter @message like 'a' or 'b'", "'b' is not a condition"),
        ("filter @timestamp > '2024-01-01'", "@timestamp is compared with a text: give milliseconds since the epoch"),
        ("fields a as b, c as b", "field b is already defined"),
        ("fields a | fields c as a", "field a is already defined"),
        ("parse 'x*' as a | parse 'y*' as a", "field a is already defined"),
        ("parse 'x' as a", "pattern 'x' cannot be used: it has 0 wildcards (*) for 1 names"),
        ("parse 'x*'", "parse names no field: give names after as, or named groups (?<name>...)"),
        ("parse /a(b)/", "parse names no field: give names after as, or named groups (?<name>...)"),
        ("parse /a(b)(c)/ as x", "regular expression 'a(b)(c)' cannot be used: it has 2 groups for 1 names"),
        ("filter a like /(/", "regular expression '(' cannot be used: missing ): ("),
        ("filter a like /(?=b)/", "regular expression '(?=b)' cannot be used: invalid perl operator: (?="),
    ],
)
def test_what_makes_no_sense_is_refused(query: str, said: str) -> None:
    """With what is wrong, instead of an answer that is."""
    assert said == refusal(query).message


@pytest.mark.parametrize(
    "query",
    [
        "filter " + "not " * 3000 + "a",
        "fields " + "-" * 3000 + "a",
        "fields " + "abs(" * 2000 + "a" + ")" * 2000,
    ],
)
def test_a_query_nested_too_deep_is_refused(query: str) -> None:
    """It does not bring the process to its knees."""
    assert refusal(query).message == "expressions are nested more than 100 deep"


def test_many_operands_are_not_deep() -> None:
    """A list of hundreds of ids joined by or is an ordinary query."""
    query = (
        "filter " + " or ".join(f'id = "{number}"' for number in range(1500)) + " | fields 1" + "+1" * 1000 + " as s"
    )

    assert ["1001"] == column(query + " | display s", '{"id": "1499"}', '{"id": "x"}')


def test_commands_and_functions_in_any_case() -> None:
    """As in AWS's own samples."""
    query = """FIELDS @message
    | PARSE @message "* [*] *" as loggingTime, loggingType, loggingMessage
    | FILTER loggingType IN ["ERROR", "INFO"] AND isPresent(loggingTime)
    | DISPLAY loggingMessage, loggingType = "ERROR" as isError
    | SORT loggingMessage DESC | LIMIT 5"""

    assert [
        {"loggingMessage": "b", "isError": "0"},
        {"loggingMessage": "a", "isError": "1"},
    ] == rows(query, "1 [ERROR] a", "2 [INFO] b", "3 [DEBUG] c")


def test_words_of_the_language_are_names_of_fields_too() -> None:
    found = rows(
        "fields sort, limit, index, note, orders, ascent, stats.by",
        '{"sort": 1, "limit": 2, "index": 3, "note": 4, "orders": 5, "ascent": 6, "stats": {"by": 7}}',
    )

    assert [
        {"sort": "1", "limit": "2", "index": "3", "note": "4", "orders": "5", "ascent": "6", "stats.by": "7"}
    ] == found


def test_comments_are_ignored_but_not_within_texts() -> None:
    query = "# all of it\nfields @message # what\n# | filter @message like /delay/\n| filter @message like '#1'"

    assert ["task #1"] == column(query, "task #1", "task 2")


def test_where_is_filter() -> None:
    assert ["b"] == column("fields @message | where @message = 'b'", "a", "b")


def test_slashes_divide_and_quote() -> None:
    """A slash after an operand divides; after like it begins a regular expression, which may hold escaped ones."""
    assert ["/a/b 4"] == column(
        r"fields @message | filter 8 / 4 / 2 = 1 and @message like /\/a\/b \d/", "/a/b 4", "/a/b x"
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("7 - 2 - 1", "4"),
        ("8 / 4 / 2", "1"),
        ("2 ^ 3", "8"),
        ("2 ^ 3 ^ 2", "512"),
        ("-2 ^ 2", "4"),
        ("10 % 3", "1"),
        ("-10 % 3", "-1"),
        ("1 / 3", "0.3333"),
        ("1 / 0", None),
        ("1 % 0", None),
        ("9 ^ 9 ^ 9", None),
        ("0 - 0.00001", "-1e-05"),
        ("2.50", "2.5"),
        (".5", "0.5"),
        ("1e3", "1000"),
        ("1 + missing", None),
        ("1 + 'x'", None),
        ("1 + '2'", "3"),
        ("128000000 / 1024 / 1024", "122.0703"),
        ("1 < 2", "1"),
        ("2 < 1", "0"),
        ("1 = 1.0", "1"),
        ("'a' < 'b'", "1"),
        ("'10' < '9'", "0"),
        ("true", "1"),
        ("not false", "1"),
        ("1 = 1 and 2 = 3 or 4 = 4", "1"),
        ("not 1 = 2", "1"),
        ("'it''s'", None),
    ],
)
def test_expressions(expression: str, expected: str | None) -> None:
    """Operators bind as in arithmetic; a calculation that has no result is missing."""
    if expression == "'it''s'":
        assert refusal(f"display {expression}")
    else:
        assert expected == value(expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("abs(-3)", "3"),
        ("ceil(1.2)", "2"),
        ("floor(-1.2)", "-2"),
        ("greatest(1, 3, 2)", "3"),
        ("least(1, missing)", "1"),
        ("log(1)", "0"),
        ("log(0)", None),
        ("sqrt(9)", "3"),
        ("sqrt(-1)", None),
        ("abs('x')", None),
        ("strlen('äöü')", "3"),
        ("concat('a', 1, missing, '-')", "a1-"),
        ("toupper('aß')", "ASS"),
        ("tolower('AB')", "ab"),
        ("trim('  a ')", "a"),
        ("trim('xyZxyfooxyxyZ', 'xyZ')", "foo"),
        ("ltrim('xyZxyfooxyZ','xyZ')", "fooxyZ"),
        ("rtrim('xyZfooxyxyZ','xyZ')", "xyZfoo"),
        ("substr('xyZfooxyZ', 3)", "fooxyZ"),
        ("substr('xyZfooxyZ', 3, 3)", "foo"),
        ("substr('abc', 9)", ""),
        ("replace('a.b.c', '.', '-')", "a-b-c"),
        ("strcontains('abc', 'b')", "1"),
        ("strcontains('abc', 'B')", "0"),
        ("strlen(missing)", None),
        ("isempty(missing)", "1"),
        ("isempty('')", "1"),
        ("isempty(' ')", "0"),
        ("isblank(' ')", "1"),
        ("isblank('a')", "0"),
        ("ispresent(missing)", "0"),
        ("ispresent(@message)", "1"),
        ("coalesce(missing, gone, 'x')", "x"),
        ("if(1 = 1, 'y', 'n')", "y"),
        ("if(ispresent(missing), 'y', 'n')", "n"),
        ("isValidIp('::1')", "1"),
        ("isValidIpV4('::1')", "0"),
        ("isValidIpV6('::1')", "1"),
        ("isIpv4InSubnet('192.0.2.7', '192.0.2.0/24')", "1"),
        ("isIpInSubnet('10.0.0.1', '192.0.2.0/24')", "0"),
        ("isIpv6InSubnet('2001:db8::1', '2001:db8::/32')", "1"),
        ("now()", "1700000000"),
        ("toMillis(@timestamp)", "1700000000000"),
        ("fromMillis(0)", "1970-01-01 00:00:00.000"),
        ("fromMillis(1700000000123)", "2023-11-14 22:13:20.123"),
        ("@timestamp", "2023-11-14 22:13:20.000"),
        ("@timestamp + 1", "1700000000001"),
        ("bin(1h)", "2023-11-14 22:00:00.000"),
        ("bin(5 m)", None),
        ("datefloor(@timestamp, 1d)", "2023-11-14 00:00:00.000"),
        ("dateceil(@timestamp, 1h)", "2023-11-14 23:00:00.000"),
        ("dateceil(fromMillis(3600000), 1h)", "1970-01-01 01:00:00.000"),
        ("datefloor('x', 1h)", None),
        ("jsonStringify(jsonParse('{\"a\": [1, 2]}'))", '{"a":[1,2]}'),
        ("jsonParse('x')", None),
        ("jsonParse('1')", None),
    ],
)
def test_functions(expression: str, expected: str | None) -> None:
    """Each as AWS documents it; where there is no text or number to work on, nothing comes out."""
    if expression == "bin(5 m)":
        assert "unexpected symbol found m" in refusal(f"display {expression}").message
    else:
        assert expected == value(expression)


@pytest.mark.parametrize(
    ("period", "floor", "ceiling"),
    [
        ("1ms", "2023-11-14 22:13:20.000", "2023-11-14 22:13:20.000"),
        ("7secs", "2023-11-14 22:13:14.000", "2023-11-14 22:13:21.000"),
        ("5minutes", "2023-11-14 22:10:00.000", "2023-11-14 22:15:00.000"),
        ("12h", "2023-11-14 12:00:00.000", "2023-11-15 00:00:00.000"),
        ("1w", "2023-11-13 00:00:00.000", "2023-11-20 00:00:00.000"),
        ("1mo", "2023-11-01 00:00:00.000", "2023-12-01 00:00:00.000"),
        ("1qtr", "2023-10-01 00:00:00.000", "2024-01-01 00:00:00.000"),
        ("1year", "2023-01-01 00:00:00.000", "2024-01-01 00:00:00.000"),
    ],
)
def test_periods(period: str, floor: str, ceiling: str) -> None:
    """Days, weeks and longer ones are those of the calendar, in UTC."""
    assert floor == value(f"datefloor(@timestamp, {period})")
    assert ceiling == value(f"dateceil(@timestamp, {period})")


def test_a_structure_made_of_text_can_be_looked_into() -> None:
    query = "fields jsonParse(body) as inner | display inner.a.0, inner.`b c`, inner.list[1]"

    assert [{"inner.a.0": "7", "inner.b c": "x", "inner.list.1": "2"}] == rows(
        query, '{"body": "{\\"a\\": [7], \\"b c\\": \\"x\\", \\"list\\": [1, 2]}"}'
    )


def test_the_limit_of_the_call_stands_behind_the_query() -> None:
    """The smaller one counts."""
    found = lines(*"abcde")

    assert 2 == len(answer("limit 3", found, limit=2).rows)
    assert 3 == len(answer("limit 3", found, limit=4).rows)

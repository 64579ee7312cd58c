"""What queries answer over log lines."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.insights import LIMIT_MAX, LogLine, MalformedQueryError, QueryStopped, Statistics, compile_query
from tests.support.queries import LAMBDA, PLAIN, T0_MS, answer, column, lines, rows

REPORT = (
    "REPORT RequestId: 11111111-2222-3333-4444-555555555555\tDuration: 12.34 ms\tBilled Duration: 13 ms\t"
    "Memory Size: 128 MB\tMax Memory Used: 68 MB\tInit Duration: 200.50 ms\t\n"
    "XRAY TraceId: 1-5e34a614-10bdxx\tSegmentId: 07f107\tSampled: true"
)


def test_a_query_without_fields_shows_time_and_message_newest_first() -> None:
    """And with every line the pointer to it."""
    result = answer("filter @message like /a/", lines("a 1", "b", "a 2"))

    assert ("@timestamp", "@message", "@ptr") == result.columns
    assert ["a 2", "a 1"] == [row["@message"] for row in result.rows]
    assert ["2023-11-14 22:13:22.000", "2023-11-14 22:13:20.000"] == [row["@timestamp"] for row in result.rows]
    assert 2 == len({row["@ptr"] for row in result.rows})


def test_the_lines_of_one_task_and_no_others() -> None:
    """The query that people write, over lines of many tasks that run at the same time."""
    messages = [
        json.dumps({"taskId": f"t-{number % 7}-x", "attempt": number // 7, "note": "between"}) for number in range(70)
    ]
    query = "fields @timestamp, @message | filter @message like /t-3-x/ | sort @timestamp asc | limit 10000"

    assert [message for message in messages if "t-3-x" in message] == [
        row["@message"] for row in rows(query, *messages)
    ]


def test_fields_of_a_json_line() -> None:
    """Nested ones by their path; parents are not fields; a name with a dot or a sign in it is one all the same."""
    message = json.dumps(
        {
            "a": {"b": [{"c": 1.50}, 2]},
            "x.y": "dot",
            "foo-bar": "sign",
            "@at": "at",
            "no": None,
            "yes": True,
            "big": 10**17,
        }
    )

    assert [
        {
            "a.b.0.c": "1.5",
            "a.b.1": "2",
            "x.y": "dot",
            "foo-bar": "sign",
            "@@at": "at",
            "yes": "1",
            "big": "1" + "0" * 17,
        }
    ] == rows("fields a.b.0.c, a.b.1, a, a.b, a.b.9, x.y, `foo-bar`, @@at, @at, no, yes, big", message)


def test_numbers_of_lines_are_shown_as_they_are() -> None:
    """Only what is calculated is rounded, to four decimals."""
    assert [{"ts": "1795336228.450254", "later": "1795336229.4503"}] == rows(
        "fields ts, ts + 1 as later", '{"ts": 1795336228.450254}'
    )


@pytest.mark.parametrize("message", ['{"a": 1', "[1]", '{"a": NaN}', '{"a": 1} and more', "", '{"a":' * 5000, '"a"'])
def test_what_is_not_json_has_no_json_fields(message: str) -> None:
    """It is a text like any other."""
    assert [{"@message": message}] == rows("fields @message, a", message)


def test_fields_of_json_within_a_line_of_lambda() -> None:
    """Of the first object; elsewhere a line must be JSON altogether."""
    message = '[INFO]\t2023-11-14T22:13:20.000Z\t11111111-2222-3333-4444-555555555555\tsee {x} {"a": 1} {"a": 2}\n'

    assert [{"a": "1", "@requestId": "11111111-2222-3333-4444-555555555555"}] == rows(
        "fields a, @requestId", message, log=LAMBDA
    )
    assert [{}] == rows("fields a, @requestId", message, log=PLAIN)


def test_fields_of_lambdas_own_lines() -> None:
    """Memory in bytes, durations in milliseconds."""
    request_id = "11111111-2222-3333-4444-555555555555"
    found = rows(
        "fields @type, @requestId, @duration, @billedDuration, @initDuration, @memorySize, @maxMemoryUsed, "
        "@xrayTraceId, @xraySegmentId | sort @timestamp asc",
        f"START RequestId: {request_id} Version: $LATEST",
        REPORT,
        f"END RequestId: {request_id}",
        "INIT_START Runtime Version: python:3.13",
        f"2023-11-14T22:13:20.123Z {request_id} Task timed out",
        "print",
        log=LAMBDA,
    )

    assert [
        {"@type": "START", "@requestId": request_id},
        {
            "@type": "REPORT",
            "@requestId": request_id,
            "@duration": "12.34",
            "@billedDuration": "13",
            "@initDuration": "200.5",
            "@memorySize": "128000000",
            "@maxMemoryUsed": "68000000",
            "@xrayTraceId": "1-5e34a614-10bdxx",
            "@xraySegmentId": "07f107",
        },
        {"@type": "END", "@requestId": request_id},
        {"@type": "INIT_START"},
        {"@requestId": request_id},
        {},
    ] == found


def test_awss_sample_of_memory() -> None:
    """Aliases of a stats command are known in it."""
    query = """filter @type = "REPORT"
    | stats max(@memorySize / 1000 / 1000) as provisonedMemoryMB,
        min(@maxMemoryUsed / 1000 / 1000) as smallestMemoryRequestMB,
        provisonedMemoryMB - smallestMemoryRequestMB as overProvisionedMB"""

    assert [{"provisonedMemoryMB": "128", "smallestMemoryRequestMB": "68", "overProvisionedMB": "60"}] == rows(
        query, REPORT, "START RequestId: x", log=LAMBDA
    )


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("status = 200", "ab"),
        ('status = "200"', "ab"),
        ("status != 200", "cde"),
        ("status > 199", "abc"),
        ("status < 300", "ab"),
        ("status >= 404", "c"),
        ("status in [200, 404]", "abc"),
        ('status in ["200"]', "ab"),
        ("status not in [200]", "cde"),
        ("status like /2../", "ab"),
        ("status like '04'", "c"),
        ("status =~ /^4/", "c"),
        ("status not like /2../", "cde"),
        ("not status = 200", "cde"),
        ("ispresent(status)", "abcd"),
        ("not ispresent(status)", "e"),
        ("status = status", "abcd"),
        ("status > 1 or name = 'e'", "abce"),
        ("flag", "a"),
        ("flag = true", "a"),
        ("flag = 1", "a"),
        ('flag = "true"', "a"),
        ("flag = false", "b"),
        ("not flag", "bcde"),
        ('status = "oops"', "d"),
        ("status > 'oops'", ""),
        ("status >= 'oops'", "d"),
    ],
)
def test_filters(condition: str, expected: str) -> None:
    """A number in JSON, a number in a text, a word, and nothing: nothing is equal to a missing value."""
    messages = (
        '{"name": "a", "status": 200, "flag": true}',
        '{"name": "b", "status": "200", "flag": false}',
        '{"name": "c", "status": 404}',
        '{"name": "d", "status": "oops"}',
        '{"name": "e"}',
    )

    assert list(expected) == column(f"fields name | filter {condition} | sort @timestamp asc", *messages)


def test_ids_of_digits_are_texts() -> None:
    """Two texts are the same only as they stand: 007 is not 7."""
    assert ["007"] == column('fields id | filter id = "007"', '{"id": "007"}', '{"id": "7"}', '{"id": "7.0"}')


def test_parse_by_wildcards() -> None:
    """AWS's own example; a line that does not match has no such fields and stays."""
    line = "25 May 2019 10:24:39,474 [ERROR] {foo=2, bar=data} The error was: DataIntegrityException"
    query = 'parse @message "[*] * The error was: *" as level, config, exception | display level, config, exception'

    assert [{}, {"level": "ERROR", "config": "{foo=2, bar=data}", "exception": "DataIntegrityException"}] == rows(
        query, line, "something else"
    )


def test_parse_by_named_groups() -> None:
    r"""Without a field it is @message; what it finds is shown beside what is asked for."""
    query = r"parse /user=(?<user>\w+), (?:method|verb)=(?<method>\w+)/ | fields @message | filter ispresent(user)"

    assert [{"@message": "user=a, verb=GET", "user": "a", "method": "GET"}] == rows(query, "user=a, verb=GET", "none")


def test_parse_by_unnamed_groups_with_names_behind() -> None:
    assert [{"n": "12"}] == rows(r"parse @message /(\d+) ms/ as n | display n", "took 12 ms")


def test_parsed_numbers_are_numbers() -> None:
    query = "parse 'latency := *' as latency | stats avg(latency) as mean, max(latency) as most"

    assert [{"mean": "56.5", "most": "100"}] == rows(query, "latency := 13", "latency := 100")


def test_regular_expressions_know_characters() -> None:
    """Characters beyond ASCII, half a surrogate pair, and no matter of case where it is asked for."""
    query = r"fields @message | filter @message like /(?i)^GR.{2}E$/ | sort @timestamp asc"

    assert ["größe", "groSE"] == column(query.replace(".{2}", ".{1,2}[sß]?"), "größe", "groSE", "\ud83d", "x")


def test_a_pattern_that_goes_back_and_forth_takes_no_time() -> None:
    """Regular expressions run in linear time: this one would take longer than the universe has."""
    assert [] == column("filter @message like /^(a+)+$/", "a" * 5000 + "b")


def test_stats_by_fields_and_bins() -> None:
    """Keys come first, in their order; a group without a key has none."""
    messages = [json.dumps({"kind": kind, "size": size}) for kind, size in (("b", 1), ("a", 2), ("b", 3))] + ["text"]
    query = "stats count(*) as n, count(size) as sized, sum(size), avg(size) as mean by kind, bin(1h)"
    hour = "2023-11-14 22:00:00.000"

    assert [
        {"bin(1h)": hour, "n": "1", "sized": "0"},
        {"kind": "a", "bin(1h)": hour, "n": "1", "sized": "1", "sum(size)": "2", "mean": "2"},
        {"kind": "b", "bin(1h)": hour, "n": "2", "sized": "2", "sum(size)": "4", "mean": "2"},
    ] == rows(query, *messages)


def test_stats_over_nothing_is_nothing() -> None:
    assert [] == rows("filter @message = 'z' | stats count(*)", "a")


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        ("count()", "5"),
        ("count(v)", "4"),
        ("count_distinct(v)", "3"),
        ("sum(v)", "7"),
        ("avg(v)", "2.3333"),
        ("min(v)", "word"),
        ("max(v)", "4"),
        ("pct(v, 50)", "2"),
        ("percentile(v, 100)", "4"),
        ("median(v)", "2"),
        ("stddev(v)", "1.5275"),
        ("earliest(v)", "4"),
        ("latest(v)", "1"),
        ("sortsFirst(v)", "word"),
        ("sortsLast(v)", "4"),
        ("earliest(@timestamp)", "1700000000000"),
        ("max(@timestamp)", "1700000004000"),
        ("fromMillis(max(@timestamp))", "2023-11-14 22:13:24.000"),
        ("max(v) - 1", "3"),
        ("count(*) / 2", "2.5"),
        ("sum(gone)", None),
        ("sum(v * 2)", "14"),
    ],
)
def test_figures(figure: str, expected: str | None) -> None:
    """Numbers are counted, words only where they can be."""
    messages = ('{"v": 4}', '{"v": 2}', '{"v": "word"}', "{}", '{"v": 1}')
    if figure == "count_distinct(v)":
        messages = ('{"v": 4}', '{"v": 4}', '{"v": "word"}', "{}", '{"v": 1}')

    assert [expected] == column(f"stats {figure}", *messages)


def test_a_figure_may_stand_twice() -> None:
    assert [{"count(*)": "1", "most": "2"}] == rows("stats count(*), count(*), max(a) as most, most", '{"a": 2}')


def test_two_stats_commands() -> None:
    """The second counts what the first has made."""
    messages = [json.dumps({"task": task}) for task in "aabbbc"]

    assert [{"most": "3", "tasks": "3"}] == rows(
        "stats count(*) as attempts by task | stats max(attempts) as most, count(*) as tasks", *messages
    )


def test_what_stats_made_can_be_filtered_sorted_and_calculated_with() -> None:
    messages = [json.dumps({"task": task}) for task in "aabbbcdd"]
    query = "stats count(*) as n by task | filter n > 1 | fields n * 10 as tenfold | sort n desc, task asc | limit 2"

    assert [{"task": "b", "n": "3", "tenfold": "30"}, {"task": "a", "n": "2", "tenfold": "20"}] == rows(
        query, *messages
    )


def test_display_shows_only_what_it_names_and_the_last_one_counts() -> None:
    assert [{"b": "2"}] == rows("fields a | display a | display b", '{"a": 1, "b": 2}')


def test_natural_sort() -> None:
    """AWS's own example: words before numbers, digits by their number."""
    expected = [
        "!:",
        "#",
        "*%04",
        "0#",
        "5A",
        "111A",
        "2345_",
        "@",
        "@_",
        "A",
        "A9876fghj",
        "a12345hfh",
        "0",
        "01",
        "1",
        "2",
        "3",
    ]

    assert expected == column("parse 'v*' as v | display v | sort v asc", *(f"v{text}" for text in sorted(expected)))
    assert [text for text in reversed(expected) if text not in {"0", "01"}] == [
        text
        for text in column("parse 'v*' as v | display v | sort v desc", *(f"v{text}" for text in expected))
        if text not in {"0", "01"}
    ]


def test_sort_by_several_fields_and_lines_without_them() -> None:
    """Missing values come first, and last where the order descends."""
    messages = [json.dumps(row) for row in ({"a": 1, "n": 1}, {"a": 2, "n": 2}, {"n": 3}, {"a": 1, "n": 4})]

    assert ["3", "4", "1", "2"] == column("fields n | sort a asc, n desc", *messages)
    assert ["2", "1", "4", "3"] == column("fields n | sort a desc, n", *messages)
    assert ["3", "1", "4", "2"] == column("fields n | sort n asc | sort a", *messages)


def test_lines_of_the_same_millisecond_keep_their_order() -> None:
    same = [LogLine(T0_MS, f"m{number}", PLAIN, "s", number) for number in range(5)]

    assert list("01234") == [row["@message"][1] for row in answer("sort @timestamp asc", same).rows]
    assert list("43210") == [row["@message"][1] for row in answer("fields @message", same).rows]


def test_dedup_keeps_the_first_in_order_and_what_lacks_the_field() -> None:
    messages = [
        json.dumps(row) for row in ({"s": "a", "n": 1}, {"s": "b", "n": 2}, {"n": 3}, {"s": "a", "n": 4}, {"n": 5})
    ]

    assert ["5", "4", "3", "2"] == column("fields n | dedup s", *messages)
    assert ["1", "2", "3", "5"] == column("fields n | sort @timestamp asc | dedup s", *messages)
    assert ["5", "4"] == column("fields n | dedup s | limit 2", *messages)


def test_a_limit_counts_where_it_stands() -> None:
    """The newest two, of which one fits."""
    assert ["3"] == column("fields @message | limit 2 | filter @message != '4'", *"1234")
    assert [{"count(*)": "2"}] == rows("limit 2 | stats count(*)", *"1234")


def test_at_most_10000_rows() -> None:
    """The newest of them, without a limit as with the greatest."""
    many = lines(*(f"{number}" for number in range(LIMIT_MAX + 5)), step_ms=1)

    assert [f"{LIMIT_MAX + 4}", "5"] == [answer("fields @message", many).rows[place]["@message"] for place in (0, -1)]
    assert LIMIT_MAX == len(answer("sort @timestamp asc | limit 10000", many).rows)


def test_statistics() -> None:
    """All lines of the time range were scanned, with their bytes; matched is what the filters let through."""
    statistics = Statistics()
    query = compile_query("filter @message like /ä/ | fields strlen(@message) as n | filter n > 1 | limit 1", now_s=0)
    query.run(lines("ä", "äb", "äc", "x", "\ud83d"), statistics)

    assert Statistics(records_scanned=5, records_matched=2, bytes_scanned=2 + 3 + 3 + 1 + 3) == statistics


def test_a_query_can_be_stopped_on_its_way() -> None:
    """What it is asked between lines ends it, and the statistics say how far it came."""
    statistics = Statistics()

    def stop() -> None:
        if statistics.records_scanned:
            raise QueryStopped

    with pytest.raises(QueryStopped):
        compile_query("stats count(*)", now_s=0).run(lines(*["x"] * 1000), statistics, stop)
    assert 0 < statistics.records_scanned < 1000


_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
}
_EVENTS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "kind": st.sampled_from(["a", "b", "c1", "c10"]),
            "size": st.integers(-5, 5) | st.floats(-5, 5).map(lambda x: round(x, 2)),
        },
    ),
    max_size=40,
)


@given(_EVENTS, st.sampled_from(sorted(_COMPARED)), st.integers(-5, 5), st.sampled_from(["and", "or"]), st.booleans())
def test_filters_as_plain_python_would(
    events: list[dict[str, Any]], operator: str, bound: int, joined: str, negated: bool
) -> None:
    """A condition of two parts lets through what the same condition in Python does."""

    def holds(event: dict[str, Any]) -> bool:
        first = _COMPARED[operator](event["size"], bound) if "size" in event else operator == "!="
        second = re.search("c", event.get("kind", "")) is not None
        either = (first and second) if joined == "and" else (first or second)
        return either is not negated

    no = "not " if negated else ""
    query = f"fields n | filter {no}(size {operator} {bound} {joined} kind like /c/) | sort n asc"
    messages = [json.dumps(event | {"n": number}) for number, event in enumerate(events)]

    assert [str(number) for number, event in enumerate(events) if holds(event)] == column(query, *messages)


@given(_EVENTS)
def test_stats_as_plain_python_would(events: list[dict[str, Any]]) -> None:
    """Groups, counts, least and greatest of random events."""
    groups: dict[str | None, list[float]] = {}
    for event in events:
        groups.setdefault(event.get("kind"), []).extend([event["size"]] if "size" in event else [])
    counts = {kind: sum(event.get("kind") == kind for event in events) for kind in groups}
    found = rows(
        "stats count(*) as n, min(size) as least, max(size) as most by kind", *(json.dumps(event) for event in events)
    )

    assert {row.get("kind"): int(row["n"]) for row in found} == counts
    for row in found:
        sizes = groups[row.get("kind")]
        assert [float(row[name]) for name in ("least", "most") if name in row] == (
            [min(sizes), max(sizes)] if sizes else []
        )


@given(_EVENTS, st.integers(1, 12), st.booleans())
def test_sort_and_limit_as_plain_python_would(events: list[dict[str, Any]], count: int, descending: bool) -> None:
    """The first so many of all in order."""
    numbered = [(number, event) for number, event in enumerate(events) if "size" in event]
    ordered = sorted(numbered, key=lambda pair: (pair[1]["size"], pair[0]), reverse=descending)
    query = f"fields n | filter ispresent(size) | sort size {'desc' if descending else 'asc'} | limit {count}"
    messages = [json.dumps(event | {"n": number}) for number, event in enumerate(events)]

    assert [str(number) for number, _event in ordered[:count]] == column(query, *messages)


_COMMANDS = ("fields", "filter", "parse", "stats", "sort", "limit", "dedup", "display", "#")
_PARTS = (
    "by",
    "as",
    "and",
    "or",
    "not",
    "in",
    "like",
    "=~",
    "|",
    ",",
    "(",
    ")",
    "[",
    "]",
    "=",
    "<",
    "-",
    "/",
    "*",
    "`",
)
_OPERANDS = ("@message", "a.b", "count(*)", "bin(5m)", "5m", "7", "'x'", "/x/", "asc")
_WORDS = st.sampled_from([*_COMMANDS, *_PARTS, *_OPERANDS])


@given(st.text(max_size=60) | st.lists(_WORDS, max_size=12).map(" ".join))
def test_any_text_is_a_query_or_refused(text: str) -> None:
    """Nothing but a refusal comes of what is not a query, and its place lies within the text."""
    start, end = 0, 0
    try:
        compile_query(text, now_s=0)
    except MalformedQueryError as error:
        start, end = error.start, error.end

    assert 0 <= start <= end <= len(text)

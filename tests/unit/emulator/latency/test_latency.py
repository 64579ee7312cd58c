"""Times are drawn as the table has them."""

import math
import statistics
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.latency.requests import call_of
from dlqlab.emulator.latency.table import AWS, Draws, Row, Table, read, seconds
from dlqlab.errors import UsageError

SCOPE = b"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/%b/aws4_request, SignedHeaders=host"
ROW = """
[[latency]]
service = "sqs"
operation = "*"
p50_ms = {p50}
p99_ms = {p99}
adds = {adds}
source = "here"
"""


def test_median_and_99th_percentile_are_the_tables() -> None:
    """Of 20,000 draws, within what chance leaves."""
    row = Row("sqs", "*", 20, 80, adds=False, source="")
    draws = Draws(Table((row,), seed=7))
    drawn = sorted(draws.draw("sqs", "SendMessage")[0] for _ in range(20_000))

    assert math.isclose(0.020, statistics.median(drawn), rel_tol=0.05)
    assert math.isclose(0.080, drawn[int(0.99 * len(drawn))], rel_tol=0.1)


def test_each_operation_has_a_sequence_of_its_own_by_the_seed() -> None:
    """Whatever else is called in between."""
    table = read(AWS)
    alone, between = Draws(table), Draws(table)
    expected = [alone.draw("sqs", "SendMessage") for _ in range(5)]
    found = [(between.draw("dynamodb", "GetItem"), between.draw("sqs", "SendMessage"))[1] for _ in range(5)]

    assert expected == found
    assert expected != [Draws(Table(table.rows, seed=2)).draw("sqs", "SendMessage") for _ in range(5)]


@given(st.floats(0.1, 1000), st.floats(1, 50), st.floats(-6, 6), st.floats(-6, 6))
def test_times_grow_with_the_deviate(p50_ms: float, factor: float, one: float, other: float) -> None:
    """And none is negative."""
    row = Row("s", "o", p50_ms, p50_ms * factor, adds=True, source="")
    low, high = sorted([one, other])

    assert 0 < seconds(row, low) <= seconds(row, high)
    assert math.isclose(p50_ms / 1000, seconds(row, 0))


def test_the_first_row_that_fits_counts() -> None:
    """Own rows of an operation stand before those for all."""
    table = read(AWS)
    receive, send, other = table.row("sqs", "ReceiveMessage"), table.row("sqs", "SendMessage"), table.row("x", "y")

    assert receive is not None
    assert receive.adds
    assert send is not None
    assert ("*", False) == (send.operation, send.adds)
    assert other is not None
    assert "*" == other.service
    assert (0.0, True) == Draws(Table((), seed=1)).draw("sqs", "SendMessage")


def test_every_number_says_where_it_is_from() -> None:
    """What is not published is called an estimate."""
    for row in read(AWS).rows:
        assert "stimate" in row.source
        assert row.p50_ms < row.p99_ms


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "at least one"),
        ("seed = 1.5\n" + ROW.format(p50=1, p99=2, adds="true"), "whole number as seed"),
        (ROW.format(p50=3, p99=2, adds="true"), "row 1: p50_ms is 3 and p99_ms 2"),
        (ROW.format(p50=0, p99=2, adds="true"), "give 0 < p50_ms"),
        (ROW.format(p50=1, p99=2, adds="1"), "adds is 1: give a bool"),
        (ROW.format(p50=1, p99=2, adds="true") + "p90_ms = 3\n", "p90_ms is unknown"),
        ("[[latency]]\nservice = 'sqs'\n", "adds is missing"),
        ("[[", "give aws or the path"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    """With the row and the field."""
    path = tmp_path / "own.toml"
    path.write_text(text)

    with pytest.raises(UsageError, match=problem):
        read(str(path))


def test_a_table_that_is_not_there_is_refused() -> None:
    """By its path."""
    with pytest.raises(UsageError, match=r"--latency none\.toml: .*No such file"):
        read("none.toml")


@pytest.mark.parametrize(
    ("target", "service", "amz_target", "body", "expected"),
    [
        (b"/", b"sqs", b"AmazonSQS.SendMessage", b"{}", ("sqs", "SendMessage")),
        (b"/", b"sns", b"", b"Action=Publish&Version=1", ("sns", "Publish")),
        (b"/2015-03-31/functions/f/invocations", b"lambda", b"", b"Action=Publish", ("lambda", "Invoke")),
        (b"/2015-03-31/functions/f", b"lambda", b"", b"", ("lambda", "")),
        (b"/bucket/key", b"s3", b"", b"", ("s3", "")),
        (b"/_aws/execute-api/a/v1/tasks", b"", b"", b"", ("execute-api", "")),
        (b"/_localstack/health", b"", b"", b"", None),
    ],
)
def test_requests_are_told_apart(
    target: bytes, service: bytes, amz_target: bytes, body: bytes, expected: tuple[str, str] | None
) -> None:
    """By the signature's scope, and by each protocol's way to name its operation."""
    assert expected == call_of(target, b"127.0.0.1:4566", SCOPE % service if service else b"", amz_target, body)

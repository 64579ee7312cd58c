"""CloudWatch Logs Insights as boto3 sees it."""

import json
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from dlqlab.cli import main
from dlqlab.contracts.names import log_group
from dlqlab.waiting import wait_for
from tests.integration.conftest import Deployed, FunctionFactory
from tests.support.logs import lines_by_role

pytestmark = pytest.mark.integration
BY_TASK = "fields @timestamp, @message | filter @message like /{}/ | sort @timestamp asc | limit 10000"


@pytest.fixture
def logs(aws: Callable[[str], Any]) -> Any:
    return aws("logs")


@pytest.fixture
def make_group(logs: Any, cleanups: ExitStack) -> Callable[..., str]:
    """Makes log groups of lines; each line gets the time that it says, in ms, or now."""

    def make(*lines: str, at_ms: int | None = None) -> str:
        name = f"/insights/{uuid.uuid4().hex[:8]}"
        logs.create_log_group(logGroupName=name)
        cleanups.callback(logs.delete_log_group, logGroupName=name)
        logs.create_log_stream(logGroupName=name, logStreamName="s")
        first_ms = at_ms or int(time.time() * 1000)
        events = [{"timestamp": first_ms + place, "message": line} for place, line in enumerate(lines)]
        logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=events)
        return name

    return make


def ask(logs: Any, query: str, **where: Any) -> dict[str, Any]:
    """Start a query over the last and the next minutes, and wait for its end."""
    now = int(time.time())
    started = logs.start_query(**{"startTime": now - 600, "endTime": now + 600, "queryString": query, **where})

    def probe() -> tuple[bool, dict[str, Any]]:
        answer = logs.get_query_results(queryId=started["queryId"])
        return answer["status"] not in {"Scheduled", "Running"}, answer

    return wait_for("query", probe, deadline_s=30, interval_s=0.02)


def rows(answer: dict[str, Any]) -> list[dict[str, str]]:
    return [{cell["field"]: cell["value"] for cell in row if cell["field"] != "@ptr"} for row in answer["results"]]


def test_filter_and_stats_with_statistics(logs: Any, make_group: Callable[..., str]) -> None:
    """Rows, what was scanned and what matched, in the types of the API."""
    group = make_group(*(json.dumps({"kind": kind, "n": n}) for n, kind in enumerate("abba")))
    answer = ask(logs, 'filter kind in ["a"] | stats sum(n) as total by kind', logGroupName=group)

    assert "Complete" == answer["status"]
    assert [{"kind": "a", "total": "3"}] == rows(answer)
    assert (2.0, 4.0) == tuple(answer["statistics"][name] for name in ("recordsMatched", "recordsScanned"))
    assert 4 * len('{"kind": "a", "n": 0}') == answer["statistics"]["bytesScanned"]


def test_several_log_groups_by_name_and_by_arn(logs: Any, make_group: Callable[..., str]) -> None:
    """Each line says where it is from."""
    first, second = make_group("one"), make_group("two")
    arn = next(group["logGroupArn"] for group in logs.describe_log_groups(logGroupNamePrefix=second)["logGroups"])
    query = "fields @log, @logStream, @message, @ingestionTime | sort @message asc"
    expected = [("000000000000:" + first, "s", "one"), ("000000000000:" + second, "s", "two")]

    for where in ({"logGroupNames": [first, second]}, {"logGroupIdentifiers": [first, arn]}):
        answer = ask(logs, query, **where)
        assert expected == [(row["@log"], row["@logStream"], row["@message"]) for row in rows(answer)]
        assert 2.0 == answer["statistics"]["logGroupsScanned"]
        assert all("@ptr" in {cell["field"] for cell in row} for row in answer["results"])


def test_both_ends_of_the_time_range_belong_to_it(logs: Any, make_group: Callable[..., str]) -> None:
    """In whole seconds: a millisecond after the end is outside."""
    start_s = int(time.time()) - 100
    group = make_group("before", "first", at_ms=start_s * 1000 - 1)
    logs.put_log_events(
        logGroupName=group,
        logStreamName="s",
        logEvents=[
            {"timestamp": (start_s + 2) * 1000, "message": "last"},
            {"timestamp": (start_s + 2) * 1000 + 1, "message": "after"},
        ],
    )
    answer = ask(logs, "fields @message", logGroupName=group, startTime=start_s, endTime=start_s + 2)

    assert ["last", "first"] == [row["@message"] for row in rows(answer)]
    assert 2.0 == answer["statistics"]["recordsScanned"]


def test_the_limit_of_the_call(logs: Any, make_group: Callable[..., str]) -> None:
    group = make_group(*"abc")

    assert ["c", "b"] == [row["@message"] for row in rows(ask(logs, "fields @message", logGroupName=group, limit=2))]


def test_malformed_queries_are_refused_with_their_place(logs: Any, make_group: Callable[..., str]) -> None:
    """At StartQuery, as on AWS: nothing is started."""
    group = make_group("a")
    with pytest.raises(ClientError) as caught:
        ask(logs, "fields a | pattern @message", logGroupName=group)
    told = caught.value.response

    assert "MalformedQueryException" == told["Error"]["Code"]
    assert "unexpected symbol found pattern at line 1 and position 11" in told["Error"]["Message"]
    assert {"startCharOffset": 11, "endCharOffset": 18} == told["queryCompileError"]["location"]  # type: ignore[typeddict-item]
    assert [] == logs.describe_queries(logGroupName=group)["queries"]


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({"logGroupName": "/nobody/knows"}, "ResourceNotFoundException",
         "Log group '/nobody/knows' does not exist for account ID '000000000000'"),
        ({"logGroupNames": ["{group}"]}, "InvalidParameterException", "exactly one of"),
        ({"logGroupName": None}, "InvalidParameterException", "exactly one of"),
        ({"startTime": 20, "endTime": 10}, "InvalidParameterException", "End time"),
        ({"startTime": 10**12, "endTime": 10**12 + 1}, "InvalidParameterException", "not a time in seconds"),
        ({"limit": 10_001}, "InvalidParameterException", "less than or equal to 10000"),
        ({"queryLanguage": "SQL"}, "InvalidParameterException", "queryLanguage SQL is not supported here"),
        ({"queryString": "fields " + "a" * 10_000}, "InvalidParameterException", "length less than or equal to 10000"),
        ({"logGroupName": None, "logGroupNames": [f"g{n}" for n in range(51)]}, "InvalidParameterException",
         "length less than or equal to 50"),
        ({"logGroupName": None, "logGroupIdentifiers": ["arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"]},
         "InvalidParameterException", "without :* behind"),
    ],
)  # fmt: skip
def test_wrong_requests(
    logs: Any, make_group: Callable[..., str], changed: dict[str, Any], code: str, said: str
) -> None:
    """Each with AWS's code."""
    group = make_group("a")
    filled = json.loads(json.dumps(changed).replace("{group}", group))
    request = {"logGroupName": group, "queryString": "fields @message", "startTime": 0, "endTime": 10} | filled
    with pytest.raises(ClientError) as caught:
        logs.start_query(**{name: value for name, value in request.items() if value is not None})

    assert code == caught.value.response["Error"]["Code"]
    assert said in caught.value.response["Error"]["Message"]


def test_queries_are_described_and_stopped_only_while_they_run(logs: Any, make_group: Callable[..., str]) -> None:
    """The newest first, in pages; an ended query cannot be stopped, an unknown one not be found."""
    group = make_group("a")
    for query in ("fields 1", "fields 2", "fields 3"):
        ask(logs, query, logGroupName=group)
    first = logs.describe_queries(logGroupName=group, status="Complete", maxResults=2)
    second = logs.describe_queries(logGroupName=group, maxResults=2, nextToken=first["nextToken"])
    found = [*first["queries"], *second["queries"]]

    assert ["fields 3", "fields 2", "fields 1"] == [one["queryString"] for one in found]
    assert {(group, "Complete")} == {(one["logGroupName"], one["status"]) for one in found}
    assert "nextToken" not in second
    with pytest.raises(logs.exceptions.InvalidParameterException, match="not running"):
        logs.stop_query(queryId=found[0]["queryId"])
    for call in (logs.stop_query, logs.get_query_results):
        with pytest.raises(logs.exceptions.ResourceNotFoundException):
            call(queryId="nobody")


def test_a_functions_lines_with_what_lambda_says(logs: Any, make_function: FunctionFactory) -> None:
    """Fields of the REPORT line, and of JSON that a function prints."""
    function = make_function("""
        import json
        def handler(event, context):
            print(json.dumps({"order": {"id": event["id"]}}))
        """)
    for number in (1, 2):
        assert function.invoke({"id": number}).error is None
    group = log_group(function.name)
    reports = 'filter @type = "REPORT" | stats count(*) as n, max(@memorySize) as memory, count(@duration) as timed'

    assert [{"n": "2", "memory": "128000000", "timed": "2"}] == rows(ask(logs, reports, logGroupName=group))
    assert [{"order.id": "2"}] == rows(ask(logs, "fields order.id | filter order.id > 1", logGroupName=group))


def test_the_lines_of_one_task_and_no_others(deployed: Deployed) -> None:
    """The query by task id that people write, over the logs of every function of the pipeline."""
    tasks = [f"i-{uuid.uuid4().hex}" for _ in range(5)]
    for task in tasks:
        assert 202 == deployed.submit(task)
    deployed.wait_terminal(tasks)
    lines = [line for found in lines_by_role(deployed.target).values() for line in found]
    groups = [log_group(name) for name in deployed.target.topology.function_names.values()]
    known = deployed.target.client("logs").describe_log_groups()["logGroups"]
    there = [name for name in groups if name in {group["logGroupName"] for group in known}]

    for task in tasks:
        answer = ask(deployed.target.client("logs"), BY_TASK.format(task), logGroupNames=there)
        assert sorted(line.rstrip("\n") for line in lines if task in line) == sorted(
            row["@message"].rstrip("\n") for row in rows(answer)
        )
        assert len(rows(answer)) >= 2


def test_the_command_line_asks_a_target(deployed: Deployed) -> None:
    """``dlqlab logs`` without a run: the pipeline's log groups, the lines of one task and no others."""
    task, other = f"c-{uuid.uuid4().hex}", f"c-{uuid.uuid4().hex}"
    assert [202, 202] == [deployed.submit(task), deployed.submit(other)]
    deployed.wait_terminal([task, other])
    arguments = ["logs", "--target", str(deployed.target.endpoint), BY_TASK.format(task), "--json"]
    result = CliRunner().invoke(main, arguments)
    messages = [json.loads(line)["@message"] for line in result.stdout.splitlines()]
    lines = [line for found in lines_by_role(deployed.target).values() for line in found if task in line]

    assert 0 == result.exit_code, result.stderr
    assert sorted(line.rstrip("\n") for line in lines) == sorted(message.rstrip("\n") for message in messages)
    assert not [message for message in messages if other in message]
    refused = CliRunner().invoke(main, [*arguments[:3], "fields a | diff"])
    assert 3 == refused.exit_code
    assert "unexpected symbol found diff at line 1 and position 11" in " ".join(refused.stderr.split())

"""X-Ray's API, as any client sees it: one trace from the API to the monitor, with what functions send."""

import dataclasses
import importlib
import inspect
import json
import time
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.contracts.recorded import FOLDER
from dlqlab.deploy import pipeline
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.emulator.recorder.reader import read
from dlqlab.emulator.xray import recorded
from dlqlab.traces.ids import trace_id
from dlqlab.traces.recorded import spans
from dlqlab.waiting import wait_for
from taskrules.faults import FaultPlan
from tests.integration.conftest import QUICK, Deployed, FunctionFactory
from tests.support.logs import events_of, lines_by_role

pytestmark = pytest.mark.integration

Document = dict[str, Any]

TELLER = """
    import json, os, time
    import boto3

    def handler(event, context):
        parts = dict(part.split("=") for part in os.environ["_X_AMZN_TRACE_ID"].split(";"))
        segment = {
            "id": event["id"], "trace_id": parts["Root"], "parent_id": parts.get("Parent", "0" * 16),
            "type": "subsegment", "name": "my work", "start_time": time.time() - 0.1, "end_time": time.time(),
            "annotations": {"order": 7},
        }
        inner = {**segment, "id": event["inner"], "parent_id": event["id"], "name": "inside"}
        sent = boto3.client("xray").put_trace_segments(TraceSegmentDocuments=[json.dumps(segment), json.dumps(inner)])
        return {"root": parts["Root"], "unprocessed": sent["UnprocessedTraceSegments"]}
"""


SDK_USER = """
    from aws_xray_sdk.core import patch, xray_recorder
    patch(["boto3"])
    import boto3, os
    sqs = boto3.client("sqs")

    def handler(event, context):
        with xray_recorder.in_subsegment("my work") as work:
            work.put_annotation("order", 7)
            sqs.list_queues(QueueNamePrefix="none")
        return dict(part.split("=") for part in os.environ["_X_AMZN_TRACE_ID"].split(";"))
"""


def documents(xray: Any, trace: str) -> list[Document]:
    """The segments of a trace."""
    (found,) = xray.batch_get_traces(TraceIds=[trace])["Traces"]
    assert trace == found["Id"]
    return [json.loads(segment["Document"]) for segment in found["Segments"]]


def everything(found: list[Document]) -> dict[str, Document]:
    """Segments and subsegments by id; a subsegment is below the segment that it stands in."""
    by_id = {}
    waiting = list(found)
    while waiting:
        one = waiting.pop()
        assert one["id"] not in by_id
        by_id[one["id"]] = one
        waiting += [{**part, "parent_id": one["id"]} for part in one.get("subsegments", ())]
    return by_id


def test_a_task_is_one_trace_from_the_api_to_the_monitor(
    emulator: Emulator, aws: Callable[[str], Any], deployed: Deployed
) -> None:
    """A task that is buried: all hangs below the client's request, and nothing else is a root."""
    began_ts = time.time() - 1
    faults = FaultPlan(failure_rate=0.0, permanent_rate=1.0)
    pipeline.configure(deployed.target, dataclasses.replace(QUICK, faults=faults), "x-rayed")
    task_id = f"x-{uuid.uuid4().hex}"
    deployed.submit(task_id, {"n": 1})
    deployed.wait_terminal([task_id])
    events = events_of(lines_by_role(deployed.target), task_id)
    pipeline.configure(deployed.target, QUICK, "integration")
    (trace,) = {event["traceId"] for found in events.values() for event in found}

    topology = deployed.target.topology
    queues = {topology.queue(role).name for role in ("tasks", "dead-letters")}
    functions = {topology.function(role).name for role in ("api", "processor", "monitor")}

    def probe() -> tuple[bool, list[Document]]:
        """The monitor's end is recorded a little after what it did."""
        found = documents(aws("xray"), trace)
        ended = {one["name"] for one in found if one.get("origin") == "AWS::Lambda" and "end_time" in one}
        return functions <= ended, found

    found = wait_for("the monitor's end", probe, deadline_s=30, interval_s=0.2)
    by_id = everything(found)
    named = {(one.get("origin"), one["name"]) for one in found}
    assert {("AWS::Lambda::Function", name) for name in functions} <= named
    assert {("AWS::SQS::Queue", name) for name in queues} <= named
    (root,) = (one for one in by_id.values() if one.get("parent_id") not in by_id)
    assert ("AWS::ApiGateway::Stage", "POST", 202) == (
        root["origin"],
        root["http"]["request"]["method"],
        root["http"]["response"]["status"],
    )
    puts = [one for one in by_id.values() if one.get("aws", {}).get("operation") == "PutItem"]
    assert topology.table("archive").name in {one["aws"]["table_name"] for one in puts}

    summaries = [
        one
        for page in aws("xray").get_paginator("get_trace_summaries").paginate(StartTime=began_ts, EndTime=time.time())
        for one in page["TraceSummaries"]
    ]
    (summary,) = (one for one in summaries if one["Id"] == trace)
    assert (202, False) == (summary["Http"]["HttpStatus"], summary["IsPartial"])
    assert functions | queues <= {one["Name"] for one in summary["ServiceIds"]}
    folder = Path(emulator.state) / FOLDER
    whole = [span for some in spans(read(folder)) for span in some if span.at.trace_id == trace_id(trace)]
    assert whole == recorded.spans(recorded.index_of(folder), [trace])[trace]


def test_what_a_function_sends_hangs_below_its_invocation(
    aws: Callable[[str], Any], make_function: FunctionFactory
) -> None:
    """Whatever parent the function thinks it has; what hangs below that stays there."""
    ids = {"id": uuid.uuid4().hex[:16], "inner": uuid.uuid4().hex[:16]}
    answer = make_function(TELLER).invoke(ids)

    assert (None, []) == (answer.error, answer.payload["unprocessed"])
    found = {one["id"]: one for one in documents(aws("xray"), answer.payload["root"])}
    above = found[found[ids["id"]]["parent_id"]]
    assert ("AWS::Lambda::Function", "my work", {"order": 7}) == (
        above["origin"],
        found[ids["id"]]["name"],
        found[ids["id"]]["annotations"],
    )
    assert ids["id"] == found[ids["inner"]]["parent_id"]


def test_xray_sdk_of_aws_works_in_a_function(aws: Callable[[str], Any], make_function: FunctionFactory) -> None:
    """Unchanged: it sends to the daemon whose address its variables have."""
    function = make_function(
        SDK_USER, files=sources_of("aws_xray_sdk", "wrapt"), Timeout=30, TracingConfig={"Mode": "Active"}
    )
    answer = function.invoke({})
    assert (None, "1") == (answer.error, answer.payload["Sampled"])

    def probe() -> tuple[bool, list[Document]]:
        """A datagram is under way for a moment, and the invocation's end is recorded a little later."""
        found = documents(aws("xray"), answer.payload["Root"])
        ended = [one for one in found if one.get("origin") == "AWS::Lambda::Function" and "end_time" in one]
        return bool(ended) and {"my work", "sqs"} <= {one["name"] for one in everything(found).values()}, found

    by_id = everything(wait_for("the SDK's segment", probe, deadline_s=30, interval_s=0.2))
    (work,) = (one for one in by_id.values() if one["name"] == "my work")
    assert ({"order": 7}, "AWS::Lambda::Function") == (work["annotations"], by_id[work["parent_id"]]["origin"])
    assert [("sqs", "ListQueues")] == [
        (one["name"], one["aws"]["operation"]) for one in by_id.values() if one.get("parent_id") == work["id"]
    ]


def sources_of(*packages: str) -> dict[str, str]:
    """The files of installed packages, for a function's bundle; compiled parts stay out."""
    found: dict[str, str] = {}
    for package in packages:
        root = Path(inspect.getfile(importlib.import_module(package))).parent
        for path in root.rglob("*"):
            if path.suffix in {".py", ".json"}:
                found[f"{package}/{path.relative_to(root).as_posix()}"] = path.read_text()
    return found


def test_segments_of_a_client_are_kept_and_bad_ones_named(aws: Callable[[str], Any]) -> None:
    """A bad document does not keep the others out; a segment in progress is replaced by the whole one."""
    trace = f"1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
    segment = {"id": uuid.uuid4().hex[:16], "trace_id": trace, "name": "shop", "start_time": 1.8e9}
    texts = [json.dumps(segment | {"in_progress": True}), json.dumps({**segment, "id": "no"}), "no JSON"]
    refused = aws("xray").put_trace_segments(TraceSegmentDocuments=texts)["UnprocessedTraceSegments"]

    assert ["InvalidParameter", "ParseError"] == [one["ErrorCode"] for one in refused]
    assert [segment | {"in_progress": True}] == documents(aws("xray"), trace)
    aws("xray").put_trace_segments(TraceSegmentDocuments=[json.dumps(segment | {"end_time": 1.8e9 + 2})])
    assert [segment | {"end_time": 1.8e9 + 2}] == documents(aws("xray"), trace)
    page = aws("xray").get_trace_summaries(StartTime=1.8e9 - 1, EndTime=1.8e9 + 1)
    (summary,) = (one for one in page["TraceSummaries"] if one["Id"] == trace)
    assert (2.0, "shop") == (summary["Duration"], summary["EntryPoint"]["Name"])


def test_what_is_not_served_is_refused(emulator: Emulator, aws: Callable[[str], Any]) -> None:
    """By name; and a trace that nobody knows is unprocessed."""
    with pytest.raises(ClientError, match="GetServiceGraph of X-Ray is not served here"):
        aws("xray").get_service_graph(StartTime=0, EndTime=1)
    with pytest.raises(ClientError, match="FilterExpression is not served"):
        aws("xray").get_trace_summaries(StartTime=0, EndTime=1, FilterExpression="error")
    unknown = f"1-00000001-{uuid.uuid4().hex[:24]}"
    found = aws("xray").batch_get_traces(TraceIds=[unknown])
    assert ([], [unknown]) == (found["Traces"], found["UnprocessedTraceIds"])
    with urllib.request.urlopen(emulator.endpoint + "/_localstack/health", timeout=30) as health:
        assert "running" == json.load(health)["services"]["xray"]

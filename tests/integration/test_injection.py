"""Faults from outside on a real emulator: each kind strikes one message of a pipeline whose code knows nothing of it.

All pipelines run at once; each has a queue, a function that works off one message at a time, and a dead-letter queue.
"""

import dataclasses
import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from dlqlab.analysis.fault_windows import InForce
from dlqlab.analysis.flow import Flow
from dlqlab.analysis.injected import Oracle
from dlqlab.analysis.planned import Planned
from dlqlab.analysis.stops import Stops
from dlqlab.contracts.injection import Fault, Form, Kind, Plan
from dlqlab.contracts.recording import Recording
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.errors import UsageError
from dlqlab.run.injection import clear_plan, plan_in_force, put_plan
from dlqlab.waiting import wait_for
from tests.integration.conftest import ROLE, bundle, make_client
from tests.integration.test_recorder import of_function, of_queue, recording

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

KEY = "t-1-00000001"
WORKS = "def handler(event, context):\n    print('worked')\n    return {'batchItemFailures': []}\n"
WORKS_LONG = f"import time\n{WORKS.replace('print', 'time.sleep(2); print')}"
CALLS = """
import boto3, os
from botocore.config import Config
table = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 2}))
table.describe_table(TableName=os.environ["TABLE"])  # the first call takes long, and init has its own time

def handler(event, context):
    for record in event["Records"]:
        table.update_item(
            TableName=os.environ["TABLE"], Key={"id": {"S": record["body"]}}, UpdateExpression="ADD runs :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )
"""
ONCE = {"receives": (1,)}
FIRST_TRY = {**ONCE, "attempts": 1, "operation": "dynamodb:UpdateItem"}
EVERY_TRY = {**ONCE, "operation": "dynamodb:*"}


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A fault at the first delivery of a message, and what becomes of it: receives, works, ends by."""

    kind: Kind
    receives: int
    works: int
    outcomes: tuple[str, ...]
    ends: str = "deleted"
    code: str = WORKS
    more: Mapping[str, Any] = field(default_factory=lambda: ONCE)

    @property
    def is_call(self) -> bool:
        return self.code == CALLS

    @property
    def timeout_s(self) -> int:
        """An SDK takes its time on a busy machine."""
        return 8 if self.is_call else 3


OK, FAILED = ("ok",), ("error", "ok")
TRIALS = (
    Trial(kind=Kind.ERROR, receives=2, works=1, outcomes=FAILED),
    Trial(kind=Kind.DELAY, receives=1, works=1, outcomes=OK, more={**ONCE, "delay_s": 1.0}),
    Trial(kind=Kind.THROTTLE, receives=2, works=1, outcomes=("throttled", "ok")),
    Trial(kind=Kind.INIT, receives=2, works=1, outcomes=("init_error", "ok")),
    Trial(kind=Kind.COLD, receives=1, works=1, outcomes=OK),
    Trial(kind=Kind.ANSWER_LOST, receives=2, works=2, outcomes=FAILED),
    Trial(kind=Kind.NAMED, receives=2, works=2, outcomes=("ok", "ok")),
    Trial(kind=Kind.MALFORMED, receives=2, works=2, outcomes=("ok", "ok"), more={**ONCE, "form": Form.UNKNOWN_ID}),
    Trial(kind=Kind.KILL, receives=2, works=2, outcomes=("crash", "ok")),
    Trial(kind=Kind.MEMORY, receives=2, works=2, outcomes=("crash", "ok")),
    Trial(kind=Kind.STALL, receives=2, works=1, outcomes=("timeout", "ok"), more={**ONCE, "delay_s": 4.0}),
    Trial(kind=Kind.CALL_THROTTLED, receives=1, works=1, outcomes=OK, code=CALLS, more=FIRST_TRY),
    Trial(kind=Kind.CALL_FAILED, receives=2, works=1, outcomes=FAILED, code=CALLS, more=EVERY_TRY),
    Trial(kind=Kind.CALL_DENIED, receives=2, works=1, outcomes=FAILED, code=CALLS, more=EVERY_TRY),
    Trial(kind=Kind.CALL_SLOW, receives=1, works=1, outcomes=OK, code=CALLS, more={**EVERY_TRY, "delay_s": 1.0}),
    Trial(kind=Kind.CALL_RESET, receives=1, works=1, outcomes=OK, code=CALLS, more=FIRST_TRY),
    Trial(kind=Kind.CALL_ANSWER_LOST, receives=1, works=2, outcomes=OK, code=CALLS, more=FIRST_TRY),
    Trial(kind=Kind.DELETE_DROPPED, receives=2, works=2, outcomes=("ok", "ok")),
    Trial(kind=Kind.DUPLICATE, receives=2, works=2, outcomes=("ok", "ok"), code=WORKS_LONG),
    Trial(kind=Kind.LATE, receives=1, works=1, outcomes=OK, more={"delay_s": 2.0}),
    Trial(kind=Kind.REORDER, receives=1, works=1, outcomes=OK, more={"delay_s": 2.0}),
    Trial(kind=Kind.EXPIRED, receives=0, works=0, outcomes=(), ends="expired", more={}),
)


@dataclass(frozen=True)
class Pipeline:
    """What a trial runs on, and the message that went in."""

    trial: Trial
    function: str
    queue_arn: str
    queue_url: str
    table: str
    message_id: str = ""


@dataclass(frozen=True)
class Outcome:
    """What is left of a trial."""

    pipeline: Pipeline
    messages: list[dict[str, Any]]
    invocations: list[dict[str, Any]]
    calls: list[dict[str, Any]]
    faults: list[dict[str, Any]]
    writes: int

    def kinds(self) -> list[str]:
        return [row["kind"] for row in self.messages]


@pytest.fixture(scope="module")
def outcomes(emulator: Emulator) -> Iterator[dict[Kind, Outcome]]:
    """All trials, each with its message's end seen."""
    with ExitStack() as stack:
        pipelines = [_deploy(emulator, trial, stack) for trial in TRIALS]
        plan = Plan(faults=tuple(_fault(one) for one in pipelines))
        put_plan(emulator.port, plan)
        stack.callback(clear_plan, emulator.port)
        pipelines = [_send(emulator, one) for one in pipelines]

        def ended() -> tuple[bool, str]:
            record = recording(emulator)
            open_ones = [one.trial.kind.value for one in pipelines if not _has_ended(record, one)]
            return not open_ones, f"{', '.join(open_ones)} still under way"

        wait_for("every message's end", ended, deadline_s=90, interval_s=0.5)
        record = recording(emulator)
        yield {one.trial.kind: _outcome(emulator, record, one) for one in pipelines}


def _deploy(emulator: Emulator, trial: Trial, stack: ExitStack) -> Pipeline:
    aws = {name: make_client(emulator, name) for name in ("sqs", "lambda", "dynamodb")}
    name = f"{trial.kind}-{uuid.uuid4().hex[:6]}"
    dead = aws["sqs"].create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    dead_arn = f"arn:aws:sqs:us-east-1:000000000000:{name}-dead"
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 4})
    attributes = {"VisibilityTimeout": str(trial.timeout_s), "RedrivePolicy": redrive}
    url = aws["sqs"].create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = aws["sqs"].get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    if trial.is_call:
        aws["dynamodb"].create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )
        stack.callback(aws["dynamodb"].delete_table, TableName=name)
    aws["lambda"].create_function(
        FunctionName=name,
        Role=ROLE,
        Code={"ZipFile": bundle({"app.py": trial.code})},
        Runtime="python3.13",
        Handler="app.handler",
        Timeout=trial.timeout_s,
        Environment={"Variables": {"TABLE": name}},
    )
    mapping = aws["lambda"].create_event_source_mapping(
        FunctionName=name, EventSourceArn=arn, BatchSize=1, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    stack.callback(aws["sqs"].delete_queue, QueueUrl=dead)
    stack.callback(aws["sqs"].delete_queue, QueueUrl=url)
    stack.callback(aws["lambda"].delete_function, FunctionName=name)
    stack.callback(aws["lambda"].delete_event_source_mapping, UUID=mapping["UUID"])
    return Pipeline(trial, name, arn, url, name)


def _fault(pipeline: Pipeline) -> Fault:
    kind = pipeline.trial.kind
    where = "queue" if Fault(kind=kind).place == "queue" else "function"
    return Fault(kind=kind, name=kind.value, **{where: pipeline.function, **pipeline.trial.more})


def _send(emulator: Emulator, pipeline: Pipeline) -> Pipeline:
    sent = make_client(emulator, "sqs").send_message(QueueUrl=pipeline.queue_url, MessageBody=KEY)
    return dataclasses.replace(pipeline, message_id=sent["MessageId"])


def _has_ended(record: Recording, pipeline: Pipeline) -> bool:
    kinds = [row["kind"] for row in of_queue(record, pipeline.queue_arn)]
    running = [row for row in of_function(record.invocations, pipeline.function) if row["ended_ts"] is None]
    # A duplicate's second delivery may still be under way when the first one's delete has come too late.
    received = kinds.count("received") >= pipeline.trial.receives
    return received and not running and bool({"deleted", "expired", "moved"} & set(kinds))


def _outcome(emulator: Emulator, record: Recording, pipeline: Pipeline) -> Outcome:
    writes = 0
    if pipeline.trial.is_call:
        item = make_client(emulator, "dynamodb").get_item(TableName=pipeline.table, Key={"id": {"S": KEY}})["Item"]
        writes = int(item["runs"]["N"])
    return Outcome(
        pipeline,
        of_queue(record, pipeline.queue_arn),
        of_function(record.invocations, pipeline.function),
        of_function(record.calls, pipeline.function),
        [row for row in record.faults.to_pylist() if row["fault"] == pipeline.trial.kind],
        writes,
    )


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.kind.value)
def test_fault_strikes_the_first_delivery_and_nothing_else(outcomes: dict[Kind, Outcome], trial: Trial) -> None:
    """Receives, invocations and their ends are what the kind says; so is what the message left by."""
    found = outcomes[trial.kind]

    assert trial.receives == found.kinds().count("received")
    assert list(trial.outcomes) == [row["outcome"] for row in found.invocations]
    assert trial.ends in found.kinds()
    assert "moved" not in found.kinds()


@pytest.mark.parametrize("trial", [one for one in TRIALS if one.is_call], ids=lambda trial: trial.kind.value)
def test_call_is_done_as_often_as_its_fault_says(outcomes: dict[Kind, Outcome], trial: Trial) -> None:
    """Once, whatever was refused; twice where the answer was lost and the SDK called again."""
    assert trial.works == outcomes[trial.kind].writes


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.kind.value)
def test_strike_is_in_the_record(outcomes: dict[Kind, Outcome], trial: Trial) -> None:
    """With what was struck, and at the row of the message, invocation or call itself."""
    found = outcomes[trial.kind]
    rows = [*found.messages, *found.invocations, *found.calls]
    first = found.faults[0]

    assert {KEY} == {row["task_key"] for row in found.faults}
    assert {(trial.kind.value, found.pipeline.message_id, 1)} == {
        (row["kind"], row["message_id"], row["receive_count"]) for row in found.faults
    }
    assert trial.kind in {row["fault"] for row in rows}
    assert first["queue"] == found.pipeline.queue_arn or first["function"] == found.pipeline.function


def test_every_strike_is_one_of_the_plan(emulator: Emulator, outcomes: dict[Kind, Outcome]) -> None:
    """Told by its names, its draw, and for calls by which of the invocation's and of the client's attempts it was."""
    plan, rows = plan_in_force(emulator.port).plan, [row for one in outcomes.values() for row in one.faults]
    planned = Planned(plan, InForce(), Stops(plan, rows, InForce()), {})
    failed = [(row["nth"], row["attempt"]) for row in outcomes[Kind.CALL_FAILED].faults]

    assert all(map(planned.has, rows))
    assert failed == [(1, 1), (1, 2)]
    assert not any(planned.has({**row, "nth": 2, "attempt": 2}) for row in outcomes[Kind.CALL_RESET].faults)


def test_what_the_plan_foresees_of_entering_messages_comes_about(
    emulator: Emulator, outcomes: dict[Kind, Outcome]
) -> None:
    """One is gone before it is received, two are visible no sooner than they may be."""
    flow = Flow(recording(emulator))
    entered = Oracle(flow, plan_in_force(emulator.port).plan).entering.foreseen
    own = {outcomes[kind].pipeline.message_id for kind in (Kind.LATE, Kind.REORDER, Kind.EXPIRED)}

    assert own == {one.stay.message_id for one in entered}
    assert all(one.is_followed for one in entered)
    assert all(one.delay_s > 0 for one in entered if not one.expires)


def test_what_takes_time_takes_it(outcomes: dict[Kind, Outcome]) -> None:
    """An invocation begins late, a call is answered late, a message is visible late; an environment is new."""
    slow = max(row["duration_s"] for row in outcomes[Kind.CALL_SLOW].calls)
    delayed = outcomes[Kind.DELAY].invocations[0]
    sent, received = (outcomes[Kind.LATE].messages[at]["ts"] for at in (0, 1))

    assert slow >= 1
    assert delayed["ended_ts"] - delayed["started_ts"] >= 1
    assert received - sent >= 2
    assert outcomes[Kind.COLD].invocations[0]["init_s"] is not None


def test_refused_calls_have_aws_codes(outcomes: dict[Kind, Outcome]) -> None:
    """As DynamoDB words them, so that SDKs try again what they would try again on AWS."""
    codes = {
        kind: {row["error_code"] for row in outcomes[kind].calls if row["fault"]}
        for kind in (Kind.CALL_THROTTLED, Kind.CALL_FAILED, Kind.CALL_DENIED)
    }

    assert {
        Kind.CALL_THROTTLED: {"ProvisionedThroughputExceededException"},
        Kind.CALL_FAILED: {"InternalServerError"},
        Kind.CALL_DENIED: {"AccessDeniedException"},
    } == codes
    assert len([row for row in outcomes[Kind.CALL_FAILED].calls if row["fault"]]) > 1


def test_plan_is_told_and_taken_away(emulator: Emulator, outcomes: dict[Kind, Outcome]) -> None:
    """With how often each fault has struck; without one, nothing is broken."""
    found = plan_in_force(emulator.port)

    assert {kind.value for kind in outcomes} == {name for name, count in found.struck.items() if count}
    assert len(found.plan.faults) == len(TRIALS)


def test_request_fails_once_and_is_served_when_it_is_tried_again(
    emulator: Emulator, make_function: Callable[..., Any]
) -> None:
    """Before it reaches the function."""
    before = plan_in_force(emulator.port).plan
    function = make_function("def handler(event, context):\n    return {'statusCode': 200, 'body': 'served'}\n")
    url = make_client(emulator, "lambda").create_function_url_config(FunctionName=function.name, AuthType="NONE")
    headers = {"X-Request-Id": uuid.uuid4().hex}
    request = urllib.request.Request(url["FunctionUrl"], json.dumps({"id": KEY}).encode(), headers, method="POST")
    put_plan(emulator.port, Plan(faults=(Fault(kind=Kind.REQUEST_FAILED, attempts=1, status=502),)))
    try:
        with pytest.raises(urllib.error.HTTPError, match="502"):
            urllib.request.urlopen(request, timeout=30)
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.read() == b"served"
        assert {"request-failed": 1} == plan_in_force(emulator.port).struck
        calls = recording(emulator).calls.to_pylist()
        told = [(row["status"], row["fault"]) for row in calls if row["request_id"] == headers["X-Request-Id"]]
        assert [(502, "request-failed"), (200, None)] == told
    finally:
        put_plan(emulator.port, before) if before.faults else clear_plan(emulator.port)


def test_emulator_stands_still(emulator: Emulator) -> None:
    """For as long as it is told, and goes on by itself."""
    put_plan(emulator.port, Plan(faults=(Fault(kind=Kind.PAUSE, delay_s=1.5),)))
    began = time.monotonic()

    def has_stood() -> tuple[bool, str]:
        asked = time.monotonic()
        answered = lifecycle.health(emulator.port, timeout_s=10) is not None
        return answered and time.monotonic() - asked > 0.8, "no answer took long"

    try:
        wait_for("an answer that comes late", has_stood, deadline_s=30, interval_s=0.01)
        assert time.monotonic() - began >= 1
    finally:
        clear_plan(emulator.port)


def test_plan_that_makes_no_sense_is_refused(emulator: Emulator) -> None:
    """By the emulator too: what was in force stays."""
    nonsense = dataclasses.replace(Plan(), faults=())
    object.__setattr__(nonsense, "faults", (Fault(kind=Kind.LATE, function="f"),))
    with pytest.raises(UsageError, match=r"faults\[0\].function is 'f': late does not go by it"):
        put_plan(emulator.port, nonsense)

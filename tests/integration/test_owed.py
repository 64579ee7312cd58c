"""What an emulator says that it still owes: events, one-time schedules, stream records, executions."""

import json
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dlqlab.contracts.owed import Owed, OwedKind
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.run.owed import owed_by
from dlqlab.waiting import wait_for
from tests.integration.conftest import ROLE, FunctionFactory, queue_arn

pytestmark = pytest.mark.integration

Aws = Callable[[str], Any]
FAILS = "def handler(event, context): raise ValueError('on purpose')"


def owes(emulator: Emulator, kind: OwedKind, of: str) -> Owed:
    """What it owes of that name, as soon as it does."""

    def probe() -> tuple[bool, list[Owed]]:
        found = [one for one in owed_by(emulator.port) if (one.kind, one.of) == (kind, of)]
        return bool(found), found

    return wait_for(f"{kind} of {of}", probe, deadline_s=30)[0]


def test_event_that_waits_to_be_tried_again(emulator: Emulator, aws: Aws, make_function: FunctionFactory) -> None:
    function = make_function(FAILS)
    for _ in range(2):
        aws("lambda").invoke(FunctionName=function.name, InvocationType="Event", Payload=b"{}")

    wait_for("both events", lambda: ((n := owes(emulator, OwedKind.EVENT, function.name).n) == 2, n), deadline_s=30)
    assert owes(emulator, OwedKind.EVENT, function.name).leads_to == function.name


def table_stream(aws: Aws, cleanups: ExitStack, name: str) -> str:
    """The ARN of the stream of a new table."""
    made = aws("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )["TableDescription"]
    cleanups.callback(aws("dynamodb").delete_table, TableName=name)
    return str(made["LatestStreamArn"])


def kinesis_stream(aws: Aws, cleanups: ExitStack, name: str) -> str:
    """The ARN of a new stream of two shards."""
    aws("kinesis").create_stream(StreamName=name, ShardCount=2)
    cleanups.callback(aws("kinesis").delete_stream, StreamName=name)
    return f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}"


@pytest.mark.parametrize("make_stream", [table_stream, kinesis_stream])
def test_record_that_its_mapping_tries_again(
    emulator: Emulator,
    aws: Aws,
    cleanups: ExitStack,
    make_function: FunctionFactory,
    make_stream: Callable[[Aws, ExitStack, str], str],
) -> None:
    name, function = f"t-{uuid.uuid4().hex[:8]}", make_function(FAILS)
    mapping = aws("lambda").create_event_source_mapping(
        FunctionName=function.name,
        EventSourceArn=make_stream(aws, cleanups, name),
        StartingPosition="TRIM_HORIZON",
    )["UUID"]
    cleanups.callback(aws("lambda").delete_event_source_mapping, UUID=mapping)
    if make_stream is table_stream:
        aws("dynamodb").put_item(TableName=name, Item={"id": {"S": "one"}})
    else:
        aws("kinesis").put_record(StreamName=name, Data=b"one", PartitionKey="one")

    assert owes(emulator, OwedKind.RECORD, function.name).n == 1


def test_schedule_that_fires_once(
    emulator: Emulator, aws: Aws, cleanups: ExitStack, make_queue: Callable[..., str]
) -> None:
    queue, name = make_queue(), f"s-{uuid.uuid4().hex[:8]}"
    due = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    aws("scheduler").create_schedule(
        Name=name,
        ScheduleExpression=f"at({due:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": queue_arn(aws, queue), "RoleArn": ROLE},
    )
    cleanups.callback(aws("scheduler").delete_schedule, Name=name)

    found = owes(emulator, OwedKind.SCHEDULE, name)
    assert (found.leads_to, found.due_ts) == (queue.rpartition("/")[2], due.timestamp())


def test_execution_that_runs(emulator: Emulator, aws: Aws, cleanups: ExitStack) -> None:
    name = f"m-{uuid.uuid4().hex[:8]}"
    states = {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}
    machine = aws("stepfunctions").create_state_machine(
        name=name, definition=json.dumps({"StartAt": "Wait", "States": states}), roleArn=ROLE
    )["stateMachineArn"]
    cleanups.callback(aws("stepfunctions").delete_state_machine, stateMachineArn=machine)
    execution = aws("stepfunctions").start_execution(stateMachineArn=machine)["executionArn"]

    assert owes(emulator, OwedKind.EXECUTION, name).n == 1
    aws("stepfunctions").stop_execution(executionArn=execution)
    wait_for(
        "the execution's end", lambda: (name not in {one.of for one in owed_by(emulator.port)}, None), deadline_s=30
    )

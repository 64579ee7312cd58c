"""Classic bugs of queue consumers, each in a pipeline of its own: found, named by message, and gone with the remedy.

All pipelines run at once on one emulator; each is then judged by what the emulator recorded of its own queues.
"""

import io
import json
import textwrap
import time
import urllib.error
import urllib.request
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import pytest

from dlqlab.analysis.judge import judge
from dlqlab.collect.alarms import collect_alarms
from dlqlab.contracts.alarms import Alarms
from dlqlab.contracts.evidence import RunEvidence
from dlqlab.contracts.manifest import Manifest
from dlqlab.contracts.promise import Promise
from dlqlab.contracts.recording import Recording
from dlqlab.contracts.scenario import from_dict
from dlqlab.contracts.topology import Consumer, Function, Queue, Topology
from dlqlab.contracts.verdict import Check, Status
from dlqlab.deploy.target import emulator_target
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.waiting import wait_for
from tests.integration.test_recorder import recording
from tests.support.flows import ledger

pytestmark = pytest.mark.integration

REPORTS = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
HEAD = """
import functools, json, os, time
QUEUE, TABLE = os.environ["QUEUE_URL"], os.environ["TABLE"]

@functools.cache
def client(service):
    import boto3  # half a second, which is not for an environment that calls nobody
    return boto3.client(service)

def bad(record):
    return json.loads(record["body"])["kind"] == "bad"

def first(record):
    return record["attributes"]["ApproximateReceiveCount"] == "1"

def fails(record):
    # a bad record at its first receive; it is to come again soon
    failing = bad(record) and first(record)
    if failing:
        client("sqs").change_message_visibility(
            QueueUrl=QUEUE, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=1
        )
    return failing

def bill(record, condition=None):
    key = {"id": {"S": json.loads(record["body"])["id"]}}
    more = {"ConditionExpression": condition} if condition else {}
    table = client("dynamodb")
    try:
        table.put_item(TableName=TABLE, Item=key, **more)
    except table.exceptions.ConditionalCheckFailedException:
        print("billed before")
"""
NAMES_FAILED = """
def handler(event, context):
    failed = [{"itemIdentifier": r["messageId"]} for r in event["Records"] if fails(r)]
    return {"batchItemFailures": failed}
"""
FRONT = """
def handler(event, context):
    order = json.loads(event["body"])
    FIRST
    if order["kind"] == "bad":
        raise RuntimeError("crashed in between")
    SECOND
    return {"statusCode": 202, "body": "{}"}
"""
WRITES = 'client("dynamodb").put_item(TableName=TABLE, Item={"id": {"S": order["id"]}})'
PUBLISHES = 'client("sqs").send_message(QueueUrl=QUEUE, MessageBody=event["body"])'
SENDS_ANEW = """
def handler(event, context):
    for record in event["Records"]:
        body = json.loads(record["body"])
        tries = body.get("tries", 0) + 1
        if bad(record) and tries < LIMIT:
            again = json.dumps({**body, "tries": tries})
            client("sqs").send_message(QueueUrl=QUEUE, DelaySeconds=DELAY, MessageBody=again)
"""


@dataclass(frozen=True, kw_only=True)
class Version:
    """One pipeline: a queue with a dead-letter queue, a function, a mapping."""

    code: str
    mapping: Mapping[str, Any] = field(default_factory=dict)
    visibility_s: int = 20
    fifo: bool = False
    batch: int = 5
    timeout_s: int = 10
    works_for_s: int | None = None
    """The function's time-out is raised to this after the mapping was made: Lambda refuses it before."""
    concurrency: int | None = None
    front: str = ""
    """Code of a function to which the orders are posted, and which is to send the messages."""
    letters_kept_s: int = 1_209_600
    alarm: Mapping[str, Any] = field(default_factory=dict)
    """On the dead-letter queue."""


@dataclass(frozen=True, kw_only=True)
class Bug:
    """A bug and its remedy; ``found`` are the check and the set that the bad messages have to be in."""

    broken: Version
    mended: Version
    found: tuple[str, str]
    promise: Promise = field(default_factory=Promise)
    effects: tuple[str, ...] = ()


def effect(code: str) -> str:
    return f"def handler(event, context):\n    for record in event['Records']:\n{textwrap.indent(code, '        ')}"


def sends_anew(*, limit: int, delay_s: int) -> str:
    return SENDS_ANEW.replace("LIMIT", str(limit)).replace("DELAY", str(delay_s))


BILL = ("dynamodb:PutItem",)
TAKES_LONG = "def handler(event, context):\n    if bad(event['Records'][0]):\n        time.sleep(3)\n"
NOTHING = "def handler(event, context):\n    pass"
FAILS_TO_DEATH: Mapping[str, Any] = {
    "code": effect("assert not bad(record)"),
    "batch": 1,
    "visibility_s": 6,
    "timeout_s": 6,
}
ON_LETTERS = {
    "Namespace": "AWS/SQS",
    "MetricName": "ApproximateNumberOfMessagesVisible",
    "Statistic": "Maximum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
}
BUGS: Mapping[str, Bug] = {
    "failures are reported and nobody asks": Bug(
        broken=Version(code=NAMES_FAILED),
        mended=Version(code=NAMES_FAILED, mapping=REPORTS),
        found=("messages", "named_in_vain"),
    ),
    "the handler raises where it should report": Bug(
        broken=Version(
            code=effect("if fails(record):\n    raise ValueError('no stock')"),
            mapping=REPORTS,
            batch=10,
        ),
        mended=Version(code=NAMES_FAILED, mapping=REPORTS, batch=10),
        found=("retries", "raised_for_a_mate"),
    ),
    "the work outlasts the visibility timeout": Bug(
        broken=Version(code=TAKES_LONG, visibility_s=1, timeout_s=1, works_for_s=6, batch=1),
        mended=Version(code=TAKES_LONG, timeout_s=6, batch=1),
        found=("once", "at_once"),
    ),
    "the effect is not idempotent": Bug(
        broken=Version(code=effect("bill(record)\nif fails(record):\n    raise ValueError()"), batch=1),
        mended=Version(
            code=effect("bill(record, 'attribute_not_exists(id)')\nif fails(record):\n    raise ValueError()"),
            batch=1,
        ),
        found=("effects", "doubled"),
        effects=BILL,
    ),
    "the exception is swallowed": Bug(
        broken=Version(
            code=effect("try:\n    assert not bad(record)\n    bill(record)\nexcept Exception:\n    print('failed')"),
            batch=1,
        ),
        mended=Version(code=effect("assert not fails(record)\nbill(record)"), batch=1),
        found=("effects", "missing"),
        effects=BILL,
    ),
    "sent anew, and the count begins again": Bug(
        broken=Version(code=sends_anew(limit=6, delay_s=0), batch=1),
        mended=Version(code=sends_anew(limit=3, delay_s=0), batch=1),
        found=("retries", "sent_anew_too_often"),
    ),
    "sent anew at once where backoff is promised": Bug(
        broken=Version(code=sends_anew(limit=2, delay_s=0), batch=1),
        mended=Version(code=sends_anew(limit=2, delay_s=2), batch=1),
        found=("retries", "early"),
        promise=Promise(backoff_s=(2.0,), tolerance_s=0.5),
    ),
    "throttles burn receives": Bug(
        broken=Version(code="def handler(event, context):\n    pass", concurrency=0, visibility_s=1, timeout_s=1),
        mended=Version(code="def handler(event, context):\n    pass"),
        found=("attempts", "dead_untried"),
    ),
    "FIFO goes on after a failure": Bug(
        broken=Version(code=NAMES_FAILED, mapping=REPORTS, fifo=True),
        mended=Version(
            code="""
def handler(event, context):
    records = event["Records"]
    at = next((n for n, r in enumerate(records) if fails(r)), len(records))
    return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in records[at:]]}
""",
            mapping=REPORTS,
            fifo=True,
            visibility_s=10,  # for which the messages behind the bad one wait
        ),
        found=("order", "gone_on_after_a_failure"),
    ),
    "a filter deletes": Bug(
        broken=Version(
            code="def handler(event, context):\n    pass",
            mapping={"FilterCriteria": {"Filters": [{"Pattern": json.dumps({"body": {"kind": ["good"]}})}]}},
        ),
        mended=Version(code="def handler(event, context):\n    pass"),
        found=("messages", "filtered"),
    ),
    "deleted before it is done": Bug(
        broken=Version(
            code=effect(
                "client('sqs').delete_message(QueueUrl=QUEUE, ReceiptHandle=record['receiptHandle'])\n"
                "assert not bad(record)"
            ),
            batch=1,
        ),
        mended=Version(code=effect("assert not fails(record)"), batch=1),
        found=("messages", "deleted_unfinished"),
    ),
    "written, and crashed before it was published": Bug(
        broken=Version(code=NOTHING, front=FRONT.replace("FIRST", WRITES).replace("SECOND", PUBLISHES)),
        mended=Version(code=NOTHING, front=FRONT.replace("FIRST", PUBLISHES).replace("SECOND", WRITES)),
        found=("accepted", "half_done"),
    ),
    "dead letters are kept for a shorter time than their source": Bug(
        broken=Version(**FAILS_TO_DEATH, letters_kept_s=3600),
        mended=Version(**FAILS_TO_DEATH),
        found=("dead_letters", "short_lived"),
    ),
    "the alarm on dead letters never goes off": Bug(
        broken=Version(**FAILS_TO_DEATH, alarm=ON_LETTERS | {"MetricName": "NumberOfMessagesSent"}),
        mended=Version(**FAILS_TO_DEATH, alarm=ON_LETTERS),
        found=("alarms", "unheard"),
    ),
}
KINDS = ("good", "bad", "good", "good")


class Pipelines:
    """Both versions of every bug, deployed, with their messages sent and at rest."""

    def __init__(self, emulator: Emulator, stack: ExitStack) -> None:
        self._client: Any = emulator_target(emulator).client
        self._stack = stack
        self._table = f"bugs-{uuid.uuid4().hex[:8]}"
        self._client("dynamodb").create_table(
            TableName=self._table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        stack.callback(self._client("dynamodb").delete_table, TableName=self._table)
        versions = [(name, is_broken) for name in BUGS for is_broken in (True, False)]
        self._sent: dict[tuple[str, bool], dict[str, str]] = {}
        self._urls: list[str] = []
        self._requests: dict[tuple[str, bool], list[tuple[str, str, str]]] = {}
        started_ts = time.time()
        self._topologies = {each: self._deploy(*each) for each in versions}
        wait_for("pipelines at rest", self._at_rest, deadline_s=90, interval_s=0.25)
        self.recording: Recording = recording(emulator)
        self._alarms = collect_alarms(self._client("cloudwatch"), started_ts, time.time())

    def ids(self, name: str, kind: str, *, is_broken: bool) -> set[str]:
        """The ids of the messages of a kind; of what is posted to a front, those of the orders."""
        return {message for message, own in self._sent[name, is_broken].items() if own == kind}

    def checks(self, name: str, *, is_broken: bool) -> dict[str, Check]:
        """The verdict on one version."""
        bug = BUGS[name]
        scenario = from_dict({"name": "bug", "description": name, "faults": {"mode": "none"}}, source="test")
        manifest = Manifest(
            run_id="r", scenario=scenario, finished=True, drained=True, promise=bug.promise, effects=bug.effects
        )
        topology, requests = self._topologies[name, is_broken], self._requests.get((name, is_broken))
        own = tuple(alarm for alarm in self._alarms.alarms if alarm.name in topology.queue_names)
        run = RunEvidence(
            manifest=manifest,
            tables={"ledger": ledger(*requests)} if requests else {},
            topology=topology,
            recording=self.recording,
            alarms=Alarms(read_ts=self._alarms.read_ts, alarms=own),
        )
        return {check.name: check for check in judge(run).checks}

    def _deploy(self, name: str, is_broken: bool) -> Topology:
        version = BUGS[name].broken if is_broken else BUGS[name].mended
        sqs, functions, own = self._client("sqs"), self._client("lambda"), f"bug-{uuid.uuid4().hex[:8]}"
        suffix, kind = (".fifo", {"FifoQueue": "true"}) if version.fifo else ("", {})
        kept = {"MessageRetentionPeriod": str(version.letters_kept_s)}
        dead = sqs.create_queue(QueueName=f"{own}-dead{suffix}", Attributes=kind | kept)["QueueUrl"]
        policy = {"deadLetterTargetArn": self._arn(dead), "maxReceiveCount": 3}
        attributes = {**kind, "VisibilityTimeout": str(version.visibility_s), "RedrivePolicy": json.dumps(policy)}
        url = sqs.create_queue(QueueName=own + suffix, Attributes=attributes)["QueueUrl"]
        self._make_function(own, version.code, version.timeout_s, url)
        if version.alarm:
            self._watch_letters(own, f"{own}-dead{suffix}", version.alarm)
        if version.concurrency is not None:
            functions.put_function_concurrency(FunctionName=own, ReservedConcurrentExecutions=version.concurrency)
        for queue in (url, dead):
            self._stack.callback(sqs.delete_queue, QueueUrl=queue)
        mapping = functions.create_event_source_mapping(
            EventSourceArn=self._arn(url),
            FunctionName=own,
            BatchSize=version.batch,
            Enabled=version.works_for_s is not None,
            **version.mapping,
        )
        self._stack.callback(functions.delete_event_source_mapping, UUID=mapping["UUID"])
        if version.works_for_s is not None:
            functions.update_function_configuration(FunctionName=own, Timeout=version.works_for_s)
            functions.get_waiter("function_updated_v2").wait(FunctionName=own)
        if version.front:
            self._sent[name, is_broken], self._requests[name, is_broken] = self._post(
                f"{own}-front", version.front, url
            )
        else:
            self._sent[name, is_broken] = {self._send(url, kind, version): kind for kind in KINDS}
        if version.works_for_s is None:  # so late, so that all messages are one batch
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
        self._urls.append(url)
        return Topology(
            name=name,
            queues=(
                Queue(
                    role=own,
                    name=own + suffix,
                    fifo=version.fifo,
                    dead_letters="dead",
                    max_receive_count=3,
                    retention_s=345_600,
                ),
                Queue(role="dead", name=f"{own}-dead{suffix}", fifo=version.fifo, retention_s=version.letters_kept_s),
            ),
            functions=(Function(role=own, name=own),),
            consumers=(Consumer(queue=own, function=own),),
        )

    def _make_function(self, name: str, code: str, timeout_s: int, queue_url: str) -> None:
        functions = self._client("lambda")
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role="arn:aws:iam::000000000000:role/any",
            Handler="index.handler",
            Timeout=timeout_s,
            Environment={"Variables": {"QUEUE_URL": queue_url, "TABLE": self._table}},
            Code={"ZipFile": _zipped(HEAD + code)},
        )
        functions.get_waiter("function_active_v2").wait(FunctionName=name)
        self._stack.callback(functions.delete_function, FunctionName=name)

    def _watch_letters(self, alarm: str, queue: str, settings: Mapping[str, Any]) -> None:
        """An alarm of the pipeline's own name on its dead-letter queue."""
        cloudwatch = self._client("cloudwatch")
        dimensions = [{"Name": "QueueName", "Value": queue}]
        cloudwatch.put_metric_alarm(AlarmName=alarm, Dimensions=dimensions, **settings)
        self._stack.callback(cloudwatch.delete_alarms, AlarmNames=[alarm])

    def _post(self, name: str, code: str, queue_url: str) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
        """An order of each kind to a function by its URL: order id and kind, and the rows of the ledger."""
        self._make_function(name, code, 20, queue_url)
        answer = self._client("lambda").create_function_url_config(FunctionName=name, AuthType="NONE")
        sent, rows = {}, []
        for kind in KINDS:
            order, request_id = uuid.uuid4().hex, uuid.uuid4().hex
            body = json.dumps({"id": order, "kind": kind}).encode()
            headers = {"X-Request-Id": request_id, "Content-Type": "application/json"}
            request = urllib.request.Request(answer["FunctionUrl"], body, headers)
            try:
                with urllib.request.urlopen(request, timeout=30) as taken:
                    outcome = "acknowledged" if taken.status == HTTPStatus.ACCEPTED else "rejected"
            except urllib.error.HTTPError:
                outcome = "rejected"
            sent[order] = kind
            rows.append((order, request_id, outcome))
        return sent, rows

    def _send(self, url: str, kind: str, version: Version) -> str:
        identifier = uuid.uuid4().hex
        more = {"MessageGroupId": "g", "MessageDeduplicationId": identifier} if version.fifo else {}
        body = json.dumps({"id": identifier, "kind": kind})
        return str(self._client("sqs").send_message(QueueUrl=url, MessageBody=body, **more)["MessageId"])

    def _arn(self, url: str) -> str:
        answer = self._client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])

    def _at_rest(self) -> tuple[bool, object]:
        left = {}
        for url in self._urls:
            found = self._client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
            left[url] = sum(int(found[name]) for name in (*names, "ApproximateNumberOfMessagesDelayed"))
        return not any(left.values()), {url: n for url, n in left.items() if n}


def _zipped(code: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("index.py", code)
    return archive.getvalue()


@pytest.fixture(scope="module")
def pipelines(emulator: Emulator) -> Iterator[Pipelines]:
    with ExitStack() as stack:
        yield Pipelines(emulator, stack)


@pytest.mark.parametrize("name", BUGS)
def test_bug_is_found_and_named_by_message(pipelines: Pipelines, name: str) -> None:
    """The check is invalid, and the messages that the bug hit are in its set."""
    check, members = BUGS[name].found
    found = pipelines.checks(name, is_broken=True)[check]
    hit = set(found.members[members])

    assert found.status is Status.INVALID, found.statement
    assert hit, found.statement
    if members in {"raised_for_a_mate", "dead_untried", "gone_on_after_a_failure"}:  # it hits good messages as well
        assert hit & pipelines.ids(name, "good", is_broken=True), found.statement
    elif members == "at_once":  # a cold start may outlast a visibility timeout of a second, too
        assert hit >= pipelines.ids(name, "bad", is_broken=True), found.statement
    elif members != "early":  # those are the messages that were sent anew
        assert hit == pipelines.ids(name, "bad", is_broken=True), found.statement


@pytest.mark.parametrize("name", BUGS)
def test_remedy_leaves_nothing_to_find(pipelines: Pipelines, name: str) -> None:
    """The same messages through the mended pipeline: every check is valid."""
    found = pipelines.checks(name, is_broken=False)
    asked = found.keys() - (NOT_ASKED - {BUGS[name].found[0]})
    judged = {check: f"{found[check].status}: {found[check].statement}" for check in asked}

    assert {} == {check: said for check, said in judged.items() if not said.startswith("valid")}


NOT_ASKED = {"finished", "accepted"}
"""About a run with a load of the lab's own, which there is not."""

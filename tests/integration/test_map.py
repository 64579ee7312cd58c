"""What messages go through, found by AWS calls alone: of the deployed pipeline, and of parts that no file declares."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dlqlab.cli.program import main
from dlqlab.contracts.topology import EntryKind, Topology
from dlqlab.contracts.topology_file import from_json
from dlqlab.deploy.survey.survey import survey
from tests.integration.conftest import Deployed

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def extra(deployed: Deployed) -> Iterator[str]:
    """A queue behind a topic with a filter, a rule and a bucket, with a redrive policy to nowhere; a stream with a
    mapping.
    """
    name = f"map-{uuid.uuid4().hex[:8]}"
    services: tuple[str, ...] = ("sqs", "sns", "events", "s3", "kinesis", "lambda")
    sqs, sns, events, s3, kinesis, functions = (deployed.target.client(service) for service in services)
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    policy = {"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:000000000000:{name}-dead", "maxReceiveCount": 4}
    url = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": json.dumps(policy)})["QueueUrl"]
    sqs.delete_queue(QueueUrl=dead)
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name=name)["TopicArn"]
    filters = {"FilterPolicy": json.dumps({"kind": ["new"]})}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=filters)
    events.put_rule(Name=name, EventPattern=json.dumps({"source": ["shop"]}))
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])
    s3.create_bucket(Bucket=name)
    notify: Any = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=notify)
    kinesis.create_stream(StreamName=name, ShardCount=1)
    mapping = functions.create_event_source_mapping(
        FunctionName=deployed.target.topology.work.consumer.name,
        EventSourceArn=f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}",
        StartingPosition="LATEST",
    )["UUID"]
    yield name
    functions.delete_event_source_mapping(UUID=mapping)
    kinesis.delete_stream(StreamName=name)
    s3.delete_bucket(Bucket=name)
    events.remove_targets(Rule=name, Ids=["1"])
    events.delete_rule(Name=name)
    sns.delete_topic(TopicArn=topic)
    sqs.delete_queue(QueueUrl=url)


def found(deployed: Deployed) -> tuple[Topology, tuple[str, ...]]:
    result = survey(deployed.target.client, name="it")
    return result.topology, result.notes


def test_deployed_pipeline_is_found_as_it_is_declared(deployed: Deployed) -> None:
    """Queues, mappings, redrive policies, routes and the schedule of the task system, without its file."""
    topology, _ = found(deployed)
    declared = deployed.target.topology
    work, letters = declared.work.queue, declared.work.dead_letters
    queue = topology.queue(work.name)

    assert (letters.name, work.name) == (queue.dead_letters, queue.role)
    assert {(one.queue, one.function) for one in topology.consumers} >= {
        (work.name, declared.work.consumer.name),
        (letters.name, declared.work.dead_letter_consumer.name),
    }
    assert all(one.response_types for one in topology.consumers if one.queue == work.name)
    routes = {entry.name for entry in topology.entries if entry.function == declared.api.name}
    assert {"POST /tasks", "GET /tasks/{taskId}", "GET /health"} <= routes
    assert work.name in topology.function(declared.api.name).may_send_to
    assert (2, True) == (
        topology.function(declared.api.name).event_retries,
        topology.function(declared.api.name).drops_failed_events,
    )
    assert [queue.name for queue in topology.queues].index(work.name) < [q.name for q in topology.queues].index(
        letters.name
    )


def test_parts_that_no_file_declares_are_found(deployed: Deployed, extra: str) -> None:
    """A topic with its filter, a rule with its pattern, a bucket, a stream; a redrive policy to nowhere is said."""
    topology, notes = found(deployed)
    entries = {entry.kind: entry for entry in topology.entries if entry.queue == extra}

    assert {EntryKind.TOPIC, EntryKind.BUS, EntryKind.BUCKET} == set(entries)
    assert {"kind": ["new"]} == json.loads(entries[EntryKind.TOPIC].filter or "")
    assert {"source": ["shop"]} == json.loads(entries[EntryKind.BUS].filter or "")
    assert f"the redrive policy of {extra} leads to {extra}-dead, which is not there: nothing is dead-lettered" in notes
    (stream,) = [entry for entry in topology.entries if entry.kind is EntryKind.STREAM]
    assert (stream.name, stream.function) == (extra, deployed.target.topology.work.consumer.name)
    assert topology == from_json(json.loads(json.dumps(topology.to_json())), source="it")


def test_map_is_printed_drawn_and_told(deployed: Deployed, extra: str, tmp_path: Path) -> None:
    """Text with what is odd, a picture, and both as JSON."""
    target, picture = ["--target", str(deployed.target.endpoint)], tmp_path / "map.svg"
    text = CliRunner().invoke(main, ["map", *target, "--svg", str(picture)])
    told = json.loads(CliRunner().invoke(main, ["map", *target, "--json"]).stdout)

    assert 0 == text.exit_code, text.output
    assert f"▤ {extra} (hidden 30 s, kept 4 d)" in text.stdout
    assert f"queue-unread: {extra} has no event source mapping and no pipe" in text.stdout
    assert f">{extra}</text>" in picture.read_text()
    assert extra in {queue["name"] for queue in told["topology"]["queues"]}
    assert {"queue-unread"} <= {finding["rule"] for result in told["lint"] for finding in result["findings"]}

"""Where the load of somebody's own pipeline goes in."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dlqlab.contracts.project import Entry, Project
from dlqlab.contracts.topology import Consumer, EntryKind, Function, Queue, Topology
from dlqlab.contracts.topology import Entry as TopologyEntry
from dlqlab.deploy.target import Target
from dlqlab.errors import UsageError
from dlqlab.run.own_entries import entry_settings, host_of, ways_in

PROJECT = Project(name="shop", entry=Entry(http="PUT /tasks/{{key}}"))


class RestApis:
    """The API Gateway of a target, with one stage for each API."""

    def __init__(self, stages: Mapping[str, str]) -> None:
        self.stages = stages

    def can_paginate(self, _operation: str) -> bool:
        return True

    def get_paginator(self, _operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **_given: [{"items": [{"id": one} for one in self.stages]}])

    def get_stages(self, *, restApiId: str) -> dict[str, Any]:
        return {"item": [{"stageName": self.stages[restApiId]}]}


class NoHttpApis:
    """What a service says that the target does not have."""

    class exceptions:  # noqa: N801  (boto3's name)
        ClientError = LookupError

    def can_paginate(self, _operation: str) -> bool:
        raise LookupError

    get_paginator = can_paginate


def target(**stages: str) -> Target:
    services = {"apigateway": RestApis(stages), "apigatewayv2": NoHttpApis()}
    stand_in = SimpleNamespace(
        endpoint="http://127.0.0.1:1", region="eu-west-1", environment={}, client=services.__getitem__, topology=None
    )
    return cast(Target, stand_in)


def test_the_stage_of_an_api_stands_in_the_address_once() -> None:
    """The load generator puts the path behind the URL that it is started with."""
    url, entry = entry_settings(PROJECT, Path(), target(abc="local"))

    assert (url, entry.method, entry.address) == (
        "http://127.0.0.1:1/_aws/execute-api/abc/local",
        "PUT",
        "/tasks/{{key}}",
    )


def test_a_given_url_may_end_in_a_slash() -> None:
    project = replace(PROJECT, entry=replace(PROJECT.entry, url="http://localhost:3000/dev/"))
    url, entry = entry_settings(project, Path(), target(abc="local", xyz="dev"))

    assert url + entry.address == "http://localhost:3000/dev/tasks/{{key}}"


def test_one_of_several_apis_must_be_named() -> None:
    with pytest.raises(UsageError, match=r"entry\.url is not given, and there are 2 APIs: .*/abc/local, .*/xyz/dev"):
        entry_settings(PROJECT, Path(), target(abc="local", xyz="dev"))


URL = "http://127.0.0.1:1/_aws/lambda-url/eu-west-1/abc/"


def with_a_function_url() -> Topology:
    front = Function(role="front", name="front", may_send_to=("work",))
    entry = TopologyEntry(kind=EntryKind.HTTP, name=f"ANY {URL}", function="front")
    return Topology(name="shop", functions=(front,), queues=(Queue(role="work", name="work"),), entries=(entry,))


def test_function_url_is_taken_where_there_is_no_api() -> None:
    found = target()
    found.__dict__["topology"] = with_a_function_url()
    assert entry_settings(PROJECT, Path(), found)[0] == URL.rstrip("/")
    assert ways_in(found.topology) == [Entry(http="POST /", url=URL)]


def test_own_locustfile_gets_the_only_address_there_is() -> None:
    """An API's before a function URL's; of several nobody can tell, so the emulator's."""
    found = target()
    found.__dict__["topology"] = with_a_function_url()
    both = target(abc="local")
    both.__dict__["topology"] = with_a_function_url()

    assert host_of(PROJECT, found) == URL.rstrip("/")
    assert host_of(PROJECT, both) == "http://127.0.0.1:1/_aws/execute-api/abc/local"
    assert host_of(PROJECT, target(abc="local", xyz="dev")) == "http://127.0.0.1:1"


def test_no_api_at_all() -> None:
    with pytest.raises(UsageError, match=r"entry\.http is 'PUT .*', and neither an API nor a function URL is deployed"):
        entry_settings(PROJECT, Path(), target())


def test_queue_that_its_dead_letters_are_sent_back_to_is_the_way_in() -> None:
    queues = (
        Queue(role="work", name="work", dead_letters="dead", max_receive_count=2),
        Queue(role="dead", name="dead"),
    )
    functions = (Function(role="worker", name="worker"), Function(role="back", name="back", may_send_to=("work",)))
    consumers = (Consumer(queue="work", function="worker"), Consumer(queue="dead", function="back"))
    topology = Topology(name="shop", queues=queues, functions=functions, consumers=consumers)
    assert ways_in(topology) == [Entry(queue="work")]


def published(kind: EntryKind, name: str, pattern: str | None = None) -> Topology:
    """A queue with a consumer, and what publishes to it."""
    entry = TopologyEntry(kind=kind, name=name, queue="work", filter=pattern)
    consumer = Consumer(queue="work", function="worker")
    functions = (Function(role="worker", name="worker"),)
    queues = (Queue(role="work", name="work"),)
    return Topology(name="shop", queues=queues, functions=functions, consumers=(consumer,), entries=(entry,))


@pytest.mark.parametrize(
    ("topology", "way"),
    [
        (published(EntryKind.TOPIC, "orders"), Entry(topic="orders")),
        (published(EntryKind.BUCKET, "uploads"), Entry(bucket="uploads")),
        (published(EntryKind.STREAM, "clicks"), Entry(stream="clicks")),
        (published(EntryKind.TABLE, "orders"), Entry(queue="work")),
        (
            published(EntryKind.BUS, "default/placed", '{"source": ["shop"], "detail-type": ["placed", "paid"]}'),
            Entry(bus="default", source="shop", detail_type="placed"),
        ),
        (published(EntryKind.BUS, "shop/all", '{"source": [{"prefix": "s"}]}'), Entry(bus="shop")),
        (published(EntryKind.SCHEDULE, "rate(1 minute)"), Entry(queue="work")),
    ],
    ids=["topic", "bucket", "stream", "table", "rule", "rule by prefix", "schedule"],
)
def test_what_publishes_to_a_queue_is_the_way_in(topology: Topology, way: Entry) -> None:
    assert ways_in(topology) == [way]


def fed(*publishers: str) -> Topology:
    """Work in one queue; the topic ``placed``, to which these functions publish, leads to the other."""
    names = {"worker": "work", "mailer": "mails"}
    return Topology(
        name="shop",
        queues=tuple(Queue(role=name, name=name) for name in names.values()),
        functions=tuple(
            Function(role=name, name=name, may_publish_to=("placed",) if name in publishers else ()) for name in names
        ),
        consumers=tuple(Consumer(queue=one, function=name) for name, one in names.items()),
        entries=(TopologyEntry(kind=EntryKind.TOPIC, name="placed", queue="mails"),),
    )


@pytest.mark.parametrize(
    ("publishers", "ways"),
    [((), [Entry(topic="placed")]), (("worker",), [Entry(queue="work")]), (("mailer",), [Entry(topic="placed")])],
    ids=["nobody", "another function", "only who works on it"],
)
def test_topic_that_a_function_publishes_to_is_no_way_in(publishers: tuple[str, ...], ways: list[Entry]) -> None:
    assert ways_in(fed(*publishers)) == ways


def test_where_functions_publish_and_send_to_everything_all_are_ways_in() -> None:
    topology = fed("worker")
    first = replace(topology.functions[1], may_send_to=("work",))
    topology = replace(topology, functions=(topology.functions[0], first))

    assert ways_in(topology) == [Entry(topic="placed"), Entry(queue="work"), Entry(queue="mails")]


class Queues:
    """The SQS of a target."""

    def can_paginate(self, _operation: str) -> bool:
        return True

    def get_paginator(self, _operation: str) -> Any:
        urls = [f"http://127.0.0.1:1/000000000000/shop-{name}" for name in ("placed.fifo", "mails")]
        return SimpleNamespace(paginate=lambda **_given: [{"QueueUrls": urls}])


@pytest.mark.parametrize(("named", "is_fifo"), [("shop-placed.fifo", True), ("placed", True), ("mails", False)])
def test_fifo_queue_is_known_by_a_piece_of_its_name(named: str, is_fifo: bool) -> None:
    """Its messages need a group, whichever piece of the queue's name the file gives."""
    queues = tuple(Queue(role=name, name=f"shop-{name}") for name in ("placed.fifo", "mails"))
    stand_in = SimpleNamespace(
        endpoint="http://127.0.0.1:1",
        region="eu-west-1",
        environment={},
        client={"sqs": Queues()}.__getitem__,
        topology=Topology(name="shop", queues=queues),
    )
    _, entry = entry_settings(Project(name="shop", entry=Entry(queue=named)), Path(), cast(Target, stand_in))

    assert is_fifo is entry.fifo

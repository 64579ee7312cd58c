"""Topologies: what a file may say, what it may not, and what is found in one."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from dlqlab import paths
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.topology import (
    Alarm,
    Consumer,
    Deploy,
    Entry,
    EntryKind,
    Evidence,
    Function,
    Metric,
    Pipe,
    Queue,
    Table,
    Topology,
)
from dlqlab.contracts.topology_file import from_json, read_topology
from dlqlab.errors import EvidenceError, TopologyError
from dlqlab.specimens import task_system

EXAMPLES = paths.ROOT / "examples"
FOLDERS = [paths.APP, *sorted(path.parent for path in EXAMPLES.glob("*/topology.toml"))]


def small(**changes: Any) -> dict[str, Any]:
    """A queue with its dead-letter queue and one function, as a file says it."""
    return {
        "name": "small",
        "queues": [{"role": "in", "name": "q", "dead_letters": "dead"}, {"role": "dead", "name": "d"}],
        "functions": [{"role": "work", "name": "f"}],
        "consumers": [{"queue": "in", "function": "work"}],
    } | changes


def read(**changes: Any) -> Topology:
    return from_json(small(**changes), source="t")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_topology_survives_json(folder: Path) -> None:
    """What is written into a run directory is what is read from it."""
    topology = read_topology(folder, "local")

    assert topology == from_json(json.loads(json.dumps(topology.to_json())), source="topology.json")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_two_stages_share_no_name(folder: Path) -> None:
    """Stages live side by side: every name holds the stage."""
    one, other = (read_topology(folder, stage) for stage in ("local", "dev"))

    for what in ("queues", "functions", "tables"):
        names = ({part.name for part in getattr(topology, what)} for topology in (one, other))
        assert set() == set.intersection(*names)


def test_work_is_a_queue_with_all_that_belongs_to_it() -> None:
    """Who consumes a queue, where its dead letters go and who consumes those is found by the roles."""
    work = task_system("local").work

    assert ("tasks", "processor", "dead-letters", "monitor") == (
        work.queue.role,
        work.consumer.role,
        work.dead_letters.role,
        work.dead_letter_consumer.role,
    )


def test_functions_are_found_by_their_entries() -> None:
    """The API's function is the one behind all routes, however many there are."""
    topology = task_system("local")

    assert ("api", "sweeper") == (
        topology.api.role,
        *(function.role for function in topology.entered_by(EntryKind.SCHEDULE)),
    )


def test_several_queues_of_work_are_told_apart() -> None:
    """Each has its own consumers; what needs exactly one says how many there are."""
    topology = read(
        queues=[{"role": "a", "name": "a"}, {"role": "b", "name": "b"}], consumers=[{"queue": "b", "function": "work"}]
    )

    assert [(), (Function(role="work", name="f"),)] == [work.consumers for work in topology.works]
    with pytest.raises(TopologyError, match="2 times a queue of work in small: this needs exactly one"):
        _ = topology.work


@pytest.mark.parametrize("what", ["consumer", "dead_letters", "dead_letter_consumer"])
def test_part_that_is_missing_is_named(what: str) -> None:
    """A pipeline without it gets a clear answer, not another part."""
    work = read(queues=[{"role": "in", "name": "q"}], consumers=[]).work

    with pytest.raises(TopologyError, match=r"0 times a .*: this needs exactly one"):
        getattr(work, what)


def test_evidence_that_is_not_declared_is_refused() -> None:
    """Nobody guesses which table could hold the tasks."""
    with pytest.raises(TopologyError, match=r"small declares no evidence\.tasks"):
        _ = read().task_table


def a_queue(**fields: Any) -> dict[str, Any]:
    """A topology's queues: one of these fields beside the ordinary ones, and another."""
    return {"queues": [{"role": "in", "name": "q"} | fields, {"role": "dead", "name": "d"}]}


def a_consumer(**fields: Any) -> dict[str, Any]:
    return {"consumers": [{"queue": "in", "function": "work"} | fields]}


TABLES = [{"role": "s", "name": "s", "key": "id"}]
P99 = [{"namespace": "n", "name": "m", "function": "work", "stat": "p99"}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"queus": []}, "t: queus is not known: give name, deploy, entries"),
        ({"name": ""}, "t: name is '': give a text"),
        ({"queues": {}}, "t: queues is {}: give a list"),
        ({"queues": [{"role": "in"}]}, r"t: queues\[0\]\.name is missing"),
        (a_queue(fifo=1), r"t: queues\[0\]\.fifo is 1: give true or false"),
        (a_queue(fifo=True), r"name is 'q' and fifo is true: end the name in \.fifo"),
        (a_queue(name="q.fifo"), r"name is 'q\.fifo' and fifo is false: set fifo = true"),
        (a_queue(role="dead"), "the role 'dead' is given twice"),
        (a_queue(name="d"), "the name 'd' is given twice"),
        (a_queue(dead_letters="x"), "dead_letters is 'x': give one of in, dead"),
        (a_queue(dead_letters="in"), "dead_letters is the queue itself"),
        (a_queue(name="q.fifo", fifo=True, dead_letters="dead"), "dead_letters is 'dead': give a FIFO queue"),
        (a_queue(max_receive_count=3), "max_receive_count is 3 without dead_letters"),
        (a_queue(dead_letters="dead", max_receive_count=1001), "max_receive_count is 1001: give 1 to 1000"),
        (a_consumer(function="x"), r"consumers\[0\]\.function is 'x': give one of work"),
        (a_consumer(batch_size="1"), "batch_size is '1': give a whole number"),
        (a_consumer(response_types=["All"]), "response_types holds 'All': give ReportBatchItemFailures, or none"),
        (
            {"entries": [{"kind": "http", "name": "GET /"}]},
            r"entries\[0\]: kind is 'http' and function or queue is missing",
        ),
        (
            {"entries": [{"kind": "schedule"}]},
            r"entries\[0\]: kind is 'schedule' and function or queue is missing: give it",
        ),
        ({"evidence": {"events": True}}, r"t: evidence is given, and deploy\.scenario is false: set it to true"),
        (
            {"evidence": {"tasks": "s"}, "tables": TABLES, "deploy": {"scenario": True}},
            r"names tasks 's' and archive None: name both or none",
        ),
        ({"entries": [{"kind": "mail"}]}, "kind is 'mail': give one of http, queue"),
        ({"evidence": {"tasks": "x"}}, r"evidence\.tasks is 'x': give one of those that are declared"),
        ({"task_key": "a..b"}, r"t: task_key is 'a\.\.b', which is no JMESPath .*: give a JMESPath into the bodies"),
        ({"metrics": P99}, "stat is 'p99': give one of"),
    ],
)
def test_what_cannot_be_is_named_with_its_remedy(changes: dict[str, Any], message: str) -> None:
    """Field, value, and what to give instead."""
    with pytest.raises(TopologyError, match=message):
        read(**changes)


@pytest.mark.parametrize("way_in", [{"kind": "http", "name": "POST /"}, {"kind": "schedule", "name": "rate(1 minute)"}])
def test_entry_may_lead_straight_to_a_queue(way_in: dict[str, str]) -> None:
    """As a route with an SQS integration and a schedule do, without a function between."""
    (entry,) = read(queues=[{"role": "in", "name": "q"}], consumers=[], entries=[way_in | {"queue": "in"}]).entries

    assert "in" == entry.queue


def test_consumer_that_is_declared_twice_is_refused(tmp_path: Path) -> None:
    """A file that says it twice is wrong; two mappings that are deployed are a fact, and are read."""
    consumers = [{"queue": "in", "function": "work"}] * 2
    twice = '[[consumers]]\nqueue = "in"\nfunction = "work"\n' * 2
    parts = '[[queues]]\nrole = "in"\nname = "in"\n[[functions]]\nrole = "work"\nname = "work"\n'
    (tmp_path / "topology.toml").write_text(f'name = "p"\n{parts}{twice}')

    with pytest.raises(TopologyError, match=r"consumers\[0\]: in to work is given twice: give it once"):
        read_topology(tmp_path, "local")
    assert 2 == len(read(consumers=consumers).consumers)


def test_folder_without_a_topology_is_refused(tmp_path: Path) -> None:
    """The path that was looked for is in the error."""
    with pytest.raises(TopologyError, match=r"topology\.toml: cannot be read: .*: give a folder that holds one"):
        read_topology(tmp_path, "local")


def test_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    """The error says what is wrong with it."""
    (tmp_path / "topology.toml").write_text("name = ")

    with pytest.raises(TopologyError, match=r"topology\.toml: is not TOML: Invalid value"):
        read_topology(tmp_path, "local")


def test_page_names_every_field() -> None:
    """docs/topology.md is a table of all that a file may say."""
    page = (paths.DOCS / "topology.md").read_text()
    kinds = (Topology, Deploy, Entry, Queue, Function, Consumer, Pipe, Alarm, Table, Metric, Evidence)
    fields = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    said = set(re.findall(r"`\[*([a-z_]+)\]*`", page))

    assert set() == fields - said


def test_run_directory_keeps_what_was_declared_and_what_was_deployed(tmp_path: Path) -> None:
    """Both are in topology.json, with the difference between them; the declared one is read back."""
    run, declared = RunDir(tmp_path), read()
    run.write_topology(declared, deployed=read(consumers=[]), differences=("no mapping",))
    written = json.loads(run.topology_path.read_text())

    assert declared == run.read_topology()
    assert ([], ["no mapping"]) == (written["deployed"]["consumers"], written["differences"])


def test_run_directory_of_an_earlier_version_has_none(tmp_path: Path) -> None:
    """Nobody guesses what such a run was of; a file that is there and broken is an error."""
    run = RunDir(tmp_path)

    assert run.read_topology() is None
    run.topology_path.write_text('{"declared": {"name": 1}}')
    with pytest.raises(EvidenceError, match="name is 1: give a text"):
        run.read_topology()


def test_fifo_example_is_another_shape_than_the_task_system() -> None:
    """A FIFO queue whose dead letters nobody consumes, no API, no tables: what the lab has to live with."""
    topology = read_topology(EXAMPLES / "orders", "local")

    assert Queue(role="refused-orders", name="orders-local-refused.fifo", fifo=True) == topology.work.dead_letters
    assert ((), False, ()) == (topology.work.dead_letter_consumers, topology.has_api, topology.tables)

"""The page of a matrix, and what a row's evidence tells of the next rows."""

from pathlib import Path

from dlqlab.contracts.injection import Fault, Kind
from dlqlab.contracts.manifest import Manifest
from dlqlab.contracts.recorded_run import write_recording
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenario import from_dict
from dlqlab.contracts.topology import Function, Queue, Topology
from dlqlab.torture.bench import own_evidence, targets_of
from dlqlab.torture.harms import Harm
from dlqlab.torture.judged import Outcome
from dlqlab.torture.matrix import BASELINE, Target
from dlqlab.torture.page import page
from dlqlab.torture.result import Answer, Result
from tests.support.flows import Story, evidence
from tests.support.recordings import T0

TOPOLOGY = Topology(
    name="orders",
    queues=(Queue(role="tasks", name="tasks"),),
    functions=(Function(role="processor", name="processor"),),
)
BASE = Answer(name=BASELINE, what="nothing is broken", outcome=Outcome.SURVIVED)


def kept(folder: Path, story: Story, **rows: object) -> RunDir:
    """The run directory of a row whose load began 5 s after the story did."""
    run = RunDir(folder / "rows" / "one")
    run.path.mkdir(parents=True)
    scenario = from_dict({"name": "any", "description": "any", "faults": {"mode": "none"}}, source="test")
    run.write_manifest(Manifest(run_id="one", scenario=scenario, finished=True, drained=True, load_started_ts=T0 + 5))
    run.write_topology(TOPOLOGY)
    recording = evidence(story, **rows).recording  # type: ignore[arg-type]
    assert recording is not None
    write_recording(run, recording)
    return run


def test_a_broken_row_has_the_life_of_one_of_its_messages_and_text_from_outside_is_no_markup(tmp_path: Path) -> None:
    kept(tmp_path, Story().sent("m1", 6).tried("m1", 7, ok=False).deleted("m1", 8))
    broken = Answer(
        name="kill",
        what="the process is <killed>",
        outcome=Outcome.BROKEN,
        faults=(Fault(kind=Kind.KILL),),
        strikes=1,
        harms=(Harm("deleted_unfinished", "Deleted although every attempt failed.", ("m1",)),),
        tasks_of={"m1": "t-1-00000001"},
        run="rows/one",
    )

    text = page(Result(name="<orders>", started_ts=1.0, answers=(BASE, broken)), tmp_path)

    assert "&lt;orders&gt; under faults" in text
    assert "the process is &lt;killed&gt;" in text
    assert "invocation of processor" in text
    assert "t-1-00000001" in text
    assert "http://" not in text
    assert "<script" not in text


def test_without_a_broken_row_there_is_no_life(tmp_path: Path) -> None:
    text = page(Result(name="orders", started_ts=1.0, answers=(BASE,)), tmp_path)

    assert "The life of" not in text


def test_the_evidence_of_a_row_is_without_what_the_row_before_left(tmp_path: Path) -> None:
    run = kept(tmp_path, Story().sent("old", 1).sent("new", 6).tried("old", 7).tried("new", 8))

    recording = own_evidence(run).recording

    assert recording is not None
    assert set(recording.messages["message_id"].to_pylist()) == {"new"}


def test_targets_are_the_calls_of_the_pipelines_functions_by_name_with_how_often(tmp_path: Path) -> None:
    call = {"ts": T0 + 9, "function": "processor", "service": "sqs", "operation": "SendMessage"}
    calls = [
        {**call, "resource": "http://127.0.0.1:4566/queue/eu-central-1/000000000000/next"},
        {**call, "resource": "arn:aws:sqs:eu-central-1:000000000000:next"},
        {**call, "function": "of-another-pipeline", "resource": "next"},
        {**call, "actor_kind": "client", "function": None, "resource": "next"},
        {**call, "service": "logs", "operation": "PutLogEvents", "resource": None},
    ]

    found = targets_of(own_evidence(kept(tmp_path, Story().sent("m1", 6), calls=calls)))

    assert found == (Target("processor", "sqs:SendMessage", "next", 2),)

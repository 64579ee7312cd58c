"""The events that are measured are those of a task."""

from collections import Counter
from pathlib import Path

from benchmarks.recorder_events import measure, memory_mib
from dlqlab.emulator.recorder.reader import read


def test_record_of_the_measured_events_is_whole(tmp_path: Path) -> None:
    """Of each task all calls, the message with its body, and both invocations; nothing is lost."""
    found = memory_mib(20, tmp_path / "record")
    record = read(tmp_path / "record")

    assert [number for number, _ in found] == list(range(2, 21, 2))
    assert ((), 20) == (record.gaps, record.bodies.num_rows)
    assert {"sent": 20, "received": 20, "deleted": 20} == Counter(record.messages["kind"].to_pylist())
    assert {"api": 20, "worker": 20} == Counter(record.invocations["function"].to_pylist())
    operations = {"POST": 20, "PutItem": 20, "SendMessage": 20, "UpdateItem": 60}
    assert operations == Counter(record.calls["operation"].to_pylist())


def test_each_step_takes_some_time(tmp_path: Path) -> None:
    steps = measure(tasks=12, rounds=1, folder=tmp_path)

    assert 6 == len(steps)
    assert all(us > 0 for us in steps.values())

"""``dlqlab export``: what it writes, and what it refuses before anything leaves this machine."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dlqlab.cli import main
from dlqlab.contracts.recorded_run import write_recording
from dlqlab.contracts.rundir import RunDir
from tests.support.recorded import recorded
from tests.support.recordings import recording


def run(folder: Path, *, is_recorded: bool = True) -> RunDir:
    found = recorded("two_retries", folder)
    if is_recorded:
        messages = [{"kind": "sent", "message_id": "m"}]
        write_recording(found, recording(messages=messages, gaps=["3 rows are missing: the disk was full"]))
    return found


def export(of: RunDir, *options: str) -> Result:
    return CliRunner().invoke(main, ["export", str(of.path), *options])


def test_the_file_and_what_the_record_lacks_are_named(tmp_path: Path) -> None:
    done = export(run(tmp_path), "--otlp", str(tmp_path / "traces.jsonl"))

    assert (0, True) == (done.exit_code, "1 span: " in done.output), done.output
    assert "the record has a gap: 3 rows are missing: the disk was full" in done.output
    assert (tmp_path / "traces.jsonl").read_text().startswith('{"resourceSpans":')


def test_a_run_without_a_recording_has_no_traces(tmp_path: Path) -> None:
    """One line, and no file."""
    done = export(run(tmp_path, is_recorded=False), "--otlp", str(tmp_path / "traces.jsonl"))

    assert "dlqlab: two_retries has no recording, and so no traces" == done.output.strip()
    assert (True, False) == (done.exit_code > 0, (tmp_path / "traces.jsonl").exists())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--otlp", "http://192.0.2.1:4318"], "confirm with --confirm traces@192.0.2.1"),
        (["--otlp", "http://192.0.2.1:4318", "--confirm", "yes"], "'yes' does not confirm 192.0.2.1"),
        (["--otlp", "grpc://127.0.0.1:4317"], "grpc://127.0.0.1:4317 is no URL of a collector"),
        (["--otlp", "traces.jsonl", "--confirm", "traces@h"], "nothing leaves this machine"),
        ([], "--otlp"),
    ],
    ids=["no word", "another word", "gRPC", "a word for a file", "nowhere"],
)
def test_what_cannot_be_meant_is_wrong_usage(tmp_path: Path, options: list[str], told: str) -> None:
    done = export(run(tmp_path), *options)

    assert (3, True) == (done.exit_code, told in " ".join(done.output.split())), done.output

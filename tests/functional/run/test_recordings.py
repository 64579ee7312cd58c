"""A run's recording: what is collected of it, and what is said where there is none."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dlqlab.collect.logs import Window
from dlqlab.contracts.recorded import FOLDER, STATUS_PATH, Kind
from dlqlab.contracts.recorded_run import read_recording
from dlqlab.contracts.rundir import RunDir
from dlqlab.emulator.core.listening import free_port
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.emulator.recorder.journal import Journal
from dlqlab.emulator.recorder.reader import Between
from dlqlab.emulator.recorder.witness import Witness
from dlqlab.run.recordings import NOBODY, SWITCHED_OFF, collect_recording, recorded_window

QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"


class Recorder:
    """An emulator as far as its recorder goes: a journal whose thread does not run, and who asks it by HTTP."""

    def __init__(self, state: Path) -> None:
        self.journal = Journal(state / FOLDER)
        self.witness = Witness(self.journal)
        self.answer: Callable[[], tuple[int, object]] = lambda: (200, {"flushed": self.journal.flush()})
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, document = recorder.answer() if self.path == STATUS_PATH else (404, {})
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(document).encode())

            def log_message(self, *_args: object) -> None:
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.emulator = Emulator(
            port=self.server.server_port, pid=1, created_ts=0.0, state=str(state), patches=("recorder",)
        )

    def happens(self, message_id: str) -> float:
        """A message is received now; when."""
        self.witness.message(Kind.RECEIVED, QUEUE, message_id, receive_count=1)
        return self.witness.stamp()[1]


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    found = Recorder(tmp_path / "state")
    threading.Thread(target=found.server.serve_forever, args=(0.01,), daemon=True).start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    found.journal.close()


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir(tmp_path / "run")


def test_everything_up_to_now_is_collected(recorder: Recorder, run: RunDir) -> None:
    """Also what had not been written yet."""
    now = recorder.happens("m")
    recorded = collect_recording(run, recorder.emulator, Window(now, now))
    record = read_recording(run)

    assert record is not None
    assert ["m"] == record.messages["message_id"].to_pylist()
    assert (({}, (), False)) == (recorded.not_measured, record.gaps, record.is_ended)
    assert {"messages": 1, "invocations": 0, "calls": 0, "bodies": 0, "faults": 0} == recorded.rows
    assert [run.recording_path] == list(run.path.iterdir())


@pytest.mark.parametrize(
    ("answer", "gap"),
    [
        ((200, {"flushed": False}), "the disk did not take what was recorded last"),
        ((500, {}), "the recorder did not answer (HTTP status 500): the last 0.5 s may be missing"),
        ((200, []), "the recorder did not answer (it answered with a list): the last 0.5 s may be missing"),
    ],
)
def test_recorder_that_does_not_write_is_a_gap(
    recorder: Recorder, run: RunDir, answer: tuple[int, object], gap: str
) -> None:
    """What it wrote before is collected."""
    now = recorder.happens("m")
    recorder.journal.flush()
    recorder.answer = lambda: answer
    collect_recording(run, recorder.emulator, Window(now, now))
    record = read_recording(run)

    assert record is not None
    assert ((gap,), 1) == (record.gaps, record.messages.num_rows)


def test_emulator_that_is_gone_leaves_its_record(recorder: Recorder, run: RunDir) -> None:
    """Nobody answers: that is said, and what it wrote is collected."""
    now = recorder.happens("m")
    recorder.journal.close()
    gone = replace(recorder.emulator, port=free_port())
    collect_recording(run, gone, Window(now, now))
    record = read_recording(run)

    assert record is not None
    assert (1, True) == (record.messages.num_rows, record.is_ended)
    assert "the recorder did not answer (" in record.gaps[0]


def test_emulator_of_after_the_load_is_a_gap(recorder: Recorder, run: RunDir) -> None:
    """It was started anew in the meantime: what the one before it recorded is gone."""
    now = recorder.happens("m")
    collect_recording(run, replace(recorder.emulator, created_ts=now), Window(now - 10, now))
    record = read_recording(run)

    assert record is not None
    assert ("the emulator was started after the load had begun: what was before is not recorded",) == record.gaps


def test_record_that_cannot_be_had_breaks_nothing(recorder: Recorder, run: RunDir) -> None:
    """The manifest says why; the record of an earlier collection is still there."""
    now = recorder.happens("m")
    collect_recording(run, recorder.emulator, Window(now, now))
    for segment in recorder.journal.folder.iterdir():
        segment.unlink()
    recorded = collect_recording(run, recorder.emulator, Window(now, now))

    assert recorded.rows is None
    assert "holds no record" in recorded.not_measured["recording"]
    assert read_recording(run) is not None


def test_run_without_a_recorder_says_so(recorder: Recorder, run: RunDir) -> None:
    """An emulator with its recorder off, and an endpoint that is none of ours."""
    off = collect_recording(run, replace(recorder.emulator, patches=()), Window(0, 1))
    foreign = collect_recording(run, None, Window(0, 1))

    assert (SWITCHED_OFF, NOBODY) == (off.not_measured["recording"], foreign.not_measured["recording"])
    assert (None, None) == (off.rows, foreign.rows)
    assert read_recording(run) is None


@pytest.mark.parametrize(("start_ts", "from_ts"), [(119.0, 60.0), (121.0, 116.0), (130.0, 120.0)])
def test_window_begins_with_a_minute_of_the_metrics(start_ts: float, from_ts: float) -> None:
    """So that counts of both are of the same time; and never without a margin."""
    assert Between(from_ts, 305.0) == recorded_window(Window(start_ts, 300.0))

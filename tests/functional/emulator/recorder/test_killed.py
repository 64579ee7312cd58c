"""What is left of the record of a process that was killed."""

import signal
import subprocess
import sys
from pathlib import Path

from dlqlab.emulator.recorder.reader import read

QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"


def test_killed_process_leaves_what_it_had_written(tmp_path: Path) -> None:
    """Up to the last chunk; the record does not say that it has ended."""
    code = f"""
import os, signal
from pathlib import Path
from dlqlab.contracts.recorded import Kind
from dlqlab.emulator.recorder.journal import Journal
from dlqlab.emulator.recorder.witness import Witness

journal = Journal(Path({str(tmp_path)!r}))
witness = Witness(journal)
witness.message(Kind.RECEIVED, {QUEUE!r}, "m", receive_count=1)
journal.flush()
witness.message(Kind.RECEIVED, {QUEUE!r}, "too late", receive_count=1)
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", code], check=False)

    assert -signal.SIGKILL == ended.returncode
    assert ["m"] == read(tmp_path).messages["message_id"].to_pylist()
    assert not read(tmp_path).is_ended

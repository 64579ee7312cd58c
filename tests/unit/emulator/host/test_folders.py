"""The folders that emulators leave behind."""

import json
import os
import time
from pathlib import Path

import psutil

from dlqlab.emulator.host import folders, lifecycle


def _leave(root: Path, port: int, *, age_s: float, pid: int | None = None) -> Path:
    state = folders.folder_of(port, root)
    state.mkdir()
    if pid:
        record = {
            "port": port,
            "pid": pid,
            "created_ts": psutil.Process(pid).create_time(),
            "state": str(state),
            "patches": [],
        }
        (state / "emulator.json").write_text(json.dumps(record))
    os.utime(state, times=(time.time() - age_s, time.time() - age_s))
    return state


def test_new_folder_removes_what_ended_long_ago(tmp_path: Path) -> None:
    """An old folder goes; a recent one, and that of an emulator that still runs, stay."""
    old = _leave(tmp_path, 4701, age_s=2 * folders.KEPT_S)
    recent = _leave(tmp_path, 4702, age_s=0)
    running = _leave(tmp_path, 4703, age_s=2 * folders.KEPT_S, pid=os.getpid())
    state = folders.new_folder(4704, tmp_path, lambda port: lifecycle.find(port, tmp_path) is not None)
    assert [False, True, True, True] == [path.exists() for path in (old, recent, running, state)]

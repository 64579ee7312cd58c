"""The installed command, and a scenario of a minute for it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

DLQLAB = Path(sys.executable).with_name("dlqlab")


def dlqlab_in(
    folder: Path, *arguments: str, timeout_s: int, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The command in the folder of a project, where its runs and state lie too; its output, whatever its exit code."""
    return subprocess.run(
        [DLQLAB, *arguments],
        cwd=folder,
        env=os.environ | {"DLQLAB_HOME": str(folder)} | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def write_small(path: Path, *, base_s: int = 1, max_half_width: float = 0.2, **load: int) -> Path:
    """A scenario file of some 60 tasks over a few seconds with one length of backoff; ``load`` changes its load."""
    numbers = {"users": 4, "rate_per_s": 10, "duration_s": 30, "tasks": 60, **load}
    lines = [
        'description = "a small run"',
        "seed = 5",
        "[load]",
        *(f"{name} = {value}" for name, value in numbers.items()),
        "[retry]",
        f"base_s = {base_s}",
        "factor = 1",
        "[judge]",
        f"max_half_width = {max_half_width}",
    ]
    path.write_text("\n".join(lines) + "\n")
    return path

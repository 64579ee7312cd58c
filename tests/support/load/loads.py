"""Scenarios and command lines for tests that run the real locustfile."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dlqlab import paths
from dlqlab.contracts.scenario import Load, Scenario
from dlqlab.load.settings import ENVIRONMENT_VARIABLE
from dlqlab.load.starter import LOCUSTFILE, Child


def scenario_with(**load: Any) -> Scenario:
    """A scenario with a small, fast load."""
    return Scenario(
        name="test", seed=7, load=Load(**{"users": 4, "rate_per_s": 0.0, "duration_s": 10.0, "tasks": 40, **load})
    )


def run_by_hand(url: str, *options: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    """Locust from the command line, as somebody would type it."""
    return subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--host", url, *options],
        env={**os.environ, ENVIRONMENT_VARIABLE: json.dumps(settings)},
        cwd=paths.ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def worker_by_hand(master_port: int, log: Path, **settings: Any) -> Iterator[None]:
    """A worker of a master on this machine, in a process of its own that ends with the context."""
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--worker"),
        *("--master-host", "127.0.0.1", "--master-port", str(master_port)),
    ]
    with log.open("wb") as output, Child(command, {ENVIRONMENT_VARIABLE: json.dumps(settings)}, output.fileno()):
        yield


def files_under(folder: Path) -> list[str]:
    """Names of the files in a folder, sorted."""
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

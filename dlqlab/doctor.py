"""What is missing or in the way on this machine, each with its remedy."""

import importlib.metadata
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from dlqlab import paths
from dlqlab.emulator import lifecycle, settings

PYTHON = (3, 13)
DISK_MIN_GB = 2.0
MEMORY_MIN_GB = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    subject: str
    ok: bool
    text: str
    remedy: str = ""


def examine(port: int, root: Path = paths.STATE) -> list[Finding]:
    """Look at everything that a run needs."""
    return [
        python_version(sys.version_info[:2]),
        localstack_version(),
        port_state(port, root),
        stale_emulators(root),
        disk(shutil.disk_usage(paths.ROOT).free / 1e9),
        memory(psutil.virtual_memory().available / 1e9),
    ]


def python_version(found: tuple[int, ...]) -> Finding:
    shown, wanted = ".".join(map(str, found)), ".".join(map(str, PYTHON))
    remedy = (
        f"install Python {wanted} (pyenv install {wanted}, or uv python install {wanted}), remove .venv, make setup"
    )
    return Finding("Python", tuple(found) == PYTHON, f"{shown}, wanted {wanted}", remedy)


def localstack_version() -> Finding:
    try:
        found = importlib.metadata.version("localstack-core")
    except importlib.metadata.PackageNotFoundError:
        return Finding("LocalStack", ok=False, text="not installed", remedy="make setup")
    return Finding("LocalStack", found == settings.VERSION, f"{found}, wanted {settings.VERSION}", "make setup")


def port_state(port: int, root: Path) -> Finding:
    ours = lifecycle.find(port, root)
    if ours:
        answers = lifecycle.health(port) is not None
        text = f"{port}: our emulator (pid {ours.pid}) {'serves' if answers else 'does not answer'}"
        return Finding("port", answers, text, "dlqlab down, then dlqlab up")
    holder = lifecycle.port_holder(port)
    if holder:
        return Finding("port", ok=False, text=f"{port}: taken by {holder}", remedy="stop it, or use --port auto")
    return Finding("port", ok=True, text=f"{port} is free")


def stale_emulators(root: Path) -> Finding:
    """Records of emulators that are gone, and their function processes that are not."""
    strays = [process for process in psutil.process_iter(["cmdline"]) if _is_orphan(process, root)]
    if strays:
        pids = ", ".join(str(process.pid) for process in strays)
        return Finding("processes", ok=False, text=f"left over: {pids}", remedy=f"kill {pids.replace(',', '')}")
    return Finding("processes", ok=True, text="none left over")


def disk(free_gb: float) -> Finding:
    text = f"{free_gb:.1f} GB free, {DISK_MIN_GB:g} wanted"
    return Finding("disk", free_gb >= DISK_MIN_GB, text, "remove old runs (runs/) or free space elsewhere")


def memory(available_gb: float) -> Finding:
    text = f"{available_gb:.1f} GB available, {MEMORY_MIN_GB:g} wanted"
    return Finding("memory", available_gb >= MEMORY_MIN_GB, text, "close other programs, or lower load.users")


def _is_orphan(process: psutil.Process, root: Path) -> bool:
    """A function process of this checkout whose emulator is gone, or an emulator that nobody keeps a record of."""
    try:
        words = process.info["cmdline"] or []
        function = any(word.endswith("runtime/bootstrap.py") for word in words)
        mine = any(str(root) in word for word in words)
        return function and mine and process.ppid() == 1
    except psutil.NoSuchProcess:
        return False

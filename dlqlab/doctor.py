"""What is missing or in the way on this machine, each with its remedy."""

import configparser
import importlib.metadata
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from packaging.requirements import Requirement

from dlqlab import paths
from dlqlab.deploy.environment import leads_elsewhere
from dlqlab.emulator import pins
from dlqlab.emulator.core import listening
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.host.lifecycle import DEFAULT_PORT, Emulator
from dlqlab.proxies import proxies_in_the_way

PYTHON = (3, 13)
INSTALL = "install dlqlab anew in an environment of its own" if paths.INSTALLED else "make setup"
DISK_MIN_GB = 2.0
MEMORY_MIN_GB = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``ok`` is None for what hinders other tools than dlqlab."""

    subject: str
    ok: bool | None
    text: str
    remedy: str = ""


def examine(port: int | None, environ: Mapping[str, str], root: Path = paths.STATE) -> list[Finding]:
    """Look at everything that a run needs, and at what hinders an AWS tool in this shell."""
    running = lifecycle.find_all(root)
    return [
        python_version(sys.version_info[:2]),
        localstack_version(),
        packages(importlib.metadata.requires("dlqlab") or ()),
        *port_states(port, running, root),
        stale_emulators(root),
        proxy(environ),
        aws_settings(environ, [emulator.endpoint for emulator in running]),
        disk(shutil.disk_usage(paths.ROOT).free / 1e9),
        memory(psutil.virtual_memory().available / 1e9),
    ]


def python_version(found: tuple[int, ...]) -> Finding:
    shown, wanted = ".".join(map(str, found)), ".".join(map(str, PYTHON))
    again = INSTALL if paths.INSTALLED else f"remove .venv, {INSTALL}"
    remedy = f"install Python {wanted} (pyenv install {wanted}, or uv python install {wanted}), {again}"
    return Finding("Python", tuple(found) == PYTHON, f"{shown}, wanted {wanted}", remedy)


def localstack_version() -> Finding:
    try:
        found = importlib.metadata.version("localstack-core")
    except importlib.metadata.PackageNotFoundError:
        return Finding("LocalStack", ok=False, text="not installed", remedy=INSTALL)
    wanted = pins.localstack_version()
    return Finding("LocalStack", found == wanted, f"{found}, wanted {wanted}", INSTALL)


def packages(wanted: Sequence[str]) -> Finding:
    """Whether each package is there in a version that dlqlab asks for; later installations may have changed one."""
    needed = [Requirement(line) for line in wanted]
    told = [_lacking(one) for one in needed if not (one.marker and "extra" in str(one.marker))]
    lacking = [text for text in told if text]
    if lacking:
        return Finding("packages", ok=False, text="; ".join(lacking), remedy=INSTALL)
    return Finding("packages", ok=True, text=f"all {len(told)} in a version that fits")


def _lacking(wanted: Requirement) -> str | None:
    try:
        found = importlib.metadata.version(wanted.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{wanted.name} not installed"
    fits = wanted.specifier.contains(found, prereleases=True)
    return None if fits else f"{wanted.name} {found}, wanted {wanted.specifier}"


def port_states(port: int | None, running: Sequence[Emulator], root: Path) -> list[Finding]:
    """The port that is asked about; else those of all emulators of the project, else the default one."""
    asked = [port] if port else [emulator.port for emulator in running] or [DEFAULT_PORT]
    return [port_state(one, root) for one in asked]


def port_state(port: int, root: Path) -> Finding:
    ours = lifecycle.find(port, root)
    if ours:
        answers = lifecycle.health(port) is not None
        text = f"{port}: our emulator (pid {ours.pid}) {'serves' if answers else 'does not answer'}"
        return Finding("port", answers, text, f"dlqlab down --port {port}, then dlqlab up --port {port}")
    holder = listening.port_holder(port)
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


def proxy(environ: Mapping[str, str]) -> Finding:
    """A proxy that the shell names for this machine's own addresses too."""
    found = proxies_in_the_way(environ)
    if not found:
        return Finding("proxy", ok=True, text="none between this shell and this machine")
    text = (
        f"{', '.join(found)} without NO_PROXY: the AWS CLI, chalice and SDKs ask the proxy for 127.0.0.1 (dlqlab "
        "itself does not)"
    )
    return Finding("proxy", None, text, 'eval "$(dlqlab env)", which sets NO_PROXY, or export NO_PROXY=127.0.0.1')


def aws_settings(environ: Mapping[str, str], endpoints: Sequence[str]) -> Finding:
    """What leads an AWS tool of this shell away from the emulator; dlqlab's own clients take none of it."""
    elsewhere = [name for name in leads_elsewhere(environ) if environ[name].rstrip("/") not in endpoints]
    told = [f"{name}={environ[name]}" if name.startswith("AWS_ENDPOINT_URL") else name for name in elsewhere]
    missing = _missing_profile(environ)
    if missing:
        told.append(f"profile {missing!r} is in no AWS configuration file")
    if not told:
        return Finding("AWS settings", ok=True, text="nothing in this shell leads away from the emulator")
    text = f"{'; '.join(told)}: the AWS CLI, chalice and SDKs go by that (dlqlab does for --target aws only)"
    return Finding("AWS settings", None, text, 'eval "$(dlqlab env)" in the shell where you use such tools')


def _missing_profile(environ: Mapping[str, str]) -> str | None:
    """The profile that the shell names, where this machine lacks it."""
    name = environ.get("AWS_DEFAULT_PROFILE") or environ.get("AWS_PROFILE")
    if not name or name == "default":
        return None
    known: set[str] = set()
    for variable, usual in (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")):
        file = configparser.RawConfigParser(strict=False)
        try:
            file.read(Path(environ.get(variable) or f"~/.aws/{usual}").expanduser())
        except configparser.Error:
            continue  # whoever reads it says what is wrong with it
        known |= {section.removeprefix("profile ").strip() for section in file.sections()}
    return None if name in known else name


def disk(free_gb: float) -> Finding:
    text = f"{free_gb:.1f} GB free, {DISK_MIN_GB:g} wanted"
    return Finding("disk", free_gb >= DISK_MIN_GB, text, "remove old runs (runs/) or free space elsewhere")


def memory(available_gb: float) -> Finding:
    text = f"{available_gb:.1f} GB available, {MEMORY_MIN_GB:g} wanted"
    return Finding("memory", available_gb >= MEMORY_MIN_GB, text, "close other programs, or lower load.users")


_FUNCTION_STARTS = ("runtime/bootstrap.py", "runtime/launcher.py", "/bootstrap.cjs")
"""Of Python's functions, of what runs below a watcher, and of those of Node.js."""


def _is_orphan(process: psutil.Process, root: Path) -> bool:
    """A function process of this project whose emulator is gone, or an emulator that nobody keeps a record of."""
    try:
        words = process.info["cmdline"] or []
        function = any(word.endswith(_FUNCTION_STARTS) for word in words)
        mine = any(str(root) in word for word in words)
        return function and mine and process.ppid() == 1
    except psutil.NoSuchProcess:
        return False

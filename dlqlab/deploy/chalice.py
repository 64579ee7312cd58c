"""The real ``chalice``, run as a program on a project folder."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dlqlab.deploy.target import Target
from dlqlab.errors import DeployError

DEADLINE_S = 300
_OWN_FOLDERS = ("deployed", "deployments", "__pycache__", "venv")
_SOURCE_RECORD = "deployed-{name}.json"
_GO = "go\n"
_PROGRAM = """
import sys
from chalice.cli import main
from dlqlab.deploy.waiters import look_often
look_often()
if sys.stdin.readline():  # nothing to read: who started this is gone
    sys.exit(main())
"""
"""What the script ``chalice`` does, in two steps: over a second of imports, then the work, which waits no longer than
it must."""


def prepare_project(target: Target) -> None:
    """Copy the app to the target's project folder where it has one of its own; keep what Chalice remembers there."""
    if target.project_dir == target.app:
        return
    ignore = shutil.ignore_patterns(*_OWN_FOLDERS)
    shutil.copytree(target.app, target.project_dir, ignore=ignore, dirs_exist_ok=True)


@contextmanager
def deployer(target: Target) -> Iterator[Callable[[], None]]:
    """``chalice deploy``, which imports what it needs while the caller is busy otherwise, and deploys when called.

    The call does nothing where exactly this source is deployed already. It raises DeployError where Chalice fails,
    with what that printed.
    """
    prepare_project(target)
    if _is_current(target):
        yield lambda: None
        return
    with _start(target, "deploy", "--stage", target.stage) as program:

        def deploy() -> None:
            _finish(program, "deploy")
            _record(target).write_text(json.dumps({"source": source_digest(target.project_dir)}))

        yield deploy


def delete(target: Target) -> bool:
    """``chalice delete``: functions, roles, mappings, API; whether there were any.

    Raises:
        DeployError: Chalice failed.
    """
    is_deployed = bool(deployed(target))
    if is_deployed:
        with _start(target, "delete", "--stage", target.stage) as program:
            _finish(program, "delete")
    _record(target).unlink(missing_ok=True)
    return is_deployed


def deployed(target: Target) -> dict[str, dict[str, Any]]:
    """What Chalice has deployed for the stage, by resource name; empty where nothing is."""
    try:
        state = json.loads((target.project_dir / ".chalice" / "deployed" / f"{target.stage}.json").read_text())
    except FileNotFoundError:
        return {}
    return {resource["name"]: resource for resource in state["resources"]}


def source_digest(project: Path) -> str:
    """SHA-256 over everything that goes into the functions and their configuration."""
    digest = hashlib.sha256()
    for path in sorted(project.rglob("*")):
        if path.is_file() and not set(path.relative_to(project).parts) & set(_OWN_FOLDERS):
            digest.update(f"{path.relative_to(project)}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _is_current(target: Target) -> bool:
    try:
        recorded = json.loads(_record(target).read_text())["source"]
    except FileNotFoundError:
        return False
    return recorded == source_digest(target.project_dir) and all(
        _function_exists(target, function.name) for function in target.topology.functions
    )


def _function_exists(target: Target, name: str) -> bool:
    client = target.client("lambda")
    try:
        client.get_function(FunctionName=name)
    except client.exceptions.ResourceNotFoundException:
        return False
    return True


def _record(target: Target) -> Path:
    # In the emulator's folder, which a new emulator starts without: nothing is deployed there yet.
    return target.state_dir / _SOURCE_RECORD.format(name=target.topology.name)


@contextmanager
def _start(target: Target, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Chalice's own command line, which waits for a word after its imports; ends with the block."""
    command = [sys.executable, "-c", _PROGRAM, "--project-dir", str(target.project_dir), *arguments]
    pipe = subprocess.PIPE
    environment = target.tool_environment()
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as program:
        try:
            yield program
        finally:
            program.kill()  # of no effect where it has ended


def _finish(program: subprocess.Popen[str], what: str) -> None:
    try:
        out, err = program.communicate(_GO, timeout=DEADLINE_S)
    except subprocess.TimeoutExpired as error:
        raise DeployError(f"chalice {what} took over {DEADLINE_S} s") from error
    if program.returncode != 0:
        raise DeployError(f"chalice {what} failed (exit code {program.returncode}):\n{out}{err}")

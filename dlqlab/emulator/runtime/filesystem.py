"""Whether function processes get Lambda's file system here, and the command that starts one either way.

A file system of their own needs user and mount namespaces that the system gives to everybody: Linux 5.12 or later,
where neither a container's profile nor the distribution forbids them. It is tried once for each program that runs
functions, with the real thing. Elsewhere functions see the machine's file system: code, layers and /tmp lie in folders
of the emulator's, and LAMBDA_TASK_ROOT and TMPDIR name them, since code opens files by them.
"""

import contextlib
import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from dlqlab.emulator import settings
from dlqlab.emulator.runtime import launcher, network, programs
from dlqlab.emulator.runtime.files import Files
from dlqlab.emulator.runtime.interpreters import Interpreter
from dlqlab.emulator.runtime.programs import Program
from dlqlab.emulator.runtime.variables import LAMBDA

WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
LAUNCHER = Path(launcher.__file__)
_PASSWD = f"""\
root:x:0:0:root:/root:/bin/bash
sbx_user1051:x:{launcher.USER}:{launcher.GROUP}::/home/sbx_user1051:/sbin/nologin
"""
"""Lambda's user, whose home does not exist."""
_TRIAL_WAITS_S = 20.0


def command(
    program: Program,
    files: Files,
    variables: Mapping[str, str],
    *,
    isolated: bool,
    lifeline_fd: int,
    memory_mb: int,
) -> list[str]:
    """What starts a function process.

    Args:
        program: that runs it.
        files: its folders.
        variables: of the function, for those that change how it starts.
        isolated: with Lambda's file system.
        lifeline_fd: whose end ends the process.
        memory_mb: of the function.
    """
    start = programs.start(program, files, variables, isolated=isolated, lifeline_fd=lifeline_fd, memory_mb=memory_mb)
    watched = programs.is_watched(program)
    wrapper = (
        "" if watched else variables.get(WRAPPER, "")
    )  # of a language's start script, which provided.* has none of
    watch = str(lifeline_fd) if watched else ""
    if isolated:
        return _launched(program, files, wrapper, watch, start)
    if not wrapper and not watched:
        return start
    return [sys.executable, "-I", "-S", str(LAUNCHER), *[""] * 8, _by_machine(wrapper, files), watch, *start]


def extension_command(path: Path, program: Program, files: Files, *, isolated: bool, lifeline_fd: int) -> list[str]:
    """What starts an executable of the layers beside the function's process, with the files that the function sees."""
    start = [str(path)]
    if not isolated:
        return [sys.executable, "-I", "-S", str(LAUNCHER), *[""] * 9, str(lifeline_fd), *start]
    if files.opt is not None:
        start = [f"{LAMBDA.opt}/{path.relative_to(files.opt)}"]
    return _launched(program, files, "", str(lifeline_fd), start)


def _launched(program: Program, files: Files, wrapper: str, watch: str, start: list[str]) -> list[str]:
    root, passwd = _supplies(files.tmp.parent)
    bootstrap = programs.BOOTSTRAP if isinstance(program, Interpreter) else ""
    folders = [
        root,
        files.task,
        files.opt or "",
        files.tmp,
        programs.lang(program) or "",
        passwd,
        files.base,
        bootstrap,
    ]
    return [sys.executable, "-I", "-S", str(LAUNCHER), *map(str, folders), wrapper, watch, *start]


def _by_machine(path: str, files: Files) -> str:
    """The machine's path of what the function's settings name by Lambda's."""
    for lambdas, own in ((LAMBDA.task, files.task), (LAMBDA.opt, files.opt)):
        if own and path.startswith(f"{lambdas}/"):
            return f"{own}{path.removeprefix(lambdas)}"
    return path


@functools.cache
def _supplies(scratch: Path) -> tuple[Path, Path]:
    """An empty folder to become the root of processes, and the users that they see; beside these, the hosts."""
    root, passwd = scratch / "root", scratch / "passwd"
    root.mkdir(parents=True, exist_ok=True)
    passwd.write_text(_PASSWD)
    with contextlib.suppress(OSError):  # a machine without a table of hosts has none for functions either
        (scratch / launcher.HOSTS).write_text(network.hosts(Path("/etc/hosts").read_text()))
    return root, passwd


@functools.cache
def trouble(program: Program, base: Path, scratch: Path) -> str | None:
    """Why functions that this program runs cannot have Lambda's file system; None where they can."""
    if os.environ.get(settings.FUNCTION_FILES) == settings.FILES_OF_MACHINE:
        return f"{settings.FUNCTION_FILES} is {settings.FILES_OF_MACHINE}"
    if not hasattr(os, "unshare"):
        return f"{sys.platform} has no mount namespaces"
    if reason := programs.misplaced(program):
        return reason
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as tmp:  # its parent is where the supplies lie
        files = Files(task=Path(tmp), base=base, tmp=Path(tmp))
        return _try(_launched(program, files, "", "", programs.trial(program)))


def _try(command: list[str]) -> str | None:
    try:
        answer = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_TRIAL_WAITS_S,
            check=False,
            env={"PYTHONPATH": LAMBDA.runtime, "PYTHONDONTWRITEBYTECODE": "1"},
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    if answer.returncode == 0:
        return None
    said = answer.stderr.strip().splitlines()
    return said[-1].removeprefix(launcher.MARK) if said else f"exit status {answer.returncode}"

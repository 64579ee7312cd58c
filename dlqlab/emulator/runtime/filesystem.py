"""Whether function processes get Lambda's file system here, and the command that starts one either way.

A file system of their own needs user and mount namespaces that the system gives to everybody: Linux 5.12 or later,
where neither a container's profile nor the distribution forbids them. It is tried once for each interpreter, with the
real thing. Elsewhere functions see the machine's file system: code, layers and /tmp lie in folders of the emulator's,
and LAMBDA_TASK_ROOT and TMPDIR name them, since code opens files by them.
"""

import contextlib
import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dlqlab.emulator import settings
from dlqlab.emulator.runtime import launcher, network
from dlqlab.emulator.runtime.interpreters import Interpreter
from dlqlab.emulator.runtime.variables import LAMBDA, Places

WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
LAUNCHER = Path(launcher.__file__)
BOOTSTRAP = LAUNCHER.with_name("bootstrap.py")
_PASSWD = f"""\
root:x:0:0:root:/root:/bin/bash
sbx_user1051:x:{launcher.USER}:{launcher.GROUP}::/home/sbx_user1051:/sbin/nologin
"""
"""Lambda's user, whose home does not exist."""
_TRIAL = "import awslambdaric.bootstrap, os, ssl; os.stat('/var/task'); os.mkdir('/tmp/t'); os.rmdir('/tmp/t')"
_TRIAL_WAITS_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The folders of one execution environment, by the paths that the emulator sees."""

    task: Path
    base: Path
    tmp: Path
    opt: Path | None = None

    def places(self, *, isolated: bool) -> Places:
        """The same by the paths that the function sees."""
        if isolated:
            return LAMBDA
        opt = str(self.opt) if self.opt else LAMBDA.opt
        return Places(task=str(self.task), runtime=str(self.base), opt=opt, tmp=str(self.tmp))


def command(
    interpreter: Interpreter, files: Files, variables: Mapping[str, str], *, isolated: bool, lifeline_fd: int
) -> list[str]:
    """What starts a function process.

    Args:
        interpreter: that runs it.
        files: its folders.
        variables: of the function, for those that change how it starts.
        isolated: with Lambda's file system.
        lifeline_fd: whose end ends the process.
    """
    wrapper = variables.get(WRAPPER, "")
    options = ["-s", "-S", "-X", f"emulator={files.base.parent}", "-X", f"lifeline={lifeline_fd}"]  # whose: for doctor
    options += ["-X", "locale"] if "LC_CTYPE" in variables else []
    if isolated:
        start = [_inside(interpreter), *options, "-X", f"bytecode={launcher.BYTECODE}"]
        return _launched(interpreter, files, wrapper, [*start, f"{LAMBDA.runtime}/{BOOTSTRAP.name}"])
    opt = ["-X", f"opt={files.opt}"] if files.opt else []
    start = [str(interpreter.executable), *options, *opt, str(BOOTSTRAP)]
    if not wrapper:
        return start
    return [sys.executable, "-I", "-S", str(LAUNCHER), *[""] * 8, _by_machine(wrapper, files), *start]


def _inside(interpreter: Interpreter) -> str:
    return f"{LAMBDA.lang}/{interpreter.inside}"


def _launched(interpreter: Interpreter, files: Files, wrapper: str, start: list[str]) -> list[str]:
    root, passwd = _supplies(files.tmp.parent)
    folders = [root, files.task, files.opt or "", files.tmp, interpreter.prefix, passwd, files.base, BOOTSTRAP]
    return [sys.executable, "-I", "-S", str(LAUNCHER), *map(str, folders), wrapper, *start]


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
def trouble(interpreter: Interpreter, base: Path, scratch: Path) -> str | None:
    """Why functions that this interpreter runs cannot have Lambda's file system; None where they can."""
    if os.environ.get(settings.FUNCTION_FILES) == settings.FILES_OF_MACHINE:
        return f"{settings.FUNCTION_FILES} is {settings.FILES_OF_MACHINE}"
    if not hasattr(os, "unshare"):
        return f"{sys.platform} has no mount namespaces"
    if interpreter.inside is None:
        return f"{interpreter.executable} does not lie in its own prefix, {interpreter.prefix}"
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as tmp:  # its parent is where the supplies lie
        files = Files(task=Path(tmp), base=base, tmp=Path(tmp))
        return _try(_launched(interpreter, files, "", [_inside(interpreter), "-s", "-S", "-c", _TRIAL]))


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

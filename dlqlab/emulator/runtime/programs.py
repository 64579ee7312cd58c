"""What runs a function's process, by the runtime that it declares, and how it is started.

Python and Node.js run AWS's runtime clients, in interpreters of the machine's; of ``provided.*`` the bundle's own
``bootstrap`` runs, below a process that ends it with the emulator.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dlqlab.emulator.runtime import launcher
from dlqlab.emulator.runtime.files import Files
from dlqlab.emulator.runtime.interpreters import Interpreter
from dlqlab.emulator.runtime.node import supply
from dlqlab.emulator.runtime.node.find import Node
from dlqlab.emulator.runtime.variables import LAMBDA, Places

BOOTSTRAP = Path(launcher.__file__).with_name("bootstrap.py")
NODE_BOOTSTRAP = "bootstrap.cjs"
OPTIONS_OF_NODE = "NODE_OPTIONS"
_MEMORY_OPTIONS = ("semi-space-size", "semi_space_size", "old-space-size", "old_space_size")
_PYTHON_TRIAL = "import awslambdaric.bootstrap, os, ssl; os.stat('/var/task'); os.mkdir('/tmp/t'); os.rmdir('/tmp/t')"
_NODE_TRIAL = "const fs = require('fs'); fs.statSync('/var/task'); fs.mkdirSync('/tmp/t'); fs.rmdirSync('/tmp/t')"


@dataclass(frozen=True, slots=True)
class Provided:
    """The executable ``bootstrap`` of the bundle, or of a layer."""


type Program = Interpreter | Node | Provided


def identifier(program: Program) -> str | None:
    """The runtime that the program really is, as AWS_EXECUTION_ENV tells it; None where AWS sets no such variable."""
    match program:
        case Interpreter():
            return f"python{program.version}"
        case Node():
            return f"nodejs{program.major}.x"
        case Provided():
            return None


def title(program: Program) -> str:
    """The program for people."""
    match program:
        case Interpreter():
            return f"Python {program.version}"
        case Node():
            return f"Node.js {program.version}"
        case Provided():
            return "its own bootstrap"


def lang(program: Program) -> Path | None:
    """What stands at /var/lang: a folder, or an executable that stands in its ``bin``."""
    match program:
        case Interpreter():
            return program.prefix
        case Node():
            return program.executable
        case Provided():
            return None


def misplaced(program: Program) -> str | None:
    """Why a program cannot stand at /var/lang."""
    if isinstance(program, Interpreter) and program.inside is None:
        return f"{program.executable} does not lie in its own prefix, {program.prefix}"
    return None


def variables(program: Program, places: Places) -> dict[str, str]:
    """Those that Lambda sets for one language, which a function may set otherwise."""
    match program:
        case Interpreter():
            return {"PYTHONPATH": places.runtime}
        case Node():
            opt, runtime = places.opt, places.runtime
            folders = (f"{opt}/nodejs/node{program.major}", f"{opt}/nodejs", runtime)
            return {"NODE_PATH": ":".join([*(f"{folder}/node_modules" for folder in folders), runtime, places.task])}
        case Provided():
            return {}


def is_watched(program: Program) -> bool:
    """Whether it runs below a process that watches over it, since it does not look to its lifeline itself."""
    return isinstance(program, Provided)


def start(
    program: Program, files: Files, given: Mapping[str, str], *, isolated: bool, lifeline_fd: int, memory_mb: int
) -> list[str]:
    """The command of the program, as it sees its files.

    Args:
        program: to start.
        files: its folders.
        given: the function's variables.
        isolated: with Lambda's file system.
        lifeline_fd: whose end ends the process.
        memory_mb: of the function.
    """
    match program:
        case Interpreter():
            return _python(program, files, given, isolated=isolated, lifeline_fd=lifeline_fd)
        case Node():
            return _node(program, files, given, isolated=isolated, lifeline_fd=lifeline_fd, memory_mb=memory_mb)
        case Provided():
            return [_own_bootstrap(files, isolated=isolated)]


def trial(program: Program) -> list[str]:
    """A command that ends well where the program has Lambda's file system."""
    match program:
        case Interpreter():
            return [_inside(program), "-s", "-S", "-c", _PYTHON_TRIAL]
        case Node():
            return [_inside(program), "-e", _NODE_TRIAL]
        case Provided():
            return ["/bin/sh", "-c", "cd /var/task && mkdir /tmp/t && rmdir /tmp/t"]


def _inside(program: Interpreter | Node) -> str:
    if isinstance(program, Node):
        return f"{LAMBDA.lang}/bin/{program.executable.name}"
    return f"{LAMBDA.lang}/{program.inside}"


def _python(
    program: Interpreter, files: Files, given: Mapping[str, str], *, isolated: bool, lifeline_fd: int
) -> list[str]:
    options = ["-s", "-S", "-X", f"emulator={files.base.parent}", "-X", f"lifeline={lifeline_fd}"]  # whose: for doctor
    options += ["-X", "locale"] if "LC_CTYPE" in given else []
    if isolated:
        keeps = ["-X", f"bytecode={launcher.BYTECODE}"]
        return [_inside(program), *options, *keeps, f"{LAMBDA.runtime}/{BOOTSTRAP.name}"]
    opt = ["-X", f"opt={files.opt}"] if files.opt else []
    return [str(program.executable), *options, *opt, str(BOOTSTRAP)]


def _node(
    program: Node, files: Files, given: Mapping[str, str], *, isolated: bool, lifeline_fd: int, memory_mb: int
) -> list[str]:
    executable = _inside(program) if isolated else str(program.executable)
    runtime = LAMBDA.runtime if isolated else str(files.base)
    names = ["--require", f"{runtime}/{supply.NAMES}"] if (files.base / supply.NAMES).exists() else []
    hook = [] if isolated else [f"hook={runtime}/imports.cjs"]
    script = [f"{runtime}/{NODE_BOOTSTRAP}", f"lifeline={lifeline_fd}", *hook, f"emulator={files.base.parent}"]
    return [executable, *memory_options(given.get(OPTIONS_OF_NODE, ""), memory_mb), *names, *script]


def memory_options(node_options: str, memory_mb: int) -> list[str]:
    """What keeps Node.js's heap to the function's memory, unless the function's NODE_OPTIONS do."""
    if any(name in node_options for name in _MEMORY_OPTIONS):
        return []
    new_mb = memory_mb // 10
    return [f"--max-semi-space-size={max(1, new_mb // 2)}", f"--max-old-space-size={memory_mb - new_mb}"]


def _own_bootstrap(files: Files, *, isolated: bool) -> str:
    """In the bundle, else in a layer; where neither has one, the bundle's is what is missing."""
    is_in_layer = files.opt is not None and not (files.task / "bootstrap").is_file()
    if files.opt is not None and is_in_layer and (files.opt / "bootstrap").is_file():
        return f"{LAMBDA.opt if isolated else files.opt}/bootstrap"
    return f"{LAMBDA.task if isolated else files.task}/bootstrap"

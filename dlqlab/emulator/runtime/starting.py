"""Starts the processes of one execution environment: the function's, and those of its extensions."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dlqlab.emulator.runtime import extensions, filesystem, launcher, programs
from dlqlab.emulator.runtime.files import Files
from dlqlab.emulator.runtime.interpreters import own
from dlqlab.emulator.runtime.node.find import Node
from dlqlab.emulator.runtime.output import Line
from dlqlab.emulator.runtime.paths import Paths
from dlqlab.emulator.runtime.process import FunctionProcess, Lifeline
from dlqlab.emulator.runtime.programs import Program
from dlqlab.emulator.runtime.variables import Places, of_process

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """What a function process needs to know."""

    handler: str
    version: str
    timeout_s: float
    memory_mb: int
    task_root: Path
    variables: Mapping[str, str]
    opt_root: Path | None = None
    """The content of its layers."""
    program: Program = field(default_factory=own)
    """What runs it."""
    notes: tuple[str, ...] = ()
    """What the function's log shall say at each init."""


@dataclass(slots=True)
class Starter:
    """Knows the files and variables of an environment's processes, and whether they have Lambda's file system."""

    function: Function
    files: Files
    lifeline: Lifeline
    runtime_api: str
    """host:port."""
    is_isolated: bool

    @property
    def places(self) -> Places:
        """Where a process finds its files."""
        return self.files.places(isolated=self.is_isolated)

    @property
    def paths(self) -> Paths:
        """Lambda's paths for those that a process sees."""
        return Paths.between(self.files, self.places)

    def start_function(self) -> FunctionProcess:
        function = self.function
        command = filesystem.command(
            function.program,
            self.files,
            function.variables,
            isolated=self.is_isolated,
            lifeline_fd=self.lifeline.read_fd,
            memory_mb=function.memory_mb,
        )
        watched = programs.is_watched(function.program)
        process = FunctionProcess(command, environment=self._variables(), lifeline=self.lifeline, is_watched=watched)
        process.output.unfolds = isinstance(function.program, Node)
        return process

    def start_extension(self, path: Path) -> FunctionProcess:
        """Start an executable of the layers beside the function's process."""
        command = filesystem.extension_command(
            path, self.function.program, self.files, isolated=self.is_isolated, lifeline_fd=self.lifeline.read_fd
        )
        given = extensions.variables(self._variables())
        return FunctionProcess(command, environment=given, lifeline=self.lifeline, is_watched=True)

    def has_lost_isolation(self, status: int | None, printed: list[Line]) -> bool:
        """Whether a process ended because the system, which had given it a file system before, now does not.

        Later ones are then started in the machine's file system.

        Args:
            status: its exit code.
            printed: all that it said.
        """
        if not self.is_isolated or status != launcher.FAILED:
            return False
        reason = _said(printed) or "unknown"
        _LOG.warning("a function runs in the machine's file system, because its own could not be made: %s", reason)
        self.is_isolated = False
        return True

    def invalid_entrypoint(self, status: int | None, printed: list[Line]) -> str | None:
        """Why a ``bootstrap`` of the function's own could not be run, where that is why its process ended."""
        said = _said(printed) if status == launcher.INVALID_ENTRYPOINT else None
        return said if said is None else self.paths.in_text(said)

    def _variables(self) -> dict[str, str]:
        function, places = self.function, self.places
        language = programs.variables(function.program, places)
        return of_process(function.variables, places, language, handler=function.handler, runtime_api=self.runtime_api)


def _said(printed: list[Line]) -> str | None:
    """Why the launcher gave up."""
    texts = (line.text for line in printed if line.text.startswith(launcher.MARK))
    return next((text.removeprefix(launcher.MARK) for text in texts), None)

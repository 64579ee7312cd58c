"""What was found of each task where its owner says that its state stands: ``done.json`` in the run directory."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dlqlab.contracts.plain_files import read_plain, write_plain
from dlqlab.contracts.rundir import RunDir

_FILE = "done.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """The state of each task that has one, by its key, when it was looked at. ``unread`` is why that could not be.

    ``ended_before``: the tasks that had ended before the load: of an earlier run with the same keys, which the emulator
    still has.
    """

    states: Mapping[str, str] = field(default_factory=dict)
    ended_before: tuple[str, ...] = ()
    unread: str = ""


def write_states(run: RunDir, states: States) -> None:
    write_plain(run.path / _FILE, states)


def read_states(run: RunDir) -> States | None:
    """What was found of each task of a run; None where nobody looked.

    Raises:
        EvidenceError: the file cannot be read.
    """
    return read_plain(run.path / _FILE, States)

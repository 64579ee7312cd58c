"""Every error that dlqlab raises on purpose.

DlqlabError
├── UsageError          what the user gave cannot be used; exit code 3
│   ├── ScenarioError   a scenario file: names the field, the value and the remedy
│   └── TopologyError   a topology file, or a part that a pipeline does not have: as above
└── RunError            the run broke; exit code 4
    ├── EmulatorError   LocalStack did not start, stop or answer
    ├── DeployError     the pipeline could not be deployed or did not prove itself
    ├── LoadError       the load generator failed
    ├── PartEndedError  something that the run rests on ended before its time: the emulator, a sampler, the disk
    ├── EvidenceError   a file of a run directory is missing or unreadable
    └── ReportError     a cell of a report's notebook failed; holds the cell's number and the traceback
"""


class DlqlabError(Exception):
    """Anything that dlqlab reports instead of a traceback."""

    exit_code = 4


class UsageError(DlqlabError):
    """What the user gave cannot be used."""

    exit_code = 3


class ScenarioError(UsageError):
    """A scenario cannot be used."""


class TopologyError(UsageError):
    """A topology cannot be used, or lacks what is asked for."""


class RunError(DlqlabError):
    """The run broke: nothing is said about the system under test."""


class EmulatorError(RunError):
    """LocalStack did not start, stop or answer."""


class DeployError(RunError):
    """The pipeline could not be deployed or did not prove itself."""


class LoadError(RunError):
    """The load generator failed."""


class PartEndedError(RunError):
    """Something that the run rests on ended before its time: the emulator, a sampler, the disk."""


class EvidenceError(RunError):
    """A file of a run directory is missing or unreadable."""


class ReportError(RunError):
    """A cell of a report's notebook failed, took too long or ended its kernel; what ran before it is saved."""

    def __init__(self, message: str, *, cell: int | None = None, traceback: str = "") -> None:
        super().__init__(message)
        self.cell = cell  # counted from 1 over all cells, as they stand in the file; None: the kernel itself failed
        self.traceback = traceback

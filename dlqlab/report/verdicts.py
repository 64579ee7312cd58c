"""The verdict of a run directory."""

from dlqlab.contracts.rundir import RunDir, read_json
from dlqlab.contracts.verdict import Verdict
from dlqlab.errors import EvidenceError


def verdict_of(run: RunDir) -> Verdict:
    """The stored verdict.

    Raises:
        EvidenceError: the verdict is missing or unreadable.
    """
    try:
        return Verdict.from_json(read_json(run.verdict_path))
    except (KeyError, TypeError, ValueError) as error:
        raise EvidenceError(f"{run.verdict_path}: is not a verdict: {type(error).__name__}: {error}") from error

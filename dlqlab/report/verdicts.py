"""The verdict of a run directory: the one door through which evidence is judged and the verdict stored."""

from dlqlab.analysis.judge import judge
from dlqlab.contracts.evidence import load_evidence
from dlqlab.contracts.rundir import RunDir, read_json, write_json
from dlqlab.contracts.verdict import Verdict
from dlqlab.errors import EvidenceError


def verdict_of(run: RunDir, *, anew: bool = False) -> Verdict:
    """The stored verdict; a run without one is judged now and its verdict is stored.

    With ``anew`` the evidence is judged in any case, and the verdict takes the stored one's place.

    Raises:
        EvidenceError: the stored verdict cannot be read, or the manifest of a run that is to be judged.
    """
    if anew or not run.verdict_path.exists():
        verdict = judge(load_evidence(run))
        write_json(run.verdict_path, verdict.to_json())
        return verdict
    try:
        return Verdict.from_json(read_json(run.verdict_path))
    except (KeyError, TypeError, ValueError) as error:
        raise EvidenceError(f"{run.verdict_path}: is not a verdict: {type(error).__name__}: {error}") from error

"""Looking at a finished run once more."""

from pathlib import Path

from dlqlab import paths
from dlqlab.analysis.judge import judge
from dlqlab.contracts.evidence import load_evidence
from dlqlab.contracts.rundir import LATEST, RunDir, write_json
from dlqlab.contracts.verdict import Verdict
from dlqlab.errors import UsageError


def find_run(name: str, root: Path = paths.RUNS) -> RunDir:
    """The run of that name under ``runs/``, or of that folder.

    Raises:
        UsageError: there is none.
    """
    for path in (root / name, Path(name)):
        if (path / "manifest.json").exists():
            return RunDir(path.resolve())
    if name == LATEST:
        raise UsageError(f"{paths.shown(root)}/ holds no run yet: dlqlab run makes one; or name a run's folder")
    raise UsageError(f"no run {name!r}: give a name under {paths.shown(root)}/ or a folder that holds a manifest.json")


def rejudge(run: RunDir) -> Verdict:
    """A new verdict from the evidence, in place of the stored one."""
    verdict = judge(load_evidence(run))
    write_json(run.verdict_path, verdict.to_json())
    return verdict

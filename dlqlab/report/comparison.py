"""Two runs compared: the gate's verdict, the terminal's lines and the HTML page."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.markup import escape

from dlqlab import paths
from dlqlab.analysis.compare import Effect, compare
from dlqlab.analysis.gate import changed_settings, describe, gate
from dlqlab.contracts.evidence import load_evidence
from dlqlab.contracts.manifest import Manifest
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.verdict import Verdict
from dlqlab.report.html import page
from dlqlab.report.render import execute
from dlqlab.report.terminal import print_line, print_verdict

COMPARE_RUNS = paths.NOTEBOOKS / "compare_runs.ipynb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two runs, what differs between them, and whether the second may be that much worse."""

    first: RunDir
    second: RunDir
    manifests: tuple[Manifest, Manifest]
    effects: tuple[Effect, ...]
    verdict: Verdict

    @property
    def notes(self) -> tuple[str, ...]:
        """What was changed between the runs, and what makes them hard to compare."""
        one, other = self.manifests
        changed = changed_settings(one, other)
        settings = ", ".join(
            f"{name} {before} → {after}" for name, (before, after) in changed.items() if name != "seed"
        )
        notes = [f"changed settings: {settings}" if settings else "both runs have the same settings"]
        if one.scenario.seed == other.scenario.seed:
            own = one.specimen is not None
            same = (
                "the same tasks were sent"
                if own
                else "the failure rates share their draws and are not independent samples"
            )
            notes.append(f"one seed: {same}")
        notes += [
            f"{manifest.run_id} did not come to its end"
            for manifest in self.manifests
            if not (manifest.finished and manifest.drained)
        ]
        return tuple(notes)


def compare_runs(first: RunDir, second: RunDir, limits: Mapping[str, float]) -> Comparison:
    """The comparison of two run directories; ``limits`` as in ``gate``.

    Raises:
        EvidenceError: a manifest or a needed table of one of the runs cannot be read.
    """
    runs = load_evidence(first), load_evidence(second)
    effects = compare(*runs)
    names = [run.manifest.run_id for run in runs]
    verdict = gate(effects, limits, first=names[0], second=names[1])
    manifests = (runs[0].manifest, runs[1].manifest)
    return Comparison(first=first, second=second, manifests=manifests, effects=effects, verdict=verdict)


def print_comparison(comparison: Comparison, console: Console) -> None:
    """The notes, one line a measure without a limit, then the verdict on those with one."""
    width = max(len(effect.name) for effect in comparison.effects)
    for note in comparison.notes:
        print_line(console, "", "note", escape(note), width=width)
    judged = {check.name for check in comparison.verdict.checks}
    for effect in comparison.effects:
        if effect.name not in judged:
            print_line(console, "·", effect.name, escape(describe(effect)), width=width)
    print_verdict(comparison.verdict, console, what="comparison", width=width)


def render_comparison(comparison: Comparison, target: Path) -> Path:
    """The page of the comparison; needs no emulator and writes nothing but this file.

    Raises:
        ReportError: a cell of the notebook failed.
    """
    target = target.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch:
        parameters = {
            "first_dir": os.path.relpath(comparison.first.path.resolve(), target.parent),
            "second_dir": os.path.relpath(comparison.second.path.resolve(), target.parent),
        }
        executed = execute(COMPARE_RUNS, Path(scratch) / "compare.ipynb", parameters, folder=target.parent)
    one, other = comparison.manifests
    verdict, lead = comparison.verdict, _lead(comparison.notes)
    text = page(executed, verdict, other, against=one, title=verdict.run_id, lead=lead)
    partial = target.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(target)
    return target


def _lead(notes: Sequence[str]) -> tuple[str, ...]:
    return tuple(note[0].upper() + note[1:] + "." for note in notes)

"""Giving a run's traces to others."""

from pathlib import Path
from urllib.parse import urlsplit

from rich.markup import escape

from dlqlab.cli import consent
from dlqlab.cli.console import ERR, OUT
from dlqlab.contracts.recorded_run import NOT_MEASURED, read_recording
from dlqlab.contracts.recording import Recording
from dlqlab.contracts.rundir import RunDir
from dlqlab.errors import EvidenceError, UsageError
from dlqlab.export.otlp import Collector, traces_url, write_file
from dlqlab.export.otlp import export as export_to
from dlqlab.paths import shown
from dlqlab.run.stored_runs import find_run
from dlqlab.wording import count


def export(run_dir: str, otlp: str, confirm: str | None) -> None:
    is_url = "://" in otlp
    if is_url:
        _check(otlp)
        consent.check_traces(otlp, confirm)
    elif confirm is not None:
        raise UsageError(f"--confirm {confirm} is given, and nothing leaves this machine: leave it out")
    run = find_run(run_dir)
    recording = _recording(run)
    _say_what_is_missing(recording)
    where = traces_url(otlp) if is_url else shown(Path(otlp))
    with ERR.status("traces"):
        sent = _send(recording, run, otlp) if is_url else write_file(recording, _name(run), Path(otlp))
    OUT.print(f"{count(sent, 'span')}: {escape(str(where))}", soft_wrap=True)


def _check(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"--otlp {url} is no URL of a collector: give http://HOST:PORT, or a file")


def _send(recording: Recording, run: RunDir, url: str) -> int:
    collector = Collector(url)
    try:
        return export_to(recording, _name(run), collector)
    finally:
        collector.close()


def _name(run: RunDir) -> str:
    """The run's own, also where a link led to it."""
    return run.path.resolve().name


def _recording(run: RunDir) -> Recording:
    recording = read_recording(run)
    if recording is None:
        why = run.read_manifest().not_measured.get(NOT_MEASURED)
        raise EvidenceError(f"{run.path.name} has no recording, and so no traces" + (f": {why}" if why else ""))
    return recording


def _say_what_is_missing(recording: Recording) -> None:
    for gap in recording.gaps:
        ERR.print(f"[yellow]the record has a gap:[/] {escape(gap)}", soft_wrap=True)

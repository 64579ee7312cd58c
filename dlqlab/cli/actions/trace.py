"""Asking the flight recorder about one task."""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from dlqlab import paths
from dlqlab.analysis.keys import SEARCHED, find
from dlqlab.analysis.life_parts import Attempt
from dlqlab.analysis.lives import Life, lives
from dlqlab.analysis.reasons import Logged, failed_attempts, reason, work_stays
from dlqlab.analysis.recorded_rows import Rows
from dlqlab.analysis.spans import spans
from dlqlab.cli.actions.emulators import running
from dlqlab.cli.console import ERR
from dlqlab.contracts.recording import Recording
from dlqlab.contracts.topology_file import read_topology
from dlqlab.deploy.target import LOCAL_STAGE, local_target
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.errors import UsageError
from dlqlab.report.life import page, text
from dlqlab.report.life.logged import lines_about, logged, logging_attempts, ran
from dlqlab.run.recorded_lives import live_limits, live_lines, live_recording
from dlqlab.run.stored_lives import ledger_of, run_limits, run_lines, run_recording
from dlqlab.run.stored_runs import find_run


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the answer comes from: an emulator that runs, or a run's directory."""

    name: str
    recording: Recording
    ledger: Mapping[str, Sequence[str]]
    emulator: Emulator | None
    run: Any

    def lines(self, attempts: Iterable[Attempt]) -> Logged:
        """The log lines of these attempts, by request id."""
        every = list(attempts)
        asked = ran(every)
        if self.emulator is None:
            return logged(every, run_lines(self.run, asked))
        found = list(dict.fromkeys(live_lines(local_target(self.emulator).client("logs"), asked)))
        return logged(every, dict.fromkeys((each.request_id for each in asked), found))

    def limits(self, queues: Iterable[str]) -> Mapping[str, int]:
        """The maxReceiveCount of queues, by name."""
        if self.emulator is not None:
            return live_limits(local_target(self.emulator).client("sqs"), queues)
        return run_limits(self.run)


def trace(
    key: str,
    port: int | None,
    run_name: str | None,
    html_path: Path | None,
    *,
    as_json: bool,
    specimen: Path | None = None,
) -> None:
    source = _source(port, run_name, specimen)
    life = _the_one(source, key)
    if life is None:
        return
    lines = source.lines(attempt for _, attempt in logging_attempts(life))
    found = spans(life, lines_about(life, lines))
    if html_path is not None:
        _write(html_path, page.page(life, found))
        ERR.print(f"page: {escape(str(html_path))}", soft_wrap=True)
    if as_json:
        told = dataclasses.asdict(life) | {"spans": [dataclasses.asdict(span) for span in found]}
        click.echo(json.dumps(told, ensure_ascii=False))
    elif html_path is None:
        for line in text.life_lines(life, found):
            click.echo(line)


def why(key: str, port: int | None, run_name: str | None, *, as_json: bool, specimen: Path | None = None) -> None:
    source = _source(port, run_name, specimen)
    life = _the_one(source, key)
    if life is None:
        return
    every = work_stays(life)
    stays = [stay for stay in every if stay.message_id == key] or every
    if not stays:
        raise UsageError(f"{key!r} is known, and no message of it is: {'; '.join(life.how)}: see dlqlab trace {key}")
    lines = source.lines(_failed(life))
    limits = source.limits(stay.queue for stay in stays)
    reasons = [reason(life, stay, lines, limits.get(stay.queue)) for stay in stays]
    others = [stay.message_id for stay in every if stay not in stays]
    if as_json:
        told = {
            "key": key,
            "how": life.how,
            "others": others,
            "messages": [dataclasses.asdict(each) for each in reasons],
        }
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for line in text.reason_lines(life, reasons, others):
        click.echo(line)


def _source(port: int | None, run_name: str | None, specimen: Path | None) -> Source:
    if run_name is None:
        emulator = running(port)
        topology = read_topology(paths.APP if specimen is None else specimen, LOCAL_STAGE)
        recording = live_recording(emulator, topology.task_key)
        return Source(name=emulator.endpoint, recording=recording, ledger={}, emulator=emulator, run=None)
    if specimen is not None:
        raise UsageError("--run and --specimen are given: a run knows its topology, leave out --specimen")
    if port is not None:
        raise UsageError("--run and --port are given: a run's record is in its directory, leave out --port")
    run = find_run(run_name)
    return Source(
        name=f"run {run.path.name}", recording=run_recording(run), ledger=ledger_of(run), emulator=None, run=run
    )


def _the_one(source: Source, key: str) -> Life | None:
    """The life that the key names; several are listed, and there is none to show.

    Raises:
        UsageError: nothing has this key.
    """
    rows = Rows(source.recording)
    found = find(rows, key, source.ledger)
    if not found.how:
        sizes = (
            f"{len(source.recording.messages):,} events of messages, {len(source.recording.invocations):,} invocations"
        )
        calls = f"{len(source.recording.calls):,} calls"
        raise UsageError(f"nothing has the key {key!r}: searched {SEARCHED}, in {sizes} and {calls} of {source.name}")
    several = lives(rows, found)
    if not several:
        raise UsageError(
            f"{key!r} names no task: {'; '.join(found.how)}: give a message id, a request id or a trace id"
        )
    if len(several) > 1:
        for line in text.listing(found, several):
            click.echo(line)
        return None
    return several[0]


def _failed(life: Life) -> list[Attempt]:
    return [each for stay in life.stays for each in failed_attempts(stay)]


def _write(path: Path, html: str) -> None:
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--html {path}: cannot be written: {error.strerror}") from error

"""The evidence of several cells as that of one run: every table with its column ``cell``, one manifest."""

import dataclasses
import statistics
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from dlqlab.contracts.evidence import BAD_LINES, OTHER_LINES
from dlqlab.contracts.manifest import (
    CardEntry,
    Collected,
    DrainReport,
    EmulatorSettings,
    Latency,
    LatencyProbe,
    LoadReport,
    Manifest,
    RetryProbe,
)
from dlqlab.contracts.recorded_run import NOT_MEASURED
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.tables import TABLES, conform
from dlqlab.run.merged_recordings import merge_recordings
from dlqlab.run.recordings import NO_RECORD, Recorded


def merge_tables(run: RunDir, cells: Sequence[RunDir]) -> Recorded:
    """Every table of the cells, one after another, into the run; their lines of other kinds; what they recorded.

    Raises:
        EvidenceError: a table of a cell is missing or cannot be read.
    """
    for table in TABLES:
        frames = [cell.read(table).assign(cell=number) for number, cell in enumerate(cells)]
        # A table without rows says nothing of types, which pandas would take into account.
        filled = [data for data in frames if len(data)] or frames[:1]
        run.write(table, conform(table, pd.concat(filled, ignore_index=True)))
    for name in (BAD_LINES, OTHER_LINES):
        texts = [(cell.path / name).read_text() for cell in cells if (cell.path / name).exists()]
        (run.path / name).write_text("".join(texts))
    topology = cells[0].read_topology()
    if topology:
        run.write_topology(topology)
    return merge_recordings(run, cells)


def merge_manifests(whole: Manifest, cells: Sequence[Manifest], recorded: Recorded = NO_RECORD) -> Manifest:
    """The manifest of the whole run with what its cells say: it began with the first one and ended with the last one.

    A claim holds for the run where it holds for every cell; the retry probe's median is the cells' median, its p95 the
    worst of theirs.
    """
    first = cells[0]
    return dataclasses.replace(
        whole,
        finished=all(cell.finished for cell in cells),
        drained=all(cell.drained for cell in cells),
        run_started_ts=first.run_started_ts,
        load_started_ts=min(_known(cell.load_started_ts for cell in cells), default=None),
        load_ended_ts=max(_known(cell.load_ended_ts for cell in cells), default=None),
        drain_ended_ts=max(_known(cell.drain_ended_ts for cell in cells), default=None),
        redact_fields=first.redact_fields,
        emulator=_emulators([cell.emulator for cell in cells]),
        not_measured=_not_measured(first.not_measured, recorded),
        fidelity=(_card_entry(len(cells)), *first.fidelity),
        retry_probe=_probe(_known(cell.retry_probe for cell in cells)),
        latency_probe=_latencies(_known(cell.latency_probe for cell in cells)),
        load=_load(_known(cell.load for cell in cells)),
        drain=_drain(_known(cell.drain for cell in cells)),
        collected=_collected(_known(cell.collected for cell in cells), recorded.rows),
        junk_message_ids=tuple(message for cell in cells for message in cell.junk_message_ids or ()),
        cells=len(cells),
    )


def _known[T](values: Iterable[T | None]) -> list[T]:
    return [value for value in values if value is not None]


def _emulators(emulators: Sequence[EmulatorSettings | None]) -> EmulatorSettings | None:
    """The first one's settings, which are those of all, and every port."""
    ours = _known(emulators)
    ports = tuple(_known(emulator.port for emulator in ours))
    return EmulatorSettings(patches=ours[0].patches, ports=ports) if ours else None


def _card_entry(count: int) -> CardEntry:
    statement = (
        f"{count} emulators side by side, each with a whole pipeline for its share of the tasks: limits of a queue, a "
        "mapping or a function hold in each; the rest of this card is the first one's"
    )
    return CardEntry(name="cells", ok=False, statement=statement)


def _probe(probes: Sequence[RetryProbe]) -> RetryProbe | None:
    if not probes:
        return None
    return RetryProbe(
        n=sum(probe.n for probe in probes),
        median_s=statistics.median(probe.median_s for probe in probes),
        p95_s=max(probe.p95_s for probe in probes),
        backoff_s=probes[0].backoff_s,
    )


def _latencies(probes: Sequence[LatencyProbe]) -> LatencyProbe:
    return LatencyProbe(
        before=_medians(_known(probe.before for probe in probes)),
        after=_medians(_known(probe.after for probe in probes)),
    )


def _medians(found: Sequence[Latency]) -> Latency | None:
    if not found:
        return None
    return Latency(
        api_ms=statistics.median(one.api_ms for one in found),
        processor_ms=statistics.median(one.processor_ms for one in found),
    )


def _load(loads: Sequence[LoadReport]) -> LoadReport:
    sent = sum(load.sent for load in loads)
    late_s = sum((load.late_mean_s or 0.0) * load.sent for load in loads)
    return LoadReport(
        planned=sum(load.planned or 0 for load in loads), sent=sent, late_mean_s=late_s / sent if sent else 0.0
    )


def _drain(drains: Sequence[DrainReport]) -> DrainReport | None:
    if not drains:
        return None
    reasons = dict.fromkeys(drain.reason for drain in drains)
    return DrainReport(waited_s=max(drain.waited_s for drain in drains), reason="; ".join(reasons))


def _not_measured(first: Mapping[str, str], recorded: Recorded) -> Mapping[str, str]:
    """What is said of the recording is said of all cells."""
    others = {subject: text for subject, text in first.items() if subject != NOT_MEASURED}
    return others if recorded.rows is not None else {**first, **recorded.not_measured}


def _collected(reports: Sequence[Collected], recorded: Mapping[str, int] | None) -> Collected:
    return Collected(
        rows={table: sum(report.rows.get(table, 0) for report in reports) for table in TABLES},
        logs_settled=all(report.logs_settled for report in reports),
        foreign_items=sum(report.foreign_items for report in reports),
        recorded=recorded,
    )

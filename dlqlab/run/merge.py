"""The evidence of several cells as that of one run: every table with its column ``cell``, one manifest."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from dlqlab.contracts.evidence import BAD_LINES, OTHER_LINES
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.tables import TABLES, conform


def merge_tables(run: RunDir, cells: Sequence[RunDir]) -> None:
    """Every table of the cells, one after another, into the run; and their lines of other kinds.

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


def merge_manifests(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the cells' manifests say of the run as a whole: it began with the first cell and ended with the last one.

    A claim holds for the run where it holds for every cell; the retry probe's median is the cells' median, its p95 the
    worst of theirs.
    """
    first = cells[0]
    return {
        "finished": all(cell["finished"] for cell in cells),
        "drained": all(cell["drained"] for cell in cells),
        "run_started_ts": first["run_started_ts"],
        "load_started_ts": min(cell["load_started_ts"] for cell in cells),
        **{key: max(cell[key] for cell in cells) for key in ("load_ended_ts", "drain_ended_ts")},
        "redact_fields": first.get("redact_fields"),
        "emulator": first["emulator"] | {"port": None, "ports": [cell["emulator"]["port"] for cell in cells]},
        "not_measured": first["not_measured"],
        "fidelity": [_card_entry(len(cells)), *first["fidelity"]],
        "retry_probe": _probe([cell["retry_probe"] for cell in cells]),
        "latency_probe": {
            when: _medians(cell["latency_probe"][when] for cell in cells) for when in ("before", "after")
        },
        "load": _load([cell["load"] for cell in cells]),
        "drain": {
            "waited_s": max(cell["drain"]["waited_s"] for cell in cells),
            "reason": "; ".join(dict.fromkeys(cell["drain"]["reason"] for cell in cells)),
        },
        "collected": {
            "rows": {table: sum(cell["collected"]["rows"].get(table, 0) for cell in cells) for table in TABLES},
            "logs_settled": all(cell["collected"]["logs_settled"] for cell in cells),
            "foreign_items": sum(cell["collected"]["foreign_items"] for cell in cells),
        },
        "junk_message_ids": [message for cell in cells for message in cell.get("junk_message_ids", [])],
        "cells": len(cells),
    }


def _card_entry(count: int) -> dict[str, object]:
    statement = (
        f"{count} emulators side by side, each with a whole pipeline for its share of the tasks: limits of a queue, a "
        "mapping or a function hold in each; the rest of this card is the first one's"
    )
    return {"name": "cells", "ok": False, "statement": statement}


def _probe(probes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "n": sum(probe["n"] for probe in probes),
        "median_s": statistics.median(probe["median_s"] for probe in probes),
        "p95_s": max(probe["p95_s"] for probe in probes),
        "backoff_s": probes[0]["backoff_s"],
    }


def _medians(probes: Iterable[Mapping[str, float]]) -> dict[str, float]:
    found = list(probes)
    return {name: statistics.median(probe[name] for probe in found) for name in found[0]}


def _load(loads: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    sent = sum(load["sent"] for load in loads)
    late_s = sum(load["late_mean_s"] * load["sent"] for load in loads)
    return {
        "planned": sum(load["planned"] for load in loads),
        "sent": sent,
        "late_mean_s": late_s / sent if sent else 0.0,
    }

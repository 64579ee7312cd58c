"""Every number of the verdict on recorded live runs, computed again by plain pandas that shares no code with dlqlab.

The Parquet files and the manifest are read directly. Intervals come from scipy's own proportion_ci.
"""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scipy.stats import binom, binomtest

from dlqlab.analysis.judge import judge
from dlqlab.contracts.evidence import load_evidence
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.verdict import Check

ROOT = Path(__file__).parents[1] / "recorded"


class Raw:
    """The files of a run as they are, and frames that a few lines make of them."""

    def __init__(self, name: str) -> None:
        folder = ROOT / name
        self.manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
        tables = ("ledger", "events", "tasks", "queues")
        self.ledger, events, self.tasks, self.queues = (pd.read_parquet(folder / f"{t}.parquet") for t in tables)
        self.events = events[events["run_id"] == self.manifest["run_id"]].drop_duplicates("line_id")
        self.items = self.tasks[self.tasks["in_table"] & self.tasks["task_id"].isin(self.ledger["task_id"])]
        self.started = self.of("attempt.started")
        self.failed = self.of("attempt.failed")
        self.done = self.of("attempt.succeeded")

    def of(self, event: str) -> pd.DataFrame:
        chosen: pd.DataFrame = self.events[self.events["event"] == event]
        return chosen

    @property
    def lateness(self) -> pd.DataFrame:
        """Each retry: task, attempt, gap_s, lateness_s."""
        before = self.failed.assign(attempt=self.failed["attempt"] + 1)[["task_id", "attempt", "ts", "backoff_s"]]
        started = self.started.drop(columns="backoff_s")
        pairs = started.merge(before, on=["task_id", "attempt"], suffixes=("", "_failed"))
        gap_s = pairs["ts"] - pairs["ts_failed"]
        return pairs.assign(gap_s=gap_s, lateness_s=gap_s - pairs["backoff_s"].astype(float))


@pytest.fixture(scope="module", params=["two_retries", "one_retry"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def raw(name: str) -> Raw:
    return Raw(name)


@pytest.fixture(scope="module")
def checks(name: str) -> dict[str, Check]:
    """The verdict's checks by name."""
    return {check.name: check for check in judge(load_evidence(RunDir(ROOT / name))).checks}


def numbers(check: Check) -> list[float]:
    """Every number of the statement, in order, as a reader sees it."""
    return [float(found.replace(",", "")) for found in re.findall(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?", check.statement)]


def durations(check: Check) -> list[Any]:
    """Every duration of the statement, in order, in seconds; each equals whatever is rounded to it."""
    found = re.findall(r"(\d[\d,]*(?:\.\d+)?) (m?s)\b", check.statement)
    return [
        pytest.approx(float(number.replace(",", "")) * scale, abs=0.501 * scale * 10 ** -len(number.partition(".")[2]))
        for number, scale in ((number, 0.001 if unit == "ms" else 1.0) for number, unit in found)
    ]


def interval(successes: int, n: int) -> tuple[float, float]:
    """Wilson's interval at 95 %, by scipy."""
    found = binomtest(successes, n).proportion_ci(0.95, method="wilson")
    return float(found.low), float(found.high)


def tenths(ratio: float) -> float:
    return round(100 * ratio, 1)


def test_every_statement_is_recomputed_here(checks: dict[str, Check]) -> None:
    """A check that is new needs its test below: none may state a number that nobody has computed twice."""
    tested = {name.removeprefix("test_").removesuffix("_again") for name in globals() if name.endswith("_again")}

    assert set(checks) - {"finished"} == tested
    assert [] == numbers(checks["finished"])


def test_conservation_again(raw: Raw, checks: dict[str, Check]) -> None:
    """Acknowledged, lost, done twice."""
    acknowledged = set(raw.ledger.loc[raw.ledger["outcome"] == "acknowledged", "task_id"])
    ended = set(raw.items.loc[raw.items["status"].isin(["COMPLETED", "FAILED"]), "task_id"])
    twice = int((raw.items["effects"] > 1).sum())

    assert [len(acknowledged), len(acknowledged - ended), twice] == numbers(checks["conservation"])


def test_oracle_again(raw: Raw, checks: dict[str, Check]) -> None:
    """Tasks, completed ones and dead letters; that all are as predicted is the oracle's own test."""
    states = raw.items["status"].value_counts()

    assert [len(raw.items), states["COMPLETED"], states["FAILED"]] == numbers(checks["oracle"])


def test_effects_again(raw: Raw, checks: dict[str, Check]) -> None:
    """Completed tasks, each with one effect."""
    completed = raw.items[raw.items["status"] == "COMPLETED"]

    assert {1} == set(completed["effects"])
    assert [len(completed)] == numbers(checks["effects"])


def test_witness_again(name: str, checks: dict[str, Check]) -> None:
    """These runs are older than the recorder: nothing is compared, and no number is told."""
    assert not RunDir(ROOT / name).recording_path.exists()
    assert [] == numbers(checks["witness"])
    assert 0 == checks["witness"].n
    assert "not compared" in checks["witness"].statement


def test_failure_rate_again(raw: Raw, checks: dict[str, Check]) -> None:
    """Failed attempts of all attempts, with the interval."""
    failures, n = len(raw.failed), len(raw.failed) + len(raw.done)
    low, high = interval(failures, n)
    check = checks["failure_rate"]

    assert [tenths(failures / n), tenths(low), tenths(high), 95, n, 30] == numbers(check)
    assert check.interval == pytest.approx((low, high))
    assert check.details["p_value"] == pytest.approx(binomtest(failures, n, 0.3).pvalue)


def test_retry_timing_again(raw: Raw, checks: dict[str, Check]) -> None:
    """The median lateness, how many retries, the emulator's share; no retry early."""
    late = raw.lateness["lateness_s"]
    share_s = min(raw.manifest["retry_probe"]["median_s"], late.median())

    assert late.min() > -0.001
    assert [late.median(), share_s] == durations(checks["retry_timing"])
    assert len(late) == numbers(checks["retry_timing"])[1]


def test_parts_of_the_lateness(raw: Raw, checks: dict[str, Check]) -> None:
    """Quantiles by attempt; the parts of the mean lateness add up to it, and the batch's part is as measured."""
    retries = raw.lateness
    first = raw.started.groupby("request_id")["ts"].min()
    turn_s = (retries["ts"] - retries["request_id"].map(first)).clip(upper=retries["lateness_s"].clip(lower=0))
    details = checks["retry_timing"].details
    whole = details["attribution"][-1]
    parts = sum(whole[part] for part in ("emulator_s", "busy_s", "cold_s", "batch_s", "unexplained_s"))

    for row in details["by_attempt"]:
        late = retries.loc[retries["attempt"] == row["attempt"], "lateness_s"]
        assert [row["n"], row["p50_s"], row["p95_s"], row["max_s"]] == pytest.approx(
            [len(late), late.median(), late.quantile(0.95), late.max()]
        )
    assert whole["lateness_s"] == pytest.approx(retries["lateness_s"].clip(lower=0).mean())
    assert whole["batch_s"] == pytest.approx(turn_s.mean())
    assert parts == pytest.approx(whole["lateness_s"])


def test_dlq_volume_again(raw: Raw, checks: dict[str, Check]) -> None:
    """Dead letters of all tasks with the interval, against 0.3 to the power of the attempts."""
    dead, n = int((raw.items["status"] == "FAILED").sum()), len(raw.items)
    share = 0.3 ** (1 + raw.manifest["scenario"]["retry"]["max_retries"])
    low, high = interval(dead, n)
    check = checks["dlq_volume"]

    assert [tenths(dead / n), tenths(low), tenths(high), 95, n, tenths(share)] == numbers(check)
    assert [binom.ppf(0.025, n, share), binom.ppf(0.975, n, share)] == check.details["band"]


def test_records_again(raw: Raw, checks: dict[str, Check]) -> None:
    """Dead letters, each with a line that has payload and error message, and with its archive."""
    dead = raw.items[raw.items["status"] == "FAILED"]
    lines = raw.of("task.dead_lettered").dropna(subset=["payload", "error_message"])

    assert set(dead["task_id"]) == set(lines["task_id"])
    assert dead["archived"].all()
    assert [len(dead)] == numbers(checks["records"])


def test_sources_again(name: str, raw: Raw, checks: dict[str, Check]) -> None:
    """Each of the seven comparisons, made from the tables as they lie on disk."""
    tables = {table: pd.read_parquet(ROOT / name / f"{table}.parquet") for table in raw.manifest["collected"]["rows"]}
    last = raw.queues.groupby("queue").tail(1)[["visible", "in_flight", "delayed"]]
    attempts = raw.started.groupby("task_id")["attempt"].nunique()
    completed = raw.items.loc[raw.items["status"] == "COMPLETED", "task_id"]

    assert last.to_numpy().sum() == 0
    assert raw.manifest["collected"]["rows"] == {table: len(rows) for table, rows in tables.items()}
    assert raw.manifest["load"]["sent"] == len(raw.ledger)
    assert set(raw.done["task_id"]) == set(completed)
    assert attempts.to_dict() == raw.items.set_index("task_id")["attempts"][attempts.index].to_dict()
    assert set(raw.events["request_id"].dropna()) <= set(tables["invocations"]["request_id"])
    assert (raw.events["stored_ts"] - raw.events["ts"]).between(-1, 900).all()
    assert [7] == numbers(checks["sources"])


def test_payloads_again(raw: Raw, checks: dict[str, Check]) -> None:
    """As texts, since the app and the clients write JSON alike: item, dead-letter line, archived message."""
    sent = raw.ledger.set_index("task_id")["payload"]
    letters = raw.of("task.dead_lettered").set_index("task_id")["payload"]
    archived = raw.items[raw.items["archived"]].set_index("task_id")["archive_body"]

    assert sent.to_dict() == raw.items.set_index("task_id")["payload"].to_dict()
    assert sent[letters.index].to_dict() == letters.to_dict()
    assert all(f'"payload":{sent[str(task)]},' in body for task, body in archived.items())
    assert [len(sent)] == numbers(checks["payloads"])


def test_recovery_again(raw: Raw, checks: dict[str, Check]) -> None:
    """How long the backlog took after the load, both rates while it lasted, quantiles of the time to completion."""
    load = raw.manifest["load_started_ts"], raw.manifest["load_ended_ts"]
    last_ts = max(raw.done["ts"].max(), raw.of("task.dead_lettered")["ts"].max())
    rates = [
        round(raw.of(event)["ts"].between(*load).sum() / (load[1] - load[0]))
        for event in ("task.accepted", "attempt.started")
    ]
    latency = raw.done["ts"] - raw.done["task_id"].map(raw.ledger.groupby("task_id")["sent_ts"].min())
    found = numbers(checks["recovery"])
    probes = raw.manifest["latency_probe"]
    told = [round(probes[when][what], 1) for what in ("api_ms", "processor_ms") for when in ("after", "before")]

    assert [round(last_ts - load[1], 1), *rates] == found[:3]
    assert told == found[5:]
    assert [latency.median(), latency.quantile(0.95)] == durations(checks["recovery"])[1:3]

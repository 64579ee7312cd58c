"""CPU and memory of the parts of a run: emulator, functions, load, harness."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

from dlqlab.collect.parts import read_part
from dlqlab.collect.ticker import Ticker
from dlqlab.contracts.tables import frame

PART_NAME = "host.jsonl"
type Pids = Callable[[], Iterable[int]]


def tree(pid: int) -> Callable[[], tuple[int, ...]]:
    """A process and all its descendants, looked up at each call; nothing once it has gone."""
    return lambda: (pid, *_descendants(pid))


def descendants(pid: int) -> Callable[[], tuple[int, ...]]:
    """The descendants of a process without itself, looked up at each call."""
    return lambda: _descendants(pid)


def _descendants(pid: int) -> tuple[int, ...]:
    try:
        return tuple(child.pid for child in psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return ()


class HostSampler:
    """Samples CPU and memory by part, once a second; each sample is on disk at once.

    CPU is that of the time since the sample before, over all processes of the part that were there both times, plus
    all of a process that came in between. What a process used between its last sample and its end is not seen.
    """

    def __init__(
        self,
        parts: Mapping[str, Pids],
        folder: Path,
        *,
        interval_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._parts = dict(parts)
        self._path = folder / PART_NAME
        self._clock = clock
        self._wall_clock = wall_clock
        self._cpu_s: dict[tuple[str, int, float], float] = {}
        self._sampled_s: dict[str, float] = {}
        self._ticker = Ticker("host", self.sample, interval_s=interval_s)

    def start(self) -> None:
        self._ticker.start()

    def ending(self) -> str | None:
        """How sampling has come to an end, for a sentence; None while it goes on, or was stopped."""
        return self._ticker.ending()

    def stop(self) -> None:
        """End the thread.

        Raises:
            EvidenceError: samples failed; says how many and shows the last error.
        """
        self._ticker.stop()

    def add(self, part: str, pids: Pids) -> None:
        """Sample one more part from the next sample on, such as the load once it has started."""
        self._parts = {**self._parts, part: pids}

    def sample(self) -> None:
        """One sample of every part, appended to the file."""
        with self._path.open("a") as file:
            for part, pids in self._parts.items():
                file.write(json.dumps(self._row(part, pids())) + "\n")

    def _row(self, part: str, pids: Iterable[int]) -> dict[str, Any]:
        now_s = self._clock()
        since_s = now_s - self._sampled_s.get(part, now_s)
        first = part not in self._sampled_s
        self._sampled_s[part] = now_s
        used_s = rss = 0.0
        seen: dict[tuple[str, int, float], float] = {}
        for pid in pids:
            try:
                process = psutil.Process(pid)
                times = process.cpu_times()
                rss += process.memory_info().rss
                key = (part, pid, process.create_time())
            except (psutil.NoSuchProcess, psutil.ZombieProcess):  # ended since its pid was looked up
                continue
            seen[key] = times.user + times.system
            used_s += seen[key] - self._cpu_s.get(key, 0.0)
        self._cpu_s = {key: value for key, value in self._cpu_s.items() if key[0] != part} | seen
        return {
            "ts": self._wall_clock(),
            "part": part,
            # The first sample has no time to relate to.
            "cpu_pct": None if first or not since_s else round(100 * used_s / since_s, 2),
            "rss_mb": round(rss / 1e6, 3),
            "processes": len(seen),
        }


def read_host(folder: Path) -> pd.DataFrame:
    """The HOST table from the samples in a folder.

    Raises:
        EvidenceError: there are none, or a line but the last is damaged.
    """
    return frame("host", read_part(folder / PART_NAME))

"""Which processor an emulator gets, and what it leaves to its functions."""

import os
import subprocess
import sys

import psutil
import pytest

from dlqlab.emulator import settings
from dlqlab.emulator.core import processors
from dlqlab.emulator.core.processors import NONE, choose, pick
from dlqlab.errors import UsageError


@pytest.mark.parametrize(
    ("available", "taken", "number", "expected"),
    [
        ([0], [], 0, NONE),
        ([], [], 0, NONE),
        ([0, 1], [], 0, "0"),
        ([0, 1], [0], 0, "1"),
        ([0, 1], [0, 1], 0, "0"),
        ([0, 1], [0, 0, 1], 0, "1"),
        ([4, 2, 7], [], 0, "2"),
        ([2, 4, 7], [9], 0, "2"),
        ([0, 1, 2, 3], [], 2, "2"),
        ([0, 1, 2, 3], [2], 2, "3"),
        ([0, 1], [], 3, "1"),
    ],
)
def test_emulator_gets_the_processor_that_fewest_others_have(
    available: list[int], taken: list[int], number: int, expected: str
) -> None:
    """Cells that start at the same moment get different ones; with a single processor nobody gets one alone."""
    assert expected == pick(available, taken, number)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="processors are given on Linux only")
def test_choice_of_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor of this machine, or none; anything else is refused with what there is."""
    first = str(min(os.sched_getaffinity(0)))
    for asked in (first, NONE):
        monkeypatch.setenv(settings.PROCESSOR, asked)
        assert asked == choose()
    for wrong in ("", "-1", "100000", "all"):
        monkeypatch.setenv(settings.PROCESSOR, wrong)
        with pytest.raises(UsageError, match=f"{settings.PROCESSOR} is {wrong}.*none.*{first}"):
            choose()


def test_without_a_choice_of_processors_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that does not let a process choose gets no error."""
    monkeypatch.delenv(settings.PROCESSOR, raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)

    assert NONE == choose()


CLAIM = """
import os, subprocess, sys, threading
from dlqlab.emulator.core import processors
end = threading.Event()
threads = [threading.Thread(target=end.wait) for _ in range(3)]
[thread.start() for thread in threads]
processors.claim()
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print([sorted({tuple(sorted(os.sched_getaffinity(thread.native_id))) for thread in threads})])
for give in (processors.give_all, processors.give_others):
    give(child.pid)
    print(sorted(os.sched_getaffinity(0)), sorted(os.sched_getaffinity(child.pid)))
child.communicate(b"\\n")
processors.give_others(child.pid)
end.set()
"""


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) == 1,
    reason="needs Linux and two processors",
)
@pytest.mark.parametrize("own", ["last", NONE])
def test_emulator_keeps_to_its_own_and_functions_to_the_others(own: str) -> None:
    """With all of its threads; a function's init may use all. A function that has ended meanwhile is no error."""
    available = sorted(os.sched_getaffinity(0))
    chosen = str(available[-1]) if own == "last" else NONE
    done = subprocess.run(
        [sys.executable, "-c", CLAIM],
        env=os.environ | {settings.PROCESSOR: chosen},
        capture_output=True,
        text=True,
        check=True,
    )
    emulators, functions = (available[-1:], available[:-1]) if own == "last" else (available, available)

    assert [
        str([[tuple(emulators)]]),
        f"{emulators} {available}",
        f"{emulators} {functions}",
    ] == done.stdout.splitlines()


def test_processors_of_running_emulators_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those that have one alone count, and only emulators."""

    class Process:
        def __init__(self, cmdline: list[str] | None, kept: list[int]) -> None:
            self.info = {"cmdline": cmdline}
            self.kept = kept

        def cpu_affinity(self) -> list[int]:
            return self.kept

    boot = ["python", "-m", processors.MODULE]
    found = [
        Process(boot, [3]),
        Process(boot, [0, 1]),
        Process(["python"], [2]),
        Process(None, [2]),
        Process(boot, [1]),
    ]
    monkeypatch.setattr(psutil, "process_iter", lambda _: found)

    assert [3, 1] == processors._taken()

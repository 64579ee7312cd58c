"""Metric values of one second become one statistic set."""

import threading

from dlqlab.emulator.metrics.sums import Metric, MetricSums, Sums
from dlqlab.waiting import wait_for

METRIC = Metric("000000000000", "us-east-1", "n", "m", (("F", "f"),), "Count")
OTHER = Metric("000000000000", "us-east-1", "n", "m", (("F", "f"), ("G", "g")), "Count")


def test_values_are_summed_by_metric_and_second() -> None:
    """Count, sum, least and greatest of each metric and second; a second set of dimensions is another metric."""
    written: list[Sums] = []
    sums = MetricSums(written.append)
    sums.add(METRIC, [1.0, 3.0], second=5)
    sums.add(METRIC, [2.0], second=5)
    sums.add(METRIC, [9.0], second=6)
    sums.add(OTHER, [4.0], second=5)
    sums.flush()
    found = {key: (one.count, one.total, one.least, one.greatest) for key, one in written[0].items()}

    assert {(METRIC, 5): (3, 6.0, 1.0, 3.0), (METRIC, 6): (1, 9.0, 9.0, 9.0), (OTHER, 5): (1, 4.0, 4.0, 4.0)} == found


def test_nothing_is_written_twice_or_for_nothing() -> None:
    """A flush without values writes nothing, and what was written is forgotten."""
    written: list[Sums] = []
    sums = MetricSums(written.append)
    sums.add(METRIC, [1.0], second=5)
    for _ in range(3):
        sums.flush()

    assert 1 == len(written)


def test_no_value_of_any_thread_is_lost() -> None:
    """Four threads add while the writer writes: all values arrive, without anybody asking for it."""
    written: list[Sums] = []
    sums = MetricSums(written.append)

    def add() -> None:
        for _ in range(500):
            sums.add(METRIC, [1.0])

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    def probe() -> tuple[bool, int]:
        count = sum(one.count for part in written for one in part.values())
        return count >= 2000, count

    assert 2000 == wait_for("all values", probe, deadline_s=10)


def test_a_failing_write_does_not_end_the_writing() -> None:
    """What could not be written is lost and logged; the next second is written."""
    tries: list[Sums] = []

    def write(sums: Sums) -> None:
        tries.append(sums)
        if len(tries) == 1:
            raise OSError("disk full")

    sums = MetricSums(write)
    sums.add(METRIC, [1.0])
    wait_for("the first try", lambda: (len(tries) == 1, len(tries)), deadline_s=10)
    sums.add(METRIC, [1.0])

    assert 2 == wait_for("the second try", lambda: (len(tries) == 2, len(tries)), deadline_s=10)


def test_a_metric_that_cannot_be_written_takes_no_other_with_it() -> None:
    """Such as one whose dimension is not valid text: it is lost, the others of its second are written."""
    written: list[Sums] = []

    def write(sums: Sums) -> None:
        if (METRIC, 5) in sums:
            raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")
        written.append(sums)

    sums = MetricSums(write)
    sums.add(METRIC, [1.0], second=5)
    sums.add(OTHER, [2.0], second=5)
    sums.add(METRIC, [3.0], second=6)
    sums.flush()

    assert [[(OTHER, 5)], [(METRIC, 6)]] == [list(part) for part in written]

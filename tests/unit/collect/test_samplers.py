"""Samplers: what they write, and what becomes of their errors."""

import json
import os
from pathlib import Path

import pytest

from dlqlab.collect.host import HostSampler, descendants, read_host, tree
from dlqlab.collect.queues import Depth, QueueSampler, depth, queue_urls, read_queues
from dlqlab.errors import EvidenceError
from tests.support.collect.fakes import FakeSqs, FakeTime


def test_a_sample_has_all_three_numbers_of_each_queue(tmp_path: Path) -> None:
    """Visible, in flight and delayed of both queues are on disk after one sample."""
    sqs = FakeSqs({"u1": [(1, 2, 3)], "u2": [(0, 0, 0)]})
    sampler = QueueSampler(sqs.client(), {"tasks": "u1", "dead-letters": "u2"}, tmp_path, wall_clock=lambda: 12.5)

    sampler.sample()

    rows = read_queues(tmp_path).drop(columns="cell").to_dict("records")
    expected = [
        {"ts": 12.5, "queue": "tasks", "visible": 1, "in_flight": 2, "delayed": 3},
        {"ts": 12.5, "queue": "dead-letters", "visible": 0, "in_flight": 0, "delayed": 0},
    ]
    assert expected == rows
    assert sampler.latest() == {"tasks": Depth(1, 2, 3), "dead-letters": Depth(0, 0, 0)}


def test_a_torn_last_sample_is_left_out(tmp_path: Path) -> None:
    """A crash in the middle of a line costs that line only."""
    row = json.dumps({"ts": 1.0, "queue": "tasks", "visible": 1, "in_flight": 0, "delayed": 0})
    (tmp_path / "queues.jsonl").write_text(row + "\n" + row[:20])

    assert len(read_queues(tmp_path)) == 1


@pytest.mark.parametrize("text", ["nonsense\n", "[1]\n"])
def test_a_damaged_sample_is_an_error(tmp_path: Path, text: str) -> None:
    """Damage that no crash explains is not read over."""
    (tmp_path / "queues.jsonl").write_text(text)

    with pytest.raises(EvidenceError, match=r"queues\.jsonl:1"):
        read_queues(tmp_path)


def test_no_samples_are_an_error(tmp_path: Path) -> None:
    """A missing file is missing evidence, not an empty queue."""
    with pytest.raises(EvidenceError, match="cannot be read"):
        read_host(tmp_path)


def test_urls_have_the_keys_of_the_names() -> None:
    """Queue names become URLs, key by key."""
    urls = queue_urls(FakeSqs({}).client(), {"tasks": "a", "dead-letters": "b"})

    assert urls == {"tasks": "http://127.0.0.1/a", "dead-letters": "http://127.0.0.1/b"}


def test_only_a_queue_without_any_message_is_empty() -> None:
    """Messages in flight or delayed are messages."""
    looks = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    sqs = FakeSqs({"u": looks})

    assert [depth(sqs.client(), "u").empty for _ in looks] == [True, False, False, False]


def test_host_samples_this_process(tmp_path: Path) -> None:
    """CPU relates to the time since the sample before; the first has none."""
    clock = FakeTime(10.0)
    sampler = HostSampler(
        {"harness": lambda: [os.getpid()], "load": lambda: [2**22 + 1]},
        tmp_path,
        clock=clock.clock,
        wall_clock=clock.clock,
    )
    sampler.sample()
    clock.now_s += 0.001
    sum(range(2_000_000))
    sampler.sample()

    rows = read_host(tmp_path)

    assert list(rows["part"]) == ["harness", "load"] * 2
    assert list(rows["processes"]) == [1, 0, 1, 0]
    assert list(rows["cpu_pct"].isna()) == [True, True, False, False]
    cpu_pct, rss_mb = rows["cpu_pct"].tolist(), rows["rss_mb"].tolist()
    assert cpu_pct[2] > 0
    assert rss_mb[0] > 1
    assert (cpu_pct[3], rss_mb[1]) == (0, 0)


def test_a_part_can_be_added_while_sampling(tmp_path: Path) -> None:
    """The load starts after the sampler has."""
    sampler = HostSampler({}, tmp_path)
    sampler.add("load", lambda: [os.getpid()])
    sampler.sample()

    assert list(read_host(tmp_path)["part"]) == ["load"]


def test_a_tree_is_the_process_and_its_descendants() -> None:
    """The emulator alone and the functions, its descendants, can be told apart; a process that has gone has none."""
    gone = 2**22 + 1

    assert tree(os.getpid())()[0] == os.getpid()
    assert os.getpid() not in descendants(os.getpid())()
    assert os.getpid() in descendants(os.getppid())()
    assert descendants(gone)() == ()

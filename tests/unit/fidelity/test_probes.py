"""Probes without a target: what they make of answers, and that a failing one hides no other."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.fidelity.findings import Finding, Probe, run_probes
from dlqlab.fidelity.mapping import Seen, most_at_once, poll_wait, pollers
from dlqlab.fidelity.probes import visibility_tick
from dlqlab.waiting import DeadlinePassedError


def no_client(service: str) -> Any:
    """Not called: no probe here needs a client."""
    assert service
    return None


def finding(name: str) -> Finding:
    return Finding(name=name, ok=True, statement="as on AWS")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (DeadlinePassedError("the query", 2.0, None), "not known: the query: not within 2.0 s; last seen: None"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "StartQuery"), "AccessDenied"),
    ],
)
def test_failing_probe_is_not_known_and_hides_no_other(error: Exception, said: str) -> None:
    """The failed probe's findings carry its reason under each of its names; the others are there in their order."""

    def fail(_client: Any, _deadline_s: float) -> list[Finding]:
        raise error

    probes = [
        Probe(names=("a",), ask=lambda _client, _deadline_s: [finding("a")]),
        Probe(names=("b", "c"), ask=fail),
        Probe(names=("d",), ask=lambda _client, _deadline_s: [finding("d")]),
    ]
    found = run_probes(no_client, probes, deadline_s=1)

    assert [("a", True), ("b", None), ("c", None), ("d", True)] == [(one.name, one.ok) for one in found]
    assert said in found[1].statement


def test_no_probe_finds_nothing() -> None:
    """Nothing asked, nothing found."""
    assert [] == run_probes(no_client, [], deadline_s=1)


@pytest.mark.parametrize(("p95_s", "ok"), [(0.014, True), (0.9, False)])
def test_ticking_queue_is_told_by_its_p95(p95_s: float, ok: bool) -> None:
    """A queue whose messages wait for a clock of one second is not as on AWS."""
    found = visibility_tick(n=20, median_s=0.01, p95_s=p95_s)

    assert ok is found.ok
    assert "10 ms after its visibility timeout at the median" in found.statement


@pytest.mark.parametrize(
    ("spans", "most"),
    [([], 0), ([(0, 1)], 1), ([(0, 1), (1, 2)], 1), ([(0, 2), (1, 3), (1.5, 1.6), (5, 6)], 3)],
)
def test_most_at_once_counts_overlaps(spans: list[tuple[float, float]], most: int) -> None:
    """Spans that only touch do not overlap."""
    assert most == most_at_once(spans)


def test_single_poller_is_not_as_on_aws() -> None:
    """Batches one after the other are the emulator's single poller; their number is measured."""
    found = pollers([Seen(id=str(n), started_ts=n, ended_ts=n + 0.9) for n in range(10)])

    assert (False, 1) == (found.ok, found.measured["pollers"])


def test_poll_wait_is_send_to_start() -> None:
    """Median and p95 over the messages whose sending is known."""
    seen = [Seen(id=str(n), started_ts=10 + n / 10, ended_ts=12) for n in range(11)]
    found = poll_wait({str(n): 10.0 for n in range(11)}, seen)

    assert (0.5, 0.95, 11) == (found.measured["median_s"], found.measured["p95_s"], found.measured["n"])

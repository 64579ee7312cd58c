"""The probes on a real emulator: what they say is what it does."""

from collections.abc import Iterator

import pytest

from dlqlab.deploy.target import Target, local_target
from dlqlab.emulator.core.loopback import ANY_PORT
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.emulator.patches import ALL
from dlqlab.fidelity.findings import PREFIX, Finding, run_probes
from dlqlab.fidelity.mapping import DEADLINE_S, mapping_probe
from dlqlab.fidelity.probes import QUICK
from dlqlab.run.preflight import probe_fidelity, probe_retries
from dlqlab.waiting import wait_for

pytestmark = pytest.mark.integration
UNPATCHED = {"visibility_timers", "concurrent_pollers", "match_dimensions", "embedded_metrics"}


@pytest.fixture(scope="module")
def target(emulator: Emulator) -> Target:
    """The emulator with all patches."""
    return local_target(emulator)


@pytest.fixture(scope="module")
def unpatched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """LocalStack's own queue clock, pollers, dimensions and logs."""
    patches = tuple(name for name in ALL if name not in UNPATCHED)
    running = lifecycle.start(ANY_PORT, bound=True, root=tmp_path_factory.mktemp("state"), patches=patches)
    yield local_target(running)
    lifecycle.stop(running)


def by_name(found: list[Finding]) -> dict[str, bool | None]:
    return {finding.name: finding.ok for finding in found}


CARD = {
    "visibility_tick": True,
    "clock_skew": True,
    "log_lag": True,
    "log_filters": True,
    "insights": True,
    "metric_dimensions": True,
    "emf": True,
}


def test_card_of_the_emulator(target: Target) -> None:
    """With all patches time, dimensions, log filters and Insights are as on AWS, as soon as the machine has time."""
    run_probes(target.client, QUICK, deadline_s=10)  # loads the services

    def probe() -> tuple[bool, dict[str, bool | None]]:
        entries = {entry.name: entry.ok for entry in probe_fidelity(target, probe_retries(target))}
        return entries == CARD, entries

    wait_for("a card as on AWS", probe, deadline_s=60, interval_s=1)


def test_mapping_of_the_emulator(target: Target) -> None:
    """Five pollers wait at the queue, and more come with a backlog; the function's lines can be read at once."""
    good = {"poll_wait": True, "pollers": True, "function_log_lag": True}

    def probe() -> tuple[bool, list[Finding]]:
        found = run_probes(target.client, [mapping_probe()], deadline_s=DEADLINE_S)
        return by_name(found) == good, found

    found = wait_for("a mapping as on AWS", probe, deadline_s=60, interval_s=1)
    assert int(found[1].measured["pollers"] or 0) >= 5


def test_probes_tell_an_emulator_without_patches(unpatched: Target) -> None:
    """LocalStack as it comes: a clock of a second, one poller, dimensions by their beginning, no metrics of logs."""
    run_probes(unpatched.client, QUICK, deadline_s=10)
    entries = {entry.name: entry for entry in probe_fidelity(unpatched, probe_retries(unpatched))}
    found = run_probes(unpatched.client, [mapping_probe()], deadline_s=DEADLINE_S)

    assert {"visibility_tick": False, "metric_dimensions": False, "emf": False} == {
        name: entries[name].ok for name in ("visibility_tick", "metric_dimensions", "emf")
    }
    assert by_name(found)["pollers"] is False
    assert 1 == found[1].measured["pollers"]


def test_probes_leave_nothing_behind(target: Target) -> None:
    """Queues, log groups, functions and mappings of the probes are gone."""
    run_probes(target.client, QUICK, deadline_s=10)
    groups = target.client("logs").describe_log_groups()["logGroups"]
    functions = target.client("lambda").list_functions()["Functions"]

    assert [] == target.client("sqs").list_queues(QueueNamePrefix=PREFIX).get("QueueUrls", [])
    assert [] == [group["logGroupName"] for group in groups if PREFIX in group["logGroupName"]]
    assert [] == [function["FunctionName"] for function in functions if PREFIX in function["FunctionName"]]

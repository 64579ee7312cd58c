"""What a person has to agree to before anything leaves this machine."""

from pathlib import Path

import pytest

from dlqlab.cli import consent
from dlqlab.cli.consent import Intent
from dlqlab.contracts.scenario import Load, Scenario
from dlqlab.costs.prices import bill, load_prices
from dlqlab.deploy.target import url_target
from dlqlab.errors import UsageError
from taskrules.retry import RetryPolicy


def test_this_machine_needs_no_word(tmp_path: Path) -> None:
    """Loopback is free to use; any other address asks."""
    here, there = (url_target(f"http://{host}:4566", state_root=tmp_path) for host in ("127.0.0.1", "192.0.2.1"))

    assert [False, True] == [consent.is_needed(here), consent.is_needed(there)]


@pytest.mark.parametrize(
    ("given", "message"),
    [(None, "confirm with --confirm local@192.0.2.1"), ("yes", "'yes' does not confirm"), ("local@aws", "give local@")],
)
def test_only_the_stage_and_host_confirm(tmp_path: Path, given: str | None, message: str) -> None:
    """A plain yes is not enough: the word names what it is about."""
    target = url_target("http://192.0.2.1:4566", state_root=tmp_path)

    with pytest.raises(UsageError, match=message):
        consent.check(target, given)
    assert "local@192.0.2.1" == consent.word(target)


def test_requests_are_the_most_that_a_load_can_lead_to() -> None:
    """10 tasks of 3 attempts each: the numbers can be followed by hand."""
    scenario = Scenario(name="s", load=Load(tasks=10, rate_per_s=0.0), retry=RetryPolicy(max_retries=2))

    expected = {"API Gateway": 10, "Lambda": 10 + 30 + 10, "SQS": 10 + 2 * 30 + 2 * 10, "DynamoDB": 20 + 60 + 20}
    assert expected == consent.load_requests(scenario)


def test_time_bounds_the_tasks() -> None:
    """A load that ends by its duration sends no more than its rate allows."""
    scenario = Scenario(name="s", load=Load(tasks=1000, rate_per_s=10.0, duration_s=2.0))

    assert 20 == consent.load_requests(scenario)["API Gateway"]


def test_description_has_target_and_requests(tmp_path: Path) -> None:
    """What is read before the word is given names both."""
    target = url_target("http://192.0.2.1:4566", state_root=tmp_path)
    text = consent.describe(target, Intent(what="send load", requests={"SQS": 1234}))

    assert [
        "This will send load at http://192.0.2.1:4566, stage local, which is not this machine.",
        "Requests, at most: 1,234 SQS.",
    ] == text.splitlines()


def test_cost_is_the_table_times_the_requests(tmp_path: Path) -> None:
    """An account is told an amount with the date of its prices; an emulator is told none."""
    scenario = Scenario(name="s", load=Load(tasks=1_000_000, rate_per_s=0.0), retry=RetryPolicy(max_retries=2))
    prices = load_prices()
    usage = consent.load_usage(scenario)

    assert (1_000_000, 5_000_000, 9_000_000) == (usage.api_requests, usage.lambda_requests, usage.sqs_requests)
    assert bill(usage, prices).total > 3.5 + 5 * 0.2 + 9 * 0.4
    assert f"{bill(usage, prices).total:.2f} USD" in consent.load_cost(scenario)
    assert str(prices.noted) in consent.load_cost(scenario)
    there = url_target("http://192.0.2.1:4566", state_root=tmp_path)
    assert "" == consent.load_intent("send load", scenario, there).cost

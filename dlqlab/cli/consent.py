"""Before anything leaves this machine: what would be sent, what that costs, and a word that only a person gives."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from dlqlab.contracts.hosts import is_loopback_url
from dlqlab.contracts.scenario import Scenario
from dlqlab.costs.prices import Prices, bill, load_prices
from dlqlab.costs.usage import (
    ENVELOPE_BYTES,
    HISTORY_BYTES,
    ITEM_BYTES,
    MEMORY_MB,
    METRICS,
    READ_UNIT_BYTES,
    SQS_CHUNK_BYTES,
    WRITE_UNIT_BYTES,
    Usage,
)
from dlqlab.deploy.target import AWS, Target
from dlqlab.errors import UsageError

HANDLER_S = 0.5
"""Longer than a batch is expected to take on AWS, its share of cold starts included; a scenario may make it slower."""
LINES_PER_REQUEST, EVENT_BYTES = 6, 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """Something that a command is about to do to a target: ``what`` as a verb."""

    what: str
    requests: Mapping[str, int] | None = None
    cost: str = ""


def word(target: Target) -> str:
    """What has to be given: ``dev@aws``, ``local@192.0.2.1``."""
    return f"{target.stage}@{AWS if target.endpoint is None else urlsplit(target.endpoint).hostname}"


def is_needed(target: Target) -> bool:
    """Whether anybody has to be asked: not for this machine."""
    return not target.is_this_machine


def check(target: Target, given: str | None) -> None:
    """Whether the word is the right one.

    Raises:
        UsageError: it is missing or another.
    """
    if given is None:
        raise UsageError(f"{target.label} is not this machine: confirm with --confirm {word(target)}")
    if given != word(target):
        raise UsageError(f"{given!r} does not confirm {target.label}, stage {target.stage}: give {word(target)}")


def check_traces(url: str, given: str | None) -> None:
    """Whether a run's traces may go to a collector: what its requests, messages and functions are called, their ids and
    keys, what errors say; no bodies.

    Raises:
        UsageError: it is not this machine, and the word is missing or another.
    """
    host = urlsplit(url).hostname
    wanted = f"traces@{host}"
    if is_loopback_url(url) or given == wanted:
        return
    if given is None:
        raise UsageError(
            f"{host} is not this machine, and would get all names, ids, keys and error messages of the run: "
            f"confirm with --confirm {wanted}"
        )
    raise UsageError(f"{given!r} does not confirm {host}: give {wanted}")


def describe(target: Target, intent: Intent) -> str:
    """What a person reads before the word is given."""
    lines = [f"This will {intent.what} at {target.label}, stage {target.stage}, which is not this machine."]
    if intent.requests:
        lines.append("Requests, at most: " + ", ".join(f"{n:,} {name}" for name, n in intent.requests.items()) + ".")
    return "\n".join([*lines, *([intent.cost] if intent.cost else [])])


def load_intent(what: str, scenario: Scenario, target: Target) -> Intent:
    """To send a scenario's load, with its requests; what they cost only where somebody is asked and pays."""
    is_paid = target.endpoint is None
    return Intent(what=what, requests=load_requests(scenario), cost=load_cost(scenario) if is_paid else "")


def load_cost(scenario: Scenario, prices: Prices | None = None) -> str:
    """What those requests cost by the price table, as a sentence."""
    table = prices or load_prices()
    total = bill(load_usage(scenario), table).total
    return (
        f"Cost of these, at most: {total:.2f} {table.currency} by the prices for {table.region} noted on "
        f"{table.noted} in dlqlab/costs/prices.toml; check them. Free tiers are not taken off, other regions differ."
    )


def load_usage(scenario: Scenario) -> Usage:
    """The most of everything AWS charges for, by the requests of ``load_requests``.

    An invocation is taken as HANDLER_S of work, or what slow and timed-out attempts of the scenario take where that is
    longer; LINES_PER_REQUEST lines of EVENT_BYTES are logged for each.
    """
    found, load, faults = load_requests(scenario), scenario.load, scenario.faults
    timeout_s = scenario.pipeline.function_timeout_s if faults.timeout_rate else 0
    busy_s = max(HANDLER_S, faults.slow_s if faults.slow_rate else 0, timeout_s)
    item_bytes = ITEM_BYTES + load.payload_bytes + HISTORY_BYTES * scenario.retry.max_attempts
    chunks = math.ceil((load.payload_bytes + ENVELOPE_BYTES) / SQS_CHUNK_BYTES)
    return Usage(
        sqs_requests=found["SQS"] * chunks,
        api_requests=found["API Gateway"],
        lambda_requests=found["Lambda"],
        lambda_gb_s=found["Lambda"] * busy_s * MEMORY_MB / 1024,
        dynamodb_write_units=found["DynamoDB"] * math.ceil(item_bytes / WRITE_UNIT_BYTES),
        dynamodb_read_units=found["API Gateway"] * math.ceil(item_bytes / READ_UNIT_BYTES),
        log_gb=found["Lambda"] * LINES_PER_REQUEST * (EVENT_BYTES + load.payload_bytes) / 1e9,
        metric_hours=METRICS * math.ceil((load.duration_s + scenario.drain.deadline_s) / 3600),
    )


def load_requests(scenario: Scenario) -> dict[str, int]:
    """The most requests of each service that a load can lead to, were every task to fail until it is dead-lettered.

    Per task: a call of the API with its invocation, one message, an item that is created and marked as enqueued. Per
    attempt: an invocation, a receive, a delete or a new visibility, a claim and an end in the table. Per dead letter:
    an invocation, a receive, a delete, an archived item, an end. Batches are counted as one message each, which is the
    most it can be. Polls of queues are not counted: Lambda polls as long as the mappings exist, load or no load.
    """
    load = scenario.load
    tasks = min(load.tasks, math.ceil(load.rate_per_s * load.duration_s) if load.rate_per_s else load.tasks)
    attempts = tasks * scenario.retry.max_attempts
    return {
        "API Gateway": tasks,
        "Lambda": 2 * tasks + attempts,
        "SQS": 3 * tasks + 2 * attempts,
        "DynamoDB": 4 * tasks + 2 * attempts,
    }

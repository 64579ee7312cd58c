"""Before anything leaves this machine: what would be sent, what that costs, and a word that only a person gives."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from dlqlab.contracts.scenario import Scenario
from dlqlab.deploy.target import AWS, Target
from dlqlab.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """Something that a command is about to do to a target: ``what`` as a verb, ``effects`` as sentences."""

    what: str
    effects: tuple[str, ...] = ()
    requests: Mapping[str, int] | None = None


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


def describe(target: Target, intent: Intent) -> str:
    """What a person reads before the word is given."""
    lines = [f"This will {intent.what} at {target.label}, stage {target.stage}, which is not this machine."]
    if intent.requests:
        lines.append("Requests, at most: " + ", ".join(f"{n:,} {name}" for name, n in intent.requests.items()) + ".")
    return "\n".join([*lines, *intent.effects])


def load_requests(scenario: Scenario) -> dict[str, int]:
    """The most requests of each service that a load can lead to, were every task to fail until it is dead-lettered.

    Per task: a call of the API with its invocation, one message, an item that is created and marked as enqueued. Per
    attempt: an invocation, a receive, a delete or a new visibility, a claim and an end in the table. Per dead letter:
    an invocation, a receive, a delete, an archived item, an end. Batches are counted as one message each, which is the
    most it can be. Polls of queues are not counted: Lambda polls as long as the mappings exist, load or no load.
    """
    load = scenario.load
    tasks = min(load.tasks, math.ceil(load.rate_per_s * load.duration_s) if load.rate_per_s else load.tasks)
    attempts = tasks * scenario.retry_policy().max_attempts
    return {
        "API Gateway": tasks,
        "Lambda": 2 * tasks + attempts,
        "SQS": 3 * tasks + 2 * attempts,
        "DynamoDB": 4 * tasks + 2 * attempts,
    }

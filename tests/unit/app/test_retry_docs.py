"""docs/retry-strategy.md shows the schedule that the policy really makes."""

import re
from pathlib import Path

import pytest

from taskrules.retry import Jitter, RetryPolicy

PAGE = (Path(__file__).parents[3] / "docs" / "retry-strategy.md").read_text()
TASKS = ("t-1-00000000", "t-1-00000001")
POLICIES = {
    "default": RetryPolicy(seed=1),
    "long": RetryPolicy(max_retries=10, seed=1),
    "full": RetryPolicy(max_retries=4, base_s=4, jitter=Jitter.FULL, seed=1),
}


def schedule_table(policy: RetryPolicy) -> str:
    """One row for each failed attempt: the bounds of each jitter in seconds, and the delays of two tasks of seed 1."""
    rows = [f"| After attempt | none | equal | full | {' | '.join(f'`{task}`' for task in TASKS)} |", "|---" * 6 + "|"]
    for attempt in range(1, policy.max_attempts + 1):
        delays = [str(policy.delay_s(task, attempt)) for task in TASKS]
        if policy.is_last(attempt):
            rows.append(f"| {attempt} | dead-letter queue | | | {' | '.join(delays)} |")
            continue
        bounds = [_bounds(policy, jitter, attempt) for jitter in Jitter]
        rows.append(f"| {' | '.join([str(attempt), *bounds, *delays])} |")
    return "\n".join(rows)


def _bounds(policy: RetryPolicy, jitter: Jitter, attempt: int) -> str:
    same = RetryPolicy(
        max_retries=policy.max_retries, base_s=policy.base_s, factor=policy.factor, cap_s=policy.cap_s, jitter=jitter
    )
    low, high = same.bounds_s(attempt)
    return str(low) if low == high else f"{low} to {high}"


@pytest.mark.parametrize("name", POLICIES)
def test_schedule_in_the_docs_is_the_policys(name: str) -> None:
    """Each table of the page is what the policy computes."""
    found = re.search(rf"<!-- schedule {name} -->\n(.*?)\n<!-- /schedule -->", PAGE, re.DOTALL)
    assert found is not None

    assert schedule_table(POLICIES[name]) == found[1]


def test_defaults_in_the_docs_are_the_policys() -> None:
    """The settings' table has every field of the policy with its default."""
    default = RetryPolicy()
    rows = dict(re.findall(r"^\| `retry\.(\w+)` \| `?([^`|]+?)`? \|", PAGE, re.MULTILINE))
    fields = ("max_retries", "base_s", "factor", "cap_s", "jitter")

    assert {name: f"{getattr(default, name):g}" if name != "jitter" else default.jitter for name in fields} == rows

"""docs/capacity-planning.md names what can be varied, every measure, every count and every file."""

import dataclasses
import re
from pathlib import Path

import pytest

from dlqlab.costs.usage import METRICS
from dlqlab.tune.measures import MEASURES, OBJECTIVES
from dlqlab.tune.pareto import SUCCESS_WITHIN
from dlqlab.tune.store import TABLES
from dlqlab.tune.sweep import Question
from dlqlab.tune.variations import SECTIONS

PAGE = (Path(__file__).parents[3] / "docs" / "capacity-planning.md").read_text()
FLAT = re.sub(r"\s+", " ", PAGE)


@pytest.mark.parametrize("name", list(SECTIONS))
def test_what_can_be_varied_is_documented(name: str) -> None:
    """Each setting that --vary takes."""
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("name", [name for name in MEASURES if name not in {"tasks", "wasted_share"}])
def test_measure_is_documented(name: str) -> None:
    """By its title without its unit or quantile; shares stand with their counts."""
    title = re.split(r",| \(| after", MEASURES[name].title)[0]

    assert title in PAGE


def test_objectives_are_documented() -> None:
    """In the rule of the choice, in the code's order."""
    titles = [
        "success share",
        "DLQ volume",
        "p95 of the time to completion",
        "wasted invocations",
        "retry-storm peak",
        "cost",
    ]

    assert f"objectives are {', '.join(titles)}." in FLAT
    assert len(titles) == len(OBJECTIVES)


@pytest.mark.parametrize("name", TABLES)
def test_table_is_documented(name: str) -> None:
    """Each file of a sweep's folder."""
    assert f"| `{name}.parquet` |" in PAGE


def test_numbers_are_those_of_the_code() -> None:
    """Threshold, seeds, metrics."""
    seeds = next(field.default for field in dataclasses.fields(Question) if field.name == "seeds")

    assert f"`--success-within` ({100 * SUCCESS_WITHIN:g} pp)" in FLAT
    assert f"`--seeds` ({seeds})" in FLAT
    assert f"| {METRICS} custom metrics" in FLAT

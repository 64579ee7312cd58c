"""Retry lateness in both runs."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dlqlab.analysis.compare import run_names
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.measures import measures
from dlqlab.charts.distributions import distributions
from dlqlab.charts.plot import charted
from dlqlab.charts.style import Chart


def data(pair: tuple[Facts, Facts]) -> dict[str, Any]:
    values = [measures(facts).retry_lateness_s for facts in pair]
    return {"values": dict(zip(run_names(pair), values, strict=True))}


@charted("Retry lateness", data)
def draw(values: Mapping[str, pd.Series]) -> Chart:
    """The distributions over each other: name of the run -> values."""
    return distributions(values, subject="retry lateness", unit="s")

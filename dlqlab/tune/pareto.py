"""The Pareto front of a sweep, and the setting that a stated rule chooses from it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlqlab.tune.measures import MEASURES, OBJECTIVES

SUCCESS_WITHIN = 0.005
BACKLOG_MAX_S = 5.0
"""Seconds of arrivals that may wait when the load ends. With more the pipeline is behind, and would be more so after a
longer load: its times are those of this load's length, and its storms are cut off by its own lack of capacity."""
WEIGHED = tuple(name for name in OBJECTIVES if name not in {"success_share", "dead_letters"})
"""What the distance to the ideal is made of besides success, whose complement the DLQ volume is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The setting chosen: its row, how many were left after each step, and why in sentences."""

    row: int
    candidates: int
    front: int
    kept: int
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {"row": self.row, "candidates": self.candidates, "front": self.front, "kept": self.kept,
                "reasons": list(self.reasons)}  # fmt: skip


def pareto(table: pd.DataFrame, objectives: Sequence[str] = OBJECTIVES) -> NDArray[np.bool_]:
    """Which rows no other row beats: as good in every objective, and better in one.

    A row with an objective that is not a finite number is beaten by every row without.
    """
    losses = _losses(table, objectives)
    front = np.isfinite(losses).all(axis=1)
    if not front.any():
        return front
    for place in np.flatnonzero(front):
        others = losses[front]
        beaten = (others <= losses[place]).all(axis=1) & (others < losses[place]).any(axis=1)
        front[place] = not beaten.any()
    return front


def keeps_up(table: pd.DataFrame) -> pd.Series:
    """Which rows have no backlog to speak of when the load ends."""
    return table["backlog_end_s"] <= BACKLOG_MAX_S


def choose(
    table: pd.DataFrame, *, success_within: float = SUCCESS_WITHIN, max_p95_s: float | None = None
) -> Choice | None:
    """The setting to choose, None where none qualifies.

    1. The settings that keep up with the load, and keep the limit of p95 where one is given; of them the Pareto front.
    2. Of it, what has a success share within ``success_within`` of the best.
    3. Of these, the one nearest to the ideal, by Euclidean distance: success lost in multiples of ``success_within``,
       and in each other objective the distance to the best of those kept in multiples of their mean. An objective in
       which they hardly differ hardly counts. Where two are as near: more success, the cheaper, the quicker.
    """
    able = table[keeps_up(table)]
    allowed = able if max_p95_s is None else able[able["completion_s_p95"] <= max_p95_s]
    front = allowed[pareto(allowed)]
    if front.empty:
        return None
    best = float(front["success_share"].max())
    kept = front[front["success_share"] >= best - success_within]
    ranked = kept.assign(distance=_distances(kept, success_within).round(9)).sort_values(
        ["distance", "success_share", "cost_usd", "completion_s_p95"],
        ascending=[True, False, True, True],
        kind="stable",
    )
    row = ranked.index[0]
    chosen = kept.loc[row]
    within, of_best = f"{100 * success_within:g} pp", f"the best, {100 * best:.4g} %"
    reasons = [
        f"{len(able)} of {len(table)} settings keep up: under {BACKLOG_MAX_S:g} s of arrivals wait when the load ends.",
        f"{len(front)} of {len(allowed)} settings are on the Pareto front: none is beaten in every objective.",
        f"{len(kept)} of these have a success share within {within} of {of_best}.",
        f"Of these it is nearest to the best in all other objectives at once: {_said_position(kept, chosen)}.",
    ]
    if max_p95_s is not None:
        limit = f"p95 of the time to completion of {max_p95_s:g} s or less"
        reasons.insert(1, f"{len(allowed)} of these have a {limit}.")
    return Choice(row=int(row), candidates=len(table), front=len(front), kept=len(kept), reasons=tuple(reasons))


def _losses(table: pd.DataFrame, objectives: Sequence[str]) -> NDArray[np.float64]:
    """The objectives as numbers of which less is better."""
    signs = [-1.0 if MEASURES[name].more_is_better else 1.0 for name in objectives]
    return np.asarray(table[list(objectives)].to_numpy(dtype=np.float64) * np.array(signs))


def _distances(kept: pd.DataFrame, success_within: float) -> NDArray[np.float64]:
    losses = _losses(kept, WEIGHED)
    means = losses.mean(axis=0)
    distances = (losses - losses.min(axis=0)) / np.where(means > 0, means, 1.0)
    success = kept["success_share"].to_numpy(dtype=np.float64)
    lost = (success.max() - success) / success_within if success_within > 0 else np.zeros(len(kept))
    return np.asarray(np.sqrt((distances**2).sum(axis=1) + lost**2), dtype=np.float64)


def _said_position(kept: pd.DataFrame, chosen: Mapping[str, Any]) -> str:
    """Each weighed objective of the chosen setting, beside the best and the worst of those kept."""
    parts = []
    for name in ("dead_letters", *WEIGHED):
        value, low, high = float(chosen[name]), float(kept[name].min()), float(kept[name].max())
        unit = f" {MEASURES[name].unit}" if MEASURES[name].unit else ""
        among = "" if math.isclose(low, high) else f" ({low:,.4g} to {high:,.4g})"
        parts.append(f"{MEASURES[name].title} {value:,.4g}{unit}{among}")
    return "; ".join(parts)

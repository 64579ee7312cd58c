"""A sweep: every setting with every seed, what came of it, the choice, and the chosen setting under other loads.

<folder>/ sweep.json         question, scenario, world, settings with labels and warnings, refusals, choice
          results.parquet    one row for each setting and seed: setting, seed, the measures
          settings.parquet   one row for each setting: its values, the mean of each measure, front, chosen
          growth.parquet     the chosen setting at multiples of the rate: factor, rate_per_s, seed, the measures
          storm.parquet      seconds of the chosen setting and of the one with the highest storm: role, t_s,
                             accepted, received
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import pandas as pd

from dlqlab.contracts.scenario import Scenario
from dlqlab.errors import UsageError
from dlqlab.tune.jobs import Job, World, at_rate, received_per_s
from dlqlab.tune.measures import COST_OF, MEASURES, OBJECTIVES
from dlqlab.tune.parallel import Perform
from dlqlab.tune.pareto import SUCCESS_WITHIN, Choice, choose, keeps_up, pareto
from dlqlab.tune.variations import Refusal, Setting, Variation, combine

CHOSEN: Final = "chosen"
STORMIEST: Final = "highest storm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What a sweep found.

    ``settings`` has one row for each setting: label, the varied values, warnings, the mean of each measure, keeps_up,
    front (of what keeps up), chosen; ``results`` one for each setting and seed. ``growth`` is the chosen setting at
    multiples of the rate: factor, rate_per_s, seed, the measures. ``storm`` holds the seconds of the chosen setting and
    of the one with the highest storm: role, label, t_s, accepted, received, storm_begins_s.
    """

    scenario: Scenario
    world: Mapping[str, Any]
    seeds: tuple[int, ...]
    varied: tuple[str, ...]
    settings: pd.DataFrame
    results: pd.DataFrame
    growth: pd.DataFrame
    storm: pd.DataFrame
    refusals: tuple[Refusal, ...]
    choice: Choice | None

    @property
    def chosen(self) -> pd.Series | None:
        """The chosen setting's row."""
        return None if self.choice is None else self.settings.iloc[self.choice.row]

    @property
    def front_table(self) -> pd.DataFrame:
        """The Pareto front by label, the chosen setting first: a column for each objective, by its title; warnings."""
        shown = self.settings[self.settings["front"]].sort_values(["chosen", "success_share"], ascending=False)
        columns = shown.set_index("label")[[*OBJECTIVES, "warnings"]]
        return columns.rename(columns={name: MEASURES[name].title for name in OBJECTIVES})

    def to_json(self) -> dict[str, Any]:
        """Everything but the tables."""
        return {
            "schema": 1,
            "scenario": self.scenario.to_dict(),
            "world": dict(self.world),
            "seeds": list(self.seeds),
            "varied": list(self.varied),
            "refusals": [{"values": dict(one.values), "reason": one.reason} for one in self.refusals],
            "choice": None if self.choice is None else self.choice.to_json(),
            "chosen": None if self.choice is None else str(self.settings.iloc[self.choice.row]["label"]),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a sweep is asked; impossible settings are found when it is put.

    Raises:
        UsageError: the settings or the load cannot be.
    """

    scenario: Scenario
    variations: tuple[Variation, ...]
    world: World
    seeds: int = 3
    success_within: float = SUCCESS_WITHIN
    max_p95_s: float | None = None
    growth: tuple[float, ...] = ()  # multiples of the rate for the chosen setting
    settings: tuple[Setting, ...] = field(init=False)
    refusals: tuple[Refusal, ...] = field(init=False)

    def __post_init__(self) -> None:
        if not 1 <= self.seeds <= 100:  # noqa: PLR2004  (beside what it bounds)
            raise UsageError(f"seeds is {self.seeds}: give 1 to 100")
        if not 0 <= self.success_within <= 1:
            raise UsageError(f"success_within is {self.success_within}: give a ratio of 0 to 1")
        if any(not factor > 0 for factor in self.growth):
            raise UsageError(f"growth is {self.growth}: give multiples over 0")
        scenario = at_rate(self.scenario)
        for factor in self.growth:
            grown(scenario, factor)
        settings, refusals = combine(scenario, self.variations)
        object.__setattr__(self, "settings", tuple(settings))
        object.__setattr__(self, "refusals", tuple(refusals))

    @property
    def jobs(self) -> int:
        """Simulations to do."""
        return self.seeds * (len(self.settings) + len(self.growth))


def run_sweep(question: Question, perform: Perform) -> Sweep:
    """Try every combination with every seed, choose, and look at the chosen setting under other loads."""
    scenario, settings = at_rate(question.scenario), question.settings
    seeds = tuple(scenario.seed + place for place in range(question.seeds))
    jobs = [
        Job(setting=place, seed=seed, scenario=setting.scenario.to_dict())
        for place, setting in enumerate(settings)
        for seed in seeds
    ]
    results = pd.DataFrame(perform(jobs, question.world))
    table = summarise(settings, results)
    choice = _choose(question, table, results)
    table["chosen"] = table.index == (-1 if choice is None else choice.row)
    chosen = None if choice is None else settings[choice.row].scenario
    return Sweep(
        scenario=scenario,
        world=question.world.to_json(),
        seeds=seeds,
        varied=tuple(variation.name for variation in question.variations),
        settings=table,
        results=results,
        growth=_growth(question, chosen, seeds, perform),
        storm=_storm(question.world, settings, table, seeds[0]),
        refusals=question.refusals,
        choice=choice,
    )


def _choose(question: Question, table: pd.DataFrame, results: pd.DataFrame) -> Choice | None:
    """The choice by the means, and how many of the seeds would have led to it alone."""
    by_rule = partial(choose, success_within=question.success_within, max_p95_s=question.max_p95_s)
    choice = by_rule(table)
    if choice is None or question.seeds == 1:
        return choice
    alone = [by_rule(part.set_index("setting")) for _, part in results.groupby("seed")]
    same = sum(one is not None and one.row == choice.row for one in alone)
    said = f"By each seed alone the same setting would be chosen with {same} of {len(alone)}."
    return replace(choice, reasons=(*choice.reasons, said))


def summarise(settings: Sequence[Setting], results: pd.DataFrame) -> pd.DataFrame:
    """One row for each setting: label, values, warnings, the means of the measures over the seeds, keeps_up, front."""
    described = pd.DataFrame(
        [{"label": one.label, **dict(one.values), "warnings": ", ".join(one.warnings)} for one in settings]
    )
    named = [name for name in results.columns if name in MEASURES or name.startswith(COST_OF)]
    means = results.groupby("setting")[named].mean()
    table = described.join(means)
    table["keeps_up"] = keeps_up(table)
    table["front"] = False
    able = table[table["keeps_up"]]
    table.loc[able.index, "front"] = pareto(able)
    return table


def grown(scenario: Scenario, factor: float) -> Scenario:
    """The scenario at a multiple of its rate, for as long as before.

    Raises:
        UsageError: that makes too many tasks.
    """
    return at_rate(scenario, rate_per_s=scenario.load.rate_per_s * factor, duration_s=scenario.load.duration_s)


def _growth(question: Question, chosen: Scenario | None, seeds: Sequence[int], perform: Perform) -> pd.DataFrame:
    """The chosen setting at multiples of the rate, for as long as before."""
    if chosen is None or not question.growth:
        return pd.DataFrame(columns=["factor", "rate_per_s", "seed"])
    loads = [grown(chosen, factor) for factor in question.growth]
    jobs = [
        Job(setting=place, seed=seed, scenario=load.to_dict()) for place, load in enumerate(loads) for seed in seeds
    ]
    found = pd.DataFrame(perform(jobs, question.world))
    found.insert(0, "factor", [question.growth[int(place)] for place in found["setting"]])
    found.insert(1, "rate_per_s", [loads[int(place)].load.rate_per_s for place in found["setting"]])
    return found.drop(columns="setting")


def _storm(world: World, settings: Sequence[Setting], table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Seconds of the setting with the highest storm and of the chosen one, with one seed."""
    # Of what keeps up, if anything does: a storm that is cut off by a lack of capacity is none.
    able = table[table["keeps_up"]] if table["keeps_up"].any() else table
    roles = {STORMIEST: int(able.index[int(able["storm_per_s"].to_numpy().argmax())])}
    if table["chosen"].any():
        roles[CHOSEN] = int(table["chosen"].to_numpy().argmax())
    parts = []
    for role, row in roles.items():
        part = received_per_s(settings[row].scenario, world, seed)
        part.insert(0, "role", role)
        part.insert(1, "label", settings[row].label)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)

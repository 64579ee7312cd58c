"""How likely a message's attempt fails, out of batches: one message that makes a function raise takes its batch along.

Which of a batch it was, nobody says. The rates are those that make what was seen most likely (EM: each message of a
batch that raised is taken for its cause in proportion to its chance under the rates so far).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

ROUNDS_MAX: Final = 200
CHANGE_MIN: Final = 1e-7

type Seen = tuple[tuple[int, ...], bool]
"""The receive counts of a batch's messages, and whether the function raised."""


def raise_rates(batches: Sequence[Seen]) -> dict[int, float]:
    """By receive count: the chance that a message makes its invocation raise; empty where none raised."""
    trials: dict[int, int] = {}
    for receives, _ in batches:
        for receive in receives:
            trials[receive] = trials.get(receive, 0) + 1
    if not any(raised for _, raised in batches):
        return {}
    if all(raised for _, raised in batches):
        return dict.fromkeys(sorted(trials), 1.0)
    rates = dict.fromkeys(trials, 0.5)
    for _ in range(ROUNDS_MAX):
        after = _improved(batches, trials, rates)
        change = max(abs(after[receive] - rates[receive]) for receive in rates)
        rates = after
        if change < CHANGE_MIN:
            break
    return rates


def _improved(batches: Sequence[Seen], trials: Mapping[int, int], rates: Mapping[int, float]) -> dict[int, float]:
    causes = dict.fromkeys(trials, 0.0)
    for receives, raised in batches:
        if not raised:
            continue
        chance = 1 - math.prod(1 - rates[receive] for receive in receives)
        for receive in receives:
            causes[receive] += rates[receive] / chance if chance else 0.0
    return {receive: min(1.0, causes[receive] / n) for receive, n in trials.items()}

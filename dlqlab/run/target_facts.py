"""What can be known about a target: all about an emulator of ours, little about anything else."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from dlqlab.collect.host import descendants
from dlqlab.contracts.manifest import CardEntry, EmulatorSettings
from dlqlab.contracts.plain import from_plain
from dlqlab.deploy.target import Target, TargetKind
from dlqlab.emulator.host import fidelity_card, lifecycle
from dlqlab.emulator.host.lifecycle import Emulator

NOT_OURS = {
    "host": "CPU and memory of the endpoint and of the functions are not known: dlqlab did not start them",
    "emulator": "which emulator answers, and how it was patched and set, is not known; only the probes tell",
}
"""Figures that cannot be had of an endpoint that dlqlab did not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """What a manifest says of a target by fields of these names; ``emulator`` is None where it is not ours."""

    emulator: EmulatorSettings | None
    not_measured: Mapping[str, str]
    fidelity: tuple[CardEntry, ...]


def target_facts(target: Target, emulator: Emulator | None) -> TargetFacts:
    """What can be said of the target now. The card of an emulator says more once its functions have run."""
    if emulator:
        settings = EmulatorSettings(patches=tuple(emulator.patches), port=emulator.port)
        return TargetFacts(emulator=settings, not_measured={}, fidelity=emulator_card(emulator))
    missing = dict(NOT_OURS)
    if target.kind is TargetKind.AWS:
        missing = {"host": "CPU and memory of the functions are AWS's own"}
    own = f"{target.label}, stage {target.stage}: not started by dlqlab"
    card = tuple(CardEntry(name=name, ok=None, statement=text) for name, text in {"target": own, **missing}.items())
    return TargetFacts(emulator=None, not_measured=missing, fidelity=card)


def emulator_card(emulator: Emulator) -> tuple[CardEntry, ...]:
    """The fidelity card of an emulator of ours, as it is now."""
    return tuple(from_plain(CardEntry, entry) for entry in fidelity_card.card(emulator))


def emulator_of(target: Target) -> Emulator | None:
    """The emulator of this project that a target is; None for any other target."""
    if target.kind is not TargetKind.LOCAL:
        return None
    return lifecycle.find(urlsplit(target.endpoint or "").port or 0, target.state_dir.parent)


def host_parts(emulator: Emulator | None) -> Mapping[str, Callable[[], Iterable[int]]]:
    """The parts of a run whose processes can be seen, by what the HOST table calls them; the load comes later."""
    harness = {"harness": lambda: (os.getpid(),)}
    if emulator is None:
        return harness
    return {"emulator": lambda: (emulator.pid,), "functions": descendants(emulator.pid), **harness}

"""What can be known about a target: all about an emulator of ours, little about anything else."""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from dlqlab.collect.host import descendants
from dlqlab.deploy.target import Kind, Target
from dlqlab.emulator.host import fidelity_card, lifecycle
from dlqlab.emulator.host.lifecycle import Emulator

NOT_OURS = {
    "host": "CPU and memory of the endpoint and of the functions are not known: dlqlab did not start them",
    "emulator": "which emulator answers, and how it was patched and set, is not known; only the probes tell",
}
"""Figures that cannot be had of an endpoint that dlqlab did not start."""


def manifest_facts(target: Target, emulator: Emulator | None) -> dict[str, Any]:
    """Keys of the manifest: ``emulator`` (null where it is not ours), ``not_measured``, and the fidelity card."""
    if emulator:
        settings = {"patches": list(emulator.patches), "port": emulator.port}
        return {"emulator": settings, "not_measured": {}, "fidelity": fidelity_card.card(emulator)}
    missing = dict(NOT_OURS)
    if target.kind is Kind.AWS:
        missing = {"host": "CPU and memory of the functions are AWS's own"}
    own: dict[str, object] = {
        "name": "target",
        "ok": None,
        "statement": f"{target.label}, stage {target.stage}: not started by dlqlab",
    }
    unknown = [{"name": name, "ok": None, "statement": text} for name, text in missing.items()]
    return {"emulator": None, "not_measured": missing, "fidelity": [own, *unknown]}


def emulator_of(target: Target) -> Emulator | None:
    """The emulator of this project that a target is; None for any other target."""
    if target.kind is not Kind.LOCAL:
        return None
    return lifecycle.find(urlsplit(target.endpoint or "").port or 0, target.state_dir.parent)


def host_parts(emulator: Emulator | None) -> Mapping[str, Callable[[], Iterable[int]]]:
    """The parts of a run whose processes can be seen, by what the HOST table calls them; the load comes later."""
    harness = {"harness": lambda: (os.getpid(),)}
    if emulator is None:
        return harness
    return {"emulator": lambda: (emulator.pid,), "functions": descendants(emulator.pid), **harness}

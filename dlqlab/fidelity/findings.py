"""Probes and what they find; each runs on its own, and one that fails says so in place of its finding."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from dlqlab.waiting import DeadlinePassedError

PREFIX = "dlqlab-probe"
"""Names of everything that a probe creates begin so; each removes its own."""


class Clients(Protocol):
    """A boto3 client of the target for a service."""

    def __call__(self, service: str) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One entry of the fidelity card. ``ok``: as on AWS; None where the probe could not tell."""

    name: str
    ok: bool | None
    statement: str
    measured: Mapping[str, float | int | str | None] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "ok": self.ok, "statement": self.statement, "measured": dict(self.measured)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Questions about the target, by the names of their findings; ``ask`` gets clients and the seconds it may take."""

    names: tuple[str, ...]
    ask: Callable[[Clients, float], Sequence[Finding]]


def run_probes(client: Clients, probes: Iterable[Probe], *, deadline_s: float) -> list[Finding]:
    """All probes at the same time, findings in their order; ``client`` is called by one thread at a time."""
    chosen = list(probes)
    if not chosen:
        return []
    lock = Lock()

    def locked(service: str) -> Any:
        # boto3: a session must not make two clients at once; a client itself may be shared.
        with lock:
            return client(service)

    with ThreadPoolExecutor(len(chosen)) as pool:
        found = pool.map(lambda probe: _ask(probe, locked, deadline_s), chosen)
        return [finding for part in found for finding in part]


def _ask(probe: Probe, client: Clients, deadline_s: float) -> Sequence[Finding]:
    began = time.monotonic()
    try:
        return probe.ask(client, deadline_s)
    except DeadlinePassedError as error:
        text = f"not known: {error}"
    except (ClientError, BotoCoreError) as error:
        text = f"not known: {type(error).__name__}: {error}"
    waited = {"waited_s": round(time.monotonic() - began, 3)}
    return [Finding(name=name, ok=None, statement=text, measured=waited) for name in probe.names]

"""What charts of lateness share: the emulator's own, as it was probed before the load."""

from dataclasses import dataclass

from dlqlab.analysis.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """How late the emulator alone shows a message again, measured before the load."""

    median_s: float
    p95_s: float
    n: int


def probe_of(facts: Facts) -> Probe | None:
    """What the probe of a run found; None where it was not made."""
    probe = facts.manifest.retry_probe
    return None if probe is None else Probe(median_s=probe.median_s, p95_s=probe.p95_s, n=probe.n)

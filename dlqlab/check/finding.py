"""What a check finds: one line each."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dlqlab.templates.resources import Resource


class Weight(StrEnum):
    """What it does to the deployment."""

    REFUSED = "refused"  # it fails, or the function cannot run
    DIFFERS = "differs"  # it runs, otherwise than on AWS


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that the emulator does not do as the template declares it."""

    rule: str
    weight: Weight
    resource: Resource
    what: str
    """The property with its value; empty where it is the resource as such."""
    why: str
    remedy: str

    def __str__(self) -> str:
        what = f" {self.what}" if self.what else ""
        return f"{self.resource.logical_id} ({self.resource.type}){what}: {self.why}. {self.remedy}."

    def to_json(self) -> dict[str, Any]:
        """Plain values, for programs."""
        one = self.resource
        return {
            "rule": self.rule,
            "weight": str(self.weight),
            "resource": one.logical_id,
            "type": one.type,
            "what": self.what,
            "why": self.why,
            "remedy": self.remedy,
            "file": str(one.file),
            "line": one.line,
        }

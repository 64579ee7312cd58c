"""What the parts of a deployed pipeline are called: one rule, shared with app/resources.yaml and Chalice."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

APP = "dlqlab"
_PROBES = uuid.UUID("6f1c4a52-9a0e-4a3e-8d62-2f4f0c1b7d35")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names of one stage's queues, tables and functions."""

    stage: str
    task_queue: str
    dead_letter_queue: str
    task_table: str
    archive_table: str
    breaker_table: str
    api_function: str
    processor_function: str
    monitor_function: str
    sweeper_function: str

    @classmethod
    def for_stage(cls, stage: str) -> "Names":
        """The names by rule; Chalice calls the API's function like the app and stage, without a suffix."""
        base = f"{APP}-{stage}"
        return cls(
            stage=stage,
            task_queue=f"{base}-tasks",
            dead_letter_queue=f"{base}-dead-letters",
            task_table=f"{base}-task-items",
            archive_table=f"{base}-archive",
            breaker_table=f"{base}-breakers",
            api_function=base,
            processor_function=f"{base}-processor",
            monitor_function=f"{base}-monitor",
            sweeper_function=f"{base}-sweeper",
        )

    @property
    def queues(self) -> Mapping[str, str]:
        """Queue names by what the QUEUES table calls them."""
        return {"tasks": self.task_queue, "dead-letters": self.dead_letter_queue}

    @property
    def functions(self) -> Mapping[str, str]:
        """Function names by role."""
        return {
            "api": self.api_function,
            "processor": self.processor_function,
            "monitor": self.monitor_function,
            "sweeper": self.sweeper_function,
        }


def log_group(function: str) -> str:
    """The log group that Lambda writes a function's lines to."""
    return f"/aws/lambda/{function}"


def probe_prefix(run_id: str) -> str:
    """How the ids of the tasks begin by which a deployment under this run id is proven; no client makes such an id."""
    return f"probe-{uuid.uuid5(_PROBES, run_id).hex}-"

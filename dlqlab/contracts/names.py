"""Names that follow from others: a function's log group, and the tasks by which a deployment is proven."""

import uuid

_PROBES = uuid.UUID("6f1c4a52-9a0e-4a3e-8d62-2f4f0c1b7d35")


def log_group(function: str) -> str:
    """The log group that Lambda writes a function's lines to."""
    return f"/aws/lambda/{function}"


def probe_prefix(run_id: str) -> str:
    """How the ids of the tasks begin by which a deployment under this run id is proven; no client makes such an id."""
    return f"probe-{uuid.uuid5(_PROBES, run_id).hex}-"

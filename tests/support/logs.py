"""Log lines of the deployed functions, as a test asks for them."""

import json
from collections.abc import Mapping
from typing import Any

from dlqlab.contracts.names import log_group
from dlqlab.deploy.target import Target


def lines_by_role(target: Target) -> dict[str, list[str]]:
    """Every log line by the role of its function."""
    paginator = target.client("logs").get_paginator("filter_log_events")
    return {
        role: [
            event["message"]
            for page in paginator.paginate(logGroupName=log_group(function))
            for event in page["events"]
        ]
        for role, function in target.topology.function_names.items()
    }


def events_of(lines: Mapping[str, list[str]], task_id: str) -> dict[str, list[dict[str, Any]]]:
    """The events about a task by the role of the function that wrote them."""
    return {
        role: [json.loads(line) for line in found if task_id in line and line.startswith('{"event"')]
        for role, found in lines.items()
    }

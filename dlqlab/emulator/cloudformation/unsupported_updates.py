"""An update of a resource that the emulator cannot change fails, instead of leaving it as it was and saying otherwise.

LocalStack has no update for many types, tables, buckets, rules, aliases and nested stacks among them, and reports one
as done. What only looks changed, or has no effect here, such as tags and policies, passes.
"""

import functools
import os
from collections.abc import Callable
from typing import Any

from localstack.services.cloudformation.resource_provider import (
    OperationStatus,
    ProgressEvent,
    ResourceProviderExecutor,
)

from dlqlab.emulator import settings
from dlqlab.emulator.cloudformation import support


def patch() -> None:
    ResourceProviderExecutor.execute_action = _checked(ResourceProviderExecutor.execute_action)


def _checked(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def execute_action(self: Any, resource_provider: Any, raw_payload: Any) -> Any:
        if os.environ.get(settings.PRETENDED) != settings.ALLOWED:
            resource_provider.update = _telling(resource_provider.update)  # of this action's own object
        return original(self, resource_provider, raw_payload)

    return execute_action


def _telling(update: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(update)
    def told(request: Any) -> Any:
        try:
            return update(request)
        except NotImplementedError:
            before = request.previous_state
            if before is None:
                raise
            changed = support.changed(request.resource_type, before, request.desired_state)
            if not changed:
                return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=before)
            text = support.no_update(request.resource_type, changed)
            return ProgressEvent(status=OperationStatus.FAILED, resource_model=before, message=text)

    return told

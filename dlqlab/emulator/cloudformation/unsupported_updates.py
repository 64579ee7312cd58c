"""An update of a resource that the emulator cannot change fails, instead of leaving it as it was and saying otherwise.

LocalStack has no update for many types, nested stacks among them, and reports one as done. What only looks changed, or
has no effect here, such as tags and policies, passes. An update that fails says why, and one whose error says that
something is not there fails too: LocalStack takes that for success.
"""

import functools
import os
from collections.abc import Callable, Mapping
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
            told = _telling(resource_provider.update, resource_provider.SCHEMA)
            resource_provider.update = told  # of this action's own object
        return original(self, resource_provider, raw_payload)

    return execute_action


def _telling(update: Callable[[Any], Any], schema: Mapping[str, Any]) -> Callable[[Any], Any]:
    @functools.wraps(update)
    def told(request: Any) -> Any:
        before = request.previous_state
        try:
            return update(request)
        except NotImplementedError:
            if before is None:
                raise
            after = request.desired_state
            changed = support.changed(request.resource_type, before, after)
            changed += support.removed(request.resource_type, before, after, schema)
            if not changed:
                return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=before)
            text = support.no_update(request.resource_type, sorted(changed))
            return ProgressEvent(status=OperationStatus.FAILED, resource_model=before, message=text)
        except Exception as error:  # noqa: BLE001  (whatever it is, the update is not done)
            return ProgressEvent(status=OperationStatus.FAILED, resource_model=before, message=str(error))

    return told

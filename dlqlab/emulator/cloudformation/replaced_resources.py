"""A resource is replaced where a value differs that cannot be updated, not where it refers to what was updated.

LocalStack replaces a resource as soon as a property of it that cannot be updated names another one that changes: the
alias of a function with new code, the stage of an API with another definition, the mapping of a queue with other
settings, each of which then cannot be made a second time.
"""

import functools
from collections.abc import Callable
from typing import Any

from localstack.services.cloudformation.engine.v2.change_set_model import is_nothing
from localstack.services.cloudformation.engine.v2.change_set_model_executor import ChangeSetModelExecutor
from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor

from dlqlab.emulator.cloudformation.support import plain


def patch() -> None:
    ChangeSetModelExecutor._execute_resource_change = _looking(ChangeSetModelExecutor._execute_resource_change)


def _looking(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def execute(self: Any, name: str, before: Any, after: Any) -> None:
        if not is_nothing(before) and not is_nothing(after) and after.requires_replacement:
            after.requires_replacement = _differ(before, after)
        original(self, name, before, after)

    return execute


def _differ(before: Any, after: Any) -> bool:
    """Whether a property that cannot be updated has another value, references resolved."""
    schema = ResourceProviderExecutor.try_load_resource_provider(after.resource_type).SCHEMA
    old, new = before.properties.properties, after.properties.properties
    names = [path.removeprefix("/properties/") for path in schema.get("createOnlyProperties", ())]
    return any(plain(old.get(name)) != plain(new.get(name)) for name in names)

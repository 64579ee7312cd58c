"""An attribute that a resource does not have fails the deployment, instead of being the text unknown.

LocalStack gives that text for whatever it does not find, so that a variable of a function, or an output, holds it. The
attributes of a custom resource are found by their whole name, which may have dots, as those of CDK's AwsCustomResource
have; numbers and booleans of it are texts. One that is empty is empty.
"""

import functools
import os
from collections.abc import Callable, Mapping
from typing import Any

from localstack.services.cloudformation.engine.v2.change_set_model_preproc import (
    MOCKED_REFERENCE,
    ChangeSetModelPreproc,
)
from localstack.utils.objects import get_value_from_path

from dlqlab.emulator import settings
from dlqlab.emulator.cloudformation import custom_events, support


def patch() -> None:
    ChangeSetModelPreproc._deployed_property_value_of = _finding(ChangeSetModelPreproc._deployed_property_value_of)


def _finding(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def value_of(self: Any, resource_logical_id: str, property_name: str, resolved_resources: Mapping[str, Any]) -> Any:
        resource = resolved_resources.get(resource_logical_id) or {}
        properties = resource.get("Properties") or {}
        if support.is_custom(resource.get("Type", "")) and property_name in properties:
            return custom_events.as_sent(properties[property_name])
        value = original(self, resource_logical_id, property_name, resolved_resources)
        if value != MOCKED_REFERENCE:
            return value
        found = get_value_from_path(properties, property_name)
        if found is not None:
            return custom_events.as_sent(found)
        if _may_be_pretended(resource):
            return value
        raise RuntimeError(support.no_attribute(resource_logical_id, resource["Type"], property_name))

    return value_of


def _may_be_pretended(resource: Mapping[str, Any]) -> bool:
    """Where that is allowed, of what is made in name alone, and of what has failed itself, which is told then."""
    is_made = str(resource.get("ResourceStatus", "")).endswith("_COMPLETE")
    is_allowed = os.environ.get(settings.PRETENDED) == settings.ALLOWED
    return is_allowed or not is_made or support.is_in_name(resource["Type"])

"""A deployment with a resource that cannot be made fails before anything is made, and names each one.

LocalStack reports such a resource as made ("deployed as a fallback"), with the reference ``unknown``. A change set with
one fails here, with the reason that tools show; CreateStack and UpdateStack roll back. Types without an effect on
messages are made in name, and their event says that they are ignored.
"""

import functools
import os
from collections.abc import Callable, Mapping
from typing import Any

from localstack.aws.api.cloudformation import ChangeSetStatus, ExecutionStatus, ResourceStatus, StackStatus
from localstack.services.cloudformation.engine.v2.change_set_model import ChangeType, is_nothing
from localstack.services.cloudformation.engine.v2.change_set_model_executor import (
    ChangeSetModelExecutor,
    ChangeSetModelExecutorResult,
)
from localstack.services.cloudformation.engine.v2.change_set_model_preproc import ChangeSetModelPreproc
from localstack.services.cloudformation.resource_provider import (
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceProviderExecutor,
)
from localstack.services.cloudformation.stores import get_cloudformation_store
from localstack.services.cloudformation.v2.provider import CloudformationProviderV2, find_change_set_v2

from dlqlab.emulator import settings
from dlqlab.emulator.cloudformation import support
from dlqlab.emulator.cloudformation.support import Refusal


class IgnoredProvider(ResourceProvider):  # type: ignore[misc]
    """Takes a resource that has no effect here."""

    SCHEMA: Mapping[str, Any] = {"properties": {}, "primaryIdentifier": ["/properties/Id"]}

    def create(self, request: Any) -> Any:
        model = {**request.desired_state, "Id": f"{request.stack_name}-{request.logical_resource_id}"}
        return _ignored(request.resource_type, model)

    def update(self, request: Any) -> Any:
        return _ignored(request.resource_type, {**request.desired_state, "Id": request.previous_state["Id"]})

    def delete(self, _request: Any) -> Any:
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model={})


def _ignored(resource_type: str, model: Mapping[str, Any]) -> Any:
    text = f"Ignored by the emulator: {support.IGNORED[resource_type]}"
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model, message=text)


def refusals(change_set: Any) -> list[Refusal]:
    """The resources that a change set would make or change, and that cannot be made; none where they are allowed."""
    if os.environ.get(settings.PRETENDED) == settings.ALLOWED or change_set.update_model is None:
        return []
    conditions = ChangeSetModelPreproc(change_set)
    return [
        Refusal(node.name, node.type_.value, reason)
        for node in change_set.update_model.node_template.resources.resources
        if node.change_type in {ChangeType.CREATED, ChangeType.MODIFIED}
        and (reason := _why_not(node.type_.value)) is not None
        and _is_wanted(node, conditions)
    ]


def _why_not(resource_type: str) -> str | None:
    provider = ResourceProviderExecutor.try_load_resource_provider(resource_type)
    return support.why_not(
        resource_type, is_known=provider is not None, is_enabled=lambda service: service in settings.SERVICES
    )


def _is_wanted(node: Any, conditions: Any) -> bool:
    if is_nothing(node.condition_reference):
        return True
    return conditions._resolve_resource_condition_reference(node.condition_reference).after is not False


def patch() -> None:
    _ignore()
    CloudformationProviderV2.create_change_set = _refusing(CloudformationProviderV2.create_change_set)
    ChangeSetModelExecutor.execute = _rolling_back(ChangeSetModelExecutor.execute)


def _ignore() -> None:
    original: Callable[[str], Any] = ResourceProviderExecutor.try_load_resource_provider

    def try_load_resource_provider(resource_type: str) -> Any:
        return IgnoredProvider() if resource_type in support.IGNORED else original(resource_type)

    ResourceProviderExecutor.try_load_resource_provider = staticmethod(try_load_resource_provider)


def _refusing(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def create_change_set(self: Any, context: Any, request: Any) -> Any:
        output = original(self, context, request)
        store = get_cloudformation_store(context.account_id, context.region)
        change_set = find_change_set_v2(store, output["Id"])
        if change_set.status != ChangeSetStatus.FAILED and (refused := refusals(change_set)):
            change_set.set_execution_status(ExecutionStatus.UNAVAILABLE)
            change_set.status_reason = support.summary(refused)
            change_set.set_change_set_status(ChangeSetStatus.FAILED)
        return output

    return create_change_set


def _rolling_back(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def execute(self: Any) -> Any:
        change_set = self._change_set
        is_deletion = change_set.stack.status == StackStatus.DELETE_IN_PROGRESS
        refused = [] if is_deletion else refusals(change_set)
        return _roll_back(change_set, refused) if refused else original(self)

    return execute


def _roll_back(change_set: Any, refused: list[Refusal]) -> Any:
    """Leave the stack as it was."""
    stack, reason = change_set.stack, support.summary(refused)
    is_update = stack.status == StackStatus.UPDATE_IN_PROGRESS
    failed = ResourceStatus.UPDATE_FAILED if is_update else ResourceStatus.CREATE_FAILED
    for one in refused:
        stack.set_resource_status(
            logical_resource_id=one.logical_id,
            physical_resource_id=None,
            resource_type=one.resource_type,
            status=failed,
            resource_status_reason=f"{one}. {support.REMEDY}",
        )
        if one.logical_id not in stack.resolved_resources:  # it was never made: the stack does not have it
            stack.resource_states.pop(one.logical_id)
    change_set.template = stack.template or {"Resources": {}}
    change_set.template_body = stack.template_body or change_set.template_body
    change_set.processed_template = stack.processed_template = (
        stack.processed_template if is_update else {"Resources": {}}
    )
    change_set.resolved_parameters = stack.resolved_parameters
    prefix = "UPDATE_" if is_update else ""
    stack.set_stack_status(StackStatus(f"{prefix}ROLLBACK_IN_PROGRESS"), reason)
    stack.set_stack_status(StackStatus(f"{prefix}ROLLBACK_COMPLETE"))
    return ChangeSetModelExecutorResult(
        resources=stack.resolved_resources, outputs=stack.resolved_outputs, failure_message=reason
    )

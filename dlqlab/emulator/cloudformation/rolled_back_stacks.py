"""A deployment that failed ends as rolled back, with its reason, and never as complete.

LocalStack's UpdateStack ends with UPDATE_COMPLETE whatever failed, and CreateStack with CREATE_FAILED, or with
CREATE_COMPLETE where the failed resource is not among the stack's, after it was said to be rolled back. AWS ends with
ROLLBACK_COMPLETE and UPDATE_ROLLBACK_COMPLETE ("Stack failure options"; statuses in "View stack information"). What a
failed creation made is deleted again, unless DisableRollback or OnFailure asks for it; a failed update leaves what it
changed as it is.
"""

import functools
import itertools
from collections.abc import Callable, Mapping
from typing import Any

from localstack.aws.api.cloudformation import ChangeAction, ResourceStatus, StackStatus
from localstack.services.cloudformation.engine.v2.change_set_model_executor import ChangeSetModelExecutor
from localstack.services.cloudformation.engine.v2.change_set_model_preproc import PreprocProperties
from localstack.services.cloudformation.v2.entities import Stack

_ROLLED_BACK = frozenset({StackStatus.ROLLBACK_COMPLETE, StackStatus.UPDATE_ROLLBACK_COMPLETE})
_ENDS = frozenset(
    {
        StackStatus.CREATE_COMPLETE,
        StackStatus.CREATE_FAILED,
        StackStatus.UPDATE_COMPLETE,
        StackStatus.UPDATE_FAILED,
        *_ROLLED_BACK,
    }
)
_COMPLETE = frozenset({StackStatus.CREATE_COMPLETE, StackStatus.UPDATE_COMPLETE})
_FAILED = frozenset({StackStatus.CREATE_FAILED, StackStatus.UPDATE_FAILED})
_OF_UPDATES = {
    StackStatus.ROLLBACK_IN_PROGRESS: StackStatus.UPDATE_ROLLBACK_IN_PROGRESS,
    StackStatus.ROLLBACK_COMPLETE: StackStatus.UPDATE_ROLLBACK_COMPLETE,
}
_STARTS = frozenset({StackStatus.CREATE_IN_PROGRESS, StackStatus.UPDATE_IN_PROGRESS})


_EMPTY: Mapping[str, Any] = {"Resources": {}}


def patch() -> None:
    Stack.set_stack_status = _honest(Stack.set_stack_status)
    ChangeSetModelExecutor.process = _undoing(ChangeSetModelExecutor.process)


def _undoing(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def process(self: Any) -> None:
        stack = self._change_set.stack
        is_creation = stack.status == StackStatus.CREATE_IN_PROGRESS
        stack.trouble = ""
        try:
            original(self)
        except Exception as error:
            stack.trouble = str(error)  # of an output it is nowhere else
            if is_creation and not _is_kept(stack):
                self._defer_action("rollback", lambda: _undo(self))
            raise

    return process


def _is_kept(stack: Any) -> bool:
    """Whether a creation that fails shall leave what it made."""
    asked = stack.request_payload
    return bool(asked.get("DisableRollback") or asked.get("OnFailure") == "DO_NOTHING")


def _undo(executor: Any) -> None:
    """Delete what was made, last first; what its template wants to keep stays."""
    change_set = executor._change_set
    template = (change_set.processed_template or {}).get("Resources", {})
    for name, made in reversed(list(executor.resources.items())):
        is_retained = template.get(name, {}).get("DeletionPolicy") == "Retain"
        if made.get("ResourceStatus") != ResourceStatus.CREATE_COMPLETE or is_retained:
            continue
        event = executor._execute_resource_action(
            action=ChangeAction.Remove,
            logical_resource_id=name,
            resource_type=made["Type"],
            before_properties=PreprocProperties(properties=made["Properties"]),
            after_properties=None,
        )
        executor._process_event(
            action=ChangeAction.Remove,
            logical_resource_id=name,
            event_status=event.status,
            resource_type=made["Type"],
            reason=event.message,
        )
    executor.resources.clear()
    change_set.processed_template = change_set.stack.processed_template = _EMPTY


def _honest(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def set_stack_status(self: Any, status: StackStatus, reason: str | None = None) -> None:
        if (self.status in _ROLLED_BACK and status in _ENDS) or (self.status in _FAILED and status in _COMPLETE):
            return
        if status in _STARTS:
            self.is_updated = status == StackStatus.UPDATE_IN_PROGRESS
            self.status_reason = None
        if getattr(self, "is_updated", False):
            status = _OF_UPDATES.get(status, status)
        elif status == StackStatus.ROLLBACK_COMPLETE and _is_kept(self):
            status, reason = StackStatus.CREATE_FAILED, reason or self.status_reason or _failures(self)
        if status in _ROLLED_BACK and not (reason or self.status_reason):
            reason = _failures(self)
            if status == StackStatus.UPDATE_ROLLBACK_COMPLETE:
                reason += ". What had been changed stays so: the emulator does not undo updates."
        original(self, status, reason)

    return set_stack_status


def _failures(stack: Any) -> str:
    """What failed since the operation started, from the stack's events, which are newest first."""
    since = itertools.takewhile(
        lambda event: event["ResourceStatus"] not in _STARTS or not _is_own(event), stack.events
    )
    failed = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason') or 'no reason was given'}"
        for event in since
        if str(event["ResourceStatus"]).endswith("_FAILED") and not _is_own(event)
    ]
    if not failed:
        return str(getattr(stack, "trouble", "")) or "no reason was given"
    return f"The following resource(s) failed: {'; '.join(failed)}"


def _is_own(event: Any) -> bool:
    return bool(
        event["ResourceType"] == "AWS::CloudFormation::Stack" and event["PhysicalResourceId"] == event["StackId"]
    )

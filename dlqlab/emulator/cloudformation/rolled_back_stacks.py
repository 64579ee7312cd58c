"""A deployment that failed ends as rolled back, with its reason, and never as complete.

LocalStack's UpdateStack ends with UPDATE_COMPLETE whatever failed, and CreateStack with CREATE_FAILED, or with
CREATE_COMPLETE where the failed resource is not among the stack's, after it was said to be rolled back. AWS ends with
ROLLBACK_COMPLETE and UPDATE_ROLLBACK_COMPLETE ("Stack failure options"; statuses in "View stack information").
"""

import functools
import itertools
from collections.abc import Callable
from typing import Any

from localstack.aws.api.cloudformation import StackStatus
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
_OF_UPDATES = {
    StackStatus.ROLLBACK_IN_PROGRESS: StackStatus.UPDATE_ROLLBACK_IN_PROGRESS,
    StackStatus.ROLLBACK_COMPLETE: StackStatus.UPDATE_ROLLBACK_COMPLETE,
}
_STARTS = frozenset({StackStatus.CREATE_IN_PROGRESS, StackStatus.UPDATE_IN_PROGRESS})


def patch() -> None:
    Stack.set_stack_status = _honest(Stack.set_stack_status)


def _honest(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def set_stack_status(self: Any, status: StackStatus, reason: str | None = None) -> None:
        if self.status in _ROLLED_BACK and status in _ENDS:
            return
        if status in _STARTS:
            self.is_updated = status == StackStatus.UPDATE_IN_PROGRESS
            self.status_reason = None
        if getattr(self, "is_updated", False):
            status = _OF_UPDATES.get(status, status)
        if status in _ROLLED_BACK and not (reason or self.status_reason):
            reason = _failures(self)
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
    return f"The following resource(s) failed: {'; '.join(failed)}"


def _is_own(event: Any) -> bool:
    return bool(
        event["ResourceType"] == "AWS::CloudFormation::Stack" and event["PhysicalResourceId"] == event["StackId"]
    )

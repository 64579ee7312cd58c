"""Rules of stacks are updated, and deleted from the bus that they are on.

LocalStack has no update of a rule, and reports one as done; it looks for every rule that it deletes on the default bus.
"""

from collections.abc import Callable, Mapping
from typing import Any

from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent
from localstack.services.events.resource_providers.aws_events_rule import EventsRuleProvider, extract_rule_name


def patch() -> None:
    EventsRuleProvider.update = _updating(EventsRuleProvider.create)
    EventsRuleProvider.delete = _delete


def _updating(create: Callable[..., Any]) -> Callable[..., Any]:
    """PutRule and PutTargets replace what is there; targets that are no longer wanted are removed."""

    def update(self: Any, request: Any) -> Any:
        model, before = request.desired_state, request.previous_state
        model["Name"] = extract_rule_name(before["Id"])
        made = create(self, request)
        wanted = {target["Id"] for target in model.get("Targets") or ()}
        gone = [target["Id"] for target in before.get("Targets") or () if target["Id"] not in wanted]
        if gone:
            request.aws_client_factory.events.remove_targets(**_place(before), Ids=gone, Force=True)
        return made

    return update


def _delete(_self: Any, request: Any) -> Any:
    model, events = request.desired_state, request.aws_client_factory.events
    place = _place(model)
    targets = [target["Id"] for target in events.list_targets_by_rule(**place)["Targets"]]
    if targets:
        events.remove_targets(**place, Ids=targets, Force=True)
    bus = {name: value for name, value in place.items() if name != "Rule"}
    events.delete_rule(Name=place["Rule"], **bus)
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


def _place(model: Mapping[str, Any]) -> dict[str, str]:
    """A rule's name and its bus, as operations on its targets take them."""
    bus = model.get("EventBusName")
    return {"Rule": extract_rule_name(model["Id"]), **({"EventBusName": bus} if bus else {})}

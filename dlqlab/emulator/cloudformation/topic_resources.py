"""Topics of stacks are named after them, and keep the name; subscriptions lose what a template takes away.

LocalStack names a topic without a name of its own by chance alone, where CloudFormation takes the stack's name and the
logical id ("Name type", CloudFormation template reference). It makes such a topic anew at each update, and subscribes
to it without filters; filter policies and raw delivery that are no longer in the template stay.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from localstack.services.cloudformation.provider_utils import generate_default_name
from localstack.services.sns.resource_providers.aws_sns_subscription import SNSSubscriptionProvider
from localstack.services.sns.resource_providers.aws_sns_topic import SNSTopicProvider

_WITHOUT: Mapping[str, str] = {"FilterPolicy": "{}", "RawMessageDelivery": "false"}
"""What SetSubscriptionAttributes takes for an attribute that shall be no more."""


def patch() -> None:
    SNSTopicProvider.create = _named_after_its_stack(SNSTopicProvider.create)
    SNSTopicProvider.update = _named(SNSTopicProvider.update)
    SNSSubscriptionProvider.update = _cleared(SNSSubscriptionProvider.update)


def _named_after_its_stack(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def create(self: Any, request: Any) -> Any:
        model = request.desired_state
        if not model.get("TopicName"):
            ending = ".fifo" if str(model.get("FifoTopic")).lower() == "true" else ""
            model["TopicName"] = generate_default_name(request.stack_name, request.logical_resource_id) + ending
        return original(self, request)

    return create


def _named(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def update(self: Any, request: Any) -> Any:
        model = request.desired_state
        model["TopicName"] = model.get("TopicName") or request.previous_state["TopicName"]
        return original(self, request)

    return update


def _cleared(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def update(self: Any, request: Any) -> Any:
        done = original(self, request)
        model, before = request.desired_state, request.previous_state
        client = self._get_client(request).sns
        for name, value in _WITHOUT.items():
            if before.get(name) and name not in model:
                client.set_subscription_attributes(
                    SubscriptionArn=model["Id"], AttributeName=name, AttributeValue=value
                )
        return done

    return update

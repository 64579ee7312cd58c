"""What SNS delivers on threads of its own is its topic's, on behalf of whoever published.

A delivery is a row of the topic with the publisher's request id, by which it is followed back to an invocation or a
client, also one that goes to a subscription's dead-letter queue.
"""

import functools
from dataclasses import dataclass
from typing import Any

from localstack.services.plugins import ServicePluginManager

from dlqlab.emulator.recorder import relays
from dlqlab.emulator.recorder.actors import HERE, topic
from dlqlab.emulator.recorder.relays import Relayed
from dlqlab.emulator.recorder.witness import Witness


@dataclass(frozen=True, slots=True)
class Publisher:
    """One of SNS's publishers; what it sends in the emulator carries a token, by which it is found for whom."""

    original: Any
    relayed: Relayed

    def publish(self, context: Any, subscriber: Any) -> None:
        with relays.carried(self.relayed):
            self.original.publish(context=context, subscriber=subscriber)


def install(witness: Witness) -> None:
    """Once SNS is loaded, which makes a key and a certificate and is not wanted by most."""
    load = ServicePluginManager._load_service_plugin

    @functools.wraps(load)
    def loaded(self: ServicePluginManager, name: str) -> Any:
        found = load(self, name)
        if name == "sns":
            try:
                _on_delivering(witness)
            except Exception as error:  # noqa: BLE001  (the service must be there)
                witness.failed(error)
        return found

    ServicePluginManager._load_service_plugin = loaded


def _on_delivering(witness: Witness) -> None:
    from localstack.services.sns.publisher import PublishDispatcher  # noqa: PLC0415  (as above)

    submit = PublishDispatcher._submit_notification

    @functools.wraps(submit)
    def submitted(self: PublishDispatcher, notifier: Any, ctx: Any, subscriber: Any) -> Any:
        try:
            sender = topic(subscriber["TopicArn"], HERE.doing.actor.request_id)
            notifier = Publisher(notifier, Relayed(sender, is_call=True))
        except Exception as error:  # noqa: BLE001  (it must be delivered)
            witness.failed(error)
        return submit(self, notifier, ctx, subscriber)

    PublishDispatcher._submit_notification = submitted

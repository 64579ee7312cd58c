"""A batch of a pipe from its source to its target: template, enrichment, template, target; and what of it has failed.

"Amazon EventBridge Pipes batching and concurrency" (EventBridge user guide): an answer of the target with
batchItemFailures names what is to come again; so does an enrichment that fails, which is the whole batch.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dlqlab.emulator.mappings.responses import failed_ids
from dlqlab.emulator.pipes import templates
from dlqlab.emulator.pipes.targets import Sending, TargetError

Enrich = Callable[[Sequence[Any]], Any]
Send = Callable[[Sequence[Any]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """What a pipe does with a batch."""

    sending: Sending
    template: str | None
    send: Send
    enrich: Enrich | None = None
    enrichment_arn: str | None = None
    enrichment_template: str | None = None

    def run(self, events: Sequence[Mapping[str, Any]], ids: Sequence[str]) -> AbstractSet[str]:
        """The ids of the events that have failed; ``ids`` are those of all, in their order.

        Raises:
            TargetError, TemplateError: all of them have failed.
        """
        reserved = self._reserved()
        made: Sequence[Any] = events
        if self.enrich is not None:
            answer = self.enrich([templates.render(self.enrichment_template, one, reserved) for one in events])
            made = answer if isinstance(answer, list) else [answer]
            if not made:
                return frozenset()
        try:
            answer = self.send([templates.render(self.template, one, reserved) for one in made])
        except TargetError as error:
            if self.enrich is None and error.done:
                return frozenset(ids[error.done :])  # each event went by itself
            raise
        if not isinstance(answer, dict) or "batchItemFailures" not in answer:
            return frozenset()
        return failed_ids(json.dumps(answer), frozenset(ids))

    def _reserved(self) -> dict[str, Any]:
        return {
            "pipe-arn": self.sending.pipe_arn,
            "pipe-name": self.sending.pipe_name,
            "source-arn": self.sending.source_arn,
            "enrichment-arn": self.enrichment_arn,
            "target-arn": self.sending.target_arn,
            "event.ingestion-time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }

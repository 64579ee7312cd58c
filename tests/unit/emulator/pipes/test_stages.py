"""A batch of a pipe, with an enrichment and a target of the test's."""

from collections.abc import Sequence
from typing import Any

import pytest

from dlqlab.emulator.pipes.stages import Stages
from dlqlab.emulator.pipes.targets import Sending, TargetError

SENDING = Sending(pipe_name="p", pipe_arn="arn:p", source_arn="arn:s", target_arn="arn:t", parameters={})
EVENTS = [{"n": 1}, {"n": 2}, {"n": 3}]
IDS = ["a", "b", "c"]


def _stages(answer: Any = None, **options: Any) -> tuple[Stages, list[Any]]:
    """The stages, and what their target is given."""
    sent: list[Any] = []

    def send(events: Sequence[Any]) -> Any:
        sent.append(list(events))
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Stages(sending=SENDING, send=send, **{"template": None, **options}), sent


def test_target_is_given_what_template_and_enrichment_made() -> None:
    """Each with its own template."""
    stages, sent = _stages(
        enrich=lambda events: [{"m": event["k"] * 10} for event in events],
        enrichment_template='{"k": <$.n>}',
        template='{"t": <$.m>, "pipe": "<aws.pipes.pipe-name>"}',
    )

    assert stages.run(EVENTS, IDS) == frozenset()
    assert sent == [[{"t": 10, "pipe": "p"}, {"t": 20, "pipe": "p"}, {"t": 30, "pipe": "p"}]]


@pytest.mark.parametrize(("made", "given"), [([], []), ({"one": 1}, [[{"one": 1}]]), (None, [[None]])])
def test_enrichment_may_answer_with_nothing_or_one(made: Any, given: list[Any]) -> None:
    """Of an empty array the target hears nothing, and the batch is done."""
    stages, sent = _stages(enrich=lambda _events: made)

    assert stages.run(EVENTS, IDS) == frozenset()
    assert sent == given


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (None, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "b"}]}, {"b"}),
        ({"batchItemFailures": [{"itemIdentifier": "z"}]}, {"a", "b", "c"}),
        (TargetError("no", 2), {"c"}),
    ],
)
def test_what_has_failed_comes_again(answer: Any, failed: set[str]) -> None:
    """What the target names; of events that went one by one, those from the first refusal on."""
    assert _stages(answer)[0].run(EVENTS, IDS) == failed


@pytest.mark.parametrize("options", [{}, {"enrich": list}])
def test_whole_batch_fails_where_nobody_knows_its_parts(options: dict[str, Any]) -> None:
    """Nothing was taken; or what was taken is no event of the source."""
    stages, _ = _stages(TargetError("no", 1 if options else 0), **options)
    with pytest.raises(TargetError):
        stages.run(EVENTS, IDS)

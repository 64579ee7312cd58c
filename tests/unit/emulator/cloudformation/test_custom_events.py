"""What custom resources are sent and what they answer."""

import json

import pytest

from dlqlab.emulator.cloudformation import custom_events
from dlqlab.emulator.cloudformation.custom_events import ResponseError


def test_properties_arrive_as_texts() -> None:
    """As CloudFormation sends them: numbers and booleans in quotes, whatever their depth."""
    assert {"a": "1", "b": ["true", {"c": "1.5"}], "d": None, "e": "x"} == custom_events.as_sent(
        {"a": 1, "b": [True, {"c": 1.5}], "d": None, "e": "x"}
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"oops", "no JSON"),
        (b"[]", "Status"),
        (b'{"Status": "success"}', "Status"),
        (b'{"Status": "SUCCESS"}', "PhysicalResourceId"),
        (b'{"Status": "SUCCESS", "PhysicalResourceId": "a", "Data": [1]}', "Data"),
        (json.dumps({"Status": "FAILED", "Reason": "x" * 4096}).encode(), "too long"),
    ],
)
def test_response_that_is_none_is_refused(body: bytes, reason: str) -> None:
    """With what is wrong with it."""
    with pytest.raises(ResponseError, match=reason):
        custom_events.parse_response(body)


def test_failure_needs_no_physical_id() -> None:
    """A provider that failed may have made nothing."""
    assert "no luck" == custom_events.parse_response(b'{"Status": "FAILED", "Reason": "no luck"}')["Reason"]


@pytest.mark.parametrize(
    ("given", "seconds"), [({}, 3600), ({"ServiceTimeout": "5"}, 5), ({"ServiceTimeout": 3600}, 3600)]
)
def test_time_limit(given: dict[str, object], seconds: int) -> None:
    """An hour, or what the template says."""
    assert seconds == custom_events.timeout_s(given)


@pytest.mark.parametrize("given", [0, "3601", "a minute", -1])
def test_time_limit_out_of_bounds_is_refused(given: object) -> None:
    """The value and its bounds are named."""
    with pytest.raises(ValueError, match=f"ServiceTimeout is {given}: give whole seconds"):
        custom_events.timeout_s({"ServiceTimeout": given})

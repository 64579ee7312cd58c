"""What Lambda refuses of a mapping's settings, with its codes and, where they are known, its texts."""

from typing import Any

import pytest

from dlqlab.emulator.mappings.validation import Refusal, refusal, short_visibility

STANDARD, FIFO = "arn:aws:sqs:us-east-1:000000000000:q", "arn:aws:sqs:us-east-1:000000000000:q.fifo"
INVALID, VALIDATION = "InvalidParameterValueException", "ValidationException"
PATTERN = {"Pattern": '{"body": {"a": [1]}}'}


def _unsupported(name: str) -> str:
    return f"Unsupported {name} parameter for given event source mapping type."


def _constraint(value: object, member: str, rest: str) -> str:
    return (
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {rest}"
    )


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"StartingPosition": "LATEST"}, INVALID, "StartingPosition is not valid for SQS event sources."),
    ({"StartingPositionTimestamp": 1}, INVALID, "StartingPositionTimestamp is not valid for SQS event sources."),
    ({"MaximumRetryAttempts": 2}, INVALID, _unsupported("MaximumRetryAttempts")),
    ({"BisectBatchOnFunctionError": False}, INVALID, _unsupported("BisectBatchOnFunctionError")),
    ({"ParallelizationFactor": 1}, INVALID, _unsupported("ParallelizationFactor")),
    ({"MaximumRecordAgeInSeconds": -1}, INVALID, _unsupported("MaximumRecordAgeInSeconds")),
    ({"TumblingWindowInSeconds": 0}, INVALID, _unsupported("TumblingWindowInSeconds")),
    ({"Topics": ["t"]}, INVALID, _unsupported("Topics")),
    ({"DestinationConfig": {"OnFailure": {"Destination": "arn"}}}, INVALID, _unsupported("DestinationConfig")),
    ({"DestinationConfig": {"OnSuccess": {"Destination": "arn"}}}, INVALID, _unsupported("DestinationConfig")),
    (
        {"MaximumBatchingWindowInSeconds": 301},
        VALIDATION,
        _constraint(301, "maximumBatchingWindowInSeconds", "have value less than or equal to 300"),
    ),
    (
        {"BatchSize": 10_001, "MaximumBatchingWindowInSeconds": 1},
        VALIDATION,
        _constraint(10_001, "batchSize", "have value less than or equal to 10000"),
    ),
    ({"BatchSize": 0}, VALIDATION, _constraint(0, "batchSize", "have value greater than or equal to 1")),
    (
        {"ScalingConfig": {"MaximumConcurrency": 1}},
        VALIDATION,
        _constraint(1, "scalingConfig.maximumConcurrency", "have value greater than or equal to 2"),
    ),
    (
        {"ScalingConfig": {"MaximumConcurrency": 1001}},
        VALIDATION,
        _constraint(1001, "scalingConfig.maximumConcurrency", "have value less than or equal to 1000"),
    ),
    (
        {"ProvisionedPollerConfig": {"MinimumPollers": 1}},
        VALIDATION,
        _constraint(1, "provisionedPollerConfig.minimumPollers", "have value greater than or equal to 2"),
    ),
    (
        {"ProvisionedPollerConfig": {"MaximumPollers": 10_001}},
        VALIDATION,
        _constraint(10_001, "provisionedPollerConfig.maximumPollers", "have value less than or equal to 10000"),
    ),
    (
        {"BatchSize": 11},
        INVALID,
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
    ),
    (
        {"BatchSize": 11, "MaximumBatchingWindowInSeconds": 0},
        INVALID,
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
    ),
    (
        {"ScalingConfig": {"MaximumConcurrency": 5}, "ProvisionedPollerConfig": {"MinimumPollers": 2}},
        INVALID,
        "MaximumConcurrency and ProvisionedPollerConfig cannot be used together: give one of them.",
    ),
    ({"FilterCriteria": {"Filters": [PATTERN] * 6}}, INVALID, "FilterCriteria has 6 filters: the maximum is 5."),
    ({"FilterCriteria": {"Filters": [PATTERN, {"Pattern": "x"}]}}, INVALID, "Invalid filter pattern definition."),
    ({"FilterCriteria": {"Filters": [{}]}}, INVALID, "Invalid filter pattern definition."),
    (
        {"FunctionResponseTypes": ["Other"]},
        VALIDATION,
        _constraint(
            ["Other"],
            "functionResponseTypes",
            "satisfy constraint: [Member must satisfy enum value set: [ReportBatchItemFailures]]",
        ),
    ),
    (
        {"FunctionResponseTypes": ["ReportBatchItemFailures"] * 2},
        VALIDATION,
        _constraint(["ReportBatchItemFailures"] * 2, "functionResponseTypes", "have length less than or equal to 1"),
    ),
]


@pytest.mark.parametrize(("settings", "code", "message"), REFUSED, ids=lambda value: str(value)[:60])
def test_refused_setting(settings: dict[str, Any], code: str, message: str) -> None:
    """One wrong setting, one error."""
    assert Refusal(code, message) == refusal(settings, queue_arn=STANDARD)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"BatchSize": 10, "MaximumBatchingWindowInSeconds": 0},
        {"BatchSize": 10_000, "MaximumBatchingWindowInSeconds": 300},
        {"ScalingConfig": {"MaximumConcurrency": 2}},
        {"ScalingConfig": {"MaximumConcurrency": 1000}, "ProvisionedPollerConfig": {}},
        {"ScalingConfig": {}, "ProvisionedPollerConfig": {"MinimumPollers": 2, "MaximumPollers": 5}},
        {"FilterCriteria": {"Filters": [PATTERN] * 5}},
        {"FilterCriteria": {}},
        {"FunctionResponseTypes": []},
        {"FunctionResponseTypes": ["ReportBatchItemFailures"]},
        {"DestinationConfig": {}},
        {"DestinationConfig": {"OnFailure": {}}},
        {"StartingPosition": None},
    ],
    ids=str,
)
def test_accepted_settings(settings: dict[str, Any]) -> None:
    """Everything up to the limits; what is empty or null was not given."""
    assert refusal(settings, queue_arn=STANDARD) is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"MaximumBatchingWindowInSeconds": 1}, "Batching window is not supported for FIFO queues"),
        ({"BatchSize": 11}, "Maximum batch size must be between 1 and 10 inclusive"),
        ({"BatchSize": 10, "MaximumBatchingWindowInSeconds": 0}, None),
    ],
    ids=str,
)
def test_fifo_queue_has_small_batches_and_no_window(settings: dict[str, Any], message: str | None) -> None:
    """The limits of a FIFO queue are its own."""
    expected = Refusal(INVALID, message) if message else None

    assert expected == refusal(settings, queue_arn=FIFO)


@pytest.mark.parametrize(
    ("visibility_s", "timeout_s", "message"),
    [
        (30, 60, "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds"),
        (0, 1, "Queue visibility timeout: 0 seconds is less than Function timeout: 1 seconds"),
        (60, 60, None),
        (61, 60, None),
    ],
)
def test_visibility_timeout_covers_the_function(visibility_s: int, timeout_s: int, message: str | None) -> None:
    """Equal is enough."""
    expected = Refusal(INVALID, message) if message else None

    assert expected == short_visibility(visibility_timeout_s=visibility_s, function_timeout_s=timeout_s)

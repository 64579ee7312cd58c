"""Lambda's own refusals of settings and payloads."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.functions import lambda_checks
from dlqlab.emulator.functions.lambda_checks import payload_problem, payload_too_large, validation_problems

GOOD: dict[str, Any] = {
    "FunctionName": "f",
    "Runtime": "python3.13",
    "Handler": "app.handler",
    "Code": {"ZipFile": b"PK"},
    "Timeout": 900,
    "MemorySize": 10_240,
    "Description": "d" * 256,
    "EphemeralStorage": {"Size": 512},
    "TracingConfig": {"Mode": "Active"},
    "Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:name:1"],
    "Environment": {"Variables": {"TZ": ":UTC", "PATH": "/bin", "PYTHONPATH": "/opt", "AWS_LAMBDA_EXEC_WRAPPER": "/x"}},
}


def test_settings_within_bounds_are_taken() -> None:
    """The largest values are right, and so are variables that customers may set."""
    assert [None, None, None] == [
        validation_problems(GOOD),
        lambda_checks.parameter_problem(GOOD),
        lambda_checks.creation_problem(GOOD),
    ]


NUMBER = "1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: Member must have value {}"
BAD = {
    "time-out too long": ({"Timeout": 901}, NUMBER.format(901, "timeout", "less than or equal to 900")),
    "time-out of nothing": ({"Timeout": 0}, NUMBER.format(0, "timeout", "greater than or equal to 1")),
    "memory too small": ({"MemorySize": 127}, NUMBER.format(127, "memorySize", "greater than or equal to 128")),
    "disk too large": (
        {"EphemeralStorage": {"Size": 10_241}},
        NUMBER.format(10_241, "ephemeralStorage.size", "less than or equal to 10240"),
    ),
    "handler with a space": (
        {"Handler": "a b"},
        r"'a b' at 'handler' failed to satisfy constraint: Member must satisfy regular expression pattern: [^\s]+",
    ),
    "handler too long": ({"Handler": "h" * 129}, "at 'handler' failed to satisfy constraint: Member must have length"),
    "description too long": ({"Description": "d" * 257}, "'description' failed to satisfy constraint"),
    "tracing unknown": ({"TracingConfig": {"Mode": "x"}}, "enum value set: [Active, PassThrough]"),
    "package unknown": ({"PackageType": "Tar"}, "Value 'Tar' at 'packageType'"),
    "layer is not an ARN": ({"Layers": ["x"]}, "Value '['x']' at 'layers'"),
}


@pytest.mark.parametrize(("change", "text"), BAD.values(), ids=BAD)
def test_values_out_of_bounds_are_named(change: dict[str, Any], text: str) -> None:
    """Each refusal names the member, the value and the bound in Lambda's words."""
    assert text in (validation_problems(GOOD | change) or "")


@pytest.mark.parametrize("name", ["1A", "_A", "A-B", "A B", "Ä1", "", "_HANDLER"])
def test_names_that_no_variable_may_have(name: str) -> None:
    """A name begins with a letter and has letters, digits and underscores; it is not repeated."""
    problem = validation_problems({"Environment": {"Variables": {"GOOD": "1", name: "2"}}})

    assert problem == (
        "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys must "
        "satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]"
    )


def test_all_problems_are_told_at_once() -> None:
    """Lambda counts them."""
    problem = validation_problems({"Timeout": 901, "MemorySize": 1})

    assert (problem or "").startswith("2 validation errors detected: Value '901' at 'timeout'")


def test_reserved_variables_are_listed() -> None:
    """Lambda names the reserved ones of the request, and no others."""
    problem = lambda_checks.parameter_problem(
        {"Environment": {"Variables": {"AWS_REGION": "", "X1": "", "AWS_ACCESS_KEY_ID": ""}}}
    )

    assert (problem or "").endswith("Reserved keys used in this request: AWS_REGION, AWS_ACCESS_KEY_ID")


def test_memory_over_the_quota_is_refused_by_the_service() -> None:
    """The API knows larger functions, which need a capacity provider."""
    large = {"MemorySize": 10_241}

    assert "less than or equal to 10240" in (lambda_checks.parameter_problem(large) or "")
    assert lambda_checks.parameter_problem(large | {"CapacityProviderConfig": {}}) is None


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"Runtime": None}, "Runtime and Handler are mandatory parameters"),
        ({"Handler": ""}, "Runtime and Handler are mandatory parameters"),
        ({"Code": {}}, "Please provide a source for function code."),
        ({"Code": {"ZipFile": b"PK", "S3Bucket": "b"}}, "Please do not provide other FunctionCode parameters"),
    ],
)
def test_new_function_needs_one_source(change: dict[str, Any], text: str) -> None:
    """Runtime, handler and exactly one place of the code."""
    assert text in (lambda_checks.creation_problem(GOOD | change) or "")


def test_image_needs_neither_runtime_nor_handler() -> None:
    """They are in the image."""
    assert lambda_checks.creation_problem({"PackageType": "Image", "Code": {"ImageUri": "i"}}) is None


@pytest.mark.parametrize(
    ("size", "is_event", "text"),
    [
        (6_291_456, False, None),
        (6_291_457, False, "Request must be smaller than 6291456 bytes for the InvokeFunction operation"),
        (1_048_576, True, None),
        (1_048_577, True, "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)"),
        (6_291_457, True, "Request must be smaller than 6291456 bytes for the InvokeFunction operation"),
    ],
)
def test_payload_limits(size: int, is_event: bool, text: str | None) -> None:
    """6 MB for who waits for the answer, 1 MB for who does not."""
    assert text == payload_too_large(size, is_event=is_event)


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(), st.lists))
def test_json_is_taken(value: Any) -> None:
    """Whatever is JSON is a payload."""
    assert payload_problem(json.dumps(value).encode()) is None
    assert payload_problem(json.dumps(value, ensure_ascii=False).encode(errors="replace")) is None


@pytest.mark.parametrize(
    ("payload", "cause"),
    [
        (b"'x'", "Unexpected character (''' (code 39)): expected a valid value"),
        (b"abc", "Unrecognized token 'abc': was expecting"),
        (b'{"a":', "Unexpected end-of-input"),
        (b'{"a":1} x', "Unrecognized token 'x'"),
        (b"[1,\n2,]", "at [Source: (byte[]); line: 2, column: "),
        (b"\xff", "Invalid UTF-8 start byte 0xff"),
        (b"NaN", "Non-standard token 'NaN'"),
        (b"[" * 100_000, ""),
    ],
)
def test_what_is_no_json_is_refused_with_its_cause(payload: bytes, cause: str) -> None:
    """The text is that of Lambda's parser, with the place."""
    problem = payload_problem(payload) or ""

    assert problem.startswith("Could not parse request body into json: Could not parse payload into json: ")
    assert cause in problem


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.b", True), ("a-b_1", False), ("arn:aws:lambda:us-east-1:000000000000:function:a", False)],
)
def test_names_with_dots(name: str, expected: bool) -> None:
    """A function's name has no dot."""
    assert expected is lambda_checks.has_dots(name)

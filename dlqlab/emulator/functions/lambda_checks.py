"""What Lambda refuses of a function's settings and of a payload. Pure: problems in AWS's words, or none.

Sources: the API reference of CreateFunction, UpdateFunctionConfiguration and Invoke (bounds and patterns), "Lambda
quotas" (time-out, memory, payloads), "Using Lambda environment variables" (names).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

CODE_REQUEST_LIMIT = 70_167_211
"""Bytes of a request that carries a bundle of 50 MB in base64 (Lambda's own error text names it)."""
PAYLOAD_LIMIT = 6 * 1024 * 1024
"""Bytes of a payload of a synchronous invocation."""
EVENT_LIMIT = 1024 * 1024
"""Bytes of a payload of an asynchronous invocation."""
MEMORY_MB_MAX = 10_240

RESERVED = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    }
)
"""Names that Lambda itself sets. TZ, PATH, PYTHONPATH, LD_LIBRARY_PATH, LANG and the like may be set by customers."""

_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")
_VARIABLE_OF_LAMBDA = "[a-zA-Z]([a-zA-Z0-9_])+"
"""The pattern that Lambda names. It wants two characters; scripts for LocalStack use names of one letter, which harm
nobody here: the fidelity card says so.
"""
_NUMBERS = (
    ("timeout", ("Timeout",), 1, 900),
    ("memorySize", ("MemorySize",), 128, 32_768),
    ("ephemeralStorage.size", ("EphemeralStorage", "Size"), 512, 10_240),
)
_TEXTS = (
    ("handler", ("Handler",), 128, r"[^\s]+"),
    ("description", ("Description",), 256, None),
)
_CHOICES = (
    ("tracingConfig.mode", ("TracingConfig", "Mode"), ("Active", "PassThrough")),
    ("packageType", ("PackageType",), ("Image", "Zip")),
)
_LAYER = re.compile(
    r"(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)"
    r"|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)"
)
_NO_DOTS = re.compile(r"[a-zA-Z0-9-_]+")


def validation_problems(request: Mapping[str, Any]) -> str | None:
    """Lambda's text for values that break a bound or a pattern of the API; None where all are right."""
    names = _variable_names(_variables(request))
    problems = [*_numbers(request), *_texts(request), *_choices(request), *names, *_layers(request.get("Layers") or ())]
    if not problems:
        return None
    return f"{len(problems)} validation error{'s' * (len(problems) > 1)} detected: {'; '.join(problems)}"


def parameter_problem(request: Mapping[str, Any]) -> str | None:
    """Lambda's text for values that only the service refuses; None where all are right."""
    memory = request.get("MemorySize") or 0
    if memory > MEMORY_MB_MAX and "CapacityProviderConfig" not in request:
        bound = f"Member must have value less than or equal to {MEMORY_MB_MAX}"
        return f"'MemorySize' value failed to satisfy constraint: {bound}"
    reserved = [name for name in _variables(request) if name in RESERVED]
    if reserved:
        return (
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. Reserved keys used in "
            f"this request: {', '.join(reserved)}"
        )
    return None


def creation_problem(request: Mapping[str, Any]) -> str | None:
    """Lambda's text for a new function without code, runtime or handler; None where they are given."""
    if request.get("PackageType", "Zip") == "Zip" and not (request.get("Runtime") and request.get("Handler")):
        return "Runtime and Handler are mandatory parameters for functions created with deployment packages."
    return source_problem(request.get("Code") or {})


def source_problem(code: Mapping[str, Any]) -> str | None:
    """Lambda's text for code that comes from nowhere, or from two places; None where there is one source."""
    if not (code.get("ZipFile") or code.get("S3Bucket") or code.get("ImageUri")):
        return "Please provide a source for function code."
    if code.get("ZipFile") and (code.get("S3Bucket") or code.get("S3Key")):
        return "Please do not provide other FunctionCode parameters when providing a ZipFile."
    return None


def has_dots(function_name: str) -> bool:
    """Whether the name is one that only functions of other services may have."""
    return "." in function_name and not function_name.startswith("arn:") and not _NO_DOTS.fullmatch(function_name)


def smaller(limit: int, operation: str) -> str:
    """Lambda's text for a request over a limit of bytes."""
    return f"Request must be smaller than {limit} bytes for the {operation} operation"


def payload_too_large(size: int, *, is_event: bool) -> str | None:
    """Lambda's text for a payload of so many bytes; None where it takes it."""
    if size > PAYLOAD_LIMIT:
        return smaller(PAYLOAD_LIMIT, "InvokeFunction")
    if is_event and size > EVENT_LIMIT:
        return f"{size} byte payload is too large for the Event invocation type (limit {EVENT_LIMIT} bytes)"
    return None


def payload_problem(payload: bytes) -> str | None:
    """Lambda's text for a payload that is not JSON, with cause and position but not the payload; None where it is."""
    try:
        json.loads(payload.decode(), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        cause = (
            f"Invalid UTF-8 start byte 0x{payload[error.start]:02x}\n at [Source: (byte[]); byte: {error.start + 1}]"
        )
    except json.JSONDecodeError as error:
        cause = f"{_cause(error)}\n at [Source: (byte[]); line: {error.lineno}, column: {error.colno}]"
    except (ValueError, RecursionError) as error:
        cause = str(error)
    else:
        return None
    return f"Could not parse request body into json: Could not parse payload into json: {cause}"


def _cause(error: json.JSONDecodeError) -> str:
    rest = error.doc[error.pos :]
    expected = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
    if not rest:
        return "Unexpected end-of-input"
    if word := re.match(r"\w+", rest):
        return f"Unrecognized token '{word[0][:100]}': was expecting {expected}"
    return f"Unexpected character ('{rest[0]}' (code {ord(rest[0])})): expected a valid value {expected}"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"Non-standard token '{name}'")


def _at(request: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = request
    for name in path:
        value = (value or {}).get(name)
    return value


def _variables(request: Mapping[str, Any]) -> Iterable[str]:
    return _at(request, ("Environment", "Variables")) or {}


def _numbers(request: Mapping[str, Any]) -> Iterator[str]:
    for name, path, low, high in _NUMBERS:
        value = _at(request, path)
        if value is not None and value < low:
            yield _constraint(value, name, f"Member must have value greater than or equal to {low}")
        if value is not None and value > high:
            yield _constraint(value, name, f"Member must have value less than or equal to {high}")


def _texts(request: Mapping[str, Any]) -> Iterator[str]:
    for name, path, length, pattern in _TEXTS:
        value = _at(request, path)
        if value and len(value) > length:
            yield _constraint(value, name, f"Member must have length less than or equal to {length}")
        if value and pattern and not re.fullmatch(pattern, value):
            yield _constraint(value, name, f"Member must satisfy regular expression pattern: {pattern}")


def _choices(request: Mapping[str, Any]) -> Iterator[str]:
    for name, path, allowed in _CHOICES:
        value = _at(request, path)
        if value is not None and value not in allowed:
            yield _constraint(value, name, f"Member must satisfy enum value set: [{', '.join(allowed)}]")


def _variable_names(names: Iterable[str]) -> Iterator[str]:
    if not all(_VARIABLE.fullmatch(name) for name in names):  # they are secret, so Lambda does not repeat them
        yield (
            "Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: "
            f"[Member must satisfy regular expression pattern: {_VARIABLE_OF_LAMBDA}]"
        )


def _layers(arns: Iterable[str]) -> Iterator[str]:
    for arn in arns:
        if not _LAYER.fullmatch(arn):
            pattern = f"Member must satisfy regular expression pattern: {_LAYER.pattern}"
            yield _constraint([arn], "layers", f"Member must satisfy constraint: [{pattern}]")


def _constraint(value: object, name: str, constraint: str) -> str:
    return f"Value '{value}' at '{name}' failed to satisfy constraint: {constraint}"

"""What a client submits, and what is wrong with it. Pure.

A body is ``{"taskId": text, "payload": object or text}`` or the shorthand ``{"message": text}``, whose text becomes
the payload. ``taskId`` may be left out and is then generated. Anything else is refused, field by field: a misspelt
field must not turn into a task without its payload.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from chalicelib.answers import VALUE_CHARACTERS_MAX, FieldError
from taskrules.redaction import redact_text
from taskrules.tasks import BODY_BYTES_MAX, PAYLOAD_BYTES_MAX, PAYLOAD_DEPTH_MAX, TASK_ID

BAD_REQUEST, TOO_LARGE, UNSUPPORTED = 400, 413, 415
_BODY = "body"


class SubmissionError(ValueError):
    """A submission that is refused: an HTTP status and one entry per wrong field."""

    def __init__(self, status_code: int, errors: list[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.status_code = status_code
        self.errors = errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A task as the client wants it. ``payload_json`` is compact JSON text, the form that is stored."""

    task_id: str
    payload: dict[str, Any] | str
    payload_json: str

    @property
    def digest(self) -> str:
        """Equal for payloads that are equal as JSON values, whatever the order of their keys."""
        canonical = json.dumps(self.payload, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def parse_submission(body: bytes, content_type: str | None, new_id: Callable[[], str]) -> Submission:
    """The submission of a request; ``new_id`` makes a task id where the client gives none.

    Raises:
        SubmissionError: 415 for a content type that is not JSON, 413 for a payload over the limit, else 400.
    """
    if not _is_json_type(content_type):
        raise SubmissionError(UNSUPPORTED, [FieldError("content-type", _shown(content_type), "give application/json")])
    fields = _object(body)
    errors = [_unknown(name, value) for name, value in fields.items() if name not in ("taskId", "payload", "message")]
    task_id = fields["taskId"] if "taskId" in fields else new_id()
    if not (isinstance(task_id, str) and TASK_ID.fullmatch(task_id)):
        errors.append(
            FieldError(
                "taskId", _shown(task_id), "give 1 to 128 letters, digits, . _ - that begin with a letter or digit"
            )
        )
    payload, payload_json = _payload(fields, errors)
    if errors:
        raise SubmissionError(BAD_REQUEST, errors)
    size = len(payload_json.encode())
    if size > PAYLOAD_BYTES_MAX:
        raise _too_large("payload", size, PAYLOAD_BYTES_MAX)
    return Submission(task_id=task_id, payload=payload, payload_json=payload_json)


def _is_json_type(content_type: str | None) -> bool:
    """Whether the header names JSON; one that is missing does, as most clients that leave it out send JSON."""
    return content_type is None or content_type.split(";")[0].strip().lower() == "application/json"


def _object(body: bytes) -> Mapping[str, Any]:
    if len(body) > BODY_BYTES_MAX:
        raise _too_large(_BODY, len(body), BODY_BYTES_MAX)
    if not body.strip():
        raise SubmissionError(BAD_REQUEST, [FieldError(_BODY, None, "is empty: give a JSON object")])
    try:
        value = json.loads(
            body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite_float
        )
    except RecursionError as error:
        raise SubmissionError(BAD_REQUEST, [_too_deep(_BODY)]) from error
    except ValueError as error:
        raise SubmissionError(BAD_REQUEST, [FieldError(_BODY, None, f"is not JSON: {_shown(str(error))}")]) from error
    if not isinstance(value, dict):
        raise SubmissionError(BAD_REQUEST, [FieldError(_BODY, _shown(value), "give a JSON object")])
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a repeated key is refused, since readers of JSON differ in which of its values counts."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("an object has the same key twice")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{_shown(text)} is too large a number")
    return value


def _payload(fields: Mapping[str, Any], errors: list[FieldError]) -> tuple[Any, str]:
    """The payload and its JSON text; what is wrong with it joins ``errors``."""
    if "message" in fields and "payload" in fields:
        errors.append(FieldError("message", _shown(fields["message"]), "give either payload or message"))
    name = "message" if "message" in fields and "payload" not in fields else "payload"
    payload = fields.get(name)
    if name not in fields:
        errors.append(FieldError(name, None, "is missing: give an object or a text"))
    elif name == "message" and not isinstance(payload, str):
        errors.append(FieldError(name, _shown(payload), "give a text"))
    elif not isinstance(payload, dict | str):
        errors.append(FieldError(name, _shown(payload), "give an object or a text"))
    elif _is_too_deep(payload):
        errors.append(_too_deep(name))
    else:
        return payload, _json_text(name, payload, errors)
    return None, ""


def _json_text(name: str, payload: Any, errors: list[FieldError]) -> str:
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        errors.append(FieldError(name, _shown(payload), "holds half of a surrogate pair, which is not a character"))
    return text


def _is_too_deep(value: Any) -> bool:
    """Whether objects and lists are nested over the limit; level by level, so that depth costs no recursion."""
    level = [value]
    for _ in range(PAYLOAD_DEPTH_MAX + 1):
        containers = [item for item in level if isinstance(item, dict | list)]
        if not containers:
            return False
        level = [
            child
            for container in containers
            for child in (container.values() if isinstance(container, dict) else container)
        ]
    return True


def _too_deep(name: str) -> FieldError:
    return FieldError(name, None, f"is nested deeper than {PAYLOAD_DEPTH_MAX} levels")


def _too_large(name: str, size: int, limit: int) -> SubmissionError:
    return SubmissionError(TOO_LARGE, [FieldError(name, f"{size} bytes", f"give at most {limit} bytes")])


def _unknown(name: str, value: Any) -> FieldError:
    return FieldError(_shown(name), _shown(value), "is not known: fields are taskId, payload, message")


def _shown(value: Any) -> Any:
    """A value as an error may show it: redacted, short, and made of characters; containers by their kind."""
    if isinstance(value, str):
        text = redact_text(value[: 4 * VALUE_CHARACTERS_MAX]).encode("utf-8", "replace").decode()
        return text if len(text) <= VALUE_CHARACTERS_MAX else text[:VALUE_CHARACTERS_MAX] + "..."
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and abs(value) >= 10**15:
        return "a large number"
    return value

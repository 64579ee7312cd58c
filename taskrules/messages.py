"""The message on the task queue: a JSON object in ASCII.

    {"taskId": str, "payload": object | str, "generation": int, "runId": str, "traceId": str | null}

ASCII, because SQS refuses some characters that JSON texts may hold raw (only #x9 #xA #xD #x20-#xD7FF #xE000-#xFFFD
#x10000-#x10FFFF pass, SQS API reference, SendMessage); escaped, every payload fits.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from taskrules.tasks import TASK_ID

ATTRIBUTE_CHARACTERS_MAX = 1000
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,127}")


class MessageError(ValueError):
    """A message body that is none of ours; says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMessage:
    """One task to be worked on."""

    task_id: str
    payload: dict[str, Any] | str
    generation: int
    run_id: str | None = None
    trace_id: str | None = None

    @property
    def script(self) -> str | None:
        """The text that may script the task's faults: the payload, where it is a text."""
        return self.payload if isinstance(self.payload, str) else None

    def to_body(self) -> str:
        return json.dumps(
            {
                "taskId": self.task_id,
                "payload": self.payload,
                "generation": self.generation,
                "runId": self.run_id,
                "traceId": self.trace_id,
            },
            separators=(",", ":"),
        )


def parse_body(body: str) -> TaskMessage:
    """The task of a message body.

    Raises:
        MessageError: not JSON, not an object, or a field is missing or of a wrong type.
    """
    try:
        value = json.loads(body)
    except RecursionError as error:
        raise MessageError("body is nested too deep") from error
    except ValueError as error:
        raise MessageError(f"body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise MessageError(f"body is a JSON {type(value).__name__}, not an object")
    task_id, payload, generation = value.get("taskId"), value.get("payload"), value.get("generation", 1)
    if not (isinstance(task_id, str) and TASK_ID.fullmatch(task_id)):
        raise MessageError("taskId is missing or not a task id")
    if not isinstance(payload, dict | str):
        raise MessageError("payload is missing or neither an object nor a text")
    if type(generation) is not int or generation < 1:
        raise MessageError("generation is not a whole number of 1 or more")
    return TaskMessage(
        task_id=task_id,
        payload=payload,
        generation=generation,
        run_id=_label(value.get("runId")),
        trace_id=_label(value.get("traceId")),
    )


def attribute_text(text: str) -> str:
    """The text as a message attribute may hold it: allowed characters, bounded, never empty (SQS refuses that)."""
    return "".join(char if _is_allowed(char) else "?" for char in text[:ATTRIBUTE_CHARACTERS_MAX]) or "-"


def _is_allowed(char: str) -> bool:
    # Not a regular expression: compiling one of all these characters takes 10 ms of every cold start.
    return char in "\t\n\r" or " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or char > "\uffff"


def _label(value: object) -> str | None:
    """A run or trace id; anything else that a stranger put there is none, so that it never reaches a log."""
    return value if isinstance(value, str) and _LABEL.fullmatch(value) else None

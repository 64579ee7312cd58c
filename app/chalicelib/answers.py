"""What the API answers, and how it says what is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

UNAVAILABLE = 503
RETRY_AFTER_S = 1
VALUE_CHARACTERS_MAX = 80
"""Of a refused value, as an error shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer; the body is JSON."""

    status_code: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: its name, what was given (shortened, redacted) and what is expected."""

    field: str
    value: Any
    message: str

    def to_json(self) -> dict[str, Any]:
        return {"field": self.field, "value": self.value, "message": self.message}


def refused(status_code: int, problems: Sequence[FieldError]) -> Answer:
    """The answer that names each wrong field; with Retry-After where the same request may do later."""
    return Answer(
        status_code=status_code,
        body={"errors": [problem.to_json() for problem in problems]},
        headers={"Retry-After": str(RETRY_AFTER_S)} if status_code == UNAVAILABLE else {},
    )

"""How the fast path declines a request, and how DynamoDB refuses one."""

from collections.abc import Mapping
from typing import Any

VALIDATION = "ValidationException"


class UnsupportedError(Exception):
    """The request needs something that is not done here, or is wrong; nothing has been changed."""


class InvalidError(UnsupportedError):
    """DynamoDB refuses the request; nothing has been changed.

    The fast path declines it like any other: the full path serves it again and finds the error that DynamoDB names
    where a request has several.
    """

    def __init__(self, message: str, code: str = VALIDATION, members: Mapping[str, Any] | None = None) -> None:
        """Args:
        message: DynamoDB's text.
        code: of the error.
        members: what the error has besides its message.
        """
        super().__init__(message)
        self.message = message
        self.code = code
        self.members = dict(members or {})


class ExpressionError(InvalidError):
    """What is wrong with an expression; the text lacks the name of the parameter, which stands before it."""

"""Conditional writes of DynamoDB that were refused."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from taskrules.requests import CONDITION_FAILED
from taskrules.store import StoreError


def refusal_of(error: ClientError | BotoCoreError, what: str) -> Mapping[str, Any]:
    """The item as it stood when the condition of the write did not hold; empty where the refusal brought none.

    Raises:
        StoreError: the write failed for another reason; ``what`` says what could not be done.
    """
    if not isinstance(error, ClientError) or error.response["Error"]["Code"] != CONDITION_FAILED:
        raise StoreError(f"{what}: {error}") from error
    item: Mapping[str, Any] | None = error.response.get("Item")  # type: ignore[assignment]  # stubs say object
    return item or {}

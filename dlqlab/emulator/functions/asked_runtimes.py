"""For which runtime a request about a function is served: known to what is called within it, on the same thread."""

import contextvars
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localstack.services.lambda_ import api_utils
from localstack.services.lambda_.invocation.models import lambda_stores

Operation = Callable[[Any, Any, Any], Any]
"""Of the provider, with a request's context and members."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The runtime and the architectures that the function has once the request is served."""

    runtime: str
    architectures: tuple[str, ...]


_ASKED: contextvars.ContextVar[Asked | None] = contextvars.ContextVar("asked", default=None)


def asked() -> Asked | None:
    """Of the request that is served now; None where it is about no function with a runtime."""
    return _ASKED.get()


def telling(original: Operation) -> Operation:
    """An operation that tells its runtime to what it calls."""

    @functools.wraps(original)
    def told(self: Any, context: Any, request: Any) -> Any:
        token = _ASKED.set(_of(context, request))
        try:
            return original(self, context, request)
        finally:
            _ASKED.reset(token)

    return told


def configuration(context: Any, request: Any) -> Any:
    """The latest configuration of the function that a request names; None where there is none."""
    name = request.get("FunctionName") or ""
    account_id, region = api_utils.get_account_and_region(name, context)
    function_name, _ = api_utils.get_name_and_qualifier(name, None, context)
    function = lambda_stores[account_id][region].functions.get(function_name)
    return function.latest().config if function else None


def _of(context: Any, request: Any) -> Asked | None:
    has = None if request.get("Role") and request.get("Code") else configuration(context, request)
    runtime = request.get("Runtime") or (has.runtime if has else None)
    architectures = request.get("Architectures") or (has.architectures if has else None)
    return Asked(runtime, tuple(architectures or ())) if runtime else None

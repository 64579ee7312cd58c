"""A call of a service that the emulator does not serve is answered with its name and the ones that are served.

LocalStack names a configuration variable, which nobody can set here.
"""

import functools
from collections.abc import Callable
from typing import Any

from localstack.aws.handlers.service_plugin import ServiceLoader

from dlqlab.emulator import settings


def patch() -> None:
    ServiceLoader.require_service = _named(ServiceLoader.require_service)


def _named(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def require_service(self: Any, chain: Any, context: Any, response: Any) -> Any:
        service = context.service.service_name if context.service else ""
        try:
            return original(self, chain, context, response)
        except NotImplementedError as error:
            raise NotImplementedError(refusal(service)) from error

    return require_service


def refusal(service: str) -> str:
    """What the caller is told."""
    return (
        f"The emulator does not serve {service}. It serves {', '.join(settings.SERVICES)}. Leave {service} out of what "
        "runs here, or give its client the address of something that serves it."
    )

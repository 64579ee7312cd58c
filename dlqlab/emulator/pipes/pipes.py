"""EventBridge Pipes: from queues and streams through filter, enrichment and template to a target.

LocalStack's free edition has none. The service is made when it is first called.
"""

from collections.abc import Callable
from typing import Any

from localstack.services.cloudformation.resource_provider import (
    PHYSICAL_RESOURCE_ID_SPECIAL_CASES,
    ResourceProviderExecutor,
)
from localstack.services.plugins import Service

from dlqlab.emulator.core.own_services import serve

NAME = "pipes"
_TYPE = "AWS::Pipes::Pipe"


def make_service() -> Service:
    """The service for LocalStack."""
    from localstack.aws.skeleton import Skeleton  # noqa: PLC0415  (as below)
    from localstack.aws.spec import load_service  # noqa: PLC0415  (made when it is first called)

    from dlqlab.emulator.pipes.api import Api  # noqa: PLC0415  (as above)

    api = Api()
    service = Service(name=NAME, skeleton=Skeleton(load_service(NAME), api.dispatch_table()))
    service._provider = api
    return service


def patch() -> None:
    """Add the service to those that LocalStack finds by its plug-ins, and its resource."""
    _add_resource()

    serve(NAME, make_service)


def _add_resource() -> None:
    original: Callable[[str], Any] = ResourceProviderExecutor.try_load_resource_provider

    def try_load_resource_provider(resource_type: str) -> Any:
        if resource_type != _TYPE:
            return original(resource_type)
        from dlqlab.emulator.pipes.resource import PipeProvider  # noqa: PLC0415  (most stacks have none)

        return PipeProvider()

    ResourceProviderExecutor.try_load_resource_provider = staticmethod(try_load_resource_provider)
    PHYSICAL_RESOURCE_ID_SPECIAL_CASES[_TYPE] = "/properties/Name"

"""X-Ray keeps the segments that functions send, and answers with them and what the recorder knows of a trace.

LocalStack has no X-Ray. The service is made when it is first called.
"""

from typing import Any

from localstack.services.plugins import Service, ServicePluginAdapter, ServicePluginManager
from localstack.utils.patch import patch as replace

NAME = "xray"


def make_service() -> Service:
    """The service for LocalStack."""
    from localstack.aws.skeleton import Skeleton  # noqa: PLC0415  (as below)
    from localstack.aws.spec import load_service  # noqa: PLC0415  (the model takes 0.1 s to read)

    from dlqlab.emulator.xray.api import Api  # noqa: PLC0415  (most emulators are never asked for traces)

    model, api = load_service(NAME), Api()
    service = Service(name=NAME, skeleton=Skeleton(model, api.dispatch_table(model.operation_names)))
    service._provider = api
    return service


def patch() -> None:
    """Add the service to those that LocalStack finds by its plug-ins."""

    @replace(ServicePluginManager._resolve_api_provider_specs)  # type: ignore[untyped-decorator]
    def resolve(original: Any, self: ServicePluginManager) -> Any:
        found = original(self)
        found[NAME].append(self.get_default_provider())
        return found

    @replace(ServicePluginManager._load_service_plugin)  # type: ignore[untyped-decorator]
    def load(original: Any, self: ServicePluginManager, name: str) -> Any:
        if name != NAME:
            return original(self, name)
        plugin = ServicePluginAdapter(NAME, make_service)
        plugin.load()
        return plugin

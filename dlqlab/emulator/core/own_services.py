"""Services of AWS that are the emulator's own: LocalStack finds them as it finds its plug-ins, at their first call."""

from collections.abc import Callable
from typing import Any

from localstack.services.plugins import Service, ServicePluginAdapter, ServicePluginManager
from localstack.utils.patch import patch as replace

_MAKERS: dict[str, Callable[[], Service]] = {}


def serve(name: str, make: Callable[[], Service]) -> None:
    """Have a service made by ``make``, in the place of LocalStack's where it has one."""
    if not _MAKERS:
        _join()
    _MAKERS[name] = make


def _join() -> None:
    """Once for all of them: LocalStack keeps what it has found, so that whoever asks first must find every one."""

    @replace(ServicePluginManager._resolve_api_provider_specs)  # type: ignore[untyped-decorator]
    def resolve(original: Any, self: ServicePluginManager) -> Any:
        found = original(self)
        for name in _MAKERS:
            if self.get_default_provider() not in found[name]:
                found[name].append(self.get_default_provider())
        return found

    @replace(ServicePluginManager._load_service_plugin)  # type: ignore[untyped-decorator]
    def load(original: Any, self: ServicePluginManager, name: str) -> Any:
        make = _MAKERS.get(name)
        if make is None:
            return original(self, name)
        plugin = ServicePluginAdapter(name, make)
        plugin.load()
        return plugin

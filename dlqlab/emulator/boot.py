"""``python -m localstack.runtime.main`` without the half of its start-up work that nobody uses.

Nothing here changes what LocalStack does, only when it does it:

- **rfc3987_syntax**: LocalStack imports jsonschema, which imports this where it is installed (JupyterLab brings it),
  which compiles a grammar for the format of internationalised identifiers: as much work as all of LocalStack's other
  imports. jsonschema does without it where it is absent, and so it is absent here.
- **samtranslator, the types of EC2**: CloudFormation imports them for a transform of templates and for an intrinsic
  function that few templates have. They are imported when they are first called.
- **openapi_core**: LocalStack validates requests to its own pages by it where its settings ask for that, which they do
  not by default.
- **addresses of routes**: werkzeug compiles for each route two functions that make addresses for it, and LocalStack,
  which makes none, has it do so anew for all routes whenever one is added. They are compiled when they are called.
- **the garbage collector**: it looks at what the imports make again and again, a seventh of their time, and all of it
  stays. ``startup`` turns it on once the services are loaded.
- **botocore's endpoints.json**: each of some fifteen botocore sessions parses its 1.2 MB anew. It is read only, so once
  is enough.
"""

import functools
import gc
import importlib
import os
import runpy
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from botocore.loaders import JSONFileLoader
from werkzeug.routing.rules import Rule

from dlqlab.emulator.core import descriptors

DEFERRED: Mapping[str, tuple[str, ...]] = {
    "samtranslator.translator.transform": ("transform",),
    "samtranslator.translator.managed_policy_translator": ("ManagedPolicyLoader",),
    "localstack.aws.api.ec2": ("AvailabilityZoneList", "DescribeAvailabilityZonesResult"),
}
"""Module -> the names that LocalStack imports from it at its start; they are only called or stand in annotations."""

VALIDATION: Mapping[str, tuple[str, ...]] = {
    "openapi_core": ("OpenAPI",),
    "openapi_core.contrib.werkzeug": ("WerkzeugOpenAPIRequest", "WerkzeugOpenAPIResponse"),
    "openapi_core.exceptions": ("OpenAPIError",),
    "openapi_core.validation.request.exceptions": ("RequestValidationError",),
    "openapi_core.validation.response.exceptions": ("ResponseValidationError",),
}
"""As DEFERRED, of what validates: used where one of VALIDATES is set, and nowhere else."""
VALIDATES = ("OPENAPI_VALIDATE_REQUEST", "OPENAPI_VALIDATE_RESPONSE")

SHARED_DATA = "endpoints"


def main() -> None:
    gc.disable()
    descriptors.raise_limit()
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # makes its import an ImportError
    for module, names in (DEFERRED if validates() else {**DEFERRED, **VALIDATION}).items():
        defer(module, names)
    parse_endpoints_once()
    compile_addresses_when_asked()
    runpy.run_module("localstack.runtime.main", run_name="__main__", alter_sys=True)


def validates() -> bool:
    """Whether LocalStack is asked to validate requests to its own pages, or the answers."""
    return any(os.environ.get(name) for name in VALIDATES)


def defer(module: str, names: tuple[str, ...]) -> None:
    """Put a stand-in in the module's place until one of the names is called, or until any other is asked for."""
    stand_in = _StandIn(module)
    for name in names:
        setattr(stand_in, name, _deferred(module, name))
    sys.modules[module] = stand_in


def parse_endpoints_once() -> None:
    """Let all botocore sessions of this process share what they read from endpoints.json."""
    original = JSONFileLoader.load_file

    @functools.cache
    def load_once(file_path: str) -> Any:
        return original(JSONFileLoader(), file_path)

    def load_file(self: JSONFileLoader, file_path: str) -> Any:
        if file_path.endswith(SHARED_DATA):
            return load_once(file_path)
        return original(self, file_path)

    JSONFileLoader.load_file = load_file  # type: ignore[method-assign]


def compile_addresses_when_asked() -> None:
    """Have werkzeug compile what makes a route's addresses at the first address that somebody asks for."""
    original = Rule._compile_builder

    def compile_builder(_rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            made = original(rule, append_unknown).__get__(rule, None)
            setattr(rule, "_build_unknown" if append_unknown else "_build", made)
            return made(**values)  # type: ignore[no-any-return]

        return build

    Rule._compile_builder = compile_builder  # type: ignore[method-assign,assignment]


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the import system asks of every module
            raise AttributeError(name)
        return getattr(_real(self.__name__), name)


def _deferred(module: str, name: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(_real(module), name)(*args, **kwargs)

    return call


def _real(module: str) -> ModuleType:
    if isinstance(sys.modules.get(module), _StandIn):
        del sys.modules[module]
    return importlib.import_module(module)


if __name__ == "__main__":
    main()

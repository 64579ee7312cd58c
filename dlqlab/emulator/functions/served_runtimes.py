"""A function whose runtime cannot be served is refused at its creation; one that is served otherwise says so.

Where a declared Python or Node.js is not on this machine, or arm64 is declared elsewhere, the function runs on what
there is, and its StateReason names the difference. LocalStack takes every runtime and fails at the first invocation.
"""

import dataclasses

from localstack.aws.api.lambda_ import InvalidParameterValueException, PackageType, State
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager
from localstack.services.lambda_.provider import LambdaProvider
from localstack.utils.patch import patch as replace

from dlqlab.emulator.runtime.executor import ProcessRuntimeExecutor
from dlqlab.emulator.runtime.serving import refusal


def _refuse(package_type: str | None, runtime: str | None) -> None:
    if text := refusal(package_type, runtime):
        raise InvalidParameterValueException(text, Type="User")


def patch() -> None:

    @replace(LambdaProvider._validate_runtime)
    def _validate_runtime(original, self, package_type, runtime):  # type: ignore[no-untyped-def]
        original(self, package_type, runtime)
        _refuse(package_type, runtime)

    @replace(LambdaProvider.update_function_configuration)
    def update_function_configuration(original, self, context, request):  # type: ignore[no-untyped-def]
        if "Runtime" in request:
            _refuse(PackageType.Zip, request["Runtime"])
        return original(self, context, request)

    @replace(LambdaVersionManager.start)
    def start(original, self):  # type: ignore[no-untyped-def]
        state = original(self)
        if state.state == State.Active and (notes := ProcessRuntimeExecutor.notes(self.function_version)):
            self.state = state = dataclasses.replace(state, reason="; ".join(notes))
        return state

"""Entry points that LocalStack finds through the package's metadata. Imports nothing heavy before it is needed."""

from typing import Any

from localstack.runtime import hooks
from localstack.runtime.server.plugins import RuntimeServerPlugin
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.plugins import Service, aws_provider


class ProcessExecutorPlugin(RuntimeExecutorPlugin):  # type: ignore[misc]
    """``LAMBDA_RUNTIME_EXECUTOR=process``."""

    name = "process"

    def load(self, *_args: Any, **_kwargs: Any) -> Any:
        from dlqlab.emulator.runtime.executor import ProcessRuntimeExecutor
        from dlqlab.emulator.startup import check_loaded

        check_loaded()
        return ProcessRuntimeExecutor


class ThreadedServerPlugin(RuntimeServerPlugin):  # type: ignore[misc]
    """``GATEWAY_SERVER=threaded``."""

    name = "threaded"

    def load(self, *_args: Any, **_kwargs: Any) -> Any:
        from dlqlab.emulator.gateway.server import ThreadedRuntimeServer
        from dlqlab.emulator.startup import check_loaded

        check_loaded()
        return ThreadedRuntimeServer()


@aws_provider(api="dynamodb", name="moto")  # type: ignore[untyped-decorator]
def dynamodb_moto() -> Service:
    """``PROVIDER_OVERRIDE_DYNAMODB=moto``."""
    from dlqlab.emulator.dynamodb import make_service
    from dlqlab.emulator.startup import check_loaded

    check_loaded()
    return make_service()


@hooks.on_infra_start()  # type: ignore[untyped-decorator]
def apply_patches() -> None:
    """The patches that DLQLAB_PATCHES names, and the lifeline to the starter."""
    from dlqlab.emulator.startup import prepare

    prepare()


@hooks.on_infra_ready()  # type: ignore[untyped-decorator]
def load_services() -> None:
    """The services that every deployment needs, while the harness is still on its way to them."""
    from dlqlab.emulator.startup import preload

    preload()

"""X-Ray keeps the segments that functions send, and answers with them and what the recorder knows of a trace.

LocalStack has no X-Ray. The service is made when it is first called; its daemon listens from the start, since functions
are told its address.
"""

from localstack.runtime.shutdown import ON_AFTER_SERVICE_SHUTDOWN_HANDLERS
from localstack.services.plugins import Service

from dlqlab.emulator.core.isolation import warn_once
from dlqlab.emulator.core.own_services import serve
from dlqlab.emulator.runtime.executor import SERVICE_VARIABLES
from dlqlab.emulator.xray.daemon import PART, Daemon
from dlqlab.emulator.xray.sent import Store

NAME = "xray"
_STORE = Store()


def make_service() -> Service:
    """The service for LocalStack."""
    from localstack.aws.skeleton import Skeleton  # noqa: PLC0415  (as below)
    from localstack.aws.spec import load_service  # noqa: PLC0415  (the model takes 0.1 s to read)

    from dlqlab.emulator.xray.api import Api  # noqa: PLC0415  (most emulators are never asked for traces)

    model, api = load_service(NAME), Api(_STORE)
    service = Service(name=NAME, skeleton=Skeleton(model, api.dispatch_table(model.operation_names)))
    service._provider = api
    return service


def patch() -> None:
    """Add the service to those that LocalStack finds by its plug-ins, and start its daemon."""
    _listen()

    serve(NAME, make_service)


def _listen() -> None:
    try:
        daemon = Daemon(_STORE)
    except OSError as error:
        warn_once(PART, "socket", "segments that functions send by UDP are lost", error)
        return
    SERVICE_VARIABLES.update(daemon.variables())
    ON_AFTER_SERVICE_SHUTDOWN_HANDLERS.register(daemon.close)

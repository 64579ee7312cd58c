"""With --latency, calls, invocations and initialisations take as long as on AWS, drawn from a table.

A request waits in its own thread, after its work and before its answer, so that it holds nothing up but its caller.
What LocalStack's services call of each other takes no longer than before; a mapping's batch and an execution
environment wait before their function runs. Lambda's other operations are deployments, which take as long as here.
"""

import os
import time
from collections.abc import Callable
from typing import Any

from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment
from localstack.utils.patch import patch as replace

from dlqlab.emulator import settings
from dlqlab.emulator.gateway import server, shortcut
from dlqlab.emulator.latency.requests import call_of
from dlqlab.emulator.latency.table import Draws, read
from dlqlab.emulator.mappings.sqs_records import Delivery

_INTERNAL = "HTTP_X_LOCALSTACK_DATA"
_DEPLOYMENTS = frozenset({"cloudformation", "iam", "apigateway", "sts"})
"""Services that are called to deploy, and by Lambda for its own credentials: their times are this machine's."""


class _Pauses:
    def __init__(self, draws: Draws) -> None:
        self._draws = draws

    def after(self, call: tuple[str, str] | None, began: float) -> None:
        """Wait until the call has taken its time."""
        if call is None or call[0] in _DEPLOYMENTS or (call[0] == "lambda" and call[1] != "Invoke"):
            return
        wanted_s, adds = self._draws.draw(*call)
        time.sleep(max(0.0, wanted_s if adds else wanted_s - (time.monotonic() - began)))

    def before(self, operation: str) -> None:
        """Wait before something of Lambda's own."""
        time.sleep(self._draws.draw("lambda", operation)[0])


def patch() -> None:
    pauses = _Pauses(Draws(read(os.environ[settings.LATENCY])))
    _slow_requests(pauses)
    deliver = Delivery.invoke

    def invoke(*args: Any) -> Any:
        pauses.before("Mapping")
        return deliver(*args)

    Delivery.invoke = staticmethod(invoke)

    @replace(ExecutionEnvironment.start)
    def start(original, self):  # type: ignore[no-untyped-def]
        pauses.before("Init")
        return original(self)


def _slow_requests(pauses: _Pauses) -> None:
    quick: Callable[..., Any] = shortcut.reply
    respond: Callable[..., Any] = server._respond

    def reply(method: bytes, path: bytes, headers: shortcut.Headers, body: bytes) -> shortcut.Reply | None:
        began = time.monotonic()
        answer: shortcut.Reply | None = quick(method, path, headers, body)
        if answer is not None:
            found = headers.get(b"host", b""), headers.get(b"authorization", b""), headers.get(b"x-amz-target", b"")
            pauses.after(call_of(path, *found, body), began)
        return answer

    def slow(application: Any, environ: dict[str, Any]) -> shortcut.Reply:
        began = time.monotonic()
        body = _start_of(environ)
        answer: shortcut.Reply = respond(application, environ)
        if _INTERNAL not in environ:
            names = ("RAW_URI", "HTTP_HOST", "HTTP_AUTHORIZATION", "HTTP_X_AMZ_TARGET")
            target, host, scope, operation = (str(environ.get(name, "")).encode("latin-1") for name in names)
            pauses.after(call_of(target, host, scope, operation, body), began)
        return answer

    shortcut.reply = reply
    server._respond = slow


def _start_of(environ: dict[str, Any]) -> bytes:
    """The first bytes of a form, which name the operation of the query protocol; nothing of any other body."""
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return b""
    begin = bytes(environ["wsgi.input"].read(1000))
    environ["wsgi.input"].seek(0)
    return begin

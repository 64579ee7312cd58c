"""Lambda's Extensions API (version 2020-01-01), server side, for one execution environment.

External extensions are the executables in ``/opt/extensions``, each a process that is started before the runtime and
registers; a process of the function itself may register as an internal one. Whoever registers asks for events one at a
time, and an invocation has ended only when all ask again. Paths, headers and documents: "Using the Lambda Extensions
API to create extensions" (AWS Lambda developer guide). The Telemetry API and the Logs API are refused.
"""

import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlqlab.emulator.runtime.api import RuntimeApi, RuntimeGoneError, RuntimeTimeoutError
from dlqlab.emulator.runtime.inbox import ProtocolError, RuntimeRequest
from dlqlab.emulator.runtime.outcomes import now_ms
from dlqlab.emulator.runtime.output import Line
from dlqlab.emulator.runtime.process import FunctionProcess

PREFIX = "/2020-01-01/extension/"
INVOKE, SHUTDOWN = "INVOKE", "SHUTDOWN"
SHUTDOWN_WAITS_S = 2.0
"""So long extensions may take for their end, as on AWS."""
_NAME, _IDENTIFIER = "lambda-extension-name", "lambda-extension-identifier"
_ERROR_TYPE = "lambda-extension-function-error-type"
_REFUSED = ("/2022-07-01/telemetry", "/2020-08-15/logs")
_NOT_SET = {
    "DLQLAB_NETWORK",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_XRAY_CONTEXT_MISSING",
    "AWS_XRAY_DAEMON_ADDRESS",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_AWS_XRAY_DAEMON_ADDRESS",
    "_AWS_XRAY_DAEMON_PORT",
    "_HANDLER",
}
"""Variables of the function that an extension does not have (developer guide, as above)."""


class ExtensionError(Exception):
    """An extension failed, and with it the environment: ``kind`` is Lambda's name of the error."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(slots=True)
class Extension:
    """One that was started, or that registered from within the function's process."""

    name: str
    process: FunctionProcess | None = None
    identifier: str | None = None
    """Given when it registers."""
    events: frozenset[str] = frozenset()
    asking: socket.socket | None = None
    """Where it waits for its next event."""


@dataclass(slots=True)
class Extensions:
    """All of one environment, from their start to their end."""

    api: RuntimeApi
    function: Mapping[str, str]
    """What a registration answers."""
    known: list[Extension] = field(default_factory=list)
    is_closed: bool = False
    """Whether the init is over, after which none can register."""

    def start(self, opt: Path | None, start: Callable[[Path], FunctionProcess]) -> None:
        """Start the external ones of the layers."""
        for path in external(opt):
            process = start(path)
            self.known.append(Extension(path.name, process))
            self.api.watch(process.output, process.pid)

    @property
    def have_registered(self) -> bool:
        return all(one.identifier is not None for one in self.known)

    @property
    def are_asking(self) -> bool:
        """Whether none of them works on something."""
        return all(one.asking is not None for one in self.known)

    def take(self, request: RuntimeRequest) -> None:
        """Answer a request that is not the runtime's, or keep it for the next event.

        Raises:
            ExtensionError: it reports that an extension failed.
        """
        if request.path == f"{PREFIX}register":
            self._register(request)
        elif request.path.startswith(PREFIX):
            self._of_registered(request)
        elif request.path in _REFUSED:
            text = "The emulator has no Telemetry API and no Logs API: what a function prints is in its log group"
            self.api.answer(403, _error("Telemetry.NotSupported", text))
        else:
            self.api.refuse(404)

    def tell_invocation(self, request_id: str, deadline_ms: str, arn: str, trace_id: str) -> None:
        """Send the event to all that registered for it."""
        tracing = {"type": "X-Amzn-Trace-Id", "value": trace_id}
        rest = {"requestId": request_id, "invokedFunctionArn": arn, "tracing": tracing}
        for one in self.known:
            self._send(one, INVOKE, {"deadlineMs": int(deadline_ms), **rest})

    def shut_down(self, reason: str, is_hasty: Callable[[], bool]) -> None:
        """Tell those that want to know, as soon as they ask, and wait for their end as long as AWS does.

        Args:
            reason: ``SPINDOWN``, ``TIMEOUT`` or ``FAILURE``.
            is_hasty: whether there is no time for it.
        """
        deadline, deadline_ms = time.monotonic() + SHUTDOWN_WAITS_S, now_ms() + int(SHUTDOWN_WAITS_S * 1000)
        while not is_hasty() and self._tell_end(reason, deadline_ms):
            try:
                self.take(self.api.receive(deadline))
            except RuntimeGoneError:
                continue  # one of them has ended
            except (RuntimeTimeoutError, ProtocolError, ExtensionError):
                return  # they are ended all the same

    def _tell_end(self, reason: str, deadline_ms: int) -> list[Extension]:
        """Send the event to those that wait for one; returns whose processes have yet to end."""
        for one in self.known:
            self._send(one, SHUTDOWN, {"shutdownReason": reason, "deadlineMs": deadline_ms})
        return [one for one in self.known if one.process and SHUTDOWN in one.events and not one.process.has_ended()]

    def check(self) -> None:
        """Look whether all processes live.

        Raises:
            ExtensionError: one has ended.
        """
        for one in self.known:
            if one.process is not None and one.process.has_ended():
                status = one.process.exit_status().replace("status", "code")
                raise ExtensionError("Extension.Crash", f"extension {one.name}: {status}")

    def take_lines(self) -> list[Line]:
        """What they printed."""
        outputs = [one.process.output for one in self.known if one.process is not None]
        for output in outputs:
            output.drain()
        return [line for output in outputs for line in output.take_lines()]

    def kill(self) -> list[Line]:
        """End all processes at once; returns the rest of what they printed."""
        ended, self.known, self.is_closed = self.known, [], False
        for one in ended:
            if one.process is not None:
                one.process.kill()
        outputs = [one.process.output for one in ended if one.process is not None]
        return [line for output in outputs for line in output.take_lines(flush=True)]

    def _register(self, request: RuntimeRequest) -> None:
        name = request.headers.get(_NAME, "")
        try:
            events = frozenset(json.loads(request.body)["events"])
        except (ValueError, KeyError, TypeError):
            events = frozenset({""})
        one = next((one for one in self.known if one.name == name), None)
        if self.is_closed:
            self.api.answer(403, _error("Extension.RegistrationClosed", "extensions register during the init only"))
        elif not name or not events <= {INVOKE, SHUTDOWN}:
            self.api.answer(400, _error("Extension.InvalidRegistration", "give Lambda-Extension-Name and its events"))
        elif one is not None and one.identifier is not None:
            self.api.answer(403, _error("Extension.AlreadyRegistered", f"extension {name} has registered already"))
        elif one is None and SHUTDOWN in events:
            self.api.answer(403, _error("ShutdownEventNotSupportedForInternalExtension", f"{name} is internal"))
        else:
            if one is None:
                one = Extension(name)
                self.known.append(one)
            one.identifier, one.events = str(uuid.uuid4()), events
            self.api.answer(
                200, json.dumps(dict(self.function)).encode(), {"Lambda-Extension-Identifier": one.identifier}
            )

    def _of_registered(self, request: RuntimeRequest) -> None:
        identifier = request.headers.get(_IDENTIFIER)
        one = next((one for one in self.known if one.identifier == identifier), None)
        if one is None or identifier is None:
            self.api.answer(403, _error("Extension.UnknownExtensionIdentifier", "no extension has this identifier"))
            return
        action = request.path.removeprefix(PREFIX)
        if action == "event/next":
            one.asking = self.api.hold()
        elif action in {"init/error", "exit/error"}:
            self.api.answer(202, b'{"status": "OK"}')
            kind = "Extension.InitError" if action == "init/error" else "Extension.ExitError"
            raise ExtensionError(kind, f"extension {one.name}: {request.headers.get(_ERROR_TYPE, 'no error type')}")
        else:
            self.api.refuse(404)

    def _send(self, one: Extension, kind: str, rest: dict[str, Any]) -> None:
        if kind in one.events and one.asking is not None:
            connection, one.asking = one.asking, None
            headers = {"Lambda-Extension-Event-Identifier": str(uuid.uuid4())}
            self.api.answer(200, json.dumps({"eventType": kind, **rest}).encode(), headers, connection=connection)


def external(opt: Path | None) -> list[Path]:
    """The external extensions of the layers: each executable, in the order of their names."""
    folder = opt / "extensions" if opt is not None else None
    if folder is None or not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_file() and os.access(path, os.X_OK))


def variables(function: Mapping[str, str]) -> dict[str, str]:
    """The variables of an extension: its function's, but for those that AWS leaves out."""
    return {name: value for name, value in function.items() if name not in _NOT_SET}


def ready_line(one: Extension) -> str:
    """What the log says of one whose init is over."""
    return f"EXTENSION\tName: {one.name}\tState: Ready\tEvents: [{', '.join(sorted(one.events))}]"


def _error(kind: str, text: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": text}).encode()

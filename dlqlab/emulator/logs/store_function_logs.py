"""Function logs go straight into the log store, each line with the time at which it was printed.

LocalStack hands them to one thread per function, which stores them over HTTP to itself, all lines of an invocation with
the time of the storing. Here one thread stores the lines of all functions: what becomes of them changes nothing about
the invocation that printed them, not even how long it takes.
"""

import functools
import threading
from typing import Any

from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager
from localstack.services.logs import provider as _completes_motos_log_store  # noqa: F401  (for what its import does)
from localstack.services.logs.models import get_moto_logs_backend
from localstack.utils.patch import patch as replace
from moto.logs.models import LogsBackend, LogStream

from dlqlab.emulator.core.isolation import isolated
from dlqlab.emulator.logs import intake

_GUARD = isolated(intake.PART)
_CREATE = threading.Lock()


def store(environment: ExecutionEnvironment, lines: list[Any], request_id: str | None) -> None:
    """Put lines into the log stream of their execution environment, soon; makes group and stream where missing."""
    with _GUARD:
        identity = environment.function_version.id
        backend = get_moto_logs_backend(identity.account, identity.region)
        group, stream = environment.get_log_group_name(), environment.get_log_stream_name()
        stream_of(backend, group, stream)  # who looks for the log of an invocation finds the group at once
        characters = sum(len(line.text) for line in lines)
        intake.hand_over(functools.partial(_put, backend, group, stream, lines), characters, request_id)


def stream_of(backend: LogsBackend, group: str, stream: str) -> LogStream:
    """The log stream; group and stream are made where they are missing, as when somebody has deleted them."""
    found = backend.groups.get(group)
    if found is None or stream not in found.streams:
        with _CREATE:
            if group not in backend.groups:
                backend.create_log_group(group, {})
            found = backend.groups[group]
            if stream not in found.streams:
                found.create_log_stream(stream)
    return found.streams[stream]


def _put(backend: LogsBackend, group: str, stream: str, lines: list[Any]) -> None:
    # Past the checks of PutLogEvents: the clock may be set back, or ahead, between two lines.
    events = [{"timestamp": line.ts_ms, "message": line.text} for line in lines]
    stream_of(backend, group, stream).put_log_events(events)


def patch() -> None:

    @replace(LambdaVersionManager.store_logs)
    def store_logs(original, self, invocation_result, execution_env):  # type: ignore[no-untyped-def]
        lines = getattr(invocation_result, "lines", None)
        if lines is None:
            with _GUARD:
                original(self, invocation_result, execution_env)
        else:
            store(execution_env, lines, invocation_result.request_id)

    @replace(ExecutionEnvironment.start)
    def start(original, self):  # type: ignore[no-untyped-def]
        try:
            original(self)
        except StatusErrorException as error:
            store(self, getattr(error, "lines", []), None)  # why the function could not be initialised
            raise

    @replace(ExecutionEnvironment.invoke)
    def invoke(original, self, invocation):  # type: ignore[no-untyped-def]
        try:
            return original(self, invocation)
        except StatusErrorException as error:
            store(
                self, getattr(error, "lines", []), invocation.request_id
            )  # the replaced process could not be initialised
            raise

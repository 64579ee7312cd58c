"""Function logs go straight into the log store, each line with the time at which it was printed.

LocalStack hands them to one thread per function, which stores them over HTTP to itself, all lines of an invocation with
the time of the storing. Metric filters are not evaluated on these lines: LocalStack matches them against every line of
every log group, whatever their pattern.
"""

import threading
from typing import Any

from localstack.services.lambda_.invocation.assignment import AssignmentService
from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.logs import LogHandler
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager
from localstack.services.logs.models import get_moto_logs_backend
from localstack.utils.patch import patch as replace

from dlqlab.emulator.patches import expect
from dlqlab.emulator.patches.in_process import provider

NAME = "direct_logs"
_CREATE = threading.Lock()


def store(environment: ExecutionEnvironment, lines: list[Any]) -> None:
    """Put lines into the log stream of their execution environment; makes group and stream where missing."""
    provider("logs")  # its provider completes moto's log store
    identity = environment.function_version.id
    backend = get_moto_logs_backend(identity.account, identity.region)
    group, stream = environment.get_log_group_name(), environment.get_log_stream_name()
    if group not in backend.groups or stream not in backend.groups[group].streams:
        with _CREATE:
            if group not in backend.groups:
                backend.create_log_group(group, {})
            if stream not in backend.groups[group].streams:
                backend.create_log_stream(group, stream)
    # A stream belongs to one environment and that has one invocation at a time: no two writers.
    backend.put_log_events(group, stream, [{"timestamp": line.ts_ms, "message": line.text} for line in lines])


def patch() -> None:
    expect(NAME, LambdaVersionManager.store_logs, "f06054723b27")
    expect(NAME, LogHandler.start_subscriber, "919bf3de6342")
    expect(NAME, AssignmentService.start_environment, "7c9e50424f2f")
    expect(NAME, ExecutionEnvironment.start, "03aac7be8071")
    expect(NAME, ExecutionEnvironment.invoke, "cf0e0565b58f")

    @replace(LambdaVersionManager.store_logs)
    def store_logs(original, self, invocation_result, execution_env):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        lines = getattr(invocation_result, "lines", None)
        if lines is None:
            original(self, invocation_result, execution_env)
        else:
            store(execution_env, lines)

    @replace(ExecutionEnvironment.start)
    def start(original, self):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        try:
            original(self)
        except StatusErrorException as error:
            store(self, getattr(error, "lines", []))  # why the function could not be initialised
            raise

    @replace(ExecutionEnvironment.invoke)
    def invoke(original, self, invocation):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        try:
            return original(self, invocation)
        except StatusErrorException as error:
            store(self, getattr(error, "lines", []))  # the replaced process could not be initialised
            raise

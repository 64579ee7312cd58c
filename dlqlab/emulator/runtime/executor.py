"""The Lambda runtime executor of LocalStack: translates between its model and our execution environments."""

import logging
import os
import weakref
from pathlib import Path
from typing import Any

from localstack import config
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InitializationType, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import LambdaRuntimeException, RuntimeExecutor

from dlqlab.emulator import settings
from dlqlab.emulator.runtime import network, serving
from dlqlab.emulator.runtime.environment import Environment, Result
from dlqlab.emulator.runtime.inits import InitError
from dlqlab.emulator.runtime.interpreters import own
from dlqlab.emulator.runtime.layers import opt_root
from dlqlab.emulator.runtime.output import Line
from dlqlab.emulator.runtime.process import Lifeline
from dlqlab.emulator.runtime.programs import identifier
from dlqlab.emulator.runtime.starting import Function
from dlqlab.emulator.runtime.variables import of_function

SERVICE_VARIABLES: dict[str, str] = {}
"""What services of the emulator have every function know, as the address of a daemon; a function's own come first."""
_KIND = "AWS_LAMBDA_INITIALIZATION_TYPE"
_LIFELINE = Lifeline()
_LOG = logging.getLogger(__name__)
_ENVIRONMENTS: weakref.WeakSet[Environment] = weakref.WeakSet()


def _served(version: FunctionVersion) -> serving.Served:
    configuration = version.config
    return serving.served(configuration.runtime, tuple(configuration.architectures or ()), _state_folder())


class TimedInvocationResult(InvocationResult):  # type: ignore[misc]
    """LocalStack's result plus the log lines with their own times, and what was measured."""

    lines: list[Line]
    measured: Result
    """What it was made of."""


def _state_folder() -> Path:
    return Path(os.environ[settings.STATE_DIR])


class ProcessRuntimeExecutor(RuntimeExecutor):  # type: ignore[misc]
    """One per execution environment; LocalStack makes, starts, invokes and stops it."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:  # noqa: A002  (LocalStack's name)
        super().__init__(id, function_version)
        self._environment: Environment | None = None

    def start(self, env_vars: dict[str, Any]) -> None:
        configuration = self.function_version.config
        state = _state_folder()
        served = _served(self.function_version)
        task_root = Path(configuration.code.get_unzipped_code_location())
        opt = opt_root([layer.code for layer in configuration.layers], state / "lambda-opt")
        variables = configuration.environment or {}
        function = Function(
            handler=configuration.handler,
            version=self.function_version.id.qualifier,
            timeout_s=configuration.timeout,
            memory_mb=configuration.memory_size,
            task_root=task_root,
            opt_root=opt,
            variables=of_function(
                {**env_vars, **SERVICE_VARIABLES, **variables}, variables, runtime=identifier(served.program)
            )
            | network.rules(configuration.runtime, config.GATEWAY_LISTEN[0].port, variables),
            program=served.program,
            notes=served.notes,
        )
        base = served.runtime_folder(state, task_root, opt)
        environment = Environment(function, base=base, scratch=state / "lambda-tmp", lifeline=_LIFELINE)
        self._environment = environment
        _ENVIRONMENTS.add(environment)
        try:
            environment.start()
        except InitError as error:
            if environment.is_stopped or env_vars[_KIND] != InitializationType.on_demand:
                raise self._failed(error) from error
            _LOG.warning(
                "an init of %s failed, its invocation tries again: %s", self.function_version.qualified_arn, error
            )

    def stop(self) -> None:
        if self._environment is not None:
            self._environment.stop()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        if self._environment is None:
            raise LambdaRuntimeException("the execution environment was invoked before its start")
        try:
            result = self._environment.invoke(
                request_id=payload["invoke-id"],
                payload=payload["payload"].encode(),
                arn=payload["invoked-function-arn"],
                trace_id=payload["trace-id"],
            )
        except InitError as error:
            raise self._failed(error) from error
        text = "\n".join(line.text for line in result.lines)
        answer = TimedInvocationResult(payload["invoke-id"], result.payload, is_error=result.is_error, logs=text)
        answer.lines, answer.measured = result.lines, result
        return answer

    def get_address(self) -> str:
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        return f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}"

    def get_logs(self) -> str:
        return ""  # all output is in the results

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        configuration = function_version.config
        refused = serving.refusal(configuration.package_type, configuration.runtime)
        if refused:
            raise LambdaRuntimeException(refused)
        state = _state_folder()
        served = _served(function_version)
        configuration.code.prepare_for_execution()
        opt = opt_root([layer.code for layer in configuration.layers], state / "lambda-opt")
        served.runtime_folder(state, Path(configuration.code.get_unzipped_code_location()), opt)

    @classmethod
    def notes(cls, function_version: FunctionVersion) -> tuple[str, ...]:
        """In what a prepared version is served otherwise than it declares."""
        return _served(function_version).notes

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Nothing is kept per version besides the code, which LocalStack removes itself."""

    def _failed(self, error: InitError) -> StatusErrorException:
        failure = StatusErrorException(f"Environment startup failed: {error}", payload=error.payload)
        failure.lines = error.lines
        return failure


def try_out() -> None:
    """Find out, before the first function asks, how functions of this emulator's own Python can run."""
    serving.served(f"python{own().version}", (), _state_folder())


def kill_all() -> None:
    """Kill every function process, with what it is working on; the execution environments stay."""
    for environment in list(_ENVIRONMENTS):
        environment.kill()


def end_all() -> None:
    """End every function process at once, with what it is working on: the emulator is about to end."""
    for environment in list(_ENVIRONMENTS):
        environment.end()

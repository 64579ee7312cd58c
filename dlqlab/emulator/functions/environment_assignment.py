"""Invocations at the same time take execution environments without failing each other.

In LocalStack an environment that has just been started can be taken by another invocation before the one that started
it does, and who looks for a free one fails where another is added meanwhile. Both end an invocation that no function
has seen; a mapping's batch then waits for its visibility timeout and is one receive nearer to the dead-letter queue.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from localstack.services.lambda_.invocation.assignment import AssignmentException, AssignmentService
from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment, InvalidStatusException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InitializationType

_LOG = logging.getLogger(__name__)


def taken(
    service: AssignmentService, version_id: str, version: FunctionVersion, kind: InitializationType
) -> ExecutionEnvironment:
    """An environment for one invocation, which nobody else can take: one that is free, or a new one.

    Args:
        service: that has all environments.
        version_id: of the version's manager.
        version: of the function.
        kind: what the invocation has a lease for.

    Raises:
        AssignmentException: provisioned concurrency has none that is free.
        StatusErrorException: a new one could not be initialised.
    """
    found = _free(service, version_id, kind)
    if found is not None:
        return found
    if kind != InitializationType.on_demand:
        raise AssignmentException("No provisioned concurrency environment available despite lease.")
    started = service.start_environment(version_id, version)
    started.reserve()  # before others see it
    service.environments[version_id][started.id] = started
    return started


def _free(service: AssignmentService, version_id: str, kind: InitializationType) -> ExecutionEnvironment | None:
    for one in list(service.environments[version_id].values()):  # others add to it, and take away
        if one.initialization_type == kind:
            try:
                one.reserve()
            except InvalidStatusException:  # it works, or ends
                continue
            return one
    return None


@contextmanager
def lent(
    service: AssignmentService, version_id: str, version: FunctionVersion, kind: InitializationType
) -> Iterator[ExecutionEnvironment]:
    """The same for as long as the invocation lasts. One in which it raised is ended; how it went is the caller's."""
    environment = taken(service, version_id, version, kind)
    try:
        yield environment
    except BaseException as error:
        _LOG.warning("an invocation of %s failed: %s: %s", version.qualified_arn, type(error).__name__, error)
        service.stop_environment(environment)
        raise
    try:
        environment.release()
    except InvalidStatusException as error:
        _LOG.warning("an environment of %s is not used again: %s", version.qualified_arn, error)


def patch() -> None:

    AssignmentService.get_environment = lent

"""Invocations at the same time take execution environments without failing each other."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from localstack.services.lambda_.invocation.assignment import AssignmentException, AssignmentService
from localstack.services.lambda_.invocation.execution_environment import InvalidStatusException
from localstack.services.lambda_.invocation.lambda_models import InitializationType

from dlqlab.emulator.functions import environment_assignment

ON_DEMAND, PROVISIONED = InitializationType.on_demand, InitializationType.provisioned_concurrency
VERSION: Any = SimpleNamespace(qualified_arn="arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST")


class Environment:
    """An execution environment, as far as its assignment goes; ``taken`` is called whenever somebody asks for it."""

    def __init__(self, name: str, taken: Callable[[], object] = lambda: None) -> None:
        self.id = name
        self.version_manager_id = "v"
        self.initialization_type = ON_DEMAND
        self.is_free = True
        self.function_version = VERSION
        self._taken = taken

    def reserve(self) -> None:
        self._taken()
        if not self.is_free:
            raise InvalidStatusException(f"{self.id} works")
        self.is_free = False

    def release(self) -> None:
        self.is_free = True

    def stop(self) -> None:
        self.is_free = False


class Busy(dict[str, Any]):
    """The environments of a version, each of which another invocation tries to take as soon as it sees it."""

    def __setitem__(self, name: str, environment: Environment) -> None:
        super().__setitem__(name, environment)
        try:
            environment.reserve()
        except InvalidStatusException:
            return


@pytest.fixture
def service() -> Iterator[AssignmentService]:
    service = AssignmentService()
    yield service
    service.stop()


def names(service: AssignmentService) -> list[str]:
    return [*service.environments["v"]]


def test_environment_belongs_to_the_invocation_that_started_it(service: AssignmentService) -> None:
    """Nobody else can take it in between."""
    service.environments["v"] = Busy()
    service.start_environment = lambda *_: Environment("new")

    with environment_assignment.lent(service, "v", VERSION, ON_DEMAND) as environment:
        assert ("new", False) == (environment.id, environment.is_free)
    assert environment.is_free


def test_environment_that_is_added_meanwhile_fails_no_invocation(service: AssignmentService) -> None:
    """Who looks for a free one finds one, or starts one, whoever adds and removes others at that moment."""
    there = service.environments["v"]
    there["busy"] = Environment("busy", lambda: there.update(more=Environment("more")))
    there["busy"].is_free = False
    service.start_environment = lambda *_: Environment("new")

    with environment_assignment.lent(service, "v", VERSION, ON_DEMAND) as environment:
        assert "new" == environment.id
    assert ["busy", "more", "new"] == names(service)


def test_free_environment_is_used_again(service: AssignmentService) -> None:
    """One of the same kind, and no new one is started."""
    for name, kind in (("p", PROVISIONED), ("d", ON_DEMAND)):
        service.environments["v"][name] = Environment(name)
        service.environments["v"][name].initialization_type = kind

    for kind, name in ((ON_DEMAND, "d"), (PROVISIONED, "p")):
        with environment_assignment.lent(service, "v", VERSION, kind) as environment:
            assert name == environment.id
        assert environment.is_free


def test_failed_invocation_ends_its_environment(service: AssignmentService) -> None:
    """What it raised is what its caller gets."""
    service.start_environment = lambda *_: Environment("new")

    with pytest.raises(KeyError, match="x"), environment_assignment.lent(service, "v", VERSION, ON_DEMAND):
        raise KeyError("x")
    assert [] == names(service)


def test_environment_that_ended_with_its_invocation_fails_nothing(service: AssignmentService) -> None:
    """A version that was replaced stops its environments: the invocation's result counts."""

    def ended() -> None:
        raise InvalidStatusException("stopped")

    stopped = service.environments["v"]["e"] = Environment("e")
    stopped.release = ended  # type: ignore[method-assign]
    with environment_assignment.lent(service, "v", VERSION, ON_DEMAND) as environment:
        assert stopped is environment


def test_provisioned_concurrency_without_a_free_environment_is_an_error(service: AssignmentService) -> None:
    """A lease for it says that there is one."""
    with pytest.raises(AssignmentException, match="provisioned"):
        environment_assignment.taken(service, "v", VERSION, PROVISIONED)

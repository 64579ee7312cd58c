"""The app's module under the environment of a stage, and a world around it."""

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
from chalice.test import Client

from tests.functional.app.world import ENVIRONMENT, World


@pytest.fixture
def world() -> World:
    """A pipeline without faults."""
    return World()


@pytest.fixture
def app_module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """app.py, imported afresh as in a new execution environment, its tables and queues in memory."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "app", raising=False)
    module = importlib.import_module("app")
    world = World()
    for name, fake in {
        "store": world.store,
        "archive": world.archive,
        "task_queue": world.tasks,
        "dead_letters": world.dead_letters,
    }.items():
        # cached_property: a value in the instance takes the place of the client that would be made at first use.
        vars(module.services)[name] = fake
    module.world = world  # type: ignore[attr-defined]
    return module


@pytest.fixture
def client(app_module: ModuleType) -> Iterator[Client]:
    """HTTP and Lambda calls to the app without a network."""
    with Client(app_module.app) as client:
        yield client

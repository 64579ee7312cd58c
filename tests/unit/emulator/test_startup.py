"""A LocalStack that is not the expected one ends before it serves."""

import gc
import os
import runpy
from collections.abc import Iterator
from types import SimpleNamespace
from typing import NoReturn

import pytest
from localstack.services import plugins

from dlqlab.emulator import boot, settings, startup
from dlqlab.emulator.patches import PatchError


class _EndedError(Exception):
    """In the place of the process's end."""


def _end(code: int) -> None:
    raise _EndedError(code)


@pytest.fixture(autouse=True)
def ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "_exit", _end)


def _changed() -> None:
    raise PatchError("localstack.sample.one has changed")


def test_changed_source_under_a_plugin_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """LocalStack itself would go on with another plugin, or without one."""
    monkeypatch.setattr(startup, "check_pins", _changed)
    with pytest.raises(_EndedError, match=str(startup.EXIT_PATCH_FAILED)):
        startup.check_loaded()

    assert "localstack.sample.one has changed" in capfd.readouterr().err


def test_patch_that_cannot_be_applied_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A half-patched emulator does not run."""
    monkeypatch.setenv(settings.STATE_DIR, "state")
    monkeypatch.delenv(settings.LIFELINE_FD, raising=False)
    monkeypatch.setenv(settings.PATCHES, "no_such_patch")
    with pytest.raises(_EndedError, match=str(startup.EXIT_PATCH_FAILED)):
        startup.prepare()

    assert "no patch named no_such_patch" in capfd.readouterr().err


def test_nothing_is_touched_in_a_localstack_of_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry points are found by every LocalStack of the environment."""
    applied: list[object] = []
    monkeypatch.setattr(startup, "apply", applied.append)
    monkeypatch.delenv(settings.STATE_DIR, raising=False)
    monkeypatch.setenv(settings.PATCHES, "header_lookup")
    startup.prepare()

    assert [] == applied


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """On before and after the test; nothing of this process is frozen."""
    monkeypatch.setattr(gc, "freeze", lambda: None)
    gc.enable()
    yield
    gc.enable()


@pytest.mark.usefixtures("collector")
def test_process_begins_without_the_garbage_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which would look at whatever LocalStack imports."""
    seen: list[bool] = []
    monkeypatch.setattr(runpy, "run_module", lambda *_, **__: seen.append(gc.isenabled()))
    monkeypatch.setattr(boot, "defer", lambda *_: None)
    monkeypatch.setattr(boot, "parse_endpoints_once", lambda: None)
    boot.main()

    assert [False] == seen


@pytest.mark.usefixtures("collector")
def test_garbage_is_collected_once_the_services_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where one of them could not be."""
    gc.disable()

    def broken(_service: str) -> NoReturn:
        raise _EndedError(gc.isenabled())

    monkeypatch.setattr(plugins, "SERVICE_PLUGINS", SimpleNamespace(require=broken))
    with pytest.raises(_EndedError, match="False"):
        startup._load(("sqs",))

    assert gc.isenabled()

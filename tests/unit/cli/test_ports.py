"""Which emulator a command is about: the one that runs, the one that is named, or a choice to be made."""

import time

import pytest
from click.testing import CliRunner

from dlqlab.cli import main
from dlqlab.cli.actions.emulators import for_run, running
from dlqlab.emulator.core.loopback import ANY_PORT
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.host.lifecycle import DEFAULT_PORT, Emulator
from dlqlab.errors import UsageError


def _emulator(port: int, *, bound_to: int | None = None) -> Emulator:
    return Emulator(
        port=port, pid=10_000 + port, created_ts=time.time() - 700, state="/nowhere", patches=(), bound_to=bound_to
    )


def _run(monkeypatch: pytest.MonkeyPatch, *emulators: Emulator) -> None:
    """These emulators run, as far as anybody can see."""
    monkeypatch.setattr(lifecycle, "find_all", lambda *_: list(emulators))
    monkeypatch.setattr(
        lifecycle, "find", lambda port, *_: next((found for found in emulators if found.port == port), None)
    )


def _invoke(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, arguments)
    return done.exit_code, done.output


def test_the_one_that_runs_is_found_on_any_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """After dlqlab up --port auto nobody has to remember the port."""
    _run(monkeypatch, _emulator(4681))

    assert (4681, 4681, 4681) == (running(None).port, running(4681).port, for_run(None))


def test_env_is_that_of_the_one_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command takes its emulator from there."""
    _run(monkeypatch, _emulator(4681))
    code, output = _invoke("env", "--format", "dotenv")

    assert 0 == code
    assert "AWS_ENDPOINT_URL=http://127.0.0.1:4681" in output.splitlines()


@pytest.mark.parametrize(
    "command", [["url"], ["env"], ["deploy"], ["destroy"], ["load"], ["collect"], ["preflight"], ["openapi"],
                ["dlq", "list"], ["lint", "--stack"]],
)  # fmt: skip
def test_none_that_runs_is_said_with_the_way_to_start_one(monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    """No command speaks of a port that nobody gave."""
    _run(monkeypatch)
    code, output = _invoke(*command)

    assert (3, True) == (code, "no emulator of this project runs: start one with dlqlab up" in output), output
    assert "4566 " not in output


@pytest.mark.parametrize("command", [["url"], ["env"], ["deploy"], ["run"], ["down"], ["dlq", "list"]])
def test_several_are_listed(monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    """Port, process and since when of each, and how to choose."""
    monkeypatch.setattr(lifecycle, "stop", lambda _: pytest.fail("stopped without being chosen"))
    _run(monkeypatch, _emulator(4681), _emulator(4682))
    code, output = _invoke(*command)

    assert (3, True) == (code, "2 emulators of this project run: say which with --port" in output), output
    assert all(f"--port {port}   pid {10_000 + port}, since " in output for port in (4681, 4682))
    assert "(12 min)" in output


def test_wrong_port_names_those_that_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port from yesterday leads to today's."""
    _run(monkeypatch, _emulator(4681))

    with pytest.raises(UsageError, match=r"runs on port 4682; there is\n  --port 4681   pid 14681"):
        running(4682)


def test_one_that_stays_comes_before_those_of_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run beside it takes nothing away from the emulator that somebody has started to stay."""
    _run(monkeypatch, _emulator(4681, bound_to=99), _emulator(4682), _emulator(4683, bound_to=99))

    assert (4682, 4682) == (running(None).port, for_run(None))


def test_run_does_not_empty_the_queues_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """An emulator that ends with another process is looked at, and no run begins on it."""
    _run(monkeypatch, _emulator(4681, bound_to=99))

    assert (4681, DEFAULT_PORT, ANY_PORT) == (running(None).port, for_run(None), for_run(ANY_PORT))
    with pytest.raises(UsageError, match="belongs to process 99"):
        for_run(4681)


def test_down_stops_the_one_or_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """One is stopped without a question; several by port or all at once; none is no error."""
    stopped: list[int] = []
    monkeypatch.setattr(lifecycle, "stop", lambda emulator: stopped.append(emulator.port))
    codes = []
    for emulators, options in (
        ((4681,), ()),
        ((4682, 4683), ("--port", "4683")),
        ((4684, 4685), ("--all",)),
        ((), ()),
        ((4686,), ("--port", "4686", "--all")),
    ):
        _run(monkeypatch, *map(_emulator, emulators))
        codes.append(_invoke("down", *options)[0])

    assert [4681, 4683, 4684, 4685] == stopped
    assert [0, 0, 0, 0, 3] == codes


def test_up_leaves_the_one_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second up makes no second emulator by accident, and does not pass over what cannot be had from the first."""
    monkeypatch.setattr(lifecycle, "start", lambda *_, **__: pytest.fail("started"))
    _run(monkeypatch, _emulator(4681))
    again = _invoke("up", "--without-patch", "ids_without_system_calls")

    assert (3, True) == (again[0], "with other patches: dlqlab down --port 4681 first" in again[1]), again


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("url", "--port", "auto"), "auto is for up and run, which start one"),
        (("up", "--port", "0"), "'0' is not a port: give 1 to 65535, or auto"),
        (("url", "--port", "x"), "'x' is not a port: give 1 to 65535\n"),
    ],
)
def test_what_is_no_port_is_refused(arguments: tuple[str, ...], message: str) -> None:
    """Exit code 3, with what to give."""
    code, output = _invoke(*arguments)

    assert (3, True) == (code, message in output), output

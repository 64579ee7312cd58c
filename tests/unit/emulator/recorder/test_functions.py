"""Invocations, as the hooks around LocalStack's see them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager

from dlqlab.contracts.recorded import Outcome
from dlqlab.emulator.recorder import functions
from dlqlab.emulator.recorder.actors import HERE, SQS, Actor
from dlqlab.emulator.recorder.finish import Finisher
from dlqlab.emulator.recorder.journal import Journal
from dlqlab.emulator.recorder.reader import read
from dlqlab.emulator.recorder.sources import Asked
from dlqlab.emulator.recorder.witness import Witness

CLIENT = Actor("client", "test", "request-of-client")


def version(name: str, following: Any = None) -> Any:
    return SimpleNamespace(
        function_version=SimpleNamespace(id=SimpleNamespace(function_name=name)), following=following
    )


def invocation(request_id: str, kind: str = "RequestResponse") -> Any:
    return SimpleNamespace(request_id=request_id, invocation_type=kind, payload=b"{}")


def _serve(self: Any, *, invocation: Any) -> Any:
    """As LocalStack's with dlqlab's patches: a version that retires hands what it is asked for to the next one."""
    if self.following is not None:
        return LambdaVersionManager.invoke(self.following, invocation=invocation)
    run = HERE.doing.run
    run.environment, run.trace_header = "environment", "Root=1-a"
    run.result = SimpleNamespace(status="success", init_s=None, duration_s=0.1, memory_mb=0)
    return SimpleNamespace(payload=b"{}", is_error=False)


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    journal = Journal(tmp_path, Finisher(keeps_bodies=True, keys_of=lambda _table: None).by_tag)
    monkeypatch.setattr(LambdaVersionManager, "invoke", _serve)
    functions._on_invoking(Witness(journal), Asked())
    HERE.doing.actor = CLIENT
    yield journal
    HERE.doing.actor = SQS


def rows(journal: Journal) -> list[dict[str, Any]]:
    assert journal.flush()
    assert {} == journal.lost()
    found: list[dict[str, Any]] = read(journal.folder).invocations.to_pylist()
    return found


def test_invocation_that_a_retiring_version_hands_on_is_recorded_once(journal: Journal) -> None:
    """By the function that was asked, with the outcome of the version that ran it."""
    LambdaVersionManager.invoke(version("worker", version("worker")), invocation=invocation("one"))
    (row,) = rows(journal)

    assert ("one", "worker", Outcome.OK.value, 0.1) == tuple(
        row[name] for name in ("request_id", "function", "outcome", "duration_s")
    )
    assert row["memory_mb"] is None


def test_invocation_within_another_is_its_own(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread then waits for the first one again."""
    hooked, inner = LambdaVersionManager.invoke, version("inner")

    def served(self: Any, *, invocation: Any) -> Any:
        result = _serve(self, invocation=invocation)
        if self is not inner:
            hooked(inner, invocation=SimpleNamespace(request_id="two", invocation_type="RequestResponse", payload=b""))
        return result

    monkeypatch.setattr(LambdaVersionManager, "invoke", served)
    functions._on_invoking(Witness(journal), Asked())
    LambdaVersionManager.invoke(version("outer"), invocation=invocation("one"))

    assert {"one": "outer", "two": "inner"} == {row["request_id"]: row["function"] for row in rows(journal)}
    assert HERE.doing.run is None


def test_who_asked_for_an_asynchronous_invocation_that_nobody_knows_is_left_out(journal: Journal) -> None:
    LambdaVersionManager.invoke(version("worker"), invocation=invocation("one", "Event"))
    LambdaVersionManager.invoke(version("worker"), invocation=invocation("two"))
    later, now = rows(journal)

    assert (None, None) == (later["source"], later["client_request_id"])
    assert ("client", "request-of-client") == (now["source"], now["client_request_id"])

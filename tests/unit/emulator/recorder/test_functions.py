"""Invocations, as the hooks around LocalStack's see them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager

from dlqlab.contracts.recorded import Outcome
from dlqlab.emulator.recorder import functions
from dlqlab.emulator.recorder.actors import HERE, SQS, Actor
from dlqlab.emulator.recorder.completing import completed
from dlqlab.emulator.recorder.finish import Finisher
from dlqlab.emulator.recorder.journal import Journal
from dlqlab.emulator.recorder.reader import read
from dlqlab.emulator.recorder.rows import ASKED, STARTED, STARTED_FIELDS
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
    return SimpleNamespace(payload=getattr(invocation, "answer", b"{}"), is_error=False)


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


@pytest.mark.parametrize(
    ("asker", "found"),
    [
        (None, (None, None, None)),
        (("arn:q", None, None, "mapping", "uuid", None, None), ("mapping", "arn:q", None)),
        ((None, "arn:s", None, "mapping", "uuid", None, None), ("mapping", "arn:s", None)),
        ((None, None, "arn:a", "client", "curl", "r", "execute-api"), ("api gateway", "arn:a", "r")),
        ((None, None, None, "client", "curl", "r", "lambda-url"), ("function url", None, "r")),
        ((None, None, None, "client", "boto", "r", "lambda"), ("client", None, "r")),
        ((None, None, None, "invocation", "worker", "r", "lambda"), ("invocation", None, "r")),
        ((None, None, None, "service", "sns arn:t", "r", None), ("sns", "arn:t", "r")),
        ((None, None, None, "service", "apigateway arn:a", "r", None), ("api gateway", "arn:a", "r")),
        ((None, None, None, "service", "localstack", None, None), ("localstack", None, None)),
    ],
)
def test_who_asked_is_told_by_readers(asker: Any, found: tuple[str | None, ...]) -> None:
    """Of what the thread was doing, as the emulator wrote it down."""
    (row,) = completed([(ASKED, 1, 2.0, "request", "worker", asker, None, False)])
    told = dict(zip(STARTED_FIELDS, row[1:], strict=True))

    assert found == tuple(told[name] for name in ("source", "source_arn", "client_request_id"))
    assert (STARTED, None, None) == (row[0], told["message_ids"], told["reports_failures"])


@pytest.mark.parametrize(
    ("answer", "reports", "failed", "named", "misread"),
    [
        (b'{"batchItemFailures":[]}', True, [], [], []),
        (b'{"batchItemFailures": []}', False, [], [], []),
        (b"null", True, [], [], []),
        (b"null", False, [], None, []),
        (b'{"batchItemFailures": [{"itemIdentifier": "m-2"}]}', True, ["m-2"], ["m-2"], []),
        (b'{"batchItemFailures": [{"itemIdentifier": "m-2"}]}', False, [], ["m-2"], []),
        (b'{"BatchItemFailures": [{"itemIdentifier": "m-1"}]}', True, [], [], ["m-1"]),
    ],
)
def test_what_a_batch_answers_is_read_alike_at_once_and_later(
    journal: Journal,
    answer: bytes,
    reports: bool,
    failed: Any,
    named: Any,
    misread: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Plain answers at once, others by the recorder's thread."""
    sender = SimpleNamespace(report_batch_item_failures=reports)
    batch = SimpleNamespace(source_arn="arn:q", processor=SimpleNamespace(sender=sender))
    monkeypatch.setattr(HERE.doing, "poller", batch)
    monkeypatch.setattr(HERE.doing, "is_invoked", False)
    given = invocation("one")
    given.payload, given.answer = b'{"Records": [{"messageId": "m-1"}, {"messageId": "m-2"}]}', answer
    LambdaVersionManager.invoke(version("worker"), invocation=given)
    (row,) = rows(journal)

    assert ("mapping", ["m-1", "m-2"], reports) == tuple(
        row[name] for name in ("source", "message_ids", "reports_failures")
    )
    assert (failed, named, misread) == tuple(row[name] for name in ("failed_ids", "named_ids", "misread_ids"))


def test_who_asked_for_an_asynchronous_invocation_that_nobody_knows_is_left_out(journal: Journal) -> None:
    LambdaVersionManager.invoke(version("worker"), invocation=invocation("one", "Event"))
    LambdaVersionManager.invoke(version("worker"), invocation=invocation("two"))
    later, now = rows(journal)

    assert (None, None) == (later["source"], later["client_request_id"])
    assert ("client", "request-of-client") == (now["source"], now["client_request_id"])

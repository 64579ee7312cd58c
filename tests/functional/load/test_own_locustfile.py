"""A locustfile of the user's own, in its own process, against a scripted API on loopback."""

from pathlib import Path

import pytest

from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenario import Load
from dlqlab.errors import LoadError, UsageError
from dlqlab.load.own_locustfile import OwnLoad, start_own_load
from dlqlab.load.starter import LoadResult
from tests.support.load.api_stub import ApiStub, api_stub

SENDS = """
import itertools, os
from locust import FastHttpUser, task

numbers = itertools.count()

class Customer(FastHttpUser):
    @task
    def order(self):
        n = next(numbers)
        if n >= 5:
            self.environment.runner.quit()
            return
        self.client.post("/tasks", json={"taskId": f"{os.environ['PREFIX']}-{n}", "payload": {}})
"""


def started(tmp_path: Path, code: str, api: ApiStub) -> LoadResult:
    file = tmp_path / "mine.py"
    file.write_text(code)
    own = OwnLoad(locustfile=file, host=api.url, load=Load(users=1, duration_s=20, tasks=1))
    return start_own_load(own, RunDir(tmp_path / "run"), {"PREFIX": "own"})


def test_file_is_run_as_it_is_and_failed_requests_are_no_failure_of_the_load(tmp_path: Path) -> None:
    """Its environment is that of the target; refused requests are for the verdict."""
    with api_stub(lambda n: 500 if n == 1 else 202) as api:
        result = started(tmp_path, SENDS, api)

    assert result.sent == 5
    assert [f"own-{n}" for n in range(5)] == api.task_ids


def test_file_that_breaks_or_sends_nothing_is_an_error_with_its_log(tmp_path: Path) -> None:
    with api_stub(lambda _: 202) as api:
        with pytest.raises(LoadError, match="no_such_module"):
            started(tmp_path, "import no_such_module", api)
        with pytest.raises(LoadError, match="made no request"):
            started(tmp_path, SENDS.replace("n >= 5", "True"), api)


def test_missing_file_is_named(tmp_path: Path) -> None:
    own = OwnLoad(locustfile=tmp_path / "none.py", host="http://127.0.0.1:1", load=Load())
    with pytest.raises(UsageError, match=r"load\.locustfile: .*none\.py: is not there"):
        start_own_load(own, RunDir(tmp_path / "run"), {})

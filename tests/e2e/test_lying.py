"""A specimen that does not tell the truth of itself, run by the whole command: the recorder contradicts it."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dlqlab import paths
from dlqlab.paths import HOME
from tests.support.command import DLQLAB, write_small
from tests.support.service_catalog import give_service_catalog

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

EFFECT_TWICE = """
            if task.task_id.startswith("t-") and task.task_id.endswith("3"):  # once more, and nobody counts it
                self.store.pay(task.task_id)
"""
PAY = """
    def pay(self, task_id: str) -> None:
        what = {"TableName": self._table, "Key": {"taskId": {"S": task_id}}, "UpdateExpression": "SET paid = :yes"}
        self._client.update_item(**what, ExpressionAttributeValues={":yes": {"BOOL": True}})

"""
OTHER_PAYLOAD = """
        import dataclasses
        if submission.task_id.startswith("t-") and submission.task_id.endswith("5"):
            submission = dataclasses.replace(submission, payload={})
"""
NO_FAILURE = """
        if attempt.task.task_id.startswith("t-") and attempt.task.task_id.endswith("4"):  # no word of it
            return
"""
ONE_MORE = """
        if task.task_id.startswith("t-") and task.task_id.endswith("9"):  # an attempt that was not
            more = attempt.log.about(attempt=task.attempts + 1)
            more.emit(EventName.ATTEMPT_STARTED, at_ts=attempt.started_ts, batchSize=1)
"""
LIES = (
    ("process.py", "            outcome = self.store.complete(task, now=", EFFECT_TWICE),
    ("dynamo.py", "    def _update(self, task_id: str,", PAY),
    ("submit.py", "        body = TaskMessage(", OTHER_PAYLOAD),
    ("process.py", "        attempt.log.emit(\n            EventName.ATTEMPT_FAILED,", NO_FAILURE),
    ("process.py", "        attempt.log.emit(EventName.ATTEMPT_STARTED,", ONE_MORE),
)
"""Module of the app, what stands there, and what comes before that in the copy that lies."""


def lying_copy(folder: Path) -> Path:
    """Our specimen, with lies about the load's tasks whose ids end so; the deployment's probes get the truth."""
    for name in ("app", "loadtest", "notebooks", "scenarios"):
        shutil.copytree(paths.BUNDLE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for module, place, lie in LIES:
        path = folder / "app" / "chalicelib" / module
        text = path.read_text()
        assert text.count(place) == 1, (module, place)
        path.write_text(text.replace(place, lie.lstrip("\n") + place))
    return folder


def test_lies_are_found_and_named_by_their_tasks(tmp_path: Path) -> None:
    """The app's own tables and events do not show most of these; its effects are called valid."""
    home = lying_copy(tmp_path / "home")
    give_service_catalog(home)
    scenario = write_small(tmp_path / "lying.toml", tasks=40)
    done = subprocess.run(
        [DLQLAB, "run", str(scenario), "--port", "auto", "--runs", str(tmp_path), "--no-page"],
        cwd=home,
        env=os.environ | {HOME: str(home)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    (run,) = tmp_path.glob("*-lying")
    verdict = json.loads((run / "verdict.json").read_text())
    checks: dict[str, dict[str, Any]] = {check["name"]: check for check in verdict["checks"]}
    ends = {name: {task[-1] for task in tasks} for name, tasks in checks["witness"]["members"].items() if tasks}

    assert f"evidence: {run}" in done.stdout
    assert [] == [*run.glob("report.*"), *run.glob("tasks.html")]
    assert ("invalid", "valid") == (checks["witness"]["status"], checks["effects"]["status"])
    assert {"other_effects": {"3"}, "other_payload": {"5"}, "untold": {"4"}, "invented": {"9"}} == ends

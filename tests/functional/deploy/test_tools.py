"""A project deployed by its owner's tool: what is run, with which environment, and what is said when it fails."""

import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from dlqlab.contracts.project import Deploy, Project, Tool
from dlqlab.deploy.tools import commands, deploy_by_tool
from dlqlab.errors import DeployError
from dlqlab.waiting import wait_for


def deploy(tmp_path: Path, *words: str, tool: Tool = Tool.COMMAND, **more: Any) -> Path:
    """Deploy by a program of Python's; the log."""
    command = (sys.executable, "-c", *words) if words else ()
    project = Project(name="shop", deploy=Deploy(tool=tool, command=command, **more))
    log = tmp_path / "run" / "deploy.log"
    environment = {"PATH": "/nowhere", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    deploy_by_tool(project, tmp_path, environment, lambda _: None, log=log, progress=lambda _text: None)
    return log


def test_command_runs_in_the_project_with_the_targets_environment(tmp_path: Path) -> None:
    (tmp_path / "infra").mkdir()
    program = "import os; print(os.getcwd(), os.environ['AWS_ENDPOINT_URL'], os.environ['STAGE'])"
    log = deploy(tmp_path, program, folder="infra", env={"STAGE": "dev"})

    assert f"{tmp_path}/infra http://127.0.0.1:1 dev" in log.read_text()


def test_failure_says_its_last_error_first(tmp_path: Path) -> None:
    program = "import sys; print('building'); print('Error: no such role'); print('see the log'); sys.exit(7)"
    with pytest.raises(DeployError) as error:
        deploy(tmp_path, program)

    first, *rest = str(error.value).splitlines()
    assert first.endswith("failed with exit code 7: Error: no such role")
    assert "    building" in rest
    assert rest[-1] == f"  all of it: {tmp_path}/run/deploy.log"


def test_tool_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys, pathlib, time\nprint('service deployed', flush=True)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "pathlib.Path('child').write_text(str(child.pid))\ntime.sleep(600)"
    )
    started_s = time.monotonic()
    with pytest.raises(DeployError, match=r"took over deploy\.timeout_s, 2 s; it said last: service deployed"):
        deploy(tmp_path, program, timeout_s=2)

    child = int((tmp_path / "child").read_text())
    wait_for("the end of what the tool started", lambda: (not _runs(child), child), deadline_s=10, interval_s=0.05)
    assert time.monotonic() - started_s < 60


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("tool", [Tool.SAM, Tool.CDK, Tool.SERVERLESS, Tool.CHALICE, Tool.TERRAFORM])
def test_missing_tool_is_named_with_its_remedy(tmp_path: Path, tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(DeployError, match=rf"deploy\.tool is '{tool}' and .* is not there: .* give deploy\.command"):
        deploy(tmp_path, tool=tool)


def test_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match=r"deploy\.folder is 'infra': .* is no folder"):
        deploy(tmp_path, "", folder="infra")


def test_tools_are_taken_from_the_project_first(tmp_path: Path) -> None:
    """Those of node_modules and of its own environment, before PATH."""
    for name in ("node_modules/.bin/serverless", ".venv/bin/sam"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    sam, serverless = (
        commands(Project(name="shop", deploy=Deploy(tool=tool, args=("--debug",))), tmp_path)
        for tool in (Tool.SAM, Tool.SERVERLESS)
    )

    program = f"{tmp_path}/.venv/bin/sam"
    assert [line[:2] for line in sam] == [[program, "build"], [program, "deploy"]]
    assert {"shop", "--debug", "CAPABILITY_NAMED_IAM"} <= set(sam[1])
    assert serverless == [[f"{tmp_path}/node_modules/.bin/serverless", "deploy", "--stage", "local", "--debug"]]


def test_nothing_is_run_where_it_is_deployed_already(tmp_path: Path) -> None:
    assert not deploy(tmp_path, tool=Tool.NONE).exists()

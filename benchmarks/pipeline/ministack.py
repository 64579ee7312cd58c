"""MiniStack with the same app: an environment of its own, made once; its process; the app, by plain AWS calls.

Chalice packages the functions, as it does when it deploys. It cannot deploy them here: MiniStack refuses its
UpdateRestApi (patch of /minimumCompressionSize), so the API is made by the calls that it knows. MiniStack runs
functions in its own Python, which therefore has boto3.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.pipeline.systems import RUN_ID, STATE, Running, state_dir, warm_up
from dlqlab.contracts.scenario import Scenario
from dlqlab.deploy import chalice, functions, stack
from dlqlab.deploy.target import API_STAGE, Target
from dlqlab.deploy.verify import call_api
from dlqlab.emulator import settings
from dlqlab.emulator.core.listening import free_port
from dlqlab.emulator.host import lifecycle
from dlqlab.errors import EmulatorError
from dlqlab.waiting import DeadlinePassedError, wait_for

VERSION = "1.5.33"
ENVIRONMENT = STATE / f"ministack-{VERSION}"
START_DEADLINE_S = 30.0
STOP_DEADLINE_S = 10.0
ROLE = f"arn:aws:iam::{settings.ACCOUNT_ID}:role/benchmark"
ROUTES = {"POST": ("/tasks", "/submit-task"), "GET": ("/tasks/{taskId}", "/health")}
HANDLERS = {"api": "APIHandler", "processor": "Processor", "monitor": "Monitor", "sweeper": "Sweeper"}
"""Functions by role, as Chalice calls them in its package."""


def make_environment() -> Path:
    """The Python of MiniStack's environment; made where it is missing.

    Raises:
        EmulatorError: it could not be installed, as without a network.
    """
    python = ENVIRONMENT / "bin" / "python"
    complete = ENVIRONMENT / "complete"
    if complete.exists():
        return python
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    uv = str(Path(sys.executable).with_name("uv"))
    for arguments in (
        ("venv", "--quiet", "--python", sys.executable, str(ENVIRONMENT)),
        ("pip", "install", "--quiet", "--python", str(python), f"ministack=={VERSION}", "boto3"),
    ):
        done = subprocess.run([uv, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise EmulatorError(f"uv {arguments[0]}: {done.stderr.strip()}")
    complete.touch()
    return python


@contextmanager
def ministack(scenario: Scenario) -> Iterator[Running]:
    """MiniStack on a free port of 127.0.0.1."""
    python = make_environment()
    port = free_port()
    state = state_dir("ministack", port)
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True)
    began = time.monotonic()
    with (state / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            [str(python.with_name("ministack"))],
            env=_environment(port, state, python),
            cwd=state,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_serving(port, process)
        target = _target(port, state)
        url = _deploy(target, scenario)
        ready_s = time.monotonic() - began
        warm_up(target, url, scenario.load.users)
        yield Running(name="ministack", target=target, url=url, pid=process.pid, ready_s=ready_s)
    finally:
        _stop(process)
    shutil.rmtree(state)  # not after an error: its log may say why


def _environment(port: int, state: Path, python: Path) -> dict[str, str]:
    return {
        "PATH": f"{python.parent}{os.pathsep}/usr/bin:/bin",
        "HOME": str(state),
        "TMPDIR": str(state),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": settings.REGION,
        "MINISTACK_ACCOUNT_ID": settings.ACCOUNT_ID,
        "LOG_LEVEL": "WARNING",
        "DOCKER_HOST": f"unix://{state}/no-docker.sock",
    }


def _wait_until_serving(port: int, process: subprocess.Popen[bytes]) -> None:
    def probe() -> tuple[bool, str]:
        if process.poll() is not None:
            raise EmulatorError(f"MiniStack ended at its start (exit code {process.returncode})")
        return lifecycle.health(port) is not None, "no answer from its health page"

    try:
        wait_for("MiniStack's start", probe, deadline_s=START_DEADLINE_S, interval_s=0.05)
    except DeadlinePassedError as error:
        raise EmulatorError(str(error)) from error


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process and the functions that it started, each by its id."""
    try:
        children = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        children = []
    process.terminate()
    try:
        process.wait(STOP_DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(children, timeout=1)
    for straggler in alive:
        straggler.kill()
    psutil.wait_procs(alive, timeout=STOP_DEADLINE_S)


def _target(port: int, state: Path) -> Target:
    endpoint = f"http://127.0.0.1:{port}"
    return Target(
        endpoint=endpoint,
        stage="local",
        project_dir=state / "app",
        state_dir=state,
        environment=settings.client_environment(endpoint),
    )


def _deploy(target: Target, scenario: Scenario) -> str:
    stack.deploy_stack(target, scenario)
    package = _package(target)
    _make_functions(target, scenario, package)
    url = _make_api(target)

    def probe() -> tuple[bool, object]:
        answer = call_api(url, "/health")
        return answer[0] == 200, answer

    wait_for("the API", probe, deadline_s=START_DEADLINE_S)
    return url


def _package(target: Target) -> Path:
    """The folder with Chalice's package: ``deployment.zip`` and ``sam.json``."""
    chalice.prepare_project(target)
    folder = target.state_dir / "package"
    program = str(Path(sys.executable).with_name("chalice"))
    command = [program, "--project-dir", str(target.project_dir), "package", "--stage", target.stage, str(folder)]
    done = subprocess.run(command, env=target.tool_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise EmulatorError(f"chalice package: {done.stdout}{done.stderr}")
    return folder


def _make_functions(target: Target, scenario: Scenario, package: Path) -> None:
    client = target.client("lambda")
    code = (package / "deployment.zip").read_bytes()
    resources = json.loads((package / "sam.json").read_text())["Resources"]
    variables = functions.run_variables(scenario, RUN_ID, partial=True, run_started_ts=time.time())
    for role, logical in HANDLERS.items():
        properties = resources[logical]["Properties"]
        client.create_function(
            FunctionName=target.topology.function_names[role],
            Runtime=properties["Runtime"],
            Handler=properties["Handler"],
            Role=ROLE,
            Code={"ZipFile": code},
            Timeout=properties["Timeout"],
            MemorySize=properties["MemorySize"],
            Environment={
                "Variables": properties["Environment"]["Variables"] | variables | {"AWS_ENDPOINT_URL": target.endpoint}
            },
        )
    for role, queue in (
        ("processor", target.topology.queue("tasks").name),
        ("monitor", target.topology.queue("dead-letters").name),
    ):
        client.create_event_source_mapping(
            FunctionName=target.topology.function_names[role],
            EventSourceArn=f"arn:aws:sqs:{settings.REGION}:{settings.ACCOUNT_ID}:{queue}",
            BatchSize=scenario.pipeline.batch_size,
            FunctionResponseTypes=[functions.PARTIAL],
        )


def _make_api(target: Target) -> str:
    client = target.client("apigateway")
    api = client.create_rest_api(name="benchmark")["id"]
    made = {"/": next(item["id"] for item in client.get_resources(restApiId=api)["items"] if item["path"] == "/")}
    for method, routes in ROUTES.items():
        for route in routes:
            _make_method(client, api, _resource(client, api, made, route), method, target.topology.function("api").name)
    client.create_deployment(restApiId=api, stageName=API_STAGE)
    return target.api_url(api)


def _resource(client: Any, api: str, made: dict[str, str], route: str) -> str:
    """The id of the resource at a path; makes it and its parents where they are missing."""
    if route not in made:
        parent, _, part = route.rpartition("/")
        parent_id = _resource(client, api, made, parent or "/")
        made[route] = client.create_resource(restApiId=api, parentId=parent_id, pathPart=part)["id"]
    return made[route]


def _make_method(client: Any, api: str, resource: str, method: str, function: str) -> None:
    arn = f"arn:aws:lambda:{settings.REGION}:{settings.ACCOUNT_ID}:function:{function}"
    client.put_method(restApiId=api, resourceId=resource, httpMethod=method, authorizationType="NONE")
    client.put_integration(
        restApiId=api,
        resourceId=resource,
        httpMethod=method,
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{settings.REGION}:lambda:path/2015-03-31/functions/{arn}/invocations",
    )


def usable() -> str | None:
    """Why MiniStack cannot be measured here; None where it can."""
    try:
        make_environment()
    except (EmulatorError, OSError, BotoCoreError, ClientError) as error:
        return str(error)
    return None

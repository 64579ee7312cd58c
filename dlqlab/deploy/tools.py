"""A pipeline deployed by its owner's own tool, run in his folder with the environment that leads it to the target."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from dlqlab.contracts.project import Deploy, Project, Tool
from dlqlab.errors import DeployError, UsageError
from dlqlab.templates.cloudformation import document

STAGE = "local"
CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
LOG = "deploy.log"
TAIL_LINES = 25
_ERRORS = ("error", "failed", "exception", "unable", "cannot", "invalid", "not found")
_INSTALL = {
    Tool.SAM: "pip install aws-sam-cli",
    Tool.CDK: "npm install aws-cdk aws-cdk-local",
    Tool.SERVERLESS: "npm install serverless@3",
    Tool.CHALICE: "pip install chalice",
    Tool.TERRAFORM: "install it from its vendor",
}


def commands(project: Project, folder: Path) -> list[list[str]]:
    """What is run, in order, in the project's folder; nothing for CloudFormation and for what is deployed already.

    Raises:
        DeployError: the tool is not there.
    """
    deploy = project.deploy
    if deploy.command:
        return [[*deploy.command, *deploy.args]]
    plan = _PLANS.get(deploy.tool)
    return plan(project, folder) if plan else []


def _sam(project: Project, folder: Path) -> list[list[str]]:
    sam = _program("sam", Tool.SAM, folder)
    send = [
        sam,
        "deploy",
        "--stack-name",
        project.deploy.stack or project.name,
        "--resolve-s3",
        "--no-confirm-changeset",
    ]
    send += ["--no-fail-on-empty-changeset", "--no-progressbar", "--capabilities", *CAPABILITIES]
    return [[sam, "build"], [*send, *project.deploy.args]]


def _cdk(project: Project, folder: Path) -> list[list[str]]:
    cdk = _program(("cdklocal", "cdk"), Tool.CDK, folder)
    return [[cdk, "bootstrap"], [cdk, "deploy", "--require-approval", "never", "--all", *project.deploy.args]]


def _serverless(project: Project, folder: Path) -> list[list[str]]:
    return [[_program("serverless", Tool.SERVERLESS, folder), "deploy", "--stage", STAGE, *project.deploy.args]]


def _chalice(project: Project, folder: Path) -> list[list[str]]:
    return [[_program("chalice", Tool.CHALICE, folder), "deploy", "--stage", STAGE, *project.deploy.args]]


def _terraform(project: Project, folder: Path) -> list[list[str]]:
    terraform = _program(("tflocal", "terraform", "tofu"), Tool.TERRAFORM, folder)
    return [[terraform, "init", "-input=false"], [terraform, "apply", "-auto-approve", *project.deploy.args]]


_PLANS: Mapping[Tool, Callable[[Project, Path], list[list[str]]]] = {
    Tool.SAM: _sam,
    Tool.CDK: _cdk,
    Tool.SERVERLESS: _serverless,
    Tool.CHALICE: _chalice,
    Tool.TERRAFORM: _terraform,
}


def deploy_by_tool(
    project: Project,
    root: Path,
    environment: Mapping[str, str],
    clients: Callable[[str], Any],
    *,
    log: Path,
    progress: Callable[[str], None],
) -> None:
    """Deploy a project.

    Args:
        project: what its file says.
        root: the folder of its file.
        environment: that leads AWS's SDKs and tools to the target.
        clients: of the target, by the name of a service.
        log: gets all that the tool prints.
        progress: gets a word about what is done.

    Raises:
        DeployError: the tool is missing, fails or takes too long; its last error stands first.
        UsageError: the template is not there, or is none; names the file and the line.
    """
    folder = (root / project.deploy.folder).resolve()
    if not folder.is_dir():
        raise DeployError(f"deploy.folder is {project.deploy.folder!r}: {folder} is no folder")
    if project.deploy.tool is Tool.CLOUDFORMATION:
        progress("stack")
        _deploy_stack(project, folder, clients("cloudformation"))
        return
    deadline_s = time.monotonic() + project.deploy.timeout_s
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    for command in commands(project, folder):
        progress(" ".join([Path(command[0]).name, *command[1:3]]))
        _run(command, folder, {**environment, **project.deploy.env}, log, deadline_s, project.deploy)


def _program(names: str | Sequence[str], tool: Tool, folder: Path) -> str:
    """The first of these programs that is in the project's node_modules or environment, or on PATH."""
    names = [names] if isinstance(names, str) else names
    for name in names:
        for own in (folder / "node_modules" / ".bin" / name, folder / ".venv" / "bin" / name):
            if os.access(own, os.X_OK):
                return str(own)
        found = shutil.which(name)
        if found:
            return found
    raise DeployError(
        f"deploy.tool is {str(tool)!r} and {names[0]} is not there: {_INSTALL[tool]}, or give deploy.command"
    )


def _run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path, deadline_s: float, deploy: Deploy
) -> None:
    """One program in a group of its own, all of which ends with the block, also after Ctrl-C."""
    with log.open("ab") as output:
        output.write(f"$ {' '.join(command)}\n".encode())
        output.flush()
        try:
            program = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise DeployError(f"{command[0]}: cannot be run: {error.strerror}") from error
        try:
            code = program.wait(max(0.1, deadline_s - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise DeployError(
                f"{Path(command[0]).name} took over deploy.timeout_s, {deploy.timeout_s} s{_last_line(log)}; {log}"
            ) from error
        finally:
            _end_group(program)
    if code:
        raise DeployError(_failure(command, code, log))


def _end_group(program: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):  # all gone: the usual case
        os.killpg(program.pid, signal.SIGKILL)
    program.wait()


def _last_line(log: Path) -> str:
    """What the tool said last: a tool that is done and does not end is told from one that waits for something."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()[1:] if line.strip()]
    return f"; it said last: {lines[-1]}" if lines else "; it said nothing"


def _failure(command: Sequence[str], code: int, log: Path) -> str:
    lines = [line.rstrip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line.strip() for line in lines if any(word in line.lower() for word in _ERRORS)]
    first = f": {errors[-1]}" if errors else ""
    tail = "\n".join(f"    {line}" for line in lines[-TAIL_LINES:])
    what = " ".join([Path(command[0]).name, *command[1:2]])
    return f"{what} failed with exit code {code}{first}\n{tail}\n  all of it: {log}"


def _deploy_stack(project: Project, folder: Path, client: Any) -> None:
    """Create the stack, or update it where it is there."""
    stack, path = project.deploy.stack or project.name, folder / project.deploy.template
    try:
        body = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"deploy.template: {path}: cannot be read: {error.strerror}") from error
    document(body, path)  # says the line, which CloudFormation does not
    given = {"StackName": stack, "TemplateBody": body, "Capabilities": list(CAPABILITIES)}
    try:
        if _is_there(client, stack):
            _update(client, given)
        else:
            client.create_stack(**given)
            client.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    except WaiterError as error:
        raise DeployError(f"the stack {stack} failed: {_reasons(client, stack)}") from error
    except (ClientError, BotoCoreError) as error:
        raise DeployError(f"the stack {stack} cannot be deployed: {error}") from error


def _is_there(client: Any, stack: str) -> bool:
    try:
        found = client.describe_stacks(StackName=stack)["Stacks"]
    except ClientError:
        return False
    return any(one["StackStatus"] not in {"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"} for one in found)


def _update(client: Any, given: Mapping[str, Any]) -> None:
    try:
        client.update_stack(**given)
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return
        raise
    client.get_waiter("stack_update_complete").wait(StackName=given["StackName"], WaiterConfig={"Delay": 1})


def _reasons(client: Any, stack: str) -> str:
    """What CloudFormation says of the resources that failed."""
    events = client.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [one for one in events if one["ResourceStatus"].endswith("_FAILED") and one.get("ResourceStatusReason")]
    return (
        "; ".join(f"{one['LogicalResourceId']}: {one['ResourceStatusReason']}" for one in failed) or "no reason given"
    )

"""The templates that are meant by a file or folder: a template, the output of a tool, or somebody's repository."""

from pathlib import Path

from dlqlab.contracts.project import FILE, Project, Tool, find_project, read_project
from dlqlab.deploy.adopting import recognised, template_names
from dlqlab.errors import UsageError
from dlqlab.templates.found import outputs, read
from dlqlab.templates.resources import Template

_PLAN = "plan.json"
_SYNTHESIS = {
    Tool.CDK: "cdk synth",
    Tool.SERVERLESS: "serverless package",
    Tool.CHALICE: "chalice package out",
    Tool.TERRAFORM: f"terraform plan -out plan.out && terraform show -json plan.out > {_PLAN}",
}
"""What makes a tool write what it would deploy."""
_WRITTEN = {Tool.CHALICE: "out/sam.json", Tool.TERRAFORM: _PLAN}


def templates_of(path: Path) -> list[Template]:
    """The templates of a file, of ``cdk.out`` or ``.serverless``, or of a repository's folder.

    Raises:
        UsageError: nothing is found there that can be read; says what to run or to give.
    """
    if path.is_file():
        return [read(path)]
    if not path.is_dir():
        raise UsageError(f"{path}: is not there: give a template, cdk.out, .serverless, a plan's JSON or a folder")
    given = path / FILE
    if given.is_file():
        project = read_project(given)
        return [read(one) for one in _of_tool(project.deploy.tool, path / project.deploy.folder, project)]
    found = outputs(path)
    if not found:
        tools = recognised(path)
        tool, folder = tools[0] if tools else (Tool.NONE, path)
        found = _of_tool(tool, folder, None)
    return [read(one) for one in found]


def project_of(path: Path) -> Project:
    """What the project file says that is found from there; its defaults where there is none.

    Raises:
        UsageError: the file cannot be used.
    """
    found = find_project(path.resolve() if path.is_dir() else path.resolve().parent)
    return read_project(found) if found else Project()


def _of_tool(tool: Tool, folder: Path, project: Project | None) -> list[Path]:
    if project is not None and tool is Tool.CLOUDFORMATION:
        return [folder / project.deploy.template]
    if not folder.is_dir():
        raise UsageError(f"deploy.folder: {folder} is no folder: give one below that of {FILE}")
    if tool in {Tool.SAM, Tool.CLOUDFORMATION}:
        names = template_names(folder)
        if names:
            return [folder / names[0]]
    if tool in _WRITTEN and (folder / _WRITTEN[tool]).is_file():
        return [folder / _WRITTEN[tool]]
    if tool in {Tool.CDK, Tool.SERVERLESS} and (found := outputs(folder)):
        return found
    if tool in _SYNTHESIS:
        raise UsageError(f"{folder}: has nothing yet that {tool} would deploy: run in it: {_SYNTHESIS[tool]}")
    raise UsageError(f"{folder}: no template was recognised: give its file")

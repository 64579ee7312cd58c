"""What deploys a repository, as its files tell, and the project file that is written for it."""

import tomllib
from pathlib import Path

import pytest

from dlqlab.contracts.project import FILE, Entry, Tool, read_project
from dlqlab.deploy.adopting import project_text, recognised

SAM = "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n"
STACK = "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n"
MARKS = {
    Tool.SAM: ("template.yaml", SAM),
    Tool.CDK: ("cdk.json", "{}"),
    Tool.SERVERLESS: ("serverless.yml", "service: x"),
    Tool.CHALICE: (".chalice/config.json", "{}"),
    Tool.TERRAFORM: ("main.tf", ""),
    Tool.CLOUDFORMATION: ("stack.yml", STACK),
}


def make(root: Path, *tools: Tool) -> None:
    for tool in tools:
        name, text = MARKS[tool]
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize("tool", MARKS)
def test_tool_is_recognised_and_its_file_can_be_read(tmp_path: Path, tool: Tool) -> None:
    make(tmp_path, tool)
    found = recognised(tmp_path)
    (tmp_path / FILE).write_text(project_text(tmp_path, found))
    project = read_project(tmp_path / FILE)

    assert found == [(tool, tmp_path)]
    assert (project.deploy.tool, project.deploy.folder) == (tool, ".")
    assert not project.entry.kind
    assert project.deploy.template == ("stack.yml" if tool is Tool.CLOUDFORMATION else "template.yaml")


def test_nearest_to_the_root_comes_first_and_others_are_remarks(tmp_path: Path) -> None:
    make(tmp_path / "services" / "billing", Tool.SERVERLESS)
    make(tmp_path / "services" / "billing" / "node_modules" / "x", Tool.CDK)
    make(tmp_path / "infra", Tool.CDK)
    found = recognised(tmp_path)
    text = project_text(tmp_path, found)

    assert found == [(Tool.CDK, tmp_path / "infra"), (Tool.SERVERLESS, tmp_path / "services" / "billing")]
    assert tomllib.loads(text)["deploy"] == {"tool": "cdk", "folder": "infra"}
    assert "# found too: serverless in services/billing" in text


def test_what_cannot_be_seen_is_a_question(tmp_path: Path) -> None:
    text = project_text(tmp_path, recognised(tmp_path))

    assert tomllib.loads(text)["deploy"] == {"tool": "none"}
    assert "QUESTION: what deploys it?" in text


def test_what_an_emulator_has_is_a_remark(tmp_path: Path) -> None:
    """It may be another project's."""
    text = project_text(tmp_path, [], [Entry(queue="orders"), Entry(http="POST /orders")])

    assert set(tomllib.loads(text)["entry"]) == {"body"}
    assert '# deployed on the emulator that runs: http = "POST /orders"' in text

"""The whole template of each stage, as Chalice packages it together with the resources: what AWS would be given."""

import importlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

APP = Path(__file__).parents[3] / "app"
RULES = APP.with_name("taskrules")
STAGES = ["local", "dev", "prod"]
BUNDLE_BYTES_MAX = 15_000_000
KEYED = {("/tasks", "post"), ("/submit-task", "post"), ("/tasks/{taskId}", "get")}


@dataclass(frozen=True)
class Package:
    """What ``chalice package`` made of a stage."""

    stage: str
    template: dict[str, Any]
    bundle: Path

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties of the resources of a type, by name."""
        return {
            name: resource["Properties"]
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == kind
        }

    def operations(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The API's operations by path and method."""
        paths = self.template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
        return {(path, method): found for path, methods in paths.items() for method, found in methods.items()}


@pytest.fixture(scope="module", params=STAGES)
def package(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Each stage in turn, packaged by the real Chalice from a folder as it lies in the checkout, links and all."""
    project = tmp_path_factory.mktemp(request.param) / "app"
    ignore = shutil.ignore_patterns("deployed", "deployments", "__pycache__")
    for source in (APP, RULES):
        shutil.copytree(source, project.with_name(source.name), ignore=ignore, symlinks=True)
    program = Path(sys.executable).with_name("chalice")
    command = [program, "package", "--stage", request.param, "--template-format", "yaml"]
    subprocess.run(
        [*command, "--merge-template", "resources.yaml", "out"],
        cwd=project,
        env=os.environ | {"AWS_DEFAULT_REGION": "us-east-1"},
        check=True,
        capture_output=True,
    )
    yaml: Any = importlib.import_module("yaml")  # comes with the emulator, without types
    template = yaml.safe_load((project / "out" / "sam.yaml").read_text())
    return Package(request.param, template, project / "out" / "deployment.zip")


def test_api_key_is_asked_for_where_the_stage_says_so(package: Package) -> None:
    """In production every call about tasks needs a key, elsewhere none; the health check is open to all."""
    keyed = {place for place, found in package.operations().items() if found.get("security") == [{"api_key": []}]}
    definitions = package.template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"].get("securityDefinitions")

    assert (KEYED if package.stage == "prod" else set()) == keyed
    assert ({"api_key": {"in": "header", "name": "x-api-key", "type": "apiKey"}} if keyed else None) == definitions


def test_browsers_are_told_the_origin_of_the_stage(package: Package) -> None:
    """Any origin may call a stage for trying out; production has none until one is named."""
    preflights = {place[0]: found for place, found in package.operations().items() if place[1] == "options"}
    origins = {
        path: found["x-amazon-apigateway-integration"]["responses"]["default"]["responseParameters"][
            "method.response.header.Access-Control-Allow-Origin"
        ]
        for path, found in preflights.items()
    }
    every = {path for path, _ in package.operations()}

    assert ({} if package.stage == "prod" else dict.fromkeys(every, "'*'")) == origins


def test_everything_at_rest_is_encrypted(package: Package) -> None:
    """Queues and tables by their own settings; log groups always are, and with a key of one's own where it is given."""
    queues, tables = package.of_type("AWS::SQS::Queue"), package.of_type("AWS::DynamoDB::Table")
    groups = package.of_type("AWS::Logs::LogGroup")

    assert {True} == {queue["SqsManagedSseEnabled"] for queue in queues.values()}
    assert [{"SSEEnabled": True}] * 3 == [table["SSESpecification"] for table in tables.values()]
    own_key = {"Fn::If": ["HasLogKey", {"Ref": "LogKeyArn"}, {"Ref": "AWS::NoValue"}]}
    assert [own_key] * 4 == [group["KmsKeyId"] for group in groups.values()]
    assert 2 == len(queues)


def test_plain_http_is_refused_on_aws(package: Package) -> None:
    """Both queues deny every action without TLS, in every stage but the local one."""
    (policy,) = package.of_type("AWS::SQS::QueuePolicy").values()
    (deny,) = policy["PolicyDocument"]["Statement"]

    assert "OnAws" == package.template["Resources"]["TlsOnly"]["Condition"]
    assert {"Fn::Not": [{"Fn::Equals": [{"Ref": "Stage"}, "local"]}]} == package.template["Conditions"]["OnAws"]
    assert [{"Ref": "TaskQueue"}, {"Ref": "DeadLetterQueue"}] == policy["Queues"]
    assert ("Deny", "*", "sqs:*", {"Bool": {"aws:SecureTransport": "false"}}) == (
        deny["Effect"],
        deny["Principal"],
        deny["Action"],
        deny["Condition"],
    )


def test_each_function_has_a_role_with_its_own_policy(package: Package) -> None:
    """What stands in the policy files is what the roles get, and nothing else."""
    functions, roles = package.of_type("AWS::Serverless::Function"), package.of_type("AWS::IAM::Role")
    files = {"APIHandler": "api", "Processor": "processor", "Monitor": "monitor", "Sweeper": "sweeper"}
    own = {name: roles[function["Role"]["Fn::GetAtt"][0]] for name, function in functions.items()}

    assert set(files) == set(own)
    assert 4 == len(roles)
    for name, role in own.items():
        expected = json.loads((APP / ".chalice" / f"policy-{files[name]}.json").read_text())
        assert [expected] == [policy["PolicyDocument"] for policy in role["Policies"]]
        assert "ManagedPolicyArns" not in role


def test_bundle_is_small(package: Package) -> None:
    """A bundle that Lambda loads quickly: the code and Chalice's runtime, nothing else."""
    with zipfile.ZipFile(package.bundle) as bundle:
        names = set(bundle.namelist())
        rules = {path.name: bundle.read(f"taskrules/{path.name}") for path in RULES.glob("*.py")}

    assert {path.name: path.read_bytes() for path in RULES.glob("*.py")} == rules
    assert {f"taskrules/{name}" for name in rules} == {name for name in names if "taskrules" in name}
    assert {"app.py", "chalice", "chalicelib", "taskrules"} <= {name.partition("/")[0] for name in names}
    assert package.bundle.stat().st_size < BUNDLE_BYTES_MAX

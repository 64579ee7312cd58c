"""Layers and compiled code as functions get them: own ones, those of other accounts, what is refused and how."""

import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.emulator.host.lifecycle import Emulator
from tests.integration.conftest import ROLE, FunctionFactory, bundle

pytestmark = pytest.mark.integration
ACCOUNT = "123456789012"


@pytest.fixture
def project(emulator: Emulator) -> Iterator[Path]:
    """The project file by which the emulator goes; it is read when a layer is asked for."""
    path = Path(emulator.state).parent / "dlqlab.toml"
    yield path
    path.unlink(missing_ok=True)


def arn(name: str, version: int = 1) -> str:
    return f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:{name}:{version}"


def unique() -> str:
    return f"l-{uuid.uuid4().hex[:8]}"


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    """Code and message with which a call is refused."""
    with pytest.raises(ClientError) as refused:
        call()
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_layer_that_nobody_knows_is_refused_with_the_line_to_add(make_function: FunctionFactory) -> None:
    """At creation, and at a change of a function, which stays as it was."""
    source = "def handler(event, context):\n    return 1\n"
    code, said = refusal(lambda: make_function(source, Layers=[arn("tools", 7)]))

    assert code == "InvalidParameterValueException"
    assert said.startswith(
        f"Layer version {arn('tools', 7)} is of account {ACCOUNT}, which cannot be reached from here"
    )
    assert f'[layers] "arn:aws:lambda:us-east-1:{ACCOUNT}:layer:tools:*" = ' in said
    function = make_function(source)
    update = function.client.update_function_configuration
    assert refusal(lambda: update(FunctionName=function.name, Layers=[arn("tools", 7)])) == (code, said)
    assert function.invoke().payload == 1


def test_layer_of_this_account_that_is_not_there_is_refused(make_function: FunctionFactory) -> None:
    """In Lambda's words."""
    missing = "arn:aws:lambda:us-east-1:000000000000:layer:not-there:3"

    assert refusal(lambda: make_function("def handler(event, context):\n    return 1\n", Layers=[missing])) == (
        "InvalidParameterValueException",
        f"Layer version {missing} does not exist.",
    )


def test_stack_with_a_layer_that_nobody_knows_fails_and_names_it(
    aws: Callable[[str], Any], cleanups: ExitStack
) -> None:
    """Not deployed without it."""
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Role": ROLE,
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Layers": [arn("tools")],
            "Code": {"ZipFile": "def handler(event, context):\n    return 1\n"},
        },
    }
    name = f"s-{uuid.uuid4().hex[:8]}"
    client = aws("cloudformation")
    client.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"F": function}}))
    cleanups.callback(client.delete_stack, StackName=name)
    with pytest.raises(Exception, match="Waiter StackCreateComplete failed"):
        client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})

    reasons = [
        one.get("ResourceStatusReason", "") for one in client.describe_stack_events(StackName=name)["StackEvents"]
    ]
    assert any(arn("tools") in reason and "dlqlab.toml" in reason for reason in reasons)


def test_layers_of_other_accounts_hold_what_the_project_says(
    make_function: FunctionFactory, project: Path, tmp_path: Path
) -> None:
    """A folder by its path, a zip file; in the function's order, later ones over earlier ones."""
    folder, archive = unique(), unique()
    (tmp_path / "folder" / "python").mkdir(parents=True)
    (tmp_path / "folder" / "python" / "a.py").write_text("x = 'folder'")
    (tmp_path / "folder" / "python" / "b.py").write_text("x = 'folder'")
    (tmp_path / "layer.zip").write_bytes(bundle({"python/b.py": "x = 'zip'", "bin/tool": "echo"}))
    project.write_text(
        f'[layers]\n"{arn(folder).removesuffix(":1")}" = "{tmp_path}/folder"\n'
        f'"arn:aws:lambda:*:{ACCOUNT}:layer:{archive}:*" = "{tmp_path}/layer.zip"\n'
    )
    source = "import a, b, os\ndef handler(event, context):\n    return [a.x, b.x, os.path.exists('/opt/bin/tool')]\n"
    function = make_function(source, Layers=[arn(folder), arn(archive, 12)])

    assert function.invoke().payload[:2] == ["folder", "zip"]
    layers = function.client.get_function_configuration(FunctionName=function.name)["Layers"]
    assert [layer["Arn"] for layer in layers] == [arn(folder), arn(archive, 12)]
    function.client.update_function_configuration(FunctionName=function.name, Layers=[arn(archive, 12), arn(folder)])
    function.client.get_waiter("function_updated_v2").wait(FunctionName=function.name, WaiterConfig={"Delay": 1})
    assert function.invoke().payload[:2] == ["folder", "folder"]


def test_trouble_with_a_layer_of_the_project_is_told(make_function: FunctionFactory, project: Path) -> None:
    """A folder that is not there, a file that makes no sense."""
    name = unique()
    source = "def handler(event, context):\n    return 1\n"
    project.write_text(f'[layers]\n"{arn(name)}" = "./nowhere"\n')
    said = refusal(lambda: make_function(source, Layers=[arn(name)]))[1]
    assert said.startswith(f"Layer version {arn(name)}: ")
    assert "nowhere is not there: give a folder or a zip file" in said
    project.write_text("[layer]\n")
    assert "layer is not known: give " in refusal(lambda: make_function(source, Layers=[arn(unique())]))[1]


def test_at_most_five_layers(make_function: FunctionFactory) -> None:
    """Lambda's limit and text."""
    layers = [f"arn:aws:lambda:us-east-1:000000000000:layer:l{number}:1" for number in range(6)]

    assert refusal(lambda: make_function("def handler(event, context):\n    return 1\n", Layers=layers)) == (
        "InvalidParameterValueException",
        "Cannot reference more than 5 layers.",
    )


def test_paths_of_layers_are_those_that_aws_sets(make_function: FunctionFactory, aws: Callable[[str], Any]) -> None:
    """Modules of any and of this version, programs on PATH, libraries on LD_LIBRARY_PATH; the bundle before layers."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("python/one.py", "x = 'layer'")
        archive.writestr("python/lib/python3.13/site-packages/two.py", "x = 'site'")
        archive.writestr("python/three.py", "x = 'layer'")
        program = zipfile.ZipInfo("bin/say-it")
        program.external_attr = 0o755 << 16
        archive.writestr(program, "#!/bin/sh\necho said\n")
        archive.writestr("lib/libnone.so", "")
    layer = aws("lambda").publish_layer_version(LayerName=unique(), Content={"ZipFile": content.getvalue()})
    function = make_function(
        """
        import os, subprocess, one, two, three
        def handler(event, context):
            said = subprocess.run(["say-it"], capture_output=True, text=True).stdout.strip()
            places = os.environ["LD_LIBRARY_PATH"].split(":")
            return [one.x, two.x, three.x, said, any(os.path.exists(f"{place}/libnone.so") for place in places)]
        """,
        files={"three.py": "x = 'bundle'\n"},
        Layers=[layer["LayerVersionArn"]],
    )

    assert function.invoke().payload == ["layer", "site", "bundle", "said", True]


def test_code_compiled_for_another_python_is_refused(
    make_function: FunctionFactory, aws: Callable[[str], Any], cleanups: ExitStack
) -> None:
    """At creation, at an update, from a bucket too; the function keeps the code that it has."""
    source = "def handler(event, context):\n    return 1\n"
    name = "pkg/_fast.cpython-311-x86_64-linux-gnu.so"
    code, said = refusal(lambda: make_function(source, files={name: ""}))

    assert code == "InvalidParameterValueException"
    assert said.startswith(
        f"Value at 'code': {name} is compiled for Python 3.11 on x86_64-linux-gnu, but the function "
    )
    assert "--python-version 3.13" in said
    function = make_function(source)
    code_of = bundle({"app.py": source, name: ""})
    update = function.client.update_function_code
    assert refusal(lambda: update(FunctionName=function.name, ZipFile=code_of)) == (code, said)
    bucket = f"b-{uuid.uuid4().hex[:8]}"
    aws("s3").create_bucket(Bucket=bucket)
    cleanups.callback(aws("s3").delete_bucket, Bucket=bucket)
    aws("s3").put_object(Bucket=bucket, Key="code.zip", Body=code_of)
    cleanups.callback(aws("s3").delete_object, Bucket=bucket, Key="code.zip")
    assert refusal(lambda: update(FunctionName=function.name, S3Bucket=bucket, S3Key="code.zip")) == (code, said)
    assert function.invoke().payload == 1

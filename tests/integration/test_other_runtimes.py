"""Functions of Node.js and with a bootstrap of their own, deployed: what Lambda and the logs show of them."""

import json
import shutil
import stat
import uuid
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from io import BytesIO
from typing import Any

import pytest

from dlqlab.emulator.runtime.node import fetch
from dlqlab.emulator.runtime.node.find import Node, find_nearest
from dlqlab.waiting import wait_for
from tests.integration.conftest import ROLE, FunctionFactory, queue_arn, read_log
from tests.support import stacks

pytestmark = pytest.mark.integration
CLIENT = "@aws-sdk/client-sqs"


@pytest.fixture(scope="module")
def node() -> Node:
    """The machine's, or one that is fetched."""
    try:
        found = find_nearest(20) or fetch.node_of(22)
        fetch.runtime_client(found)
        fetch.sdk(found, [CLIENT])
    except fetch.FetchError as error:
        pytest.skip(f"what Node.js functions need cannot be had here: {error}")
    return found


def test_node_function_works_off_a_queue_with_lambdas_sdk(
    make_function: FunctionFactory, make_queue: Callable[..., str], aws: Callable[[str], Any], node: Node
) -> None:
    """A batch reaches it by its mapping, the failed message comes back, and it calls the emulator by the SDK."""
    source, target = make_queue(VisibilityTimeout="2"), make_queue()
    function = make_function(
        "",
        files={
            "src/worker.mjs": """
            import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs';
            const sqs = new SQSClient();
            export const handler = async (event, context) => {
              const batchItemFailures = [];
              for (const record of event.Records) {
                const count = record.attributes.ApproximateReceiveCount;
                console.log('working on', record.body, 'for the', count);
                if (count === '1') batchItemFailures.push({ itemIdentifier: record.messageId });
                else await sqs.send(new SendMessageCommand({
                  QueueUrl: process.env.TARGET, MessageBody: `${record.body} ${process.env.AWS_EXECUTION_ENV}` }));
              }
              return { batchItemFailures };
            };
            """
        },
        Runtime=f"nodejs{node.major}.x",
        Handler="src/worker.handler",
        Timeout=1,
        Environment={"Variables": {"TARGET": target}},
    )
    aws("sqs").send_message(QueueUrl=source, MessageBody="one")
    mapping = aws("lambda").create_event_source_mapping(
        FunctionName=function.name,
        EventSourceArn=queue_arn(aws, source),
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    try:

        def probe() -> tuple[bool, list[str]]:
            answer = aws("sqs").receive_message(QueueUrl=target, WaitTimeSeconds=1)
            return bool(answer.get("Messages")), [message["Body"] for message in answer.get("Messages", [])]

        assert [f"one AWS_Lambda_nodejs{node.major}.x"] == wait_for("the message", probe, deadline_s=40)
    finally:
        aws("lambda").delete_event_source_mapping(UUID=mapping["UUID"])
    logged = "\n".join(event["message"] for event in read_log(aws, function.name))

    assert "\tINFO\tworking on one for the 1" in logged
    assert "REPORT RequestId: " in logged


@pytest.mark.usefixtures("node")
def test_node_of_another_version_is_said(make_function: FunctionFactory, aws: Callable[[str], Any]) -> None:
    """In the function's state, in its log at each init, and by AWS_EXECUTION_ENV."""
    function = make_function(
        "",
        files={"app.js": "exports.handler = async () => process.env.AWS_EXECUTION_ENV;\n"},
        Runtime="nodejs18.x",  # which PyPI does not have
    )
    state = aws("lambda").get_function_configuration(FunctionName=function.name)
    answer = function.invoke()
    if state.get("StateReason") is None:
        assert "AWS_Lambda_nodejs18.x" == answer.payload  # the machine has it
    else:
        said = state["StateReason"]
        assert said.startswith("declared nodejs18.x runs on Node.js ")
        assert (True, said) == (answer.payload.startswith("AWS_Lambda_nodejs2"), answer.log[0])


def _archive(files: dict[str, tuple[str, int]]) -> bytes:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        for path, (text, mode) in files.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = (stat.S_IFREG | mode) << 16
            package.writestr(entry, text)
    return archive.getvalue()


BOOTSTRAP = """\
#!/bin/sh
while true; do
  event="$(curl -sS -D /tmp/head "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next")"
  id="$(grep -Fi Lambda-Runtime-Aws-Request-Id /tmp/head | tr -d '[:space:]' | cut -d: -f2)"
  curl -sS "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$id/response" -d "$event"
done
"""


@pytest.mark.skipif(shutil.which("curl") is None, reason="the bootstrap here needs curl")
@pytest.mark.parametrize("mode", [0o755, 0o644])
def test_bootstrap_of_the_bundle_runs_if_it_is_executable(
    aws: Callable[[str], Any], cleanups: ExitStack, mode: int
) -> None:
    """By the mode in the archive."""
    name = f"provided-{mode:o}-{id(cleanups)}"
    aws("lambda").create_function(
        FunctionName=name,
        Role=ROLE,
        Handler="not.used",
        Runtime="provided.al2023",
        Code={"ZipFile": _archive({"bootstrap": (BOOTSTRAP, mode)})},
    )
    cleanups.callback(aws("lambda").delete_function, FunctionName=name)
    answer = aws("lambda").invoke(FunctionName=name, Payload=json.dumps({"n": 1}))
    payload = json.load(answer["Payload"])

    if mode == 0o755:
        assert {"n": 1} == payload
    else:
        assert "Runtime.InvalidEntrypoint" == payload["errorType"]
        assert "fork/exec /var/task/bootstrap: permission denied" in payload["errorMessage"]


EXTENSION = """\
#!/bin/sh
API="http://$AWS_LAMBDA_RUNTIME_API/2020-01-01/extension"
curl -sS -o /dev/null -D /tmp/extension "$API/register" -H 'Lambda-Extension-Name: watcher' -d '{"events": ["INVOKE"]}'
id="Lambda-Extension-Identifier: $(grep -Fi Lambda-Extension-Id /tmp/extension | tr -d '[:space:]' | cut -d: -f2)"
while true; do
  echo "watcher got $(curl -sS "$API/event/next" -H "$id")"
done
"""


@pytest.mark.skipif(shutil.which("curl") is None, reason="the extension here needs curl")
def test_extension_of_a_layer_gets_each_invocation(
    make_function: FunctionFactory, aws: Callable[[str], Any], cleanups: ExitStack
) -> None:
    """What it prints is in the function's log; what it does not need, it is not told."""
    name = f"watcher-{id(cleanups)}"
    layer = aws("lambda").publish_layer_version(
        LayerName=name, Content={"ZipFile": _archive({"extensions/watcher": (EXTENSION, 0o755)})}
    )
    cleanups.callback(aws("lambda").delete_layer_version, LayerName=name, VersionNumber=layer["Version"])
    function = make_function("def handler(event, context):\n    return 1\n", Layers=[layer["LayerVersionArn"]])
    answers = [function.invoke() for _ in range(2)]

    assert [1, 1] == [answer.payload for answer in answers]
    assert "EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE]" in answers[0].log
    for answer in answers:
        (line,) = [text for text in answer.log if text.startswith("watcher got ")]
        event = json.loads(line.removeprefix("watcher got "))
        assert ("INVOKE", function.arn) == (event["eventType"], event["invokedFunctionArn"].removesuffix(":$LATEST"))


CFN_RESPONSE = """
    const response = require('cfn-response')
    exports.handler = (event, context) => response.send(event, context, response.SUCCESS, { Size: 'large' }, 'mine')
"""


def test_custom_resource_in_node_answers_by_cfn_response(
    aws: Callable[[str], Any], cleanups: ExitStack, node: Node
) -> None:
    """AWS's module, which CloudFormation puts beside inline code: it speaks https to port 443 of the ResponseURL."""
    major = min(node.major, 22)  # from 24 on AWS refuses handlers that do not promise
    settings = {"Runtime": f"nodejs{major}.x", "Handler": "index.handler", "Code": {"ZipFile": CFN_RESPONSE}}
    provider = {"Type": "AWS::Lambda::Function", "Properties": {**settings, "Role": ROLE}}
    mine = {"Type": "Custom::Thing", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Provider", "Arn"]}}}
    name = f"s-{uuid.uuid4().hex[:8]}"
    cleanups.callback(stacks.delete, aws, name)
    template = {
        "Resources": {"Provider": provider, "Mine": mine},
        "Outputs": {"Size": {"Value": {"Fn::GetAtt": ["Mine", "Size"]}}},
    }

    made = stacks.create(aws, name, json.dumps(template))

    assert made["StackStatus"] == "CREATE_COMPLETE", made["StackStatusReason"]
    assert [one["OutputValue"] for one in made["Outputs"]] == ["large"]
    assert stacks.physical_id(aws, name, "Mine") == "mine"

"""The Lambda runtime behaves as Lambda does: init, errors, time-outs, crashes, isolation, logs."""

import json
import os
import platform
import re
import signal
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.waiting import wait_for
from tests.integration.conftest import ROLE, DeployedFunction, FunctionFactory, bundle, queue_arn, read_log

pytestmark = pytest.mark.integration


def _replace_environments(aws: Callable[[str], Any], function: DeployedFunction) -> None:
    """A changed configuration gets new environments; the old ones end."""
    aws("lambda").update_function_configuration(FunctionName=function.name, Timeout=4)
    aws("lambda").get_waiter("function_updated_v2").wait(FunctionName=function.name, WaiterConfig={"Delay": 1})


def test_result_is_returned(make_function: FunctionFactory) -> None:
    """A function gets its event and its result comes back."""
    function = make_function("def handler(event, context):\n    return {'twice': event['n'] * 2}\n")

    assert function.invoke({"n": 21}).payload == {"twice": 42}


def test_environment_is_reused_until_it_breaks(make_function: FunctionFactory) -> None:
    """Module state lives on between invocations of one environment."""
    function = make_function(
        """
        count = 0
        def handler(event, context):
            global count
            count += 1
            return count
        """
    )

    assert [function.invoke().payload for _ in range(3)] == [1, 2, 3]


def test_handler_error_is_reported_and_environment_kept(make_function: FunctionFactory) -> None:
    """An exception in the handler is a function error with its type, and the process lives on."""
    function = make_function(
        """
        import os
        def handler(event, context):
            if event.get('bad'):
                raise ValueError('no ' + event['bad'])
            return os.getpid()
        """
    )
    before = function.invoke().payload
    failed = function.invoke({"bad": "luck"})

    assert (
        failed.error,
        failed.payload["errorType"],
        failed.payload["errorMessage"],
    ) == ("Unhandled", "ValueError", "no luck")
    assert before == function.invoke().payload


def test_init_error_is_reported_on_each_invocation(make_function: FunctionFactory) -> None:
    """A module that cannot be imported fails every invocation with the import's own error."""
    function = make_function("import not_in_the_bundle\ndef handler(event, context):\n    return 1\n")

    for _ in range(2):
        failed = function.invoke()
        assert failed.payload["errorType"] == "Runtime.ImportModuleError"
        assert "No module named 'not_in_the_bundle'" in failed.payload["errorMessage"]


def test_init_that_fails_once_does_not_fail_the_invocation(
    make_function: FunctionFactory, aws: Callable[[str], Any]
) -> None:
    """Lambda tries it again, and the log tells of it."""
    function = make_function(
        """
        import os
        try:
            open("/tmp/tried", "x").close()
        except FileExistsError:
            pass
        else:
            os._exit(7)

        def handler(event, context):
            return "done"
        """
    )
    answer = function.invoke()
    lines = [event["message"] for event in read_log(aws, function.name)]
    (failed,) = (line for line in lines if line.startswith("INIT_REPORT"))

    assert (None, "done") == (answer.error, answer.payload)
    assert "Runtime.ExitError: Runtime exited with error: exit status 7" in lines
    assert failed.endswith("\tPhase: init\tStatus: error\tError Type: Runtime.ExitError")


def test_provisioned_concurrency_whose_init_fails_fails(
    make_function: FunctionFactory, aws: Callable[[str], Any]
) -> None:
    """Nobody waits for it, so nothing is tried again."""
    function = make_function("raise ValueError('no luck')")
    version = aws("lambda").publish_version(FunctionName=function.name)["Version"]
    about = {"FunctionName": function.name, "Qualifier": version}
    aws("lambda").put_provisioned_concurrency_config(**about, ProvisionedConcurrentExecutions=1)

    def probe() -> tuple[bool, dict[str, Any]]:
        state = aws("lambda").get_provisioned_concurrency_config(**about)
        return state["Status"] != "IN_PROGRESS", state

    state = wait_for("the end of the provisioning", probe, deadline_s=60)
    assert ("FAILED", "FUNCTION_ERROR_INIT_FAILURE") == (state["Status"], state["StatusReason"])


@pytest.mark.parametrize("package", ["pandas", "dlqlab", "chalicelib", "taskrules", "localstack", "psutil"])
def test_packages_of_the_harness_are_out_of_reach(make_function: FunctionFactory, package: str) -> None:
    """A dependency that is missing from the bundle is missing here, as it would be on AWS."""
    function = make_function(f"def handler(event, context):\n    import {package}\n")

    assert function.invoke().payload["errorType"] == "ModuleNotFoundError"


def test_sdk_is_there_and_the_bundle_wins(make_function: FunctionFactory) -> None:
    """boto3 comes with the runtime; a module of the same name in the bundle has precedence."""
    bare = make_function("import boto3\ndef handler(event, context):\n    return boto3.__name__\n")
    own = make_function(
        "import boto3\ndef handler(event, context):\n    return boto3.OWN\n", files={"boto3.py": "OWN = 7\n"}
    )

    assert [bare.invoke().payload, own.invoke().payload] == ["boto3", 7]


def test_timeout_ends_the_process_and_the_next_invocation_starts_anew(make_function: FunctionFactory) -> None:
    """A function that works too long is ended at its timeout and replaced."""
    function = make_function(
        """
        import os, time
        def handler(event, context):
            if event.get('slow'):
                print('working', flush=True)
                time.sleep(60)
            return os.getpid()
        """,
        Timeout=1,
    )
    before = function.invoke().payload
    late = function.invoke({"slow": True})

    assert late.error == "Unhandled"
    assert "Task timed out after 1.00 seconds" in late.payload["errorMessage"]
    assert any("working" in line for line in late.log)
    assert re.search(r"Status: timeout", late.log[-1])
    assert before != function.invoke().payload
    assert not psutil.pid_exists(before)


def test_crash_is_reported_and_the_process_replaced(make_function: FunctionFactory) -> None:
    """A process that ends in the middle of an invocation is a Runtime.ExitError with its exit status."""
    function = make_function(
        """
        import os
        def handler(event, context):
            if event.get('crash'):
                print('last words', flush=True)
                os._exit(3)
            return os.getpid()
        """
    )
    before = function.invoke().payload
    crashed = function.invoke({"crash": True})

    assert crashed.payload["errorType"] == "Runtime.ExitError"
    assert "Runtime exited with error: exit status 3" in crashed.payload["errorMessage"]
    assert any("last words" in line for line in crashed.log)
    assert before != function.invoke().payload


def _has_ended(pid: int) -> bool:
    """With all its threads: as long as one is left, its parent hears nothing of an end."""
    try:
        process = psutil.Process(pid)
        return bool(process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1)
    except psutil.NoSuchProcess:
        return True


def test_process_that_ended_between_invocations_is_replaced(make_function: FunctionFactory) -> None:
    """The next invocation, which it never saw, is served by a new one: no message is tried in vain."""
    function = make_function(
        """
        import os
        def handler(event, context):
            return os.getpid()
        """
    )
    before = function.invoke().payload
    os.kill(before, signal.SIGKILL)
    wait_for("its end", lambda: (_has_ended(before), before), deadline_s=30, interval_s=0.01)
    after = function.invoke()

    assert after.error is None
    assert before != after.payload
    assert "Init Duration" in after.log[-1]


def test_function_may_close_its_output(make_function: FunctionFactory) -> None:
    """Only its lines end with it, neither the invocation nor the process."""
    function = make_function(
        """
        import os, time
        def handler(event, context):
            os.close(1)
            os.close(2)
            time.sleep(0.2)
            return 'went on'
        """
    )

    assert function.invoke().payload == "went on"


@pytest.mark.parametrize("characters", [300_000, 1_100_000])
def test_long_error_is_reported_whole(make_function: FunctionFactory, characters: int) -> None:
    """AWS's runtime sends it in a header too, as long as that is below 1 MiB; the process lives on."""
    function = make_function(
        """
        import os
        def handler(event, context):
            if event:
                raise ValueError('\u00e9' * event)
            return os.getpid()
        """
    )
    before = function.invoke(0).payload
    failed = function.invoke(characters)

    assert ("ValueError", "\u00e9" * characters) == (failed.payload["errorType"], failed.payload["errorMessage"])
    assert before == function.invoke(0).payload


def test_environment_is_lambdas_and_not_the_starters(
    make_function: FunctionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function sees Lambda's variables and its own, and nothing of the shell that started the emulator."""
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "x")
    function = make_function(
        "import os\ndef handler(event, context):\n    return dict(os.environ)\n",
        Environment={"Variables": {"MINE": "yes"}},
    )
    seen = function.invoke().payload
    ours = {name for name in seen if name.startswith(("LOCALSTACK_", "DLQLAB_")) and name != "LOCALSTACK_HOSTNAME"}

    assert seen["MINE"] == "yes"
    assert (":UTC", "app.handler", set()) == (seen["TZ"], seen["_HANDLER"], ours)
    assert function.name == seen["AWS_LAMBDA_FUNCTION_NAME"]
    assert seen["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert seen["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert not {
        "SECRET_OF_THE_SHELL",
        "AWS_PROFILE",
        "LC_CTYPE",
        "VIRTUAL_ENV",
        "DLQLAB_STATE_DIR",
        "FILESYSTEM_ROOT",
    } & set(seen)


def test_functions_give_way_to_the_emulator(make_function: FunctionFactory, emulator: Emulator) -> None:
    """The emulator, which all functions wait for, gets the processor before them."""
    function = make_function("import os\ndef handler(event, context):\n    return os.nice(0)\n")

    assert min(psutil.Process(emulator.pid).nice() + 10, 19) == function.invoke().payload


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="processors are given on Linux only")
def test_emulator_has_a_processor_of_its_own(make_function: FunctionFactory, emulator: Emulator) -> None:
    """All of its threads keep to one, and functions to the others; with a single one they share it."""
    source = "import os\ndef handler(event, context):\n    return sorted(os.sched_getaffinity(0))\n"
    available = os.sched_getaffinity(0)
    kept = [os.sched_getaffinity(thread.id) for thread in psutil.Process(emulator.pid).threads()]
    others = make_function(source).invoke().payload

    assert all(one == kept[0] for one in kept)
    assert (min(len(available), 1)) == len(kept[0])
    assert sorted(available - kept[0] or available) == others


def test_tmp_is_kept_per_environment_and_removed_with_it(
    make_function: FunctionFactory, aws: Callable[[str], Any], emulator: Emulator
) -> None:
    """Tempfile's folder survives between invocations of one environment and is gone with the function."""
    function = make_function(
        """
        import os, tempfile
        def handler(event, context):
            path = os.path.join(tempfile.gettempdir(), context.function_name)
            there = os.path.exists(path)
            open(path, 'w').close()
            return there
        """
    )

    def kept() -> list[Path]:
        return list(Path(emulator.state).rglob(function.name))

    answers = [function.invoke().payload, function.invoke().payload]
    before = kept()
    _replace_environments(aws, function)
    answers.append(function.invoke().payload)
    wait_for("the first /tmp's end", lambda: (not before[0].exists(), None), deadline_s=10, interval_s=0.05)

    assert answers == [False, True, False]
    assert [len(before), len(kept())] == [1, 1]


def test_logs_have_lambdas_frame_and_the_time_of_printing(
    make_function: FunctionFactory, aws: Callable[[str], Any]
) -> None:
    """Each invocation is framed by START, END and REPORT, and each line carries the time at which it was printed."""
    function = make_function(
        """
        import time
        def handler(event, context):
            print('one')
            time.sleep(0.2)
            print('two')
        """,
        MemorySize=256,
    )
    function.invoke()
    function.invoke()
    stored = read_log(aws, function.name)
    texts = [event["message"] for event in stored]
    one, two = (next(event for event in stored if event["message"] == word) for word in ("one", "two"))

    assert [text.split(" ")[0] for text in texts] == ["START", "one", "two", "END", "REPORT"] * 2
    # Half of what lies between them: the first may be read late, but stored together they would be 0 apart.
    assert two["timestamp"] - one["timestamp"] >= 100
    assert re.search(r"Duration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB", texts[4])
    assert re.search(r"Max Memory Used: [1-9]\d* MB\tInit Duration: [\d.]+ ms", texts[4])
    assert "Init Duration" not in texts[9]


def test_large_output_and_payload_pass(make_function: FunctionFactory) -> None:
    """More output than a pipe holds and a payload of a megabyte neither block nor get cut."""
    function = make_function(
        """
        def handler(event, context):
            for i in range(20000):
                print('x' * 50)
            return {'size': len(event['blob']), 'blob': event['blob']}
        """,
        Timeout=30,
    )
    result = function.invoke({"blob": "y" * 1_000_000})

    assert 1_000_000 == result.payload["size"] == len(result.payload["blob"])


def test_no_function_process_stays_after_deletion(
    emulator: Emulator, make_function: FunctionFactory, aws: Callable[[str], Any]
) -> None:
    """Deleting a function ends its processes."""
    function = make_function("import os\ndef handler(event, context):\n    return os.getpid()\n")
    pid = function.invoke().payload
    alive_before = pid in {process.pid for process in emulator.function_processes()}
    _replace_environments(aws, function)

    assert alive_before
    assert pid not in {process.pid for process in emulator.function_processes()}


TOO_LARGE = "def handler(event, context):\n    return 'x' * 6_291_555\n"


def test_result_over_the_limit_is_a_502_of_api_gateway(
    make_function: FunctionFactory, aws: Callable[[str], Any], emulator: Emulator, cleanups: ExitStack
) -> None:
    """The caller of an API gets no part of it."""
    function, api = make_function(TOO_LARGE), aws("apigateway")
    api_id = api.create_rest_api(name=function.name)["id"]
    cleanups.callback(api.delete_rest_api, restApiId=api_id)
    root = {"restApiId": api_id, "resourceId": api.get_resources(restApiId=api_id)["items"][0]["id"]}
    api.put_method(**root, httpMethod="GET", authorizationType="NONE")
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function.arn}/invocations"
    api.put_integration(**root, httpMethod="GET", type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    api.create_deployment(restApiId=api_id, stageName="s")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{emulator.endpoint}/_aws/execute-api/{api_id}/s/", timeout=30)
    caught.value.close()

    assert 502 == caught.value.code


def test_result_over_the_limit_fails_its_batch(
    make_function: FunctionFactory, make_queue: Callable[..., str], aws: Callable[[str], Any], cleanups: ExitStack
) -> None:
    """The message is dead-lettered after its attempts, as after any error of the function."""
    dead = make_queue()
    policy = json.dumps({"deadLetterTargetArn": queue_arn(aws, dead), "maxReceiveCount": 1})
    url, function = make_queue(VisibilityTimeout="3", RedrivePolicy=policy), make_function(TOO_LARGE)
    arn = queue_arn(aws, url)
    mapping = aws("lambda").create_event_source_mapping(FunctionName=function.name, EventSourceArn=arn)
    cleanups.callback(aws("lambda").delete_event_source_mapping, UUID=mapping["UUID"])
    aws("sqs").send_message(QueueUrl=url, MessageBody="one")

    def probe() -> tuple[bool, list[str]]:
        found = aws("sqs").receive_message(QueueUrl=dead, WaitTimeSeconds=1).get("Messages", [])
        return bool(found), [message["Body"] for message in found]

    assert ["one"] == wait_for("the dead letter", probe, deadline_s=30)
    assert any("Function.ResponseSizeTooLarge" in event["message"] for event in read_log(aws, function.name))


def test_runtime_that_cannot_be_served_is_refused(make_function: FunctionFactory, aws: Callable[[str], Any]) -> None:
    """At creation and at an update, with the field, the value and what to give."""
    client = aws("lambda")
    function = make_function("def handler(event, context): pass\n")
    expected = (
        "Value java21 at 'runtime': functions of other languages do not run here; give one of python3.x, nodejs18.x to "
        "nodejs24.x, provided.al2 or provided.al2023"
    )
    with pytest.raises(client.exceptions.InvalidParameterValueException, match=re.escape(expected)):
        client.create_function(
            FunctionName=f"{function.name}-java",
            Runtime="java21",
            Role=ROLE,
            Handler="a.b",
            Code={"ZipFile": bundle({"a.class": ""})},
        )
    with pytest.raises(client.exceptions.InvalidParameterValueException, match=re.escape(expected)):
        client.update_function_configuration(FunctionName=function.name, Runtime="java21")


def test_python_that_cannot_be_served_says_so(make_function: FunctionFactory, aws: Callable[[str], Any]) -> None:
    """In the function's state, in its log at each init, and by AWS_EXECUTION_ENV."""
    function = make_function(
        """
        import os, sys
        def handler(event, context):
            return [list(sys.version_info[:2]), os.environ['AWS_EXECUTION_ENV']]
        """,
        Runtime="python3.8",
    )
    state = aws("lambda").get_function_configuration(FunctionName=function.name)
    answer = function.invoke()
    said = "declared python3.8 runs on Python 3.13: "

    assert ("Active", True) == (state["State"], state["StateReason"].startswith(said))
    assert [[3, 13], "AWS_Lambda_python3.13"] == answer.payload
    assert answer.log[0].startswith(said)


@pytest.mark.skipif(platform.machine().lower() in {"arm64", "aarch64"}, reason="arm64 is what this machine is")
def test_architecture_that_cannot_be_served_says_so(make_function: FunctionFactory, aws: Callable[[str], Any]) -> None:
    """The function runs, since most of Python's code runs anywhere."""
    function = make_function("def handler(event, context):\n    return 1\n", Architectures=["arm64"])
    state = aws("lambda").get_function_configuration(FunctionName=function.name)

    assert state["StateReason"].startswith(f"declared arm64 runs on {platform.machine().lower()}")
    assert 1 == function.invoke().payload


def test_layers_are_merged_in_their_order(make_function: FunctionFactory, aws: Callable[[str], Any]) -> None:
    """A later layer's file takes the place of an earlier one's."""
    client, arns = aws("lambda"), []
    for number, files in enumerate([{"a": "1", "b": "1"}, {"b": "2"}]):
        content = bundle({f"python/{name}.py": f"x = {text}\n" for name, text in files.items()})
        layer = client.publish_layer_version(
            LayerName=f"l-{uuid.uuid4().hex[:8]}-{number}", Content={"ZipFile": content}
        )
        arns.append(layer["LayerVersionArn"])
    function = make_function("import a, b\ndef handler(event, context):\n    return [a.x, b.x]\n", Layers=arns)

    assert [1, 2] == function.invoke().payload


def _dead_letter(aws: Callable[[str], Any], url: str) -> dict[str, Any]:
    def probe() -> tuple[bool, dict[str, Any]]:
        answer = aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=1, MessageAttributeNames=["All"])
        found = answer.get("Messages", [])
        return bool(found), found[0] if found else {}

    message = wait_for("the dead letter", probe, deadline_s=20)
    values = {name: one["StringValue"] for name, one in message["MessageAttributes"].items()}
    return {"Body": message["Body"], **values}


@pytest.mark.parametrize("cause", ["a long error", "zero concurrency"])
def test_event_that_fails_for_good_is_a_dead_letter(
    make_function: FunctionFactory, make_queue: Callable[..., str], aws: Callable[[str], Any], cause: str
) -> None:
    """As it was sent, with the request id of its invocation, the status and the first 1 KB of the error."""
    url = make_queue()
    function = make_function("def handler(event, context):\n    raise ValueError('\\u00e9' * event['length'])\n")
    aws("lambda").update_function_configuration(
        FunctionName=function.name, DeadLetterConfig={"TargetArn": queue_arn(aws, url)}
    )
    aws("lambda").get_waiter("function_updated_v2").wait(FunctionName=function.name, WaiterConfig={"Delay": 1})
    aws("lambda").put_function_event_invoke_config(FunctionName=function.name, MaximumRetryAttempts=0)
    if cause == "zero concurrency":
        aws("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    sent = aws("lambda").invoke(FunctionName=function.name, InvocationType="Event", Payload=b'{"length":1500000 }')
    request_id = sent["ResponseMetadata"]["RequestId"]

    told = ("200", "\u00e9" * 512) if cause == "a long error" else ("429", "Rate Exceeded.")
    assert _dead_letter(aws, url) == {
        "Body": '{"length":1500000 }',
        "RequestID": request_id,
        "ErrorCode": told[0],
        "ErrorMessage": told[1],
    }

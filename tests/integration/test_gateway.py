"""Limits, refusals and addresses of Lambda, API Gateway, EventBridge and alarms, as a client sees them."""

import io
import json
import os
import socket
import ssl
import urllib.error
import urllib.request
import uuid
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.waiting import wait_for
from tests.integration.conftest import ROLE, DeployedFunction, FunctionFactory, bundle, queue_arn, read_log

pytestmark = pytest.mark.integration

Aws = Callable[[str], Any]
ECHO = """
    import json, time

    def handler(event, context):
        asked = json.loads(event["body"]) if event.get("body") else {}
        time.sleep(asked.get("sleep", 0))
        if "answer" in asked:
            return asked["answer"]
        seen = {"path": event.get("rawPath"), "size": len(event.get("body") or "")}
        return {"statusCode": 200, "body": json.dumps(seen)}
"""
MALFORMED = (502, {"message": "Internal server error"})


def _request(url: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes, Message]:
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read(), response.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


def _error(call: Callable[..., Any], **parameters: Any) -> tuple[int, str, str]:
    """Status, code and message of what a call is refused with."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


@pytest.fixture
def echo(make_function: FunctionFactory) -> DeployedFunction:
    """A function that answers what it is asked to."""
    return make_function(ECHO, Timeout=60)


@pytest.fixture
def make_api(emulator: Emulator, aws: Aws, echo: DeployedFunction) -> Iterator[Callable[..., str]]:
    """Deploys REST APIs in front of the function; returns the address."""
    apis: list[str] = []
    client = aws("apigateway")

    def make(**integration: Any) -> str:
        api = client.create_rest_api(name=f"a-{uuid.uuid4().hex[:8]}", binaryMediaTypes=["image/png"])["id"]
        apis.append(api)
        where = {"restApiId": api, "resourceId": client.get_resources(restApiId=api)["items"][0]["id"]}
        client.put_method(**where, httpMethod="ANY", authorizationType="NONE")
        uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{echo.arn}/invocations"
        settings = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri, **integration}
        client.put_integration(**where, httpMethod="ANY", **settings)
        client.create_deployment(restApiId=api, stageName="s")
        return f"{emulator.endpoint}/_aws/execute-api/{api}/s/"

    yield make
    for api in apis:
        client.delete_rest_api(restApiId=api)


def _answer(url: str, answer: Any, **headers: str) -> tuple[int, bytes]:
    return _request(url, json.dumps({"answer": answer}).encode(), **headers)[:2]


def test_answers_carry_the_date(emulator: Emulator, aws: Aws) -> None:
    """Every answer does: of the emulator itself, of an API, and a refusal."""
    dates = [
        _request(f"{emulator.endpoint}/_localstack/health")[2]["Date"],
        aws("sqs").list_queues()["ResponseMetadata"]["HTTPHeaders"]["date"],
        _request(f"{emulator.endpoint}/_aws/execute-api/none/s/")[2]["Date"],
    ]

    assert all(abs(parsedate_to_datetime(date) - datetime.now(UTC)) < timedelta(minutes=1) for date in dates)


def test_client_that_speaks_tls_fails_at_once(emulator: Emulator) -> None:
    """The emulator speaks plain HTTP, and does not let anybody wait for a handshake."""
    context = ssl.create_default_context()
    with (
        socket.create_connection(("127.0.0.1", emulator.port), timeout=20) as connection,
        pytest.raises(ssl.SSLError) as caught,
    ):
        context.wrap_socket(connection, server_hostname="localhost")

    assert not isinstance(caught.value, TimeoutError)
    assert "use http:// and not https://" in emulator.log_path.read_text()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"statusCode": 201, "body": "x"}, (201, b"x")),
        ({"body": "x"}, (200, b"x")),
        ({}, (200, b"")),
    ],
)
def test_rest_api_answers_what_the_function_says(
    make_api: Callable[..., str], answer: Any, expected: tuple[int, bytes]
) -> None:
    """No member of an answer is needed."""
    assert expected == _answer(make_api(), answer)


def test_rest_api_answers_malformed_answers_with_502(make_api: Callable[..., str]) -> None:
    """A body that is an object, and whatever else is not the documented format."""
    url = make_api()
    malformed: list[Any] = [
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": "abc"},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "x": 1},
        [1],
        "text",
        None,
    ]

    assert [MALFORMED] * len(malformed) == [
        (status, json.loads(body)) for status, body in (_answer(url, answer) for answer in malformed)
    ]


def test_rest_api_decodes_bytes_for_who_accepts_them(make_api: Callable[..., str]) -> None:
    """Base64 is decoded for a binary media type, and what is none is an error and no garbage."""
    url = make_api()
    good = {"statusCode": 200, "body": "aGk=", "isBase64Encoded": True}

    assert [(200, b"hi"), (200, b"aGk="), (500, b'{"message": "Internal server error"}')] == [
        _answer(url, good, Accept="image/png"),
        _answer(url, good),
        _answer(url, good | {"body": "!!"}, Accept="image/png"),
    ]


def test_connection_survives_a_wrong_length(make_api: Callable[..., str]) -> None:
    """A length that a function makes up is not believed: the next answer of the connection is whole."""
    url = urlsplit(make_api())
    wrong = json.dumps({"answer": {"statusCode": 200, "headers": {"Content-Length": "2"}, "body": "hello"}})
    connection = HTTPConnection(url.netloc, timeout=30)

    def post(body: str) -> bytes:
        connection.request("POST", url.path, body)
        return connection.getresponse().read()

    assert (b"hello", b"hello", b"x") == (post(wrong), post(wrong), post('{"answer": {"body": "x"}}'))
    connection.close()


def test_rest_api_refuses_requests_over_its_limits(emulator: Emulator, make_api: Callable[..., str]) -> None:
    """Over 10 MiB by itself, and what Lambda would not take; just below a request is served."""
    url = make_api()
    api = url.split("/")[-3]
    too_long = (413, b"HTTP content length exceeded 10485760 bytes.")

    assert too_long == _request(url, b" " * (10 * 1024**2 + 1))[:2]
    assert too_long == _request(url, b" " * (10 * 1024**2 + 1), Origin="http://localhost:3000")[:2]
    host = f"{api}.execute-api.us-east-1.amazonaws.com"
    assert too_long == _request(f"{emulator.endpoint}/s/", b" " * (10 * 1024**2 + 1), Host=host)[:2]
    assert (413, b'{"message": "Request Too Long"}') == _request(url, b" " * (6 * 1024**2) + b"{}")[:2]
    status, body, _ = _request(url, b" " * (5 * 1024**2) + b"{}")
    assert (200, 5 * 1024**2 + 2) == (status, json.loads(body)["size"])


def test_rest_api_gives_up_on_a_slow_function(make_api: Callable[..., str]) -> None:
    """After the integration's time-out the client gets a 504, although the function may run for longer."""
    url = make_api(timeoutInMillis=500)

    assert (504, b'{"message": "Endpoint request timed out"}') == _request(url, b'{"sleep": 3}')[:2]
    assert 200 == _request(url, b"{}")[0]


def test_function_url_can_be_reached(emulator: Emulator, aws: Aws, echo: DeployedFunction) -> None:
    """By the address that Lambda gives, by the Host header of AWS's form, and by every call that tells it."""
    client = aws("lambda")
    url = client.create_function_url_config(FunctionName=echo.name, AuthType="NONE")["FunctionUrl"]
    told = [
        client.get_function_url_config(FunctionName=echo.name)["FunctionUrl"],
        client.list_function_url_configs(FunctionName=echo.name)["FunctionUrlConfigs"][0]["FunctionUrl"],
        client.update_function_url_config(FunctionName=echo.name, AuthType="NONE")["FunctionUrl"],
    ]
    host = f"{url.rstrip('/').rpartition('/')[2]}.lambda-url.us-east-1.localhost:{emulator.port}"

    assert [url] * 3 == told
    assert ["/", "/", "/a/b", "/c"] == [
        json.loads(body)["path"]
        for _, body, _ in (
            _request(url),
            _request(url.rstrip("/")),
            _request(f"{url}a/b?c=d"),
            _request(f"{emulator.endpoint}/c", Host=host),
        )
    ]


def test_address_in_a_stack_can_be_reached(emulator: Emulator, aws: Aws) -> None:
    """A template's usual address of a REST API, by either suffix, comes out as one that answers."""
    parts = ["https://", {"Ref": "Api"}, ".execute-api.", {"Ref": "AWS::Region"}, "."]
    template = {
        "Resources": {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": f"a-{uuid.uuid4().hex[:8]}"}},
            "Get": {
                "Type": "AWS::ApiGateway::Method",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                    "HttpMethod": "GET",
                    "AuthorizationType": "NONE",
                    "Integration": {
                        "Type": "MOCK",
                        "RequestTemplates": {"application/json": '{"statusCode": 200}'},
                        "IntegrationResponses": [{"StatusCode": "200"}],
                    },
                    "MethodResponses": [{"StatusCode": "200"}],
                },
            },
            "Deployment": {
                "Type": "AWS::ApiGateway::Deployment",
                "DependsOn": "Get",
                "Properties": {"RestApiId": {"Ref": "Api"}, "StageName": "prod"},
            },
        },
        "Outputs": {
            "Joined": {"Value": {"Fn::Join": ["", [*parts, {"Ref": "AWS::URLSuffix"}, "/prod/"]]}},
            "Substituted": {"Value": {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/prod/"}},
        },
    }
    client, name = aws("cloudformation"), f"s-{uuid.uuid4().hex[:8]}"
    client.create_stack(StackName=name, TemplateBody=json.dumps(template))
    try:
        client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        outputs = client.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
        addresses = [output["OutputValue"] for output in outputs]

        assert 2 == len(addresses)
        assert all(address.startswith(f"{emulator.endpoint}/_aws/execute-api/") for address in addresses)
        assert [200, 200] == [_request(address)[0] for address in addresses]
    finally:
        client.delete_stack(StackName=name)


def test_function_url_answers_by_its_own_rules(aws: Aws, echo: DeployedFunction) -> None:
    """An answer without a status is the body; one with a status must be right; cookies are set."""
    url = aws("lambda").create_function_url_config(FunctionName=echo.name, AuthType="NONE")["FunctionUrl"]
    cookies = {"statusCode": 200, "cookies": ["a=1", "b=2"], "body": "x"}

    assert (200, b'{"a":1}') == _answer(url, {"a": 1})
    assert (502, b"Internal Server Error") == _answer(url, {"statusCode": "abc"})
    assert (413, b'{"Message":"Request Entity Too Large"}') == _request(url, b" " * (6 * 1024**2 + 1))[:2]
    assert ["a=1", "b=2"] == _request(url, json.dumps({"answer": cookies}).encode())[2].get_all("Set-Cookie")


def test_function_url_for_signed_requests(aws: Aws, echo: DeployedFunction) -> None:
    """One without a signature does not reach the function."""
    url = aws("lambda").create_function_url_config(FunctionName=echo.name, AuthType="AWS_IAM")["FunctionUrl"]
    signature = (
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"
    )

    assert (403, b'{"Message":"Forbidden"}') == _request(url)[:2]
    assert 200 == _request(url, Authorization=signature)[0]


def _create(aws: Aws, **settings: Any) -> tuple[int, str, str]:
    given = {
        "FunctionName": f"f-{uuid.uuid4().hex[:8]}",
        "Runtime": "python3.13",
        "Role": ROLE,
        "Handler": "app.handler",
        "Code": {"ZipFile": bundle({"app.py": "def handler(event, context): pass"})},
    }
    return _error(aws("lambda").create_function, **given | settings)


@pytest.mark.parametrize(
    ("settings", "code", "text"),
    [
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException", ": AWS_REGION"),
        ({"Environment": {"Variables": {"1A": "x"}}}, "ValidationException", "[a-zA-Z]([a-zA-Z0-9_])+"),
        (
            {"Environment": {"Variables": {"AA": "x" * 4096}}},
            "InvalidParameterValueException",
            "exceeded the 4KB limit",
        ),
        ({"Timeout": 901}, "ValidationException", "less than or equal to 900"),
        ({"MemorySize": 10_241}, "InvalidParameterValueException", "less than or equal to 10240"),
        ({"Handler": "a b"}, "ValidationException", "at 'handler'"),
        ({"FunctionName": "a.b"}, "InvalidParameterValueException", "at 'functionName'"),
        ({"FunctionName": "f" * 65}, "InvalidParameterValueException", "less than or equal to 64"),
        ({"Code": {}}, "InvalidParameterValueException", "Please provide a source for function code."),
        ({"Layers": ["x"]}, "ValidationException", "at 'layers'"),
    ],
)
def test_functions_that_aws_refuses_are_refused(aws: Aws, settings: dict[str, Any], code: str, text: str) -> None:
    """What would fail at the first deployment to AWS fails here, with AWS's error."""
    status, found, message = _create(aws, **settings)

    assert (400, code) == (status, found)
    assert text in message


def test_changed_settings_are_checked_too(aws: Aws, echo: DeployedFunction) -> None:
    """And what is refused changes nothing."""
    update = aws("lambda").update_function_configuration
    reserved = {"Variables": {"LAMBDA_TASK_ROOT": "x"}}

    assert (400, "InvalidParameterValueException") == _error(update, FunctionName=echo.name, Environment=reserved)[:2]
    assert (400, "ValidationException") == _error(update, FunctionName=echo.name, Timeout=901)[:2]
    settings = aws("lambda").get_function_configuration(FunctionName=echo.name)
    assert (60, None) == (settings["Timeout"], settings.get("Environment"))


def test_variables_that_customers_may_set_are_taken(make_function: FunctionFactory) -> None:
    """Those that Lambda sets but does not reserve, and all names that only look like reserved ones."""
    variables = {"TZ": ":UTC", "LANG": "C.UTF-8", "aws_region": "x", "AWS_REGION_2": "y"}
    function = make_function(
        "import os\ndef handler(event, context): return {name: os.environ[name] for name in event}",
        Environment={"Variables": variables},
    )

    own = {"aws_region": "x", "AWS_REGION_2": "y"}
    assert own == function.invoke(own).payload


def _zip(random_bytes: int = 0, zeros: int = 0) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("app.py", "def handler(event, context): return 1")
        package.writestr(zipfile.ZipInfo("data"), os.urandom(random_bytes))
        with package.open("zeros", "w", force_zip64=True) as file:
            for _ in range(zeros // 1024**2):
                file.write(bytes(1024**2))
    return archive.getvalue()


def test_bundles_are_taken_up_to_lambdas_limits(aws: Aws, make_function: FunctionFactory) -> None:
    """A bundle of 49 MiB is deployed; 51 MiB zipped and 250 MB unzipped are refused as AWS refuses them."""
    function = make_function("def handler(event, context): return 0")
    update, large = aws("lambda").update_function_code, _zip(random_bytes=51 * 1024**2)

    update(FunctionName=function.name, ZipFile=_zip(random_bytes=49 * 1024**2))
    aws("lambda").get_waiter("function_updated_v2").wait(FunctionName=function.name)
    assert 1 == function.invoke().payload
    refused = (
        413,
        "RequestEntityTooLargeException",
        "Request must be smaller than 70167211 bytes for the {} operation",
    )
    assert (*refused[:2], refused[2].format("CreateFunction")) == _create(aws, Code={"ZipFile": large})
    assert (*refused[:2], refused[2].format("UpdateFunctionCode")) == _error(
        update, FunctionName=function.name, ZipFile=large
    )
    assert (400, "InvalidParameterValueException", "Unzipped size must be smaller than 262144000 bytes") == _error(
        update, FunctionName=function.name, ZipFile=_zip(zeros=251 * 1024**2)
    )


def test_payloads_are_checked(aws: Aws, make_function: FunctionFactory) -> None:
    """By their size, which is smaller for who does not wait, and by their form; the function sees none of those."""
    function = make_function("def handler(event, context): return len(event)")
    invoke = aws("lambda").invoke
    fits = b'"' + b"x" * (6 * 1024**2 - 2) + b'"'

    assert 6 * 1024**2 - 2 == json.load(invoke(FunctionName=function.name, Payload=fits)["Payload"])
    assert (413, "RequestEntityTooLargeException") == _error(invoke, FunctionName=function.name, Payload=fits + b" ")[
        :2
    ]
    assert (
        413,
        "RequestEntityTooLargeException",
        "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)",
    ) == _error(invoke, FunctionName=function.name, Payload=b"1" * 1_048_577, InvocationType="Event")
    for kind in ("Event", "RequestResponse"):
        status, code, text = _error(invoke, FunctionName=function.name, Payload=b"{'a': 1}", InvocationType=kind)
        assert (400, "InvalidRequestContentException") == (status, code)
        assert text.startswith("Could not parse request body into json: Could not parse payload into json: ")
    assert (404, "ResourceNotFoundException") == _error(invoke, FunctionName="none", Payload=b"x")[:2]


def test_large_object_goes_through_a_file(aws: Aws) -> None:
    """S3 takes what is larger than any other request."""
    client, bucket = aws("s3"), f"b-{uuid.uuid4().hex[:8]}"
    client.create_bucket(Bucket=bucket)
    body = os.urandom(1024) * (81 * 1024)
    try:
        client.put_object(Bucket=bucket, Key="k", Body=body)
        assert body == client.get_object(Bucket=bucket, Key="k")["Body"].read()
    finally:
        client.delete_object(Bucket=bucket, Key="k")
        client.delete_bucket(Bucket=bucket)


@pytest.fixture
def make_rule(aws: Aws) -> Iterator[Callable[..., str]]:
    """Makes rules that match a source of their own, with one target; returns the source."""
    client, rules = aws("events"), []

    def make(**target: Any) -> str:
        name = f"r-{uuid.uuid4().hex[:8]}"
        client.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
        rules.append(name)
        client.put_targets(Rule=name, Targets=[{"Id": "1", **target}])
        return name

    yield make
    for name in rules:
        client.remove_targets(Rule=name, Ids=["1"])
        client.delete_rule(Name=name)


def _receive(aws: Aws, url: str) -> dict[str, Any]:
    def probe() -> tuple[bool, Any]:
        found = aws("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"], WaitTimeSeconds=1)
        return "Messages" in found, found.get("Messages")

    message: dict[str, Any] = wait_for("a dead letter", probe, deadline_s=30, interval_s=0)[0]
    return message


def test_event_whose_target_is_gone_is_a_dead_letter(
    aws: Aws, make_queue: Callable[..., str], make_rule: Callable[..., str]
) -> None:
    """The event itself, not the target's input, with what AWS tells about the failure: for queues and functions."""
    gone = aws("sqs").create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    arns = [queue_arn(aws, gone), "arn:aws:lambda:us-east-1:000000000000:function:gone"]
    aws("sqs").delete_queue(QueueUrl=gone)
    queues = [make_queue(), make_queue()]
    sources = [
        make_rule(Arn=arn, DeadLetterConfig={"Arn": queue_arn(aws, url)}, InputPath="$.detail")
        for arn, url in zip(arns, queues, strict=True)
    ]
    aws("events").put_events(
        Entries=[{"Source": source, "DetailType": "t", "Detail": '{"n": "ä"}'} for source in sources]
    )

    for source, arn, url in zip(sources, arns, queues, strict=True):
        message = _receive(aws, url)
        told = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        assert {
            "RULE_ARN": f"arn:aws:events:us-east-1:000000000000:rule/{source}",
            "TARGET_ARN": arn,
            "ERROR_CODE": "NO_RESOURCE",
            "RETRY_ATTEMPTS": "0",
        } == {name: text for name, text in told.items() if name != "ERROR_MESSAGE"}
        assert told["ERROR_MESSAGE"]
        event = json.loads(message["Body"])
        assert (source, "t", {"n": "ä"}) == (event["source"], event["detail-type"], event["detail"])
        assert "event-bus-name" not in event


def test_event_that_arrives_is_no_dead_letter(
    aws: Aws, make_queue: Callable[..., str], make_rule: Callable[..., str]
) -> None:
    """The target's dead-letter queue stays empty."""
    target, dead = make_queue(), make_queue()
    source = make_rule(Arn=queue_arn(aws, target), DeadLetterConfig={"Arn": queue_arn(aws, dead)})
    aws("events").put_events(Entries=[{"Source": source, "DetailType": "t", "Detail": "{}"}])

    assert source == json.loads(_receive(aws, target)["Body"])["source"]
    assert "Messages" not in aws("sqs").receive_message(QueueUrl=dead)


@pytest.mark.parametrize("pattern", ["x", '{"source": "a"}', '{"source": [{"nope": 1}]}', '{"source": []}'])
def test_rule_with_a_pattern_that_is_none_is_refused(aws: Aws, pattern: str) -> None:
    """Instead of a rule that matches nothing and keeps events from others."""
    status, code, _ = _error(aws("events").put_rule, Name=f"r-{uuid.uuid4().hex[:8]}", EventPattern=pattern)

    assert (400, "InvalidEventPatternException") == (status, code)


def test_target_with_a_wrong_dead_letter_queue_is_refused(aws: Aws, make_rule: Callable[..., str]) -> None:
    """A FIFO queue, and one that is not a queue."""
    queue = "arn:aws:sqs:us-east-1:000000000000:q"
    rule = make_rule(Arn=queue)

    for arn in (f"{queue}.fifo", "q"):
        target = {"Id": "1", "Arn": queue, "DeadLetterConfig": {"Arn": arn}}
        refused = _error(aws("events").put_targets, Rule=rule, Targets=[target])
        assert (400, "ValidationException") == refused[:2]


def test_action_that_fails_keeps_nothing_from_happening(aws: Aws, make_function: FunctionFactory) -> None:
    """The alarm changes its state, the action after it is taken, and the history tells of both."""
    client, name = aws("cloudwatch"), f"alarm-{uuid.uuid4().hex[:8]}"
    function = make_function("def handler(event, context): print('alarm', event['alarmData']['alarmName'])")
    gone = "arn:aws:lambda:us-east-1:000000000000:function:gone"
    client.put_metric_alarm(
        AlarmName=name,
        Namespace=name,
        MetricName="m",
        Statistic="Sum",
        Period=3600,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
        AlarmActions=[gone, function.arn],
    )
    client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="loud")
    entries = client.describe_alarm_history(AlarmName=name, HistoryItemType="Action")["AlarmHistoryItems"]
    alarm = client.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    client.delete_alarms(AlarmNames=[name])

    assert ("ALARM", True) == (alarm["StateValue"], alarm["ActionsEnabled"])
    assert [f"Successfully executed action {function.arn}", f"Failed to execute action {gone}"] == [
        entry["HistorySummary"] for entry in entries
    ]
    assert "Function not found" in json.loads(entries[1]["HistoryData"])["error"]

    def probe() -> tuple[bool, Any]:
        try:
            lines = [event["message"].strip() for event in read_log(aws, function.name)]
        except ClientError as error:
            return False, error
        return f"alarm {name}" in lines, lines

    wait_for("the function's line", probe, deadline_s=30, interval_s=0.2)


def test_alarm_tells_its_history(aws: Aws) -> None:
    """Each change with its own time, newest first; what is asked for and nothing else; an update keeps the state."""
    client, name = aws("cloudwatch"), f"alarm-{uuid.uuid4().hex[:8]}"
    settings = {
        "AlarmName": name,
        "Namespace": name,
        "MetricName": "m",
        "Statistic": "Sum",
        "Period": 3600,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "ignore",
    }
    client.put_metric_alarm(**settings)
    client.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="quiet")
    client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="loud", StateReasonData='{"threshold": 1}')
    client.put_metric_alarm(**settings | {"Threshold": 2.0})
    state = client.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    client.delete_alarms(AlarmNames=[name])

    def summaries(**asked: Any) -> list[str]:
        entries = client.describe_alarm_history(AlarmName=name, **asked)["AlarmHistoryItems"]
        return [entry["HistorySummary"] for entry in entries]

    every = [
        f'Alarm "{name}" deleted',
        f'Alarm "{name}" updated',
        "Alarm updated from OK to ALARM",
        "Alarm updated from INSUFFICIENT_DATA to OK",
        f'Alarm "{name}" created',
    ]
    assert ("ALARM", "loud", 2.0) == (state["StateValue"], state["StateReason"], state["Threshold"])
    assert every == summaries()
    assert every[::-1] == summaries(ScanBy="TimestampAscending")
    assert every[2:4] == summaries(HistoryItemType="StateUpdate")
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert (every, []) == (summaries(StartDate=an_hour_ago), summaries(EndDate=an_hour_ago))
    assert every[:2] == summaries(MaxRecords=2)
    assert [] == summaries(AlarmTypes=["CompositeAlarm"])
    change = client.describe_alarm_history(AlarmName=name)["AlarmHistoryItems"][2]
    data = json.loads(change["HistoryData"])
    assert ("OK", "quiet", "ALARM", "loud") == (
        data["oldState"]["stateValue"],
        data["oldState"]["stateReason"],
        data["newState"]["stateValue"],
        data["newState"]["stateReason"],
    )

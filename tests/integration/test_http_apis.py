"""HTTP APIs of API Gateway, made by SAM's transform, by plain resources and by the API, and what they answer."""

import http.client as http_client
import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from botocore.exceptions import ClientError
from joserfc import jwt
from joserfc.jwk import RSAKey

from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.waiting import wait_for
from tests.integration.conftest import FunctionFactory, queue_arn
from tests.integration.test_recorder import of_function, of_queue, recording

pytestmark = pytest.mark.integration

ECHO = """
import json, time
def handler(event, context):
    path = event.get("rawPath") or event["path"]
    if path.endswith("/raise"):
        raise ValueError("on purpose")
    if path.endswith("/bad"):
        return {"statusCode": "none"}
    if path.endswith("/cookies"):
        return {"statusCode": 201, "cookies": ["a=1", "b=2"], "headers": {"X-Own": "1"}, "body": "made"}
    if event["version"] == "1.0":
        return {"statusCode": 200, "body": json.dumps(event)}
    return event
"""
SLOW = """
import time
def handler(event, context):
    time.sleep(1.5 if event else 0)
"""
GUARD = """
def handler(event, context):
    name = event["identitySource"][0]
    if name == "broken":
        return "no answer"
    context = {"name": name, "request": event["requestContext"]["requestId"]}
    return {"isAuthorized": name == "friend", "context": context}
"""


@dataclass(frozen=True)
class Answer:
    """What a client of an API gets; ``json`` is None for another body."""

    status: int
    headers: Any
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def ask(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, body, named, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return Answer(answer.status, answer.headers, answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read().decode())


class Issuer:
    """Issues tokens, and tells its keys, on this machine; also a server that an API can stand before."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "k", "use": "sig", "alg": "RS256"})
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                documents = {
                    "/.well-known/openid-configuration": {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"},
                    "/keys": {"keys": [issuer.key.as_dict(private=False)]},
                }
                seen = {"path": self.path, "header": self.headers.get("X-Added")}
                body = json.dumps(documents.get(self.path, seen)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def token(self, **claims: Any) -> str:
        made = {"iss": self.url, "aud": "api", "exp": int(time.time()) + 600, "sub": "me", **claims}
        return f"Bearer {jwt.encode({'alg': 'RS256', 'kid': 'k'}, made, self.key)}"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def function(code: str, events: dict[str, Any]) -> dict[str, Any]:
    properties = {"InlineCode": code, "Handler": "index.handler", "Runtime": "python3.13", "Events": events}
    return {"Type": "AWS::Serverless::Function", "Properties": properties}


def http(path: str, method: str, **more: Any) -> dict[str, Any]:
    return {"Type": "HttpApi", "Properties": {"ApiId": {"Ref": "Api"}, "Path": path, "Method": method, **more}}


def template(issuer: Issuer) -> dict[str, Any]:
    """As a user of SAM writes it."""
    authorizers = {
        "Token": {
            "JwtConfiguration": {"issuer": issuer.url, "audience": ["api"]},
            "IdentitySource": "$request.header.Authorization",
            "AuthorizationScopes": ["tasks"],
        },
        "Guard": {
            "FunctionArn": {"Fn::GetAtt": ["GuardFunction", "Arn"]},
            "AuthorizerPayloadFormatVersion": "2.0",
            "EnableSimpleResponses": True,
            "Identity": {"Headers": ["X-Name"], "ReauthorizeEvery": 60},
        },
    }
    cors = {"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"], "AllowHeaders": ["x-name"]}
    events = {
        "Any": http("/tasks/{proxy+}", "any"),
        "One": http("/tasks/{id}", "get"),
        "First": http("/first", "post", PayloadFormatVersion="1.0"),
        "Token": http("/token", "get", Auth={"Authorizer": "Token"}),
        "Guarded": http("/guarded", "get", Auth={"Authorizer": "Guard"}),
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {
            "Api": {
                "Type": "AWS::Serverless::HttpApi",
                "Properties": {
                    "Auth": {"Authorizers": authorizers},
                    "CorsConfiguration": cors,
                    "StageName": "dev",
                    "StageVariables": {"colour": "blue"},
                },
            },
            "Echo": function(ECHO, events),
            "GuardFunction": function(GUARD, {}),
        },
        "Outputs": {
            "Url": {"Value": {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/dev"}},
            "Id": {"Value": {"Ref": "Api"}},
            "Name": {"Value": {"Ref": "Echo"}},
        },
    }


@pytest.fixture(scope="module")
def stack(aws: Callable[[str], Any], issuer: Issuer) -> Iterator[dict[str, str]]:
    """Outputs of the stack."""
    client, name = aws("cloudformation"), f"http-{uuid.uuid4().hex[:8]}"
    client.create_stack(
        StackName=name, TemplateBody=json.dumps(template(issuer)), Capabilities=["CAPABILITY_AUTO_EXPAND"]
    )
    client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    found = client.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    yield {output["OutputKey"]: output["OutputValue"] for output in found}
    client.delete_stack(StackName=name)


def test_routes_of_a_stack(stack: dict[str, str], emulator: Emulator) -> None:
    """The address resolves; the most specific route serves; the path has the stage."""
    url = stack["Url"]

    one, some = ask(f"{url}/tasks/7?a=1&a=2").json, ask(f"{url}/tasks/7/x", "PUT", b"x", Content_Type="text/plain").json

    assert url.startswith(emulator.endpoint)
    assert ("GET /tasks/{id}", {"id": "7"}, {"a": "1,2"}) == (
        one["routeKey"], one["pathParameters"], one["queryStringParameters"],
    )  # fmt: skip
    assert ("ANY /tasks/{proxy+}", {"proxy": "7/x"}, "x") == (some["routeKey"], some["pathParameters"], some["body"])
    assert ("/dev/tasks/7", "dev", {"colour": "blue"}) == (
        one["rawPath"], one["requestContext"]["stage"], one["stageVariables"],
    )  # fmt: skip
    first = ask(f"{url}/first", "POST", b"{}", Content_Type="application/json").json
    assert ("1.0", "/first", "POST", "{}") == tuple(
        first[name] for name in ("version", "resource", "httpMethod", "body")
    )
    for path in ("/none", "/tasks", "/first"):
        missing = ask(f"{url}{path}")
        assert (404, '{"message":"Not Found"}') == (missing.status, missing.text)


def test_host_names_of_an_api(stack: dict[str, str], emulator: Emulator) -> None:
    """As AWS has them, where a client sends one."""
    for domain in ("amazonaws.com", "localhost.localstack.cloud"):
        answer = ask(f"{emulator.endpoint}/dev/tasks/1", Host=f"{stack['Id']}.execute-api.us-east-1.{domain}")
        assert "GET /tasks/{id}" == answer.json["routeKey"]


def test_answers_of_functions(stack: dict[str, str]) -> None:
    """Cookies become headers; failures and malformed answers are 500."""
    url = stack["Url"]

    made = ask(f"{url}/tasks/cookies")

    assert (201, "made", "1", ["a=1", "b=2"]) == (
        made.status, made.text, made.headers["X-Own"], made.headers.get_all("Set-Cookie"),
    )  # fmt: skip
    assert made.headers["apigw-requestid"]
    for path in ("raise", "bad"):
        failed = ask(f"{url}/tasks/{path}")
        assert (500, '{"message":"Internal Server Error"}') == (failed.status, failed.text)


def test_other_origins(stack: dict[str, str]) -> None:
    """The API answers preflight requests itself, of paths without a route too."""
    preflight = ask(f"{stack['Url']}/none", "OPTIONS", Origin="https://a.example", Access_Control_Request_Method="GET")
    other = ask(f"{stack['Url']}/none", "OPTIONS", Origin="https://b.example", Access_Control_Request_Method="GET")
    plain = ask(f"{stack['Url']}/tasks/1", Origin="https://a.example")

    allowed = "Access-Control-Allow-Origin"
    assert (204, "https://a.example", "GET") == (
        preflight.status, preflight.headers[allowed], preflight.headers["Access-Control-Allow-Methods"],
    )  # fmt: skip
    assert (204, None) == (other.status, other.headers[allowed])
    assert (200, "https://a.example") == (plain.status, plain.headers[allowed])


def test_tokens(stack: dict[str, str], issuer: Issuer) -> None:
    """Without one, with one that is over, with one that lacks the scope, with a good one."""
    url = f"{stack['Url']}/token"

    good = ask(url, Authorization=issuer.token(scope="tasks other", n=1))

    assert {"claims": {"sub": "me", "n": "1"}, "scopes": ["tasks"]} == {
        "claims": {name: good.json["requestContext"]["authorizer"]["jwt"]["claims"][name] for name in ("sub", "n")},
        "scopes": good.json["requestContext"]["authorizer"]["jwt"]["scopes"],
    }
    refused = [
        ask(url),
        ask(url, Authorization=issuer.token(exp=1)),
        ask(url, Authorization=issuer.token(scope="other")),
    ]
    assert [(401, "Unauthorized"), (401, "Unauthorized"), (403, "Forbidden")] == [
        (answer.status, answer.json["message"]) for answer in refused
    ]


def test_functions_that_authorize(stack: dict[str, str], aws: Callable[[str], Any]) -> None:
    """Their context reaches the function; an answer is kept for the identity as long as they say."""
    url = f"{stack['Url']}/guarded"

    first, second = (ask(url, X_Name="friend").json["requestContext"]["authorizer"]["lambda"] for _ in range(2))

    assert "friend" == first["name"]
    assert first["request"] == second["request"]
    aws("apigatewayv2").reset_authorizers_cache(ApiId=stack["Id"], StageName="dev")
    third = ask(url, X_Name="friend").json["requestContext"]["authorizer"]["lambda"]
    assert first["request"] != third["request"]
    assert [(401, "Unauthorized"), (403, "Forbidden"), (500, "Internal Server Error")] == [
        (answer.status, answer.json["message"])
        for answer in (ask(url), ask(url, X_Name="foe"), ask(url, X_Name="broken"))
    ]


def test_requests_are_followed(stack: dict[str, str], emulator: Emulator) -> None:
    """From the client's request to the invocation, as those of a REST API."""
    mine = f"r-{uuid.uuid4().hex}"

    ask(f"{stack['Url']}/tasks/7", X_Request_Id=mine)

    record = recording(emulator)
    [call] = [row for row in record.calls.to_pylist() if row["request_id"] == mine]
    [asked] = [row for row in of_function(record.invocations, stack["Name"]) if row["client_request_id"] == mine]
    assert ("execute-api", "GET", 200, "client") == (
        call["service"], call["operation"], call["status"], call["actor_kind"],
    )  # fmt: skip
    arn = f"arn:aws:execute-api:us-east-1:000000000000:{stack['Id']}/dev/GET/tasks/{{id}}"
    assert ("api gateway", arn, "ok") == (asked["source"], asked["source_arn"], asked["outcome"])


@pytest.fixture
def api(aws: Callable[[str], Any]) -> Iterator[dict[str, Any]]:
    """An API with a stage $default, and nothing else."""
    client = aws("apigatewayv2")
    made = client.create_api(Name="plain", ProtocolType="HTTP")
    client.create_stage(ApiId=made["ApiId"], StageName="$default", AutoDeploy=True)
    yield made
    client.delete_api(ApiId=made["ApiId"])


def route(aws: Callable[[str], Any], api: dict[str, Any], key: str, **integration: Any) -> str:
    client = aws("apigatewayv2")
    made = client.create_integration(ApiId=api["ApiId"], PayloadFormatVersion="1.0", **integration)
    client.create_route(ApiId=api["ApiId"], RouteKey=key, Target=f"integrations/{made['IntegrationId']}")
    return f"{api['ApiEndpoint']}{key.partition(' ')[2]}"


def test_a_queue_behind_an_api(
    aws: Callable[[str], Any], api: dict[str, Any], make_queue: Callable[..., str], emulator: Emulator
) -> None:
    """Gets what the mapping says; the message's sender is the API, for the client's request."""
    queue, mine = make_queue(), f"r-{uuid.uuid4().hex}"
    parameters = {
        "QueueUrl": queue,
        "MessageBody": "$request.body.task",
        "MessageAttributes": '{"who":{"DataType":"String","StringValue":"${request.header.x-who}"}}',
    }
    url = route(
        aws, api, "POST /q", IntegrationType="AWS_PROXY", IntegrationSubtype="SQS-SendMessage",
        RequestParameters=parameters, CredentialsArn="arn:aws:iam::000000000000:role/r",
    )  # fmt: skip

    sent = ask(url, "POST", b'{"task":{"n":1}}', X_Who="me", X_Request_Id=mine)
    lacking = ask(url, "POST", b"{}")

    [message] = aws("sqs").receive_message(QueueUrl=queue, MessageAttributeNames=["All"])["Messages"]
    assert ('{"n":1}', "me") == (message["Body"], message["MessageAttributes"]["who"]["StringValue"])
    assert (200, True) == (sent.status, message["MessageId"] in sent.text)
    assert 400 == lacking.status
    [row] = [row for row in of_queue(recording(emulator), queue_arn(aws, queue)) if row["kind"] == "sent"]
    arn = f"arn:aws:execute-api:us-east-1:000000000000:{api['ApiId']}/$default/POST/q"
    called = {call["resource"] for call in recording(emulator).calls.to_pylist() if call["request_id"] == mine}
    assert f"/_aws/execute-api/{api['ApiId']}/$default/q" in called
    assert ("service", f"apigateway {arn}", mine) == (row["actor_kind"], row["actor"], row["request_id"])


def test_an_event_bus_behind_an_api(aws: Callable[[str], Any], api: dict[str, Any]) -> None:
    """EventBridge's own answer comes back."""
    url = route(
        aws, api, "POST /e", IntegrationType="AWS_PROXY", IntegrationSubtype="EventBridge-PutEvents",
        RequestParameters={"Detail": "$request.body", "DetailType": "t", "Source": "test"},
        CredentialsArn="arn:aws:iam::000000000000:role/r",
    )  # fmt: skip

    answer = ask(url, "POST", b'{"n":1}').json

    assert (0, 1) == (answer["FailedEntryCount"], len(answer["Entries"]))


def test_other_calls_of_services_behind_an_api(
    aws: Callable[[str], Any], api: dict[str, Any], make_queue: Callable[..., str]
) -> None:
    """A message is received and deleted; a state machine is started."""
    queue, states = make_queue(), aws("stepfunctions")
    aws("sqs").send_message(QueueUrl=queue, MessageBody="here")
    role = "arn:aws:iam::000000000000:role/r"
    name, steps = f"m-{uuid.uuid4().hex[:8]}", {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    machine = states.create_state_machine(name=name, definition=json.dumps(steps), roleArn=role)["stateMachineArn"]
    of = {"IntegrationType": "AWS_PROXY", "CredentialsArn": role}
    receive = route(
        aws, api, "GET /q", **of, IntegrationSubtype="SQS-ReceiveMessage",
        RequestParameters={"QueueUrl": queue, "MaxNumberOfMessages": "1"},
    )  # fmt: skip
    delete = route(
        aws, api, "DELETE /d", **of, IntegrationSubtype="SQS-DeleteMessage",
        RequestParameters={"QueueUrl": queue, "ReceiptHandle": "$request.querystring.handle"},
    )  # fmt: skip
    start = route(
        aws, api, "POST /m", **of, IntegrationSubtype="StepFunctions-StartExecution",
        RequestParameters={"StateMachineArn": machine, "Input": "$request.body"},
    )  # fmt: skip

    received = ET.fromstring(ask(receive).text)
    handle = next(element.text for element in received.iter() if element.tag.endswith("ReceiptHandle"))
    deleted = ask(f"{delete}?{urlencode({'handle': handle})}", "DELETE")
    started = ask(start, "POST", b'{"n":1}')

    assert "here" in [element.text for element in received.iter()]
    assert (200, 200) == (deleted.status, started.status)
    assert '{"n":1}' == states.describe_execution(executionArn=started.json["executionArn"])["input"]
    gauges = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    left = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=gauges)["Attributes"]
    assert {"0"} == set(left.values())
    states.delete_state_machine(stateMachineArn=machine)


def test_a_server_behind_an_api(aws: Callable[[str], Any], api: dict[str, Any], issuer: Issuer) -> None:
    """On this machine, with the path's variables and the mappings of request and answer."""
    route(
        aws, api, "GET /s/{proxy+}", IntegrationType="HTTP_PROXY", IntegrationMethod="ANY",
        IntegrationUri=f"{issuer.url}/behind/{{proxy}}",
        RequestParameters={"append:header.X-Added": "$context.routeKey"},
        ResponseParameters={"200": {"overwrite:statuscode": "203"}},
    )  # fmt: skip

    answer = ask(f"{api['ApiEndpoint']}/s/a/b?x=1")

    assert (203, {"path": "/behind/a/b?x=1", "header": "GET /s/{proxy+}"}) == (answer.status, answer.json)


def test_functions_that_cannot_answer_in_time(
    aws: Callable[[str], Any], api: dict[str, Any], make_function: FunctionFactory, emulator: Emulator
) -> None:
    """503 for one that takes longer than the integration waits, and for one that may not run."""
    slow, mine = make_function(SLOW), f"r-{uuid.uuid4().hex}"
    none = make_function(ECHO)
    aws("lambda").put_function_concurrency(FunctionName=none.name, ReservedConcurrentExecutions=0)
    slow.invoke()  # so that the time-out is not that of its cold start
    of = {"IntegrationType": "AWS_PROXY"}
    urls = [
        route(aws, api, "GET /slow", **of, IntegrationUri=slow.arn, TimeoutInMillis=200),
        route(aws, api, "GET /none", **of, IntegrationUri=none.arn),
    ]

    answers = [ask(url, X_Request_Id=mine) for url in urls]

    assert [(503, '{"message":"Service Unavailable"}')] * 2 == [(answer.status, answer.text) for answer in answers]

    def asked() -> tuple[bool, list[str]]:
        rows = of_function(recording(emulator).invocations, slow.name)
        sources = [row["source"] for row in rows if row["client_request_id"] == mine]
        return bool(sources), sources

    assert ["api gateway"] == wait_for("the invocation in the record", asked, deadline_s=30)


def test_a_definition_replaces_another_or_nothing(aws: Callable[[str], Any], make_function: FunctionFactory) -> None:
    """By OpenAPI; a definition that is refused leaves the API as it was. A HEAD request has no body."""
    client, arn = aws("apigatewayv2"), make_function(ECHO).arn

    def definition(path: str, **integration: Any) -> str:
        to = {"type": "aws_proxy", "uri": arn, "payloadFormatVersion": "2.0", **integration}
        paths = {path: {"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": to}}}
        return json.dumps({"openapi": "3.0.1", "info": {"title": "t", "version": "1"}, "paths": paths})

    made = client.import_api(Body=definition("/a"))
    client.create_stage(ApiId=made["ApiId"], StageName="$default", AutoDeploy=True)
    with pytest.raises(ClientError, match="MOCK"):
        client.reimport_api(ApiId=made["ApiId"], Body=definition("/b", type="mock", uri="mock"))
    before = [ask(f"{made['ApiEndpoint']}/{path}").status for path in "ab"]
    client.reimport_api(ApiId=made["ApiId"], Body=definition("/b"))
    after = [ask(f"{made['ApiEndpoint']}/{path}").status for path in "ab"]

    assert ([200, 404], [404, 200]) == (before, after)
    connection = http_client.HTTPConnection(made["ApiEndpoint"].split("/")[2], timeout=30)
    for _ in range(2):  # a body would be taken for the start of the second answer
        connection.request("HEAD", f"/_aws/execute-api/{made['ApiId']}/b")
        answer = connection.getresponse()
        assert (200, b"") == (answer.status, answer.read())
    connection.close()
    client.delete_api(ApiId=made["ApiId"])


def test_stages_serve_what_was_deployed_to_them(
    aws: Callable[[str], Any], api: dict[str, Any], make_function: FunctionFactory
) -> None:
    """A stage without AutoDeploy changes with a deployment only."""
    client, api_id = aws("apigatewayv2"), api["ApiId"]
    target = {"IntegrationType": "AWS_PROXY", "IntegrationUri": make_function(ECHO).arn}
    route(aws, api, "GET /old", **target)
    client.create_stage(ApiId=api_id, StageName="v1")
    client.create_deployment(ApiId=api_id, StageName="v1")
    route(aws, api, "GET /new", **target)

    assert [200, 404, 200, 200] == [
        ask(f"{api['ApiEndpoint']}{path}").status for path in ("/v1/old", "/v1/new", "/old", "/new")
    ]
    client.create_deployment(ApiId=api_id, StageName="v1")
    assert 200 == ask(f"{api['ApiEndpoint']}/v1/new").status


@pytest.mark.parametrize(
    ("operation", "request_", "named"),
    [
        ("create_api", {"Name": "x", "ProtocolType": "WEBSOCKET"}, "WebSocket"),
        ("create_vpc_link", {"Name": "x", "SubnetIds": ["s"]}, "VPC links"),
        ("create_domain_name", {"DomainName": "a.example"}, "custom domain names"),
    ],
)
def test_what_is_not_there_is_refused_by_name(
    aws: Callable[[str], Any], operation: str, request_: dict[str, Any], named: str
) -> None:
    with pytest.raises(ClientError, match=named) as refused:
        getattr(aws("apigatewayv2"), operation)(**request_)

    assert "BadRequestException" == refused.value.response["Error"]["Code"]


def test_requests_that_aws_refuses(aws: Callable[[str], Any], api: dict[str, Any]) -> None:
    """Each with its error, naming what is wrong."""
    client, of = aws("apigatewayv2"), {"ApiId": api["ApiId"]}
    client.create_route(**of, RouteKey="GET /a/{x}")
    proxy = {**of, "PayloadFormatVersion": "1.0"}
    wrong: list[tuple[str, dict[str, Any], str, str]] = [
        ("get_api", {"ApiId": "none"}, "NotFoundException", "none"),
        ("create_route", {**of, "RouteKey": "GET /a/{y}"}, "ConflictException", "already exists"),
        ("create_route", {**of, "RouteKey": "GET /b", "Target": "integrations/none"}, "BadRequestException", "none"),
        ("create_stage", {**of, "StageName": "$default"}, "ConflictException", "already exists"),
        ("create_integration", {**proxy, "IntegrationType": "MOCK"}, "BadRequestException", "MOCK"),
        (
            "create_integration",
            {**proxy, "IntegrationType": "HTTP_PROXY", "IntegrationUri": "https://a.example"},
            "BadRequestException",
            "https://a.example",
        ),
    ]
    for operation, request, code, named in wrong:
        with pytest.raises(ClientError, match=named) as refused:
            getattr(client, operation)(**request)
        assert code == refused.value.response["Error"]["Code"]


def test_a_stack_of_plain_resources_changes(aws: Callable[[str], Any], make_function: FunctionFactory) -> None:
    """Created, updated and deleted; what the emulator has not fails its stack by name."""
    client, name, arn = aws("cloudformation"), f"http-{uuid.uuid4().hex[:8]}", make_function(ECHO).arn

    def resource(kind: str, **properties: Any) -> dict[str, Any]:
        of = {} if kind == "Api" else {"ApiId": {"Ref": "Api"}}
        return {"Type": f"AWS::ApiGatewayV2::{kind}", "Properties": {**of, **properties}}

    wait = {"Delay": 1, "MaxAttempts": 60}
    resources = {
        "Api": resource("Api", Name=name, ProtocolType="HTTP"),
        "To": resource("Integration", IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"),
        "Route": resource("Route", RouteKey="GET /a", Target={"Fn::Sub": "integrations/${To}"}),
        "Stage": resource("Stage", StageName="$default", AutoDeploy="true"),
    }
    made = {"Resources": resources, "Outputs": {"Url": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}}}}
    client.create_stack(StackName=name, TemplateBody=json.dumps(made))
    client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=wait)
    url = client.describe_stacks(StackName=name)["Stacks"][0]["Outputs"][0]["OutputValue"]
    assert [200, 404] == [ask(f"{url}/{path}").status for path in "ab"]

    resources["Route"]["Properties"]["RouteKey"] = "GET /b"
    client.update_stack(StackName=name, TemplateBody=json.dumps(made))
    client.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig=wait)
    assert [404, 200] == [ask(f"{url}/{path}").status for path in "ab"]

    client.delete_stack(StackName=name)
    client.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=wait)
    assert 404 == ask(f"{url}/b").status

    refused = {"Resources": {"Link": {"Type": "AWS::ApiGatewayV2::VpcLink", "Properties": {"Name": "x"}}}}
    client.create_stack(StackName=f"{name}-link", TemplateBody=json.dumps(refused), OnFailure="DO_NOTHING")
    with pytest.raises(Exception, match=r"CREATE_FAILED|ROLLBACK"):
        client.get_waiter("stack_create_complete").wait(StackName=f"{name}-link", WaiterConfig=wait)
    events = client.describe_stack_events(StackName=f"{name}-link")["StackEvents"]
    assert any("AWS::ApiGatewayV2::VpcLink" in event.get("ResourceStatusReason", "") for event in events)
    client.delete_stack(StackName=f"{name}-link")

"""The functions' AWS clients over real connections, held to botocore's own clients where these say what is right."""

import ast
import datetime as dt
import functools
import ipaddress
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import botocore.session
import chalicelib
import pytest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
)
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker
from chalicelib import clients, connection
from chalicelib.clients import DynamoDB, JsonClient, Sqs
from chalicelib.signing import Credentials, Signer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.functional.app.endpoint import DEADLINE_S, Answer, Endpoint, Then, answer, answering, refusal

NOW = 1_700_000_000.25
ACCOUNT = {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}
TRACE = 'Root=1-67e55044-0a;Parent=53;Sampled=1;Lineage="é x/y"\n'
ITEM = {"taskId": {"S": "é"}, "attempts": {"N": "1"}}
PAGE = Answer(200, b"<html>The proxy is glad to see you</html>")

type Make = Callable[..., Any]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A service without TLS."""
    with answering() as running:
        yield running


@pytest.fixture
def waits() -> list[float]:
    """The seconds that a client of ``make`` waited."""
    return []


@pytest.fixture
def make(endpoint: Endpoint, waits: list[float]) -> Iterator[Make]:
    """Makes clients of the endpoint; the waits between their tries are noted, not waited."""
    with ExitStack() as stack:

        def client(kind: type[JsonClient] = DynamoDB, **environment: str) -> JsonClient:
            address = {"AWS_ENDPOINT_URL": f"http://{endpoint.host}"}
            made = kind(ACCOUNT | address | environment, clock=lambda: NOW, sleep=waits.append)
            stack.callback(made.close)
            return made

        yield client


@pytest.fixture
def botocores(endpoint: Endpoint) -> Iterator[Callable[[str], Any]]:
    """Makes botocore's own clients of the endpoint, which try once."""
    with ExitStack() as stack:

        def client(service: str) -> Any:
            session = botocore.session.get_session()
            made: Any = session.create_client(
                service,
                region_name=ACCOUNT["AWS_REGION"],
                aws_access_key_id="AKID",
                aws_secret_access_key="secret",
                endpoint_url=f"http://{endpoint.host}",
                config=Config(retries={"total_max_attempts": 1}),
            )
            stack.callback(made.close)
            return made

        yield client


def assert_tried_twice(endpoint: Endpoint, waits: list[float]) -> None:
    """Two requests, and between them one wait that the standard retry mode allows."""
    (wait_s,) = waits

    assert 2 == len(endpoint.requests)
    assert 0 <= wait_s < 1


# -- What is sent and what comes back


def test_members_of_the_answer_come_back(endpoint: Endpoint, make: Make) -> None:
    """The caller gets what the service said, letters outside ASCII too; an answer without a body has no members."""
    endpoint.script = [answer({"Item": ITEM}), Answer(body=b"")]
    client = make()

    assert [{"Item": ITEM}, {}] == [client.get_item(TableName="t", Key={}) for _ in range(2)]


@pytest.mark.parametrize("trace", [TRACE, None])
def test_sent_is_what_botocore_sends(
    endpoint: Endpoint,
    make: Make,
    botocores: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    trace: str | None,
) -> None:
    """Path, operation, content type, body and, in a traced invocation, the trace's header are those of botocore."""
    traced = {"_X_AMZN_TRACE_ID": trace} if trace else {}
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")  # botocore asks for it too
    for name, value in traced.items():
        monkeypatch.setenv(name, value)
    for dynamodb in (make(**traced), botocores("dynamodb")):
        dynamodb.put_item(TableName="t", Item=ITEM, ConditionExpression="attribute_not_exists(taskId)")
    for sqs in (make(Sqs, **traced), botocores("sqs")):
        sqs.send_message(QueueUrl="q", MessageBody='{"é": 1}', DelaySeconds=3, MessageSystemAttributes={})
    names = ("x-amz-target", "content-type", "content-length", "host", "x-amzn-trace-id")
    sent = [
        (request.path, {name: request.headers.get(name) for name in names}, json.loads(request.body))
        for request in endpoint.requests
    ]

    assert sent[1] == sent[0]
    assert sent[3] == sent[2]
    assert (trace is not None) == ("x-amzn-trace-id" in endpoint.requests[0].headers)


@pytest.mark.parametrize("token", [{}, {"AWS_SESSION_TOKEN": "token"}])
def test_sent_is_signed(endpoint: Endpoint, make: Make, token: dict[str, str]) -> None:
    """The signature is that of the body and the headers as they arrived, host and port among them."""
    make(**token).scan(TableName="t")
    (request,) = endpoint.requests
    credentials = Credentials(access_key="AKID", secret_key="secret", session_token=token.get("AWS_SESSION_TOKEN"))
    signer = Signer(credentials, service="dynamodb", region=ACCOUNT["AWS_REGION"])
    headers = {name: request.headers[name] for name in ("host", "content-type", "x-amz-target")}
    expected = signer.sign(headers, request.body, path=request.path, now=NOW)

    assert expected == {name: request.headers[name] for name in expected}
    assert endpoint.host == request.headers["host"]
    assert bool(token) == ("x-amz-security-token" in request.headers)


def test_each_invocation_has_its_own_trace(endpoint: Endpoint, make: Make) -> None:
    """The variable is read anew for each call: Lambda's runtime changes it."""
    client = make(_X_AMZN_TRACE_ID="Root=1-a")
    client.scan(TableName="t")
    client._environment["_X_AMZN_TRACE_ID"] = "Root=1-b"
    client.scan(TableName="t")

    assert ["Root=1-a", "Root=1-b"] == [request.headers["x-amzn-trace-id"] for request in endpoint.requests]


def test_connection_is_kept(endpoint: Endpoint, make: Make, waits: list[float]) -> None:
    """Calls one after the other, refused ones too, go over one connection."""
    endpoint.script = [Answer(), refusal("ValidationException")]
    client = make()
    client.scan(TableName="t")
    with pytest.raises(ClientError):
        client.scan(TableName="t")
    client.scan(TableName="t")

    assert [1, 1, 1] == [request.connection for request in endpoint.requests]
    assert [] == waits


# -- Refusals


@pytest.mark.parametrize(
    "refused",
    [
        refusal("ConditionalCheckFailedException", message="The conditional request failed", Item=ITEM),
        refusal("ConditionalCheckFailedException", message="The conditional request failed"),
        refusal("ResourceNotFoundException", message="no such table"),
        refusal("ValidationException", Message="written with a capital"),
        answer({"__type": "ValidationException"}, status=400),
        answer({"message": "no type"}, status=403),
        Answer(413, b""),
    ],
    ids=["item", "no item", "no table", "capital", "no message", "no type", "no body"],
)
def test_refusal_is_botocores_error(
    endpoint: Endpoint, make: Make, botocores: Callable[[str], Any], waits: list[float], refused: Answer
) -> None:
    """Whoever reads the error, its code, message, status or item, finds what botocore would say; no second try."""
    endpoint.script = [refused, refused]
    with pytest.raises(ClientError) as ours:
        make().put_item(TableName="t", Item=ITEM)
    with pytest.raises(ClientError) as botocores_own:
        botocores("dynamodb").put_item(TableName="t", Item=ITEM)
    response: Any = botocores_own.value.response

    assert str(botocores_own.value) == str(ours.value)
    assert response["Error"] == ours.value.response["Error"]
    assert response.get("Item") == ours.value.response.get("Item")
    assert {"HTTPStatusCode": response["ResponseMetadata"]["HTTPStatusCode"]} == ours.value.response["ResponseMetadata"]
    assert [] == waits


PASSING = [
    Answer(500, b""),
    Answer(503, b"{}"),
    refusal("InternalServerError", status=500),
    refusal("ThrottlingException"),
    refusal("ProvisionedThroughputExceededException"),
]


@pytest.mark.parametrize("passing", PASSING)
def test_passing_trouble_is_tried_once_more(
    endpoint: Endpoint, make: Make, waits: list[float], passing: Answer
) -> None:
    """A service in trouble or too busy is asked again, with the same words, after up to a second."""
    endpoint.script = [passing, answer({"Item": ITEM})]
    found = make().get_item(TableName="t", Key={})

    assert {"Item": ITEM} == found
    assert endpoint.requests[0].body == endpoint.requests[1].body
    assert_tried_twice(endpoint, waits)


@pytest.mark.parametrize("passing", PASSING)
def test_lasting_trouble_is_raised(endpoint: Endpoint, make: Make, waits: list[float], passing: Answer) -> None:
    """There is no third try."""
    endpoint.script = [passing] * 3
    with pytest.raises(ClientError) as raised:
        make().get_item(TableName="t", Key={})

    assert passing.status == raised.value.response["ResponseMetadata"]["HTTPStatusCode"]
    assert_tried_twice(endpoint, waits)


@pytest.mark.parametrize("status", [200, 302, 403, 503])
@pytest.mark.parametrize("body", [b"<html>The proxy is glad to see you</html>", b'["a list"]', b"null", b"\xff"])
def test_other_answers_than_the_services_are_errors(
    endpoint: Endpoint, make: Make, waits: list[float], status: int, body: bytes
) -> None:
    """What something in between says, be it 200, is never taken for the service's word; it is tried again."""
    endpoint.script = [Answer(status, body)] * 2
    with pytest.raises(ClientError, match=rf"\(502\).*: status {status} without JSON"):
        make().get_item(TableName="t", Key={})

    assert_tried_twice(endpoint, waits)


def test_redirection_is_no_success(endpoint: Endpoint, make: Make) -> None:
    """An answer without a body that sends the caller elsewhere is an error: nothing was written."""
    endpoint.script = [Answer(302, b"")]
    with pytest.raises(ClientError, match=r"\(302\)"):
        make().put_item(TableName="t", Item=ITEM)


def test_second_try_is_for_what_botocore_takes_for_passing() -> None:
    """The codes and statuses are those of botocore's standard mode and of the two services' descriptions."""
    session = botocore.session.get_session()
    modeled = {
        shape.name
        for service in ("dynamodb", "sqs")
        for shape in session.get_service_model(service).error_shapes
        if "retryable" in shape.metadata
    }
    transient, throttled = vars(TransientRetryableChecker), vars(ThrottledRetryableChecker)
    codes = modeled.union(transient["_TRANSIENT_ERROR_CODES"], throttled["_THROTTLED_ERROR_CODES"])

    assert codes == clients.TRANSIENT_CODES
    assert set(transient["_TRANSIENT_STATUS_CODES"]) == clients.TRANSIENT_STATUS


# -- Connections


def test_connection_that_the_service_closed_is_replaced(endpoint: Endpoint, make: Make, waits: list[float]) -> None:
    """A connection that ended while nobody called costs no try: the next call makes a new one."""
    endpoint.script = [Answer(then=Then.CLOSE), answer({"Item": ITEM})]
    client = make()
    client.scan(TableName="t")

    assert endpoint.closed.acquire(timeout=DEADLINE_S)
    assert {"Item": ITEM} == client.get_item(TableName="t", Key={})
    assert [1, 2] == [request.connection for request in endpoint.requests]
    assert [] == waits


BROKEN = Answer(then=Then.BREAK)


def test_broken_answer_is_asked_for_again(endpoint: Endpoint, make: Make, waits: list[float]) -> None:
    """A connection that breaks off in the middle of an answer is replaced and the call tried once more."""
    endpoint.script = [Answer(), BROKEN, answer({"Item": ITEM})]
    client = make()
    client.scan(TableName="t")
    found = client.get_item(TableName="t", Key={})

    assert {"Item": ITEM} == found
    assert [1, 1, 2] == [request.connection for request in endpoint.requests]
    assert 1 == len(waits)


def test_connection_that_keeps_breaking_is_raised(endpoint: Endpoint, make: Make, waits: list[float]) -> None:
    """Broken off twice, it is botocore's error for it, and the client is good for the next call."""
    endpoint.script = [BROKEN, BROKEN]
    client = make()
    with pytest.raises(HTTPClientError) as raised:
        client.scan(TableName="t")

    assert isinstance(raised.value, BotoCoreError)
    assert_tried_twice(endpoint, waits)
    assert {} == client.scan(TableName="t")


def test_nobody_listens(make: Make, waits: list[float]) -> None:
    """A refused connection is botocore's error with the endpoint's address, after a second try."""
    with socket.socket() as bound:  # but not listening: nobody else gets the port meanwhile
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(EndpointConnectionError, match=url):
            make(AWS_ENDPOINT_URL=url).scan(TableName="t")

    assert 1 == len(waits)


def test_service_that_hangs_is_not_waited_for(
    endpoint: Endpoint, make: Make, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer within the time for one is botocore's error, after a second try on a new connection."""
    monkeypatch.setattr(connection, "READ_TIMEOUT_S", 0.2)
    endpoint.script = [None, None]
    with pytest.raises(ReadTimeoutError, match=endpoint.host):
        make().scan(TableName="t")

    assert_tried_twice(endpoint, waits)
    assert [1, 2] == [request.connection for request in endpoint.requests]


# -- TLS


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A file with a certificate for 127.0.0.1, which vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    today = dt.datetime.now(dt.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    pem = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = tmp_path / "certificate.pem"
    file.write_bytes(made.public_bytes(encoding) + pem)
    return file


@pytest.fixture
def secure(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """A service with TLS and that certificate; clients read anew which authorities they trust."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    monkeypatch.setattr(connection, "_tls", functools.cache(connection._tls.__wrapped__))
    with answering(context) as running:
        yield running


def test_connection_with_tls_is_kept(
    secure: Endpoint, make: Make, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What TLS itself sends between calls is not taken for the end of the connection."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    client = make(AWS_ENDPOINT_URL=f"https://{secure.host}")
    for _ in range(3):
        client.scan(TableName="t")

    assert [1, 1, 1] == [request.connection for request in secure.requests]


def test_service_that_nobody_vouches_for_gets_nothing(secure: Endpoint, make: Make, waits: list[float]) -> None:
    """With another's certificate there is no connection, on neither try, and no request."""
    with pytest.raises(EndpointConnectionError):
        make(AWS_ENDPOINT_URL=f"https://{secure.host}").scan(TableName="t")

    assert 1 == len(waits)
    assert [] == secure.requests


# -- Which endpoint


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "https://sqs.eu-central-1.amazonaws.com"),
        ({"AWS_REGION": "cn-north-1"}, "https://sqs.cn-north-1.amazonaws.com.cn"),
        ({"AWS_ENDPOINT_URL": "http://all"}, "http://all"),
        ({"AWS_ENDPOINT_URL_SQS": "http://sqs", "AWS_ENDPOINT_URL": "http://all"}, "http://sqs"),
        ({"AWS_ENDPOINT_URL_DYNAMODB": "http://dynamodb"}, "https://sqs.eu-central-1.amazonaws.com"),
        ({"AWS_ENDPOINT_URL_SQS": "", "AWS_ENDPOINT_URL": ""}, "https://sqs.eu-central-1.amazonaws.com"),
    ],
)
def test_endpoint_is_the_one_of_botocore(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service's variable before that of all services before AWS's own address, in China another."""
    chosen = ACCOUNT | environment
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_DYNAMODB"):
        monkeypatch.delenv(name, raising=False)
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    session = botocore.session.get_session()

    assert expected == Sqs(chosen)._endpoint
    assert expected == session.create_client("sqs", region_name=chosen["AWS_REGION"]).meta.endpoint_url


def test_aws_is_spoken_to_over_tls() -> None:
    """AWS's own endpoints are HTTPS at their port."""
    found = [kind(ACCOUNT)._connection for kind in (DynamoDB, Sqs)]

    assert [
        ("https", "dynamodb.eu-central-1.amazonaws.com", 443),
        ("https", "sqs.eu-central-1.amazonaws.com", 443),
    ] == [(one.scheme, one.host, one.port) for one in found]
    assert connection._tls() is connection._tls()


# -- The table of calls


def methods(kind: type[JsonClient]) -> dict[str, str]:
    """The operation behind each method."""
    client = kind(ACCOUNT)
    client.call = lambda operation, request: {"operation": operation, **request}  # type: ignore[method-assign]
    return {name: getattr(client, name)()["operation"] for name in vars(kind) if callable(getattr(kind, name))}


@pytest.mark.parametrize("kind", [DynamoDB, Sqs])
def test_calls_are_in_botocores_description(kind: type[JsonClient]) -> None:
    """Protocol, target and operations are those that botocore describes, the methods have its names for them."""
    client: Any = botocore.session.get_session().create_client(kind.service, region_name="us-east-1")
    metadata = client.meta.service_model.metadata
    expected = {name: client.meta.method_to_api_mapping[name] for name in methods(kind)}

    assert expected == methods(kind)
    assert ("json", "1.0", "v4") == (metadata["protocol"], metadata["jsonVersion"], metadata["signatureVersion"])
    assert (metadata["targetPrefix"], metadata["endpointPrefix"]) == (kind.target, kind.service)
    assert kind.service == client.meta.service_model.signing_name


def test_calls_are_those_that_the_app_makes() -> None:
    """What the stores and queues ask of a client is what the two clients have, no less and no more."""
    (folder,) = chalicelib.__path__
    trees = [ast.parse(file.read_text()) for file in Path(folder).glob("*.py")]
    called = {
        node.attr
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "_client"
    }

    assert called == methods(DynamoDB).keys() | methods(Sqs).keys()


def test_clients_of_the_functions_read_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions' clients are made from the process's own variables."""
    for name, value in ACCOUNT.items():
        monkeypatch.setenv(name, value)

    made: list[Any] = [clients.dynamodb(), clients.sqs()]

    assert [DynamoDB, Sqs] == [type(client) for client in made]

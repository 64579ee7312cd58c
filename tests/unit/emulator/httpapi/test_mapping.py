"""Parameter mapping, integrations with services, and CORS of HTTP APIs."""

import json
from urllib.parse import parse_qs

import pytest

from dlqlab.emulator.httpapi import cors, subtypes
from dlqlab.emulator.httpapi.mapping import MappingError, check, mapped_answer, mapped_request, of_request, value_of
from dlqlab.emulator.httpapi.messages import Answer
from tests.unit.emulator.httpapi.requests_of import invocation, request

ASKED = invocation(
    request(
        "POST", "/t/7", query="q=1&q=2", body=b'{"a":{"b":[1,"x"]},"n":2,"e":""}', X_Id="i", Origin="https://a.example"
    ),
    "POST /t/{id}",
    path_parameters={"id": "7"},
    stage_variables={"queue": "u"},
    authorizer={"jwt": {"claims": {"sub": "me"}, "scopes": None}},
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$request.header.x-id", "i"),
        ("$request.header.none", None),
        ("$request.querystring.q", "1,2"),
        ("$request.path.id", "7"),
        ("$request.path", "/t/7"),
        ("$request.body.a.b[1]", "x"),
        ("$request.body.a", '{"b":[1,"x"]}'),
        ("$request.body.n", "2"),
        ("$request.body.none.x", None),
        ("$request.body", ASKED.request.body.decode()),
        ("$context.routeKey", "POST /t/{id}"),
        ("$context.authorizer.claims.sub", "me"),
        ("$stageVariables.queue", "u"),
        ("${stageVariables.queue}/${request.path.id}", "u/7"),
        ("as it is, $5", "as it is, $5"),
    ],
)
def test_variables(expression: str, value: str | None) -> None:
    assert value == value_of(expression, of_request(ASKED))


def test_requests_are_changed_before_the_integration() -> None:
    mapped = mapped_request(
        ASKED,
        {
            "overwrite:path": "/x/${request.path.id}",
            "append:header.X-Id": "j",
            "remove:header.origin": "''",
            "overwrite:querystring.q": "$context.stage",
        },
    )

    assert ("/x/7", "q=%24default", "i,j", None) == (
        mapped.path, mapped.query, mapped.header("x-id"), mapped.header("origin"),
    )  # fmt: skip


def test_answers_are_changed_by_their_status() -> None:
    mapping = {"500": {"overwrite:statuscode": "503", "append:header.A": "$response.header.b", "remove:header.b": ""}}

    changed = mapped_answer(ASKED, Answer(500, (("B", "1"),)), mapping)

    assert Answer(503, (("A", "1"),)) == changed
    assert Answer(200, (("B", "1"),)) == mapped_answer(ASKED, Answer(200, (("B", "1"),)), mapping)


@pytest.mark.parametrize("key", ["header.x", "overwrite:body", "replace:header.x", "remove:path"])
def test_other_mappings_are_refused(key: str) -> None:
    with pytest.raises(MappingError, match=key):
        check({key: "x"})


def test_variables_that_nobody_knows_are_refused() -> None:
    with pytest.raises(MappingError, match="request"):
        check({"overwrite:path": "$request.body.a[*].b or so"})


def test_a_queue_gets_a_form() -> None:
    made = subtypes.request(
        "SQS-SendMessage",
        {
            "QueueUrl": "$stageVariables.queue",
            "MessageBody": "$request.body",
            "MessageAttributes": '{"k":{"DataType":"String","StringValue":"v"}}',
            "DelaySeconds": "$request.header.none",
        },
        of_request(ASKED),
    )

    form = {name: values[0] for name, values in parse_qs(made.body.decode()).items()}
    assert {
        "Action": "SendMessage", "Version": "2012-11-05", "QueueUrl": "u", "MessageBody": ASKED.request.body.decode(),
        "MessageAttribute.1.Name": "k", "MessageAttribute.1.Value.DataType": "String",
        "MessageAttribute.1.Value.StringValue": "v",
    } == form  # fmt: skip


def test_an_event_bus_gets_an_entry() -> None:
    parameters = {"Detail": "$request.body.a", "DetailType": "t", "Source": "s", "Resources": '["r"]'}

    made = subtypes.request("EventBridge-PutEvents", parameters, of_request(ASKED))

    entry = {"Detail": '{"b":[1,"x"]}', "DetailType": "t", "Source": "s", "Resources": ["r"]}
    assert {"Entries": [entry]} == json.loads(made.body)


def test_what_is_missing_is_named() -> None:
    """When it is made, and when a request has no value for it."""
    with pytest.raises(subtypes.SubtypeError, match="MessageBody"):
        subtypes.check("SQS-SendMessage", {"QueueUrl": "u"})
    with pytest.raises(subtypes.SubtypeError, match="Kinesis-PutRecord is none"):
        subtypes.check("Kinesis-PutRecord", {})
    parameters = {"QueueUrl": "u", "MessageBody": "$request.body.none"}
    with pytest.raises(subtypes.SubtypeError, match="MessageBody"):
        subtypes.request("SQS-SendMessage", parameters, of_request(ASKED))


SETTINGS = {"AllowOrigins": ["https://*.example", "https://a.example"], "AllowMethods": ["GET", "POST"], "MaxAge": 5}


def test_preflights_are_answered_by_the_api() -> None:
    asked = request("OPTIONS", Origin="https://a.example", Access_Control_Request_Method="POST")

    assert cors.is_preflight(asked)
    assert not cors.is_preflight(request("OPTIONS", Origin="https://a.example"))
    assert {
        "Access-Control-Allow-Origin": "https://a.example",
        "Access-Control-Allow-Methods": "GET,POST",
        "Access-Control-Max-Age": "5",
    } == dict(cors.preflight(SETTINGS, asked).headers)


def test_the_apis_headers_replace_the_integrations() -> None:
    """Also where the origin is not allowed: then there are none."""
    answer = Answer(200, (("access-control-allow-origin", "*"), ("X", "1")))

    allowed = cors.applied(SETTINGS, ASKED.request, answer)
    other = cors.applied(SETTINGS, request(Origin="https://b.org"), answer)

    assert (("X", "1"), ("Access-Control-Allow-Origin", "https://a.example")) == allowed.headers
    assert (("X", "1"),) == other.headers

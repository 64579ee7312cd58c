"""Spans as X-Ray's segment documents ("AWS X-Ray segment documents" in its developer guide).

A request to a REST API is a segment; an invocation is two, Lambda's and the function's, as on AWS, with init and calls
as subsegments of the function's; a message in a queue is one, with its deliveries as subsegments.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dlqlab.traces import ids
from dlqlab.traces.model import About, Span

type Document = dict[str, Any]

_LAMBDA, _FUNCTION, _QUEUE = "AWS::Lambda", "AWS::Lambda::Function", "AWS::SQS::Queue"
_API, _URL = "AWS::ApiGateway::Stage", "AWS::Lambda::Url"
_CLIENT_ERROR, _THROTTLED, _SERVER_ERROR = 400, 429, 500
_PATH_PARTS = 4


def documents_of(spans: Sequence[Span]) -> list[Document]:
    """The segments of one trace, by their starts."""
    below: dict[str, list[Span]] = {}
    for span in spans:
        below.setdefault(span.parent_id or "", []).append(span)
    found = [
        document
        for span in spans
        for document in _segments(span, below.get(span.at.span_id, ()), {one.at.span_id for one in spans})
    ]
    return sorted(found, key=lambda document: document["start_time"])


def _segments(span: Span, below: Sequence[Span], known: set[str]) -> Iterable[Document]:
    if span.about == About.REQUEST:
        yield {**_segment(span, _stage(span), known), **_request(span)}
    elif span.about == About.INVOCATION:
        yield from _invocation(span, [one for one in below if one.about in {About.INIT, About.CALL}], known)
    elif span.about == About.SEND:
        yield _queue(span, [one for one in below if one.about == About.DELIVERY], known)
    elif span.about == About.CALL and span.parent_id not in known:
        of_caller = {"id": ids.span_id("caller", span.at.span_id)}
        yield {**_segment(span, span.service, known), **of_caller, "subsegments": [_call(span)]}


def _segment(span: Span, name: str, known: set[str]) -> Document:
    above = {"parent_id": span.parent_id} if span.parent_id in known else {}
    return {
        "id": span.at.span_id,
        "trace_id": ids.xray_id(span.at.trace_id),
        **above,
        "name": name,
        "start_time": span.start_ts,
        **_end(span),
        "metadata": {"dlqlab": _told(span)},
    }


def _end(span: Span) -> Document:
    return {"end_time": span.end_ts} if span.is_ended else {"in_progress": True}


def _told(span: Span) -> Mapping[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in span.attributes.items()}


def _stage(span: Span) -> str:
    """``abc/dev`` of ``/_aws/execute-api/abc/dev/tasks``."""
    parts = str(span.attributes.get("url.path", "")).split("/")
    return (
        "/".join(parts[3:5]) if parts[:3] == ["", "_aws", "execute-api"] and len(parts) > _PATH_PARTS else span.service
    )


def _request(span: Span) -> Document:
    status = span.attributes["http.response.status_code"]
    request = {
        "method": span.attributes["http.request.method"],
        "url": span.attributes["url.path"],
        "user_agent": span.attributes.get("user_agent.original"),
    }
    return {
        "origin": _API if span.service == "API Gateway" else _URL,
        "http": {
            "request": {name: value for name, value in request.items() if value is not None},
            "response": {"status": status},
        },
        **_flags(status),
    }


def _flags(status: Any) -> Document:
    if status >= _SERVER_ERROR:
        return {"fault": True}
    if status == _THROTTLED:
        return {"error": True, "throttle": True}
    return {"error": True} if status >= _CLIENT_ERROR else {}


def _invocation(span: Span, parts: Sequence[Span], known: set[str]) -> Iterable[Document]:
    of_lambda = ids.span_id("lambda", span.at.span_id)
    request_id = {"request_id": span.attributes["faas.invocation_id"]}
    is_throttled = span.attributes.get("dlqlab.outcome") == "throttled"
    failed: Document = {} if span.error is None else {"fault": True}
    flags = _flags(_THROTTLED) if is_throttled else failed
    yield {
        **_segment(span, span.name, known),
        "id": of_lambda,
        "origin": _LAMBDA,
        "aws": request_id,
        "http": {"response": {"status": _THROTTLED if is_throttled else 200}},
        **flags,
        **_links(span),
    }
    if is_throttled:
        return  # no function ran
    yield {
        **_segment(span, span.name, known),
        "parent_id": of_lambda,
        "origin": _FUNCTION,
        "aws": {"function_name": span.name, **request_id},
        **flags,
        **_cause(span),
        "subsegments": [_init(part) if part.about == About.INIT else _call(part) for part in parts],
    }


def _links(span: Span) -> Document:
    """To the traces of batch mates, as Lambda links them."""
    found = [link.to for link in span.links if link.to.trace_id != span.at.trace_id]
    linked = [
        {"trace_id": ids.xray_id(to.trace_id), "id": to.span_id, "attributes": {"aws.xray.reserved": "parent"}}
        for to in found
    ]
    return {"links": linked} if linked else {}


def _cause(span: Span) -> Document:
    said = [event for event in span.events if event.name == "exception"]
    exceptions = [
        {
            "id": ids.span_id("exception", span.at.span_id),
            "type": event.attributes.get("exception.type", "Unknown"),
            "message": event.attributes.get("exception.message", ""),
        }
        for event in said
    ]
    return {"cause": {"exceptions": exceptions}} if exceptions else {}


def _part(span: Span, name: str) -> Document:
    return {"id": span.at.span_id, "name": name, "start_time": span.start_ts, **_end(span)}


def _init(span: Span) -> Document:
    return {**_part(span, "Initialization"), **({} if span.error is None else {"fault": True})}


def _call(span: Span) -> Document:
    service, status = str(span.attributes["rpc.service"]), span.attributes["http.response.status_code"]
    tables = span.attributes.get("aws.dynamodb.table_names")
    aws = {
        "operation": span.attributes["rpc.method"],
        "table_name": tables[0] if isinstance(tables, tuple) else None,
        "queue_url": span.attributes.get("aws.sqs.queue.url"),
    }
    return {
        **_part(span, service),
        "namespace": "aws",
        "aws": {name: value for name, value in aws.items() if value is not None},
        "http": {"response": {"status": status}},
        **_flags(status),
    }


def _queue(span: Span, deliveries: Sequence[Span], known: set[str]) -> Document:
    """From when the message was sent until its last delivery is over."""
    end_ts = max((span.end_ts, *(one.end_ts for one in deliveries)))
    is_open = any(not one.is_ended for one in deliveries)
    document = _segment(span, str(span.attributes["messaging.destination.name"]), known)
    if not is_open:
        document["end_time"] = end_ts
    else:
        del document["end_time"]
        document["in_progress"] = True
    return {
        **document,
        "origin": _QUEUE,
        "annotations": {"message_id": span.attributes["messaging.message.id"]},
        "subsegments": [
            {
                **_part(one, one.name),
                **({} if one.error is None else {"fault": True}),
                "metadata": {"dlqlab": _told(one)},
            }
            for one in deliveries
        ],
    }

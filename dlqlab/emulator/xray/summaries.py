"""What GetTraceSummaries tells of a trace, from its segments. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from dlqlab.traces.documents import Document


def summary(trace_id: str, documents: Sequence[Document]) -> dict[str, Any]:
    """A ``TraceSummary``.

    Args:
        documents: at least one, by their starts.
    """
    root = documents[0]
    start_ts, end_ts = root["start_time"], max(map(end_of, documents))
    flags = {
        "HasFault": any(one.get("fault") for one in documents),
        "HasError": any(one.get("error") for one in documents),
        "HasThrottle": any(one.get("throttle") for one in documents),
    }
    http = root.get("http") or {}
    shown = {
        "HttpURL": (http.get("request") or {}).get("url"),
        "HttpMethod": (http.get("request") or {}).get("method"),
        "UserAgent": (http.get("request") or {}).get("user_agent"),
        "HttpStatus": (http.get("response") or {}).get("status"),
    }
    return {
        "Id": trace_id,
        "StartTime": start_ts,
        "Duration": end_ts - start_ts,
        "ResponseTime": end_of(root) - start_ts,
        **{name: bool(value) for name, value in flags.items()},
        "IsPartial": any(one.get("in_progress") for one in documents),
        "Http": {name: value for name, value in shown.items() if value is not None},
        "Annotations": _annotations(documents),
        "ServiceIds": [_service(one) for one in _by_name(documents)],
        "EntryPoint": _service(root),
    }


def duration_s(documents: Sequence[Document]) -> float:
    """From the first start to the last end."""
    return float(max(map(end_of, documents)) - documents[0]["start_time"])


def end_of(document: Document) -> float:
    """Of a segment with all in it; what is in progress has its start."""
    return float(document.get("end_time") or document["start_time"])


def _annotations(documents: Sequence[Document]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for name, value in (pair for one in documents for pair in (one.get("annotations") or {}).items()):
        kind = "BooleanValue" if isinstance(value, bool) else "StringValue" if isinstance(value, str) else "NumberValue"
        entry = {"AnnotationValue": {kind: value}}
        if entry not in found.setdefault(name, []):
            found[name].append(entry)
    return found


def _by_name(documents: Sequence[Document]) -> Iterator[Document]:
    yield from {(one["name"], one.get("origin")): one for one in documents if one.get("type") != "subsegment"}.values()


def _service(document: Document) -> dict[str, Any]:
    origin = {"Type": document["origin"]} if document.get("origin") else {}
    return {"Name": document["name"], "Names": [document["name"]], **origin}

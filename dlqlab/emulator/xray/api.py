"""X-Ray's operations: PutTraceSegments, BatchGetTraces, GetTraceSummaries. All others are refused by name."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from localstack.aws.api import CommonServiceException

from dlqlab.contracts.recorded import ActorKind
from dlqlab.emulator.recorder import running
from dlqlab.emulator.recorder.actors import HERE
from dlqlab.emulator.xray import recorded, summaries
from dlqlab.emulator.xray.chunk_index import ChunkIndex
from dlqlab.emulator.xray.senders import sender
from dlqlab.emulator.xray.sent import RefusedError, Store
from dlqlab.traces.documents import Document, documents_of
from dlqlab.traces.model import About, Span

PAGE = 100
"""Summaries in one answer; AWS does not document how many it gives."""
_INVALID = "InvalidRequestException"

type Answer = dict[str, Any]
type Operation = Callable[[Any, Mapping[str, Any]], Answer]


class Api:
    """The operations, as LocalStack calls them: context, request."""

    service = "xray"

    def __init__(self, store: Store) -> None:
        self._store = store
        self._index: ChunkIndex | None = None
        self._lock = threading.Lock()

    def dispatch_table(self, operations: Iterable[str]) -> dict[str, Operation]:
        """Every operation of the service: those that are served, and one that refuses in the place of each other."""
        served: dict[str, Operation] = {
            "PutTraceSegments": self.put,
            "BatchGetTraces": self.get,
            "GetTraceSummaries": self.summaries,
        }
        return {name: served.get(name, _refusal(name)) for name in operations}

    def put(self, _context: Any, request: Mapping[str, Any]) -> Answer:
        """PutTraceSegments; a document that is none does not keep the others out."""
        actor, refused = HERE.doing.actor, []
        request_id = actor.request_id if actor.kind == ActorKind.INVOCATION else None
        for text in _list(request, "TraceSegmentDocuments"):
            try:
                self._store.add(text, request_id)
            except RefusedError as error:
                named = {"Id": error.segment_id} if error.segment_id else {}
                refused.append({**named, "ErrorCode": error.code, "Message": error.message})
        return {"UnprocessedTraceSegments": refused}

    def get(self, _context: Any, request: Mapping[str, Any]) -> Answer:
        """BatchGetTraces."""
        found = self._documents(_list(request, "TraceIds"))
        traces = [
            {
                "Id": trace,
                "Duration": summaries.duration_s(documents),
                "LimitExceeded": False,
                "Segments": [{"Id": one["id"], "Document": json.dumps(one)} for one in documents],
            }
            for trace, documents in found.items()
            if documents
        ]
        return {"Traces": traces, "UnprocessedTraceIds": [trace for trace, parts in found.items() if not parts]}

    def summaries(self, _context: Any, request: Mapping[str, Any]) -> Answer:
        """GetTraceSummaries: newest first, by when the traces began."""
        if request.get("FilterExpression"):
            raise CommonServiceException(
                _INVALID, "FilterExpression is not served by this emulator: take all, and filter what comes."
            )
        start_ts, end_ts = (_ts(request, name) for name in ("StartTime", "EndTime"))
        if start_ts > end_ts:
            raise CommonServiceException(_INVALID, "StartTime is after EndTime.")
        began = self._store.starts()
        for trace, ts in (index.starts() if (index := self._recorded()) else {}).items():
            began[trace] = min(ts, began.get(trace, ts))
        within = sorted(((ts, trace) for trace, ts in began.items() if start_ts <= ts <= end_ts), reverse=True)
        page, token = _page(within, request.get("NextToken"))
        documents = self._documents([trace for _, trace in page])
        return {
            "TraceSummaries": [summaries.summary(trace, parts) for trace, parts in documents.items() if parts],
            "ApproximateTime": page[0][0] if page else end_ts,
            "TracesProcessedCount": len(page),
            **({"NextToken": token} if token else {}),
        }

    def _documents(self, traces: Sequence[str]) -> dict[str, list[Document]]:
        """All segments of traces, by their starts: those of the recorder, and those that were sent."""
        index = self._recorded()
        known = recorded.spans(index, traces) if index else {}
        return {trace: self._joined(trace, known.get(trace, [])) for trace in dict.fromkeys(traces)}

    def _recorded(self) -> ChunkIndex | None:
        """Where in the record what stands, with all that has happened up to now; None where nothing is recorded."""
        journal = running.journal()
        if journal is None:
            return None
        journal.flush()
        with self._lock:
            self._index = self._index or recorded.index_of(journal.folder)
            return self._index

    def _joined(self, trace: str, spans: Sequence[Span]) -> list[Document]:
        """What an invocation sent hangs below it, unless it hangs below something that was sent too."""
        ran = [span for span in spans if span.about == About.INVOCATION]
        sent = self._store.of(trace)
        own = {one.document["id"] for one in sent}
        documents = documents_of(spans)
        for one in sent:
            above = sender(one, ran)
            moved = {"parent_id": above} if above and one.document.get("parent_id") not in own else {}
            documents.append({**one.document, **moved})
        return sorted(documents, key=lambda document: float(document["start_time"]))


def _refusal(name: str) -> Operation:
    def refuse(_context: Any, _request: Mapping[str, Any]) -> Answer:
        raise CommonServiceException(
            "UnsupportedOperation",
            f"{name} of X-Ray is not served here: PutTraceSegments, BatchGetTraces and GetTraceSummaries are.",
            status_code=501,
        )

    return refuse


def _list(request: Mapping[str, Any], name: str) -> list[str]:
    found = request.get(name)
    if not found:
        raise CommonServiceException(_INVALID, f"{name} is missing or empty.")
    return list(found)


def _ts(request: Mapping[str, Any], name: str) -> float:
    found = request.get(name)
    if not isinstance(found, datetime):
        raise CommonServiceException(_INVALID, f"{name} is missing.")
    return found.timestamp()


def _page(within: Sequence[tuple[float, str]], token: str | None) -> tuple[Sequence[tuple[float, str]], str | None]:
    """The summaries of a page, and the token of the next: the last of this one."""
    if token:
        ts, _, trace = token.partition("/")
        try:
            last = float(ts), trace
        except ValueError as error:
            raise CommonServiceException(_INVALID, f"NextToken {token} is none of this API.") from error
        within = [one for one in within if one < last]
    page = within[:PAGE]
    return page, f"{page[-1][0]!r}/{page[-1][1]}" if len(within) > PAGE else None

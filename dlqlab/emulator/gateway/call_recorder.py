"""Records which AWS calls the functions make; opt-in, for tests of their policies.

An execution environment has the credentials of its function's role: the access key of a request tells who calls. Each
distinct call is one JSON line of the file, written when it is first made. Most of what Lambda itself does with the role
(polling the queue, storing the log) are not HTTP requests here and are not seen.
"""

import json
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from localstack.aws import handlers
from localstack.aws.api import RequestContext
from localstack.aws.app import LocalstackAwsGateway
from localstack.utils.aws.request_context import extract_access_key_id_from_auth_header
from localstack.utils.patch import patch as replace
from moto.sts.models import sts_backends

from dlqlab.emulator.core.isolation import Worker, isolated, one_by_one
from dlqlab.emulator.gateway.calls import SERVICES, Call, call_of

_PART = "recorded calls of functions"
_BACKLOG_MAX = 100_000


class CallRecorder:
    """A request handler of LocalStack's gateway."""

    _guard = isolated(_PART)

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: set[Call] = set()
        self._lock = threading.Lock()
        self._writer: Worker[Call] = Worker(
            _PART, one_by_one(_PART, self._write), backlog_max=_BACKLOG_MAX, name="dlqlab-calls"
        )

    def __call__(self, _chain: Any, context: RequestContext, _response: Any) -> None:
        with self._guard:  # else the function's call would fail
            self._record(context)

    def _record(self, context: RequestContext) -> None:
        if context.service is None or context.service.service_name not in SERVICES:
            return
        caller = _role_name(context)
        if caller is not None:
            self.note(
                call_of(
                    caller,
                    context.service.service_name,
                    context.operation.name,
                    json.loads(context.request.data),  # both services speak JSON
                    region=context.region,
                    account=context.account_id,
                )
            )

    def note(self, call: Call) -> None:
        """Write the call down if it is a new one."""
        with self._lock:
            if call in self._seen:
                return
            self._seen.add(call)
        self._writer.give(call)

    def _write(self, call: Call) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(asdict(call)) + "\n")


def _role_name(context: RequestContext) -> str | None:
    """The role that the request is signed for; None where it is signed for none."""
    key = extract_access_key_id_from_auth_header(context.request.headers)
    session = sts_backends[context.account_id]["aws"].get_assumed_role_from_access_key(key)
    return str(session.role_arn).rpartition("/")[2] if session else None


def install(path: Path) -> None:
    """Put a recorder into the gateway that LocalStack is about to make."""
    recorder = CallRecorder(path)

    @replace(LocalstackAwsGateway.__init__)
    def init(original, self, *args, **kwargs):  # type: ignore[no-untyped-def]
        original(self, *args, **kwargs)
        self.request_handlers.insert(self.request_handlers.index(handlers.parse_service_request) + 1, recorder)

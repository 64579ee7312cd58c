"""What is done to requests of clients to APIs: REST and HTTP APIs and function URLs. They fail, or are slow."""

import functools
import json
import re
import threading
import time
from collections import OrderedDict
from http import HTTPStatus

from dlqlab.contracts.aims import is_meant_request
from dlqlab.contracts.injection import Case, Fault, Kind, Place
from dlqlab.emulator.gateway import shortcut
from dlqlab.emulator.injection.state import HOLDER, InForce
from dlqlab.emulator.recorder.actors import client_request_id
from dlqlab.emulator.recorder.requests import http_service

_API = re.compile(
    rb"/_aws/execute-api/[^/]+(/.*)|/restapis/[^/]+/[^/]+/_user_request_(/.*)?|/_aws/lambda-url/[^/]+(/.*)"
)
"""What stands in a path before that which the API's clients know; hosts of APIs have nothing of it."""
_KNOWN_MAX = 100_000


class _Attempts:
    """How often each task has been asked for."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._lock = threading.Lock()

    def next(self, key: tuple[str, str]) -> int:
        with self._lock:
            count = self._counts.pop(key, 0) + 1
            self._counts[key] = count
            if len(self._counts) > _KNOWN_MAX:
                self._counts.popitem(last=False)
        return count


def install() -> None:
    """Strike requests from now on, where a plan says so."""
    quick, attempts = shortcut.reply, _Attempts()

    @functools.wraps(quick)
    def reply(method: bytes, path: bytes, headers: shortcut.Headers, body: bytes) -> shortcut.Reply | None:
        in_force = HOLDER.in_force
        if in_force is not None and in_force.has(Place.REQUEST):
            service = http_service(headers, path)
            fault = _strike(in_force, attempts, service, _route(method, path), headers, body) if service else None
            if fault is not None and fault.kind is Kind.REQUEST_FAILED:
                return _failed(fault)
            if fault is not None:
                time.sleep(fault.seconds)
        return quick(method, path, headers, body)

    shortcut.reply = reply


def _route(method: bytes, target: bytes) -> str:
    """Method and path as the API's clients know them, with the stage."""
    path = target.partition(b"?")[0]
    found = _API.fullmatch(path)
    if found:
        path = next((part for part in found.groups() if part), b"/")
    return f"{method.decode('latin-1')} {path.decode('latin-1')}"


def _strike(
    in_force: InForce, attempts: _Attempts, service: str, route: str, headers: shortcut.Headers, body: bytes
) -> Fault | None:
    given = client_request_id(headers) or headers.get(b"idempotency-key", b"").decode("latin-1")
    key = in_force.key_of(body.decode("utf-8", "replace")) or in_force.key_of(route) or given or route
    case = Case(key=key, attempt=attempts.next((route, key)))
    fault = in_force.struck(Place.REQUEST, case, lambda one: is_meant_request(one, route))
    if fault:
        method, _, path = route.partition(" ")
        in_force.tell(fault, case, request_id=given or None, service=service, operation=method, resource=path)
    return fault


def _failed(fault: Fault) -> shortcut.Reply:
    phrase = HTTPStatus(fault.status).phrase if fault.status in HTTPStatus else "Server Error"
    body = json.dumps({"message": phrase}).encode()
    return f"{fault.status} {phrase}", [("Content-Type", "application/json")], body

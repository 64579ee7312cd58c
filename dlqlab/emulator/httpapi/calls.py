"""What an HTTP API calls: functions in this process, services over the emulator's own address, servers beside it."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import requests
from localstack import config
from localstack.aws.api import ServiceException
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.provider_utils import get_function_version_from_arn

from dlqlab.emulator.core.invocations import invoke
from dlqlab.emulator.functions import lambda_checks
from dlqlab.emulator.httpapi.checks import LOOPBACK
from dlqlab.emulator.httpapi.messages import Answer, Request
from dlqlab.emulator.httpapi.subtypes import ServiceRequest

_LOG = logging.getLogger(__name__)
_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length", "host"}
)
_TOO_MANY = 429
_SESSION = requests.Session()
_SESSION.trust_env = False


class CallError(Exception):
    """What was called gave no answer; ``status`` and the text are the client's."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def internal(reason: str) -> CallError:
    """The client learns nothing of the reason; the log has it."""
    _LOG.warning("HTTP API: %s", reason)
    return CallError(500, "Internal Server Error")


class Calls:
    """Static, so that the recorder can look on."""

    @staticmethod
    def bound(function_arn: str, event: bytes, _source_arn: str, trace: str | None) -> Callable[[], InvocationResult]:
        """An invocation on behalf of whoever asks on this thread, to be made on any."""
        return partial(invoke, function_arn, event, trace)

    @staticmethod
    def service(
        request: ServiceRequest, _source_arn: str, *, region: str, account_id: str, extra: dict[str, str]
    ) -> Answer:
        """The answer of a service of AWS, as it gives it."""
        scope = f"{account_id}/20260101/{region}/{request.service}/aws4_request"
        headers = {
            **request.headers,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
            **extra,
        }
        answer = _SESSION.post(config.internal_service_url(), data=request.body, headers=headers, timeout=30)
        kind = answer.headers.get("Content-Type", "application/json")
        return Answer(answer.status_code, (("Content-Type", kind),), answer.content)


def function(arn: str, event: bytes, source_arn: str, *, trace: str | None, limit_ms: int) -> bytes:
    """The result of a function.

    Raises:
        CallError: it failed, took too long, cannot be invoked, or the event is too large for it.
    """
    if len(event) > lambda_checks.PAYLOAD_LIMIT:
        raise CallError(413, "Request Entity Too Large")
    bound = Calls.bound(arn, event, source_arn, trace)
    try:
        result = bound() if _timeout_ms(arn) < limit_ms else _in_time(bound, limit_ms)
    except TimeoutError as error:
        raise CallError(503, "Service Unavailable") from error
    except ServiceException as error:
        if error.status_code == _TOO_MANY:
            raise CallError(503, "Service Unavailable") from error
        raise internal(f"{arn} cannot be invoked: {error}") from error
    payload = result.payload or b""
    payload = payload.encode() if isinstance(payload, str) else bytes(payload)
    if result.is_error:
        raise internal(f"{arn} failed: {payload[:500]!r}")
    return payload


def _in_time(bound: Callable[[], InvocationResult], limit_ms: int) -> InvocationResult:
    future: Future[InvocationResult] = Future()
    Thread(target=_into, args=(future, bound), daemon=True, name="integration").start()
    return future.result(limit_ms / 1000)


def _into(future: "Future[Any]", bound: Callable[[], Any]) -> None:
    try:
        future.set_result(bound())
    except Exception as error:  # noqa: BLE001  (the one that waits gets it)
        future.set_exception(error)


def _timeout_ms(arn: str) -> int:
    """The function's own time-out; 0 where there is no such function, which answers at once."""
    try:
        version = get_function_version_from_arn(arn)
    except Exception:  # noqa: BLE001  (the invocation itself tells what is wrong)
        return 0
    return int(version.config.timeout) * 1000


def http(url: str, method: str, request: Request, *, limit_ms: int) -> Answer:
    """The answer of a server on this machine.

    Raises:
        CallError: there is none, or not in time.
    """
    if urlsplit(url).hostname not in LOOPBACK:
        raise internal(f"an HTTP_PROXY integration reaches this machine only, not {url}")
    joined = f"{url}{'&' if '?' in url else '?'}{request.query}" if request.query else url
    headers: dict[str, str] = {}
    for name, value in request.headers:
        if name.lower() not in _HOP:
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    try:
        answer = _SESSION.request(
            method,
            joined,
            data=request.body,
            headers=headers,
            timeout=limit_ms / 1000,
            allow_redirects=False,
            stream=True,
        )
        body = answer.raw.read(decode_content=False)
    except requests.Timeout as error:
        raise CallError(504, "Gateway Timeout") from error
    except requests.RequestException as error:
        raise internal(f"{url} gives no answer: {error}") from error
    kept = tuple((name, value) for name, value in answer.raw.headers.items() if name.lower() not in _HOP)
    return Answer(answer.status_code, kept, body)


def json_of(url: str) -> Any:
    """A JSON document of a server on this machine.

    Raises:
        requests.RequestException: there is none.
    """
    answer = _SESSION.get(url, timeout=5)
    answer.raise_for_status()
    return answer.json()

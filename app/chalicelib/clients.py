"""AWS clients with botocore's methods, arguments, answers and errors for the calls that the functions make.

Both services speak JSON over HTTP, so a call is a signed POST. botocore's own clients build it from a description of
each service: that costs a new execution environment some 0.3 s of CPU time for its imports and a client, and each call
three times what this one costs (docs/performance.md). Functions pay both, on AWS by the millisecond. Only botocore's
exceptions are used, so whoever has one of its clients can give it to the stores and queues instead.

One connection a service and process, kept alive: an execution environment has one invocation at a time.
"""

import http
import json
import os
import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlsplit

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
)

from chalicelib.connection import BrokenAnswerError, ConnectError, Connection
from chalicelib.signing import Credentials, Signer

if TYPE_CHECKING:  # the stubs are not part of the bundle
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

TRIES = 2
TRACE_SAFE = "-=;:+&[]{}\"',"
"""What botocore leaves as it is in the trace header."""

TRANSIENT_STATUS = frozenset({500, 502, 503, 504})
TRANSIENT_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""What a second try is for: the standard retry mode of AWS's SDKs ("Retry behavior", AWS SDKs and tools guide)."""


class JsonClient:
    """Calls of one service by AWS's JSON protocol.

    Every call takes the request's members and returns the answer's, and may raise:
        ClientError: the service refused; the error's own members stand beside its ``Error``.
        BotoCoreError: there was no answer; what was asked may have happened.
    """

    service: str
    target: str
    """Before the operation in the header that names it."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Args:
        environment: region, credentials and, where it is not AWS's own, the endpoint, in the variables of the SDKs.
        """
        region = environment["AWS_REGION"]
        self._endpoint = _endpoint(environment, self.service, region)
        self._signer = Signer(
            Credentials(
                access_key=environment["AWS_ACCESS_KEY_ID"],
                secret_key=environment["AWS_SECRET_ACCESS_KEY"],
                session_token=environment.get("AWS_SESSION_TOKEN"),
            ),
            service=self.service,
            region=region,
        )
        self._environment = environment
        self._clock = clock
        self._sleep = sleep
        url = urlsplit(self._endpoint)
        self._host = url.netloc
        self._path = url.path or "/"
        self._connection = Connection(url.scheme, url.hostname or "", url.port)

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """One call, tried twice where that is safe and may help."""
        body = json.dumps(request).encode()
        for tries_left in reversed(range(TRIES)):
            try:
                return _answer(operation, *self.exchange(operation, body))
            except (ClientError, BotoCoreError) as error:
                if not tries_left or not _may_pass(error):
                    raise
            self._sleep(random.random())  # noqa: S311  (the standard mode's first wait, up to 1 s)
        raise AssertionError("no try was made")

    def close(self) -> None:
        """End the connection. The next call makes another."""
        self._connection.close()

    def exchange(self, operation: str, body: bytes) -> tuple[int, bytes]:
        """Send one request; returns status and body of what came back."""
        try:
            return self._connection.post(self._path, self._headers(operation, body), body)
        except ConnectError as error:
            raise EndpointConnectionError(endpoint_url=self._endpoint, error=error) from error
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=self._endpoint, error=error) from error
        except (OSError, BrokenAnswerError) as error:
            raise HTTPClientError(error=error) from error

    def _headers(self, operation: str, body: bytes) -> dict[str, str]:
        headers = {
            "host": self._host,
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": f"{self.target}.{operation}",
        }
        headers |= self._signer.sign(headers, body, path=self._path, now=self._clock())
        headers["user-agent"] = "dlqlab"
        # Lambda's runtime sets the variable anew for each invocation; with it a message of SQS belongs to the trace.
        if trace := self._environment.get("_X_AMZN_TRACE_ID"):
            headers["x-amzn-trace-id"] = quote(trace, safe=TRACE_SAFE)
        return headers


class DynamoDB(JsonClient):
    """The calls of the stores."""

    service = "dynamodb"
    target = "DynamoDB_20120810"

    def get_item(self, **request: Any) -> dict[str, Any]:
        return self.call("GetItem", request)

    def put_item(self, **request: Any) -> dict[str, Any]:
        return self.call("PutItem", request)

    def update_item(self, **request: Any) -> dict[str, Any]:
        return self.call("UpdateItem", request)

    def delete_item(self, **request: Any) -> dict[str, Any]:
        return self.call("DeleteItem", request)

    def query(self, **request: Any) -> dict[str, Any]:
        return self.call("Query", request)

    def scan(self, **request: Any) -> dict[str, Any]:
        return self.call("Scan", request)


class Sqs(JsonClient):
    """The calls of the queues."""

    service = "sqs"
    target = "AmazonSQS"

    def get_queue_url(self, **request: Any) -> dict[str, Any]:
        return self.call("GetQueueUrl", request)

    def get_queue_attributes(self, **request: Any) -> dict[str, Any]:
        return self.call("GetQueueAttributes", request)

    def send_message(self, **request: Any) -> dict[str, Any]:
        return self.call("SendMessage", request)

    def change_message_visibility(self, **request: Any) -> dict[str, Any]:
        return self.call("ChangeMessageVisibility", request)

    def delete_message_batch(self, **request: Any) -> dict[str, Any]:
        return self.call("DeleteMessageBatch", request)


def dynamodb() -> "DynamoDBClient":
    """A new client; keep it."""
    return cast("DynamoDBClient", DynamoDB(os.environ))


def sqs() -> "SQSClient":
    """A new client; keep it."""
    return cast("SQSClient", Sqs(os.environ))


def _endpoint(environment: Mapping[str, str], service: str, region: str) -> str:
    """The one that is set, for this service or for all, or else AWS's."""
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return (
        environment.get(f"AWS_ENDPOINT_URL_{service.upper()}")
        or environment.get("AWS_ENDPOINT_URL")
        or f"https://{service}.{region}.{suffix}"
    )


def _answer(operation: str, status: int, body: bytes) -> dict[str, Any]:
    try:
        members = json.loads(body or b"{}")
    except ValueError:
        members = None
    if not isinstance(members, dict):  # not the service's words: something between us and it answered
        members = {"message": f"status {status} without JSON"}
        status = http.HTTPStatus.BAD_GATEWAY
    if status == http.HTTPStatus.OK:
        return members
    code = str(members.pop("__type", status)).rpartition("#")[2]
    # The two services, and even one of them, write it in either way.
    message = members.pop("message", None) or members.pop("Message", "")
    raise ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}, **members},  # type: ignore[typeddict-item]  # the rest of it is not known
        operation,
    )


def _may_pass(error: ClientError | BotoCoreError) -> bool:
    if not isinstance(error, ClientError):
        return True
    known = error.response
    status = known["ResponseMetadata"]["HTTPStatusCode"]
    return status in TRANSIENT_STATUS or known["Error"]["Code"] in TRANSIENT_CODES

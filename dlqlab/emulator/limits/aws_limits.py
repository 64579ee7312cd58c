"""With --limits, calls beyond the quotas of an AWS account are throttled, with AWS's errors.

Rates are counted as token buckets. Where AWS tells no burst, what a second lets through may come at once. Calls that
LocalStack's services make of each other count for no rate of an API.
"""

import functools
import os
import time
from collections.abc import Mapping
from typing import Any

from localstack import config
from localstack.aws import handlers
from localstack.aws.api import RequestContext
from localstack.aws.api.lambda_ import TooManyRequestsException
from localstack.aws.api.sqs import OverLimit
from localstack.aws.app import LocalstackAwsGateway
from localstack.services.apigateway.next_gen.execute_api.gateway import RestApiGateway
from localstack.services.lambda_.invocation.assignment import AssignmentService
from localstack.services.lambda_.invocation.counting_service import CountingService
from localstack.services.sqs.models import FifoQueue, SqsQueue
from localstack.services.sqs.provider import SqsProvider
from localstack.utils.patch import patch as replace
from moto.apigateway.models import Stage

from dlqlab.emulator import settings
from dlqlab.emulator.kinesis.streams import ON_DEMAND, Shard, Stream, Throughput
from dlqlab.emulator.limits.quotas import chosen
from dlqlab.emulator.limits.rates import Buckets

_PERIOD_S = 10
"""Of the scaling rate of execution environments."""
_ROOM_POLL_S = 0.1
_INVOKES = frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream"})
_OF_ALL = "*/*"
"""The method settings of a stage that hold for all its methods."""


def _too_many(reason: str) -> TooManyRequestsException:
    return TooManyRequestsException("Rate Exceeded.", Reason=reason, Type="User")


def patch() -> None:
    numbers = chosen(os.environ[settings.LIMITS])
    config.LAMBDA_LIMITS_CONCURRENT_EXECUTIONS = numbers["lambda_concurrency"]
    config.LAMBDA_LIMITS_MINIMUM_UNRESERVED_CONCURRENCY = numbers["lambda_unreserved"]
    buckets = Buckets(time.monotonic)
    _limit_control(numbers, buckets)
    _limit_invocations(numbers, buckets)
    _limit_rest_apis(numbers, buckets)
    _limit_in_flight(numbers)
    _limit_shards(numbers, buckets)


def _limit_control(numbers: Mapping[str, int], buckets: Buckets) -> None:
    def limit(_chain: Any, context: RequestContext, _response: Any) -> None:
        if context.service is None or context.service.service_name != "lambda" or context.is_internal_call:
            return
        operation = context.operation.name
        if operation in _INVOKES:
            return
        name = "lambda_get_function_per_s" if operation == "GetFunction" else "lambda_control_per_s"
        key = name, context.account_id, context.region
        if not buckets.take(key, rate_per_s=numbers[name], burst=numbers[name]):
            raise TooManyRequestsException("Rate exceeded", Reason="CallerRateLimitExceeded", Type="User")

    @replace(LocalstackAwsGateway.__init__)
    def init(original, self, *args, **kwargs):  # type: ignore[no-untyped-def]
        original(self, *args, **kwargs)
        self.request_handlers.insert(self.request_handlers.index(handlers.parse_service_request) + 1, limit)


def _limit_invocations(numbers: Mapping[str, int], buckets: Buckets) -> None:
    @replace(CountingService.get_invocation_lease)
    def get_invocation_lease(original, self, function, function_version, provisioned_state=None):  # type: ignore[no-untyped-def]
        reserved = function.reserved_concurrent_executions if function else None
        concurrency = numbers["lambda_concurrency"] if reserved is None else reserved
        rate_per_s = numbers["lambda_requests_per_s"] * concurrency
        key = "invocations", function_version.id.unqualified_arn()
        if rate_per_s and not buckets.take(key, rate_per_s=rate_per_s, burst=rate_per_s):
            kind = "" if reserved is None else "Reserved"
            raise _too_many(f"{kind}FunctionInvocationRateLimitExceeded")
        return original(self, function, function_version, provisioned_state)

    most = numbers["lambda_environments_per_10_s"]

    @replace(AssignmentService.start_environment)
    def start_environment(original, self, version_manager_id, function_version):  # type: ignore[no-untyped-def]
        key = "environments", function_version.id.unqualified_arn()
        if not buckets.take(key, rate_per_s=most / _PERIOD_S, burst=most):
            raise _too_many("ConcurrentInvocationLimitExceeded")
        return original(self, version_manager_id, function_version)


def _limit_rest_apis(numbers: Mapping[str, int], buckets: Buckets) -> None:
    defaults = Stage._get_default_method_settings

    @functools.wraps(defaults)
    def default_method_settings(self: Stage) -> dict[str, Any]:
        account = {"throttlingRateLimit": float(numbers["api_per_s"]), "throttlingBurstLimit": numbers["api_burst"]}
        return {**defaults(self), **account}

    Stage._get_default_method_settings = default_method_settings

    def passes(context: Any) -> bool:
        account = context.deployment.account_id, context.deployment.region
        own = (context.stage_configuration or {}).get("methodSettings", {}).get(_OF_ALL, {})
        if "throttlingRateLimit" in own and not buckets.take(
            (context.api_id, context.stage),
            rate_per_s=float(own["throttlingRateLimit"]),
            burst=float(own["throttlingBurstLimit"]),
        ):
            return False
        return buckets.take(account, rate_per_s=numbers["api_per_s"], burst=numbers["api_burst"])

    @replace(RestApiGateway.process_with_context)
    def process_with_context(original, self, context, response):  # type: ignore[no-untyped-def]
        if passes(context):
            original(self, context, response)
            return
        response.status_code = 429
        response.set_json({"message": "Too Many Requests"})
        response.headers["x-amzn-ErrorType"] = "TooManyRequestsException"


def _limit_in_flight(numbers: Mapping[str, int]) -> None:
    def is_full(queue: SqsQueue) -> bool:
        name = "sqs_fifo_in_flight" if isinstance(queue, FifoQueue) else "sqs_in_flight"
        return len(queue.inflight) >= numbers[name]

    @replace(SqsProvider.receive_message)
    def receive_message(original, self, context, queue_url, **kwargs):  # type: ignore[no-untyped-def]
        queue = self._resolve_queue(context, queue_url=queue_url)
        if not is_full(queue):
            return original(self, context, queue_url=queue_url, **kwargs)
        given_s = kwargs.get("wait_time_seconds")
        wait_s = queue.wait_time_seconds if given_s is None else given_s
        if not wait_s and not isinstance(queue, FifoQueue):
            raise OverLimit(f"Too many messages in flight for queue {queue.name}")
        deadline = time.monotonic() + wait_s
        while is_full(queue) and time.monotonic() < deadline:
            time.sleep(_ROOM_POLL_S)  # as a long poll waits, for room
        if is_full(queue):
            return {}
        return original(self, context, queue_url=queue_url, **kwargs)


def _limit_shards(numbers: Mapping[str, int], buckets: Buckets) -> None:
    records, sizes = numbers["kinesis_shard_records_per_s"], numbers["kinesis_shard_bytes_per_s"]

    def admits(stream: Stream, shard: Shard, size_bytes: int) -> bool:
        if stream.settings.mode == ON_DEMAND:
            return True
        key = stream.arn, shard.shard_id
        return buckets.take(("shard bytes", *key), rate_per_s=sizes, burst=sizes, tokens=size_bytes) and buckets.take(
            ("shard records", *key), rate_per_s=records, burst=records
        )

    Throughput.admits = staticmethod(admits)

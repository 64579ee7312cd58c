"""Requests skip LocalStack's handlers for its own debug log and usage statistics.

They parse every answer a second time to log it at a level that is off, and count calls for telemetry that is off.
What they are given, and what clients get, is the same.
"""

from localstack.aws import handlers
from localstack.aws.app import LocalstackAwsGateway
from localstack.aws.handlers.metric_handler import MetricHandler
from localstack.utils.patch import patch as replace

LEFT_OUT = (handlers.parse_service_response, handlers.log_response, handlers.count_service_request)


def _is_left_out(handler: object) -> bool:
    return handler in LEFT_OUT or isinstance(getattr(handler, "__self__", None), MetricHandler)


def patch() -> None:

    @replace(LocalstackAwsGateway.__init__)
    def init(original, self, *args, **kwargs):  # type: ignore[no-untyped-def]
        original(self, *args, **kwargs)
        for chain in (self.request_handlers, self.response_handlers):
            chain[:] = [handler for handler in chain if not _is_left_out(handler)]

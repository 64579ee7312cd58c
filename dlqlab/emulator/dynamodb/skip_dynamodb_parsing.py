"""DynamoDB requests reach their provider as they came, instead of parsed into a form that it does not read.

The provider reads the body itself, on the fast path and in moto alike. Only the operation is taken from the header that
names it; a request without a usable one goes LocalStack's way, and gets LocalStack's error.
"""

from localstack.aws.handlers.service import ServiceRequestParser
from localstack.utils.patch import patch as replace

_UNPARSED = {"body": "not parsed"}
"""Stands for the parsed request: the skeleton would parse one that is missing or empty."""


def patch() -> None:

    @replace(ServiceRequestParser.parse_and_enrich)
    def parse_and_enrich(original, self, context):  # type: ignore[no-untyped-def]
        if context.service.service_name == "dynamodb":
            _, _, operation = context.request.headers.get("X-Amz-Target", "").partition(".")
            if operation in context.service.operation_names:
                context.operation = context.service.operation_model(operation)
                context.service_request = _UNPARSED
                return
        original(self, context)

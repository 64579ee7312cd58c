"""A client of the DynamoDB provider in this process: by the fast path, or by moto alone."""

import json
from typing import Any

from botocore.exceptions import ClientError
from localstack.aws.api import RequestContext
from localstack.aws.spec import load_service
from localstack.http import Request, Response

from dlqlab.emulator.dynamodb.numeric import canonical
from dlqlab.emulator.dynamodb.provider import MotoDynamoDBProvider, dispatch_table

ACCOUNT_ID, REGION = "000000000000", "us-east-1"
_OF_THE_FAST_PATH = "application/x-amz-json-1.0"
_NOT_PART_OF_THE_API = {"ConsumedCapacity", "ConsumedCapacityUnits"}  # moto adds them unasked


class Side:
    """Calls the provider's handlers with requests as LocalStack hands them over.

    Counts the answers of the fast path and those of moto.
    """

    def __init__(self, *, fast: bool, full: bool = False) -> None:
        self._handlers = dispatch_table(MotoDynamoDBProvider(), fast=fast, full=full)
        self._service = load_service("dynamodb")
        self.by_fast_path = 0
        self.by_moto = 0

    def context(self, operation: str, members: object) -> RequestContext:
        """The request as LocalStack hands it over."""
        headers = {
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "x-moto-account-id": ACCOUNT_ID,
            "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20160623/{REGION}/dynamodb/aws4_request",
        }
        context = RequestContext(Request("POST", "/", headers=headers, body=json.dumps(members).encode()))
        context.service = self._service
        context.operation = self._service.operation_model(operation)
        context.account_id, context.region, context.request_id = ACCOUNT_ID, REGION, "request-1"
        return context

    def handle(self, context: RequestContext) -> Response:
        """What the provider's handler makes of it."""
        return self._handlers[context.operation.name](context, {})

    def call(self, operation: str, **members: Any) -> dict[str, Any]:
        """The members of the answer.

        Raises:
            ClientError: DynamoDB refuses the request.
        """
        response = self.handle(self.context(operation, members))
        if response.headers["Content-Type"] == _OF_THE_FAST_PATH:
            self.by_fast_path += 1
        else:
            self.by_moto += 1
        answer: dict[str, Any] = json.loads(response.data)
        if response.status_code == 200:
            return answer
        code = answer.pop("__type").rpartition("#")[2]
        message = answer.pop("message", None) or answer.pop("Message")
        error: Any = {"Error": {"Code": code, "Message": message}, **answer}
        raise ClientError(error, operation)

    def put_item(self, **members: Any) -> dict[str, Any]:
        return self.call("PutItem", **members)

    def get_item(self, **members: Any) -> dict[str, Any]:
        return self.call("GetItem", **members)

    def update_item(self, **members: Any) -> dict[str, Any]:
        return self.call("UpdateItem", **members)

    def delete_item(self, **members: Any) -> dict[str, Any]:
        return self.call("DeleteItem", **members)

    def items(self, table: str) -> list[dict[str, Any]]:
        """Everything in the table, comparable, by its key."""
        found = self.call("Scan", TableName=table)["Items"]
        return sorted((comparable(item) for item in found), key=lambda item: str(item["taskId"]))


def comparable(answer: Any) -> Any:
    """An answer without what is not part of the API, with numbers canonical and sets in order.

    moto returns numbers as they came, where AWS has one text for each number, and says ``"Attributes": {}`` where AWS
    says nothing.
    """
    if isinstance(answer, list):
        return [comparable(part) for part in answer]
    if not isinstance(answer, dict):
        return answer
    kind, held = next(iter(answer.items()), ("", None))
    if len(answer) == 1 and kind == "N":
        return {"N": canonical(str(held))}
    if len(answer) == 1 and kind in {"SS", "NS", "BS"} and isinstance(held, list):
        return {kind: sorted(canonical(member) if kind == "NS" else member for member in held)}
    return {
        name: comparable(part)
        for name, part in answer.items()
        if name not in _NOT_PART_OF_THE_API and not (name == "Attributes" and part == {})
    }

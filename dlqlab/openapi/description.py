"""What the app says of each operation: the schemas of what it takes and answers, with its own limits and states. Pure.

OpenAPI 3.0, as API Gateway exports it. What JSON Schema cannot say stands in the descriptions: sizes in bytes, depth.
"""

from collections.abc import Mapping
from typing import Any

from taskrules.tasks import BODY_BYTES_MAX, PAYLOAD_BYTES_MAX, PAYLOAD_DEPTH_MAX, TASK_ID, Status

Schema = dict[str, Any]

TASK_ID_SCHEMA: Schema = {"type": "string", "pattern": f"^{TASK_ID.pattern}$", "example": "t-1"}
TIME: Schema = {"type": "string", "format": "date-time", "description": "UTC, with microseconds"}
STATUS: Schema = {"type": "string", "enum": [str(status) for status in Status]}
PAYLOAD: Schema = {
    "description": (
        f"At most {PAYLOAD_BYTES_MAX:,} bytes as compact JSON, nested at most {PAYLOAD_DEPTH_MAX} deep. The text ERROR "
        "makes every attempt fail, SUCCESS none."
    ),
    "oneOf": [{"type": "object"}, {"type": "string"}],
}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _nullable(schema: Schema) -> Schema:
    return schema | {"nullable": True}


def _object(properties: Mapping[str, Schema], *, optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {
        "type": "object",
        "properties": dict(properties),
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


_WHOLE: Schema = {"type": "integer", "minimum": 0}
_ATTEMPT = _object(
    {
        "generation": _WHOLE,
        "attempt": _WHOLE,
        "startedAt": TIME,
        "endedAt": _nullable(TIME),
        "outcome": _nullable({"type": "string", "enum": ["succeeded", "failed", None]}),
        "error": _nullable({"allOf": [_ref("TaskError")]}),
    }
)
SCHEMAS: Mapping[str, Schema] = {
    "Submission": {
        "anyOf": [
            _object({"taskId": TASK_ID_SCHEMA, "payload": PAYLOAD}, optional=("taskId",)),
            _object({"taskId": TASK_ID_SCHEMA, "message": {"type": "string"}}, optional=("taskId",)),
        ],
        "description": "message is a shorthand for a payload that is a text. Without taskId one is generated.",
    },
    "Accepted": _object({"taskId": TASK_ID_SCHEMA, "status": STATUS}),
    "TaskError": _object({"type": {"type": "string"}, "message": {"type": "string", "nullable": True}}),
    "Task": _object(
        {
            "taskId": TASK_ID_SCHEMA,
            "status": STATUS,
            "generation": _WHOLE,
            "attemptCount": _WHOLE,
            "attempts": {"type": "array", "items": _ATTEMPT},
            "redrives": {
                "type": "array",
                "items": _object({"generation": _WHOLE, "at": TIME, "reason": {"type": "string"}}),
            },
            "lastError": _nullable({"allOf": [_ref("TaskError")]}),
            "createdAt": TIME,
            "enqueuedAt": _nullable(TIME),
            "updatedAt": TIME,
        }
    ),
    "Errors": _object(
        {
            "errors": {
                "type": "array",
                "minItems": 1,
                "items": _object(
                    {
                        "field": {"type": "string"},
                        "value": {"description": "what was given, shortened and redacted", "nullable": True},
                        "message": {"type": "string"},
                    }
                ),
            }
        }
    ),
    "Health": _object({"status": {"type": "string", "enum": ["ok"]}, "runId": {"type": "string"}}),
    "GatewayError": {
        "type": "object",
        "properties": {"message": {"type": "string"}},
        "description": "API Gateway's own format: the request did not reach the app",
    },
}


def _answer(description: str, schema: str, headers: Schema | None = None) -> Schema:
    answer: Schema = {"description": description, "content": {"application/json": {"schema": _ref(schema)}}}
    return answer | ({"headers": headers} if headers else {})


_RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "seconds"}}
_NO_PATH = _answer("API Gateway knows no such path, such as one with a slash in the taskId", "GatewayError")
_SUBMIT: Schema = {
    "summary": "Submit a task",
    "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("Submission")}}},
    "responses": {
        "200": _answer("This task exists with an equal payload; nothing is enqueued", "Accepted"),
        "202": _answer("Accepted: in the table and on the queue", "Accepted"),
        "400": _answer("A field is wrong, or the body is not a JSON object", "Errors"),
        "409": _answer("This taskId exists with another payload", "Errors"),
        "413": _answer(
            f"The payload is over {PAYLOAD_BYTES_MAX:,} bytes, or the body over {BODY_BYTES_MAX:,}", "Errors"
        ),
        "415": _answer("The content type is not JSON", "Errors"),
        "503": _answer("Queue or table did not answer; the request may be sent again", "Errors", _RETRY_AFTER),
    },
}
OPERATIONS: Mapping[tuple[str, str], Schema] = {
    ("/tasks", "post"): _SUBMIT | {"operationId": "submitTask"},
    ("/submit-task", "post"): _SUBMIT | {"operationId": "submitTaskAlias", "summary": "The same as POST /tasks"},
    ("/tasks/{taskId}", "get"): {
        "operationId": "getTask",
        "summary": "Show a task",
        "parameters": [{"name": "taskId", "in": "path", "required": True, "schema": TASK_ID_SCHEMA}],
        "responses": {
            "200": _answer("The task as the table has it", "Task"),
            "403": _NO_PATH,
            "404": _answer("Not known", "Errors"),
            "503": _answer("The table did not answer", "Errors", _RETRY_AFTER),
        },
    },
    ("/health", "get"): {
        "operationId": "health",
        "summary": "Whether the API's function runs; asks nothing of queue or table",
        "responses": {"200": _answer("It runs", "Health")},
    },
}
"""By path and method, in the order of the documentation."""

"""The task pipeline: an HTTP API, the processor of the task queue, the monitor of the dead-letter queue, the sweeper.

Chalice exports the stage's environment variables before it imports this module, when it deploys and in Lambda alike.
"""

import os
from typing import Any

from chalice import Chalice, CORSConfig, Rate, Response
from chalice.app import CloudWatchEvent, Request, SQSEvent
from chalicelib.answers import Answer
from chalicelib.services import Services
from chalicelib.show import show

from taskrules.settings import Settings

app = Chalice(app_name="dlqlab")
settings = Settings.from_env(os.environ)
services = Services(settings)

ANY_TYPE: list[str] = []  # Chalice would answer a wrong content type in a format of its own
KEYED = settings.api_key_required
CORS = CORSConfig(allow_origin=settings.cors_origin, max_age=600) if settings.cors_origin else False
BATCH_WINDOW_S = 1 if settings.batch_size > 10 else 0  # noqa: PLR2004  (Lambda wants a window for more than 10)


@app.route("/tasks", methods=["POST"], content_types=ANY_TYPE, cors=CORS, api_key_required=KEYED)  # type: ignore[untyped-decorator]
@app.route("/submit-task", methods=["POST"], content_types=ANY_TYPE, cors=CORS, api_key_required=KEYED)  # type: ignore[untyped-decorator]
def submit_task() -> Response:
    """Accept a task."""
    request = app.current_request
    answer = services.submitter(app.lambda_context).submit(_body(request), request.headers.get("content-type"))
    return _response(answer)


@app.route("/tasks/{taskId}", methods=["GET"], cors=CORS, api_key_required=KEYED)  # type: ignore[untyped-decorator]
def get_task(taskId: str) -> Response:  # noqa: N803  (the name in the path)
    """Show a task."""
    services.begin()
    return _response(show(services.store, taskId))


@app.route("/health", methods=["GET"], cors=CORS)  # type: ignore[untyped-decorator]
def health() -> dict[str, str]:
    """Say that the API answers; asks nothing of the queue or the table."""
    services.begin()
    return {"status": "ok", "runId": settings.run_id}


@app.on_sqs_message(  # type: ignore[untyped-decorator]
    queue=settings.task_queue,
    batch_size=settings.batch_size,
    maximum_batching_window_in_seconds=BATCH_WINDOW_S,
    name="processor",
)
def processor(event: SQSEvent) -> dict[str, Any]:
    """Work on a batch of tasks."""
    return services.process(event.to_dict(), event.context)


@app.on_sqs_message(queue=settings.dead_letter_queue, batch_size=10, name="monitor")  # type: ignore[untyped-decorator]
def monitor(event: SQSEvent) -> dict[str, Any]:
    """Archive and report a batch of dead letters."""
    return services.watch(event.to_dict(), event.context)


@app.schedule(Rate(1, unit=Rate.MINUTES), name="sweeper")  # type: ignore[untyped-decorator]
def sweeper(event: CloudWatchEvent) -> dict[str, int]:
    """Enqueue tasks that somebody was to enqueue and did not, and tasks that have lost their message."""
    return services.sweep(event.context)


def _body(request: Request) -> bytes:
    try:
        return bytes(request.raw_body)
    except ValueError:  # broken base64, or text that is not Unicode
        return b"\xff"  # no UTF-8 either: refused as not JSON


def _response(answer: Answer) -> Response:
    return Response(body=answer.body, status_code=answer.status_code, headers=dict(answer.headers))

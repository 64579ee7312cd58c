"""Tickets: taken by a REST API, answered from a queue."""

import json
import os
import uuid
import zlib

import boto3
from chalice import BadRequestError, Chalice, Response

app = Chalice(app_name="tickets")
sqs = boto3.client("sqs")


@app.route("/tickets", methods=["POST"])
def take():
    """Put the ticket into the queue."""
    ticket = app.current_request.json_body
    if not isinstance(ticket, dict):
        raise BadRequestError("a ticket is a JSON object")
    ticket = {"id": str(uuid.uuid4()), **ticket}
    url = sqs.get_queue_url(QueueName=os.environ["TICKETS_QUEUE"])["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(ticket))
    return Response({"id": ticket["id"]}, status_code=202)


@app.on_sqs_message(queue=os.environ.get("TICKETS_QUEUE", "tickets-local"), batch_size=1)
def answer(event):
    """One attempt in five finds nobody at the desk; which ones depends on ticket and attempt alone."""
    for record in event:  # one: Chalice has no partial batch responses, and a batch fails as a whole
        ticket = json.loads(record.body)["id"]
        attempt = record.to_dict()["attributes"]["ApproximateReceiveCount"]
        if zlib.crc32(f"{ticket}/{attempt}".encode()) % 5 == 0:
            raise RuntimeError(f"nobody at the desk for {ticket}")
        print("answered", ticket)


@app.on_sqs_message(queue=os.environ.get("DEAD_TICKETS_QUEUE", "tickets-local-dead"), batch_size=10)
def bury(event):
    """Tell of each ticket that nobody answered."""
    for record in event:
        print("unanswered:", record.body)

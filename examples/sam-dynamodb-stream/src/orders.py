"""Orders: accepted into a table, published from its stream, shipped from a queue."""

import json
import os
import uuid
import zlib

import boto3

dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")


def accept(event, context):
    """Write the order; that it is published is the stream's business, so that neither happens without the other."""
    order = json.loads(event["body"])
    key = order.get("id") or str(uuid.uuid4())
    dynamodb.put_item(
        TableName=os.environ["ORDERS"],
        Item={"id": {"S": key}, "order": {"S": json.dumps(order)}, "state": {"S": "NEW"}},
    )
    return {"statusCode": 202, "body": json.dumps({"id": key})}


def publish(event, context):
    """Send each new order to the queue; the stream goes on at the first that could not be sent."""
    records = event["Records"]
    entries = [
        {"Id": str(number), "MessageBody": json.dumps({"id": record["dynamodb"]["NewImage"]["id"]["S"]})}
        for number, record in enumerate(records)
    ]
    answer = sqs.send_message_batch(QueueUrl=os.environ["PARCELS"], Entries=entries)
    unsent = [int(entry["Id"]) for entry in answer.get("Failed", [])]
    return {
        "batchItemFailures": [
            {"itemIdentifier": records[number]["dynamodb"]["SequenceNumber"]} for number in sorted(unsent)
        ]
    }


def ship(event, context):
    """One attempt in six finds no carrier; which ones depends on order and attempt alone."""
    failed = []
    for record in event["Records"]:
        key = json.loads(record["body"])["id"]
        attempt = record["attributes"]["ApproximateReceiveCount"]
        if zlib.crc32(f"{key}/{attempt}".encode()) % 6 == 0:
            print("no carrier for", key)
            failed.append({"itemIdentifier": record["messageId"]})
            continue
        dynamodb.update_item(
            TableName=os.environ["ORDERS"],
            Key={"id": {"S": key}},
            UpdateExpression="SET #state = :shipped",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":shipped": {"S": "SHIPPED"}},
        )
    return {"batchItemFailures": failed}

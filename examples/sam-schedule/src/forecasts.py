"""Fetch the forecast that is due."""

import json
import zlib


def handler(event, context):
    """One attempt in six finds the weather service closed; which ones depends on id and attempt alone."""
    failed = []
    for record in event["Records"]:
        order = json.loads(record["body"])
        attempt = record["attributes"]["ApproximateReceiveCount"]
        if zlib.crc32(f"{order['id']}/{attempt}".encode()) % 6 == 0:
            print("no answer from the weather service:", order["id"])
            failed.append({"itemIdentifier": record["messageId"]})
        else:
            print("forecast", order["id"], "due", order.get("due", "now"))
    return {"batchItemFailures": failed}

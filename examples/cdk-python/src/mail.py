"""Write to whoever ordered."""

import json
import zlib


def handler(event, context):
    """One attempt in eight finds the mail server busy; which ones depends on order and attempt alone."""
    failed = []
    for record in event["Records"]:
        order = json.loads(json.loads(record["body"])["Message"])
        attempt = record["attributes"]["ApproximateReceiveCount"]
        if zlib.crc32(f"{order['id']}/{attempt}".encode()) % 8 == 0:
            print("the mail server is busy:", order["id"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}

"""Orders to invoices: a FIFO queue, one message group for each customer, one function, a dead-letter queue for people.

An order: {"orderId": "o-1", "lines": [{"sku": "A", "quantity": 2, "cents": 250}]}. The function knows nothing of
dlqlab: it prints an invoice or raises, and leaves retries to the queue.
"""

import json
import os
from typing import Any

from chalice import Chalice
from chalice.app import SQSEvent

app = Chalice(app_name="orders")


@app.on_sqs_message(queue=os.environ["PLACED"], batch_size=1, name="invoicer")  # type: ignore[untyped-decorator]
def invoicer(event: SQSEvent) -> None:
    """Invoice each order; an order that cannot be invoiced fails its message."""
    for record in event:
        order = json.loads(record.body)
        print(f"invoice {order['orderId']}: {total_cents(order['lines'])} cents", flush=True)  # noqa: T201  (its log)


def total_cents(lines: list[dict[str, Any]]) -> int:
    """What the lines of an order cost together.

    Raises:
        ValueError: a quantity is not positive.
    """
    if any(line["quantity"] <= 0 for line in lines):
        raise ValueError("a quantity is not positive: nobody can be invoiced for it")
    return sum(line["quantity"] * line["cents"] for line in lines)

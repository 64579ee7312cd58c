"""What the clients send: task ids and payloads as pure functions of the seed and a counter."""

import hashlib
import json
from collections.abc import Mapping

from taskrules.draws import uniform
from taskrules.faults import MESSAGE_ALWAYS_FAILS, MESSAGE_NEVER_FAILS

_PRODUCTS = (
    "lamp",
    "chair",
    "kettle",
    "notebook",
    "café table",
    "Straßenkarte",
    "мяч",
    "お茶",
    'desk 24"',
    "tea & milk",
)
_CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY")
_COUNTRIES = ("DE", "FR", "GB", "JP", "BR", "KE", "NZ")
_TAGS = ("gift", "fragile", "express", "oversize", "return")


def task_id(seed: int, counter: int) -> str:
    """The id of the task with this number, counted from 0; unique for a seed."""
    return f"t-{seed}-{counter:08d}"


def payload(seed: int, counter: int, size_bytes: int) -> dict[str, object]:
    """An order, varied by seed and counter, whose JSON (see ``to_json``) is ``size_bytes`` long.

    Padding takes at least 13 bytes, so an order that ends less than that below the size is left as it is. Where even
    the bare order is too long the payload is only ``{"n": counter}``, however small the size.
    """
    order = _order(seed, counter)
    room = size_bytes - len(to_json(order).encode())
    if room < 0:
        return {"n": counter}
    frame = len(',"padding":""')
    return {**order, "padding": "x" * (room - frame)} if room >= frame else order


def script(seed: int, counter: int, scripted_rate: float) -> str | None:
    """The text that takes the place of the payload in a scripted task: half of them ERROR, half SUCCESS."""
    draw = uniform(seed, "script", task_id(seed, counter))
    if draw >= scripted_rate:
        return None
    return MESSAGE_ALWAYS_FAILS if draw < scripted_rate / 2 else MESSAGE_NEVER_FAILS


def to_json(value: Mapping[str, object] | str) -> str:
    """The one encoding of payloads: compact, non-ASCII characters as they are."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def request_body(identifier: str, payload_json: str) -> bytes:
    """The body of POST /tasks for a payload that is JSON already."""
    return f'{{"taskId":{json.dumps(identifier)},"payload":{payload_json}}}'.encode()


def _order(seed: int, counter: int) -> dict[str, object]:
    digest = hashlib.sha256(f"{seed}|payload|{counter}".encode()).digest()
    return {
        "n": counter,
        "order": f"o-{digest[:4].hex()}",
        "product": _PRODUCTS[digest[4] % len(_PRODUCTS)],
        "quantity": 1 + digest[5] % 12,
        "price": (1 + int.from_bytes(digest[6:8])) / 100,
        "currency": _CURRENCIES[digest[8] % len(_CURRENCIES)],
        "shipTo": {"country": _COUNTRIES[digest[9] % len(_COUNTRIES)], "express": digest[10] < 64},  # noqa: PLR2004  (a quarter of a byte's values)
        "tags": [tag for bit, tag in enumerate(_TAGS) if digest[11] >> bit & 1],
        "coupon": f"c{digest[12]:02x}" if digest[12] % 4 == 0 else None,
    }

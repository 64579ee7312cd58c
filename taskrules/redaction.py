"""Redaction: secrets and personal fields leave before anything is logged or archived. Pure.

Two rules: a field whose name is configured loses its value, at any depth; a text that looks like a secret loses that
part of it, wherever it stands.
"""

import json
import re
from collections.abc import Set as AbstractSet
from typing import Any

MASK = "[redacted]"
DEPTH_MAX = 100
"""Deeper values are masked as a whole: a bound for what strangers write straight to the queue."""

_SECRETS = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # AWS access key ids
    r"|\b[Bb]earer\s+[A-Za-z0-9._~+/=-]{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_DIGITS = re.compile(r"(?<![\d.])[2-6](?:[ -]?\d){12,18}(?![\d.])")  # card networks' first digits; spares epoch times
_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def redact(value: Any, fields: AbstractSet[str], depth: int = 0) -> Any:
    """The JSON value without secrets; ``fields`` are lower-case names."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, int) and not isinstance(value, bool) and redact_text(text := str(value)) != text:
        return MASK
    if not isinstance(value, dict | list):
        return value
    if depth >= DEPTH_MAX:
        return MASK
    if isinstance(value, list):
        return [redact(item, fields, depth + 1) for item in value]
    return {
        redact_text(key): MASK if key.lower() in fields else redact(item, fields, depth + 1)
        for key, item in value.items()
    }


def redact_text(text: str) -> str:
    """The text with everything masked that looks like a key, a bearer token, a private key or a card number."""
    text = _SECRETS.sub(MASK, text)
    return _DIGITS.sub(_masked_card, text)


def unescaped(body: str) -> str:
    """The shortest form of a JSON body: compact, without escapes for characters beyond ASCII."""
    return json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":"))


def redact_body(body: str, fields: AbstractSet[str]) -> tuple[str, bool]:
    """A message body without secrets, and whether anything was taken out.

    A body that is JSON is redacted by field and by look, any other by look alone. A body without secrets comes back
    as it was, a redacted one as compact JSON.
    """
    try:
        value = json.loads(body)
        redacted = redact(value, fields)
        text = json.dumps(redacted, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        text = redact_text(body)
        return text, text != body
    is_as_before = redacted is value or redacted == value  # NaN is not equal to itself
    return (body, False) if is_as_before else (text, True)


def _masked_card(match: re.Match[str]) -> str:
    """The mask, if the digits pass the check of ISO/IEC 7812 (Luhn); else the digits, which are then no card."""
    digits = [int(character) for character in match.group() if character.isdigit()]
    total = sum(_LUHN_DOUBLED[digit] if place % 2 else digit for place, digit in enumerate(reversed(digits)))
    return MASK if total % 10 == 0 else match.group()

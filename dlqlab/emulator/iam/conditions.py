"""Conditions of policies: true, false, or not to be told here. Pure.

Source: "IAM JSON policy elements: Condition operators", "Condition operators with multiple keys or values" and "Set
operators for multivalued context keys". What is not known here, an operator or a key, is never taken for true or
false: it is ``None``, and named by ``unknown``.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

Context = Mapping[str, str | None]
"""What is known of a request, by condition keys in lower case; ``None`` for a key that the request does not have."""

_SET_OPERATOR = re.compile(r"(ForAllValues|ForAnyValue):", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LITERALS = {"*": "[*]", "?": "[?]", "$": "$"}
"""Variables that stand for a character as such."""


class UnknownVariableError(Exception):
    """A policy variable whose value is not known here."""


def like(pattern: str, value: str) -> bool:
    """Whether the value matches a pattern with ``*`` (any text) and ``?`` (one character)."""
    return re.fullmatch(_expression(pattern), value, re.DOTALL) is not None


def arn_like(pattern: str, value: str) -> bool:
    """Whether an ARN matches: each of its six parts by itself, so that no wildcard reaches over a colon before it."""
    patterns, values = pattern.split(":", 5), value.split(":", 5)
    return len(patterns) == len(values) and all(like(*pair) for pair in zip(patterns, values, strict=True))


def resolved(text: str, context: Context) -> str:
    """The text with its policy variables replaced ("IAM policy elements: Variables and tags").

    Raises:
        UnknownVariableError: a variable is not known here.
    """

    def value(match: re.Match[str]) -> str:
        name, _, default = match[1].partition(",")
        if name in _LITERALS:
            return _LITERALS[name]
        found = context.get(name.strip().lower())
        if found is None and default:
            return default.strip().strip("'")
        if found is None:
            raise UnknownVariableError(match[0])
        return "".join(f"[{one}]" if one in "*?" else one for one in found)

    return _VARIABLE.sub(value, text)


def holds(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool | None:
    """Whether all conditions of a statement hold; None where that hangs on what is not known here."""
    found = [_one(operator, key, wanted, context) for operator, key, wanted in _flat(conditions)]
    if False in found:
        return False
    return None if None in found else True


def unknown(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> str:
    """The conditions that cannot be told, as ``Operator key``, by commas."""
    return ", ".join(
        f"{operator} {key}"
        for operator, key, wanted in _flat(conditions)
        if _one(operator, key, wanted, context) is None
    )


def _flat(conditions: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, list[str]]]:
    for operator, keys in conditions.items():
        for key, wanted in keys.items():
            values = wanted if isinstance(wanted, list) else [wanted]
            yield operator, key, [_text(value) for value in values]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _one(operator: str, key: str, wanted: list[str], context: Context) -> bool | None:
    """One condition; None where it cannot be told: keys of many values, such as dynamodb:LeadingKeys, never can."""
    name = operator.lower()
    if _SET_OPERATOR.match(operator) or key.lower() not in context:
        return None
    value = context[key.lower()]
    if name == "null":
        return ("true" if value is None else "false") in [one.lower() for one in wanted]
    operation = _OPERATORS.get(name.removesuffix("ifexists"))
    return _compared(*operation, name, wanted, value, context) if operation else None


def _compared(
    negated: bool,
    compare: "Compare",
    name: str,
    wanted: list[str],
    value: str | None,
    context: Context,
) -> bool | None:
    """A key that the request does not have fails a condition, but for the negated operators and ``IfExists``."""
    if value is None:
        return negated or name.endswith("ifexists")
    try:
        return any(compare(resolved(one, context), value) for one in wanted) is not negated
    except (UnknownVariableError, ValueError):
        return None


def _expression(pattern: str) -> str:
    tokens = re.findall(r"\[[*?]\]|.", pattern, re.DOTALL)
    return "".join({"*": ".*", "?": ".", "[*]": r"\*", "[?]": r"\?"}.get(token, re.escape(token)) for token in tokens)


def _plain(text: str) -> str:
    return text.replace("[*]", "*").replace("[?]", "?")


def _date(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


Compare = Callable[[str, str], bool]


def _ordered(read: Callable[[str], float], prefix: str) -> dict[str, tuple[bool, Compare]]:
    return {
        f"{prefix}equals": (False, lambda wanted, value: read(value) == read(wanted)),
        f"{prefix}notequals": (True, lambda wanted, value: read(value) == read(wanted)),
        f"{prefix}lessthan": (False, lambda wanted, value: read(value) < read(wanted)),
        f"{prefix}lessthanequals": (False, lambda wanted, value: read(value) <= read(wanted)),
        f"{prefix}greaterthan": (False, lambda wanted, value: read(value) > read(wanted)),
        f"{prefix}greaterthanequals": (False, lambda wanted, value: read(value) >= read(wanted)),
    }


_OPERATORS: Mapping[str, tuple[bool, Compare]] = {
    "stringequals": (False, lambda wanted, value: _plain(wanted) == value),
    "stringnotequals": (True, lambda wanted, value: _plain(wanted) == value),
    "stringequalsignorecase": (False, lambda wanted, value: _plain(wanted).lower() == value.lower()),
    "stringnotequalsignorecase": (True, lambda wanted, value: _plain(wanted).lower() == value.lower()),
    "stringlike": (False, like),
    "stringnotlike": (True, like),
    "arnequals": (False, arn_like),
    "arnlike": (False, arn_like),
    "arnnotequals": (True, arn_like),
    "arnnotlike": (True, arn_like),
    "bool": (False, lambda wanted, value: wanted.lower() == value.lower()),
    **_ordered(float, "numeric"),
    **_ordered(_date, "date"),
}
"""By the operator's name in lower case: whether it is negated, and how a wanted value is compared with what is."""

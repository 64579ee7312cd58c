"""The filters of a mapping: which records reach the function.

Sources: "Lambda event filtering" and "Using event filtering with an Amazon SQS event source" (AWS Lambda developer
guide), with its table of body formats: a pattern that lists rules for ``body`` is for plain text, one that names
properties of ``body`` is for JSON, and a message of the other format does not match. Only leaves of a record can be
matched, ``exists`` included; of an array any element may match.
"""

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from dlqlab.emulator.mappings.rules import PatternError, Test, test_of

Record = Mapping[str, Any]
Match = Callable[[Any, "_Root"], bool]
Path = tuple[str, ...]
_BODY = "body"
_MISSING = object()
_ALTERNATIVES_LEAST = 2


class _Root:
    """A record with its body read as JSON, once and when it is asked for."""

    def __init__(self, record: Record) -> None:
        self.record = record

    @functools.cached_property
    def body(self) -> Any:
        """``_MISSING`` where the body is plain text."""
        return _parsed(self.record[_BODY])

    def is_absent(self, path: Path) -> bool:
        """Whether the record has no leaf there."""
        start: Any = self.body if path[0] == _BODY and self.body is not _MISSING else self.record.get(path[0])
        return not any(True for _ in _leaves(start, path[1:]))


class Filter:
    """One filter."""

    def __init__(self, pattern: str) -> None:
        """Args:
        pattern: in JSON.

        Raises:
            PatternError: Lambda would not take it.
        """
        try:
            parsed = json.loads(pattern, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise PatternError("a pattern must be JSON") from error
        if not isinstance(parsed, dict):
            raise PatternError("a pattern must be a JSON object")
        self._match = _all_of(parsed, ())

    def matches(self, record: Record) -> bool:
        return self._match(record, _Root(record))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return _MISSING


def _leaves(value: Any, path: Path) -> Iterator[Any]:
    """The values at a path, through arrays; objects are not values."""
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item, path)
    elif isinstance(value, dict):
        if path and path[0] in value:
            yield from _leaves(value[path[0]], path[1:])
    elif not path:
        yield value


def _all_of(pattern: dict[str, Any], path: Path) -> Match:
    """Every property must match."""
    matches = [
        _any_of(value, path) if key == "$or" else _property(key, value, (*path, key)) for key, value in pattern.items()
    ]
    return lambda value, root: all(match(value, root) for match in matches)


def _any_of(alternatives: Any, path: Path) -> Match:
    if not isinstance(alternatives, list) or len(alternatives) < _ALTERNATIVES_LEAST:
        raise PatternError("$or must be an array of two objects or more")
    if not all(isinstance(one, dict) and one for one in alternatives):
        raise PatternError("$or must be an array of objects that are not empty")
    matches = [_all_of(one, path) for one in alternatives]
    return lambda value, root: any(match(value, root) for match in matches)


def _property(key: str, wanted: Any, path: Path) -> Match:
    if not wanted or not isinstance(wanted, dict | list):
        raise PatternError(f'"{key}" must be an object or an array, and not be empty')
    match = _through_arrays(_all_of(wanted, path)) if isinstance(wanted, dict) else _rules(wanted, path)
    if path == (_BODY,):
        return _for_body(match, is_json=isinstance(wanted, dict))
    return lambda value, root: match(_child(value, key), root)


def _for_body(match: Match, *, is_json: bool) -> Match:
    def matches(_value: Any, root: _Root) -> bool:
        if (root.body is not _MISSING) != is_json:
            return False
        return match(root.body if is_json else root.record[_BODY], root)

    return matches


def _child(value: Any, key: str) -> Any:
    return value.get(key, _MISSING) if isinstance(value, Mapping) else _MISSING


def _through_arrays(match: Match) -> Match:
    """Of an array of objects one element must match the whole of a nested pattern."""

    def matches(value: Any, root: _Root) -> bool:
        if isinstance(value, list) and value:
            return any(matches(item, root) for item in value)
        return match(value, root)

    return matches


def _rules(rules: list[Any], path: Path) -> Match:
    """Any of the rules must hold for any of the values."""
    tests: list[Test] = []
    may_be_absent = False
    for rule in rules:
        if isinstance(rule, dict) and rule.keys() == {"exists"}:
            if not isinstance(rule["exists"], bool):
                raise PatternError("exists must be true or false")
            may_be_absent = may_be_absent or not rule["exists"]
            if rule["exists"]:
                tests.append(lambda _value: True)
        else:
            tests.append(test_of(rule))

    def matches(value: Any, root: _Root) -> bool:
        if value is not _MISSING and any(test(leaf) for leaf in _leaves(value, ()) for test in tests):
            return True
        return may_be_absent and root.is_absent(path)

    return matches

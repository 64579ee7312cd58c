"""Bodies of messages from a template: ``{{key}}`` and fakes, each a pure function of the seed and the task's number.

A text is written so that it can stand between the quotes of a JSON string.
"""

import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence

from dlqlab.errors import UsageError
from dlqlab.load.tasks import task_id
from taskrules.draws import uniform

_FIELD = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_FIRST = ("Ada", "Chidi", "Elif", "Jürgen", "Mei", "Noor", "Olga", "Pablo", "Siân", "Tomás")
_LAST = ("Arslan", "Costa", "Fischer", "Kowalski", "Moreau", "Okafor", "Smith", "Tanaka", "Ivanova", "Yılmaz")
_WORDS = ("amber", "basin", "cobalt", "dune", "ember", "fjord", "grove", "harbour", "isle", "juniper")
_TEXT_MAX = 262_144
MEANINGS: Mapping[str, str] = {
    "{{key}}": "the task's key, unique for a seed",
    "{{n}}": "its number, counted from 0",
    "{{seed}}": "the seed",
    "{{int 1 12}}": "a whole number, both ends included",
    "{{float 1 9}}": "a number with two decimals",
    "{{choice a b c}}": "one of the words",
    "{{name}}": "a first name and a surname",
    "{{word}}": "a word",
    "{{uuid}}": "a UUID",
    "{{text 200}}": "so many letters",
    "{{row.COLUMN}}": "of the file of rows, which begins anew after its last",
}

type Row = Mapping[str, object]
type _Draw = Callable[[], float]


def render(template: str, *, seed: int, counter: int, rows: Sequence[Row] = (), draws_seed: int | None = None) -> str:
    """The body of the task with this number.

    Args:
        template: with its fields.
        seed: of the key, and of all that is drawn unless ``draws_seed`` is given.
        counter: the task's number.
        rows: of the file that the template may use.
        draws_seed: what is drawn by it is as in the load of that seed, under another key.

    Raises:
        UsageError: a field of the template is unknown or lacks its arguments.
    """
    place, drawn = -1, task_id(seed if draws_seed is None else draws_seed, counter)
    by = seed if draws_seed is None else draws_seed

    def fill(match: re.Match[str]) -> str:
        nonlocal place
        place += 1
        word, *arguments = match[1].split()
        value = _value(word, arguments, seed, counter, lambda: uniform(by, f"template-{place}", drawn), rows)
        return json.dumps(value, ensure_ascii=False)[1:-1] if isinstance(value, str) else json.dumps(value)

    return _FIELD.sub(fill, template)


def fields(template: str) -> list[str]:
    """What stands between the braces, in order."""
    return _FIELD.findall(template)


def _value(word: str, arguments: Sequence[str], seed: int, counter: int, draw: _Draw, rows: Sequence[Row]) -> object:
    if word.startswith("row."):
        return _of_row(word.removeprefix("row."), counter, rows)
    match word, arguments:
        case "key", []:
            return task_id(seed, counter)
        case "n", []:
            return counter
        case "seed", []:
            return seed
        case _ if word in _FAKES:
            try:
                return _FAKES[word](arguments, draw)
            except (ValueError, IndexError) as error:
                given = " ".join([word, *arguments])
                raise UsageError(
                    f"entry.body: {{{{{given}}}}}: {_REMEDIES.get(word, 'it takes no arguments')}"
                ) from error
    known = ", ".join(["key", "n", "seed", *_FAKES, "row.COLUMN"])
    raise UsageError(f"entry.body: {{{{{word}}}}} is not known: give one of {known}")


def _of_row(column: str, counter: int, rows: Sequence[Row]) -> object:
    if not rows:
        raise UsageError(f"entry.body: {{{{row.{column}}}}} is given and entry.rows is not: name a CSV or JSONL file")
    row = rows[counter % len(rows)]
    if column not in row:
        raise UsageError(f"entry.body: {{{{row.{column}}}}}: the file of rows has the columns {', '.join(row)}")
    return row[column]


def _whole(arguments: Sequence[str], draw: _Draw) -> int:
    low, high = map(int, arguments)
    return low + int(draw() * (high - low + 1))


def _real(arguments: Sequence[str], draw: _Draw) -> float:
    low, high = map(float, arguments)
    return round(low + draw() * (high - low), 2)


def _one_of(words: Sequence[str], draw: _Draw) -> str:
    return words[int(draw() * len(words))]


def _name(arguments: Sequence[str], draw: _Draw) -> str:
    _none(arguments)
    at = int(draw() * len(_FIRST) * len(_LAST))
    return f"{_FIRST[at % len(_FIRST)]} {_LAST[at // len(_FIRST)]}"


def _word(arguments: Sequence[str], draw: _Draw) -> str:
    _none(arguments)
    return _one_of(_WORDS, draw)


def _uuid(arguments: Sequence[str], draw: _Draw) -> str:
    _none(arguments)
    return str(uuid.uuid5(uuid.NAMESPACE_OID, repr(draw())))


def _text(arguments: Sequence[str], draw: _Draw) -> str:
    (length,) = map(int, arguments)
    if not 0 <= length <= _TEXT_MAX:
        raise ValueError(length)
    start = int(draw() * len(_WORDS))
    return (" ".join([*_WORDS[start:], *_WORDS]) * (1 + length // 40))[:length]


def _none(arguments: Sequence[str]) -> None:
    if arguments:
        raise ValueError(arguments)


_FAKES: Mapping[str, Callable[[Sequence[str], _Draw], object]] = {
    "int": _whole,
    "float": _real,
    "choice": _one_of,
    "name": _name,
    "word": _word,
    "uuid": _uuid,
    "text": _text,
}
_REMEDIES = {
    "int": "give two whole numbers, such as {{int 1 12}}",
    "float": "give two numbers, such as {{float 1 9}}",
    "choice": "give the words, such as {{choice a b}}",
    "text": f"give a length of 0 to {_TEXT_MAX}, such as {{{{text 200}}}}",
}

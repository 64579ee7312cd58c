"""From the text of a query to its commands."""

import functools
import re
from pathlib import Path
from typing import Any, NoReturn

from lark import Lark, Token, v_args
from lark.exceptions import UnexpectedInput, UnexpectedToken, VisitError
from lark.tree import Meta
from lark.visitors import Transformer_NonRecursive

from dlqlab.insights import syntax
from dlqlab.insights.errors import MalformedQueryError
from dlqlab.insights.syntax import Command, Field, Item, Literal, Node, Pattern
from dlqlab.insights.times import UNIT_PATTERN, Period
from dlqlab.insights.values import number

_ELSEWHERE = frozenset(
    {
        *("addtotals", "anomaly", "diff", "estimate", "expand", "filterindex", "head", "join", "lookup", "order"),
        *("pattern", "relevantfields", "search", "source", "tail", "unmask", "unnest"),
    }
)
"""Commands that AWS has, or had, and that are not known here."""
_STAR = "*"
_DIGITS_MAX = 9
"""Of a limit; more is too much anyway."""
_SYMBOL = re.compile(r"\w+|\S")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\"}
_UNESCAPE = re.compile(r"\\(.)", re.DOTALL)


def parse(query: str) -> tuple[Command, ...]:
    """The commands of a query.

    Raises:
        MalformedQueryError: it is not a query, with AWS's words for where it is not.
    """
    try:
        built: tuple[Command, ...] = _Builder(query).transform(_parser().parse(query))
    except UnexpectedInput as error:
        _refuse(query, error)
    except VisitError as error:
        if isinstance(error.orig_exc, MalformedQueryError):
            raise error.orig_exc from None
        raise
    return built


def _refuse(query: str, error: UnexpectedInput) -> NoReturn:
    place = error.pos_in_stream
    if place is None or place < 0 or (isinstance(error, UnexpectedToken) and error.token.type == "$END"):
        place = len(query.rstrip())
    symbol = _SYMBOL.match(query, place)
    word = symbol[0] if symbol else "<EOF>"
    before = query[:place]
    line, column = before.count("\n") + 1, place - (before.rfind("\n") + 1)
    message = f"unexpected symbol found {word} at line {line} and position {column}"
    if word.lower() in _ELSEWHERE and _begins_a_command(before):
        message += f": the command {word} of CloudWatch is not supported here"
    raise MalformedQueryError(message, place, place + (len(word) if symbol else 0))


def _begins_a_command(before: str) -> bool:
    said = re.sub(r"#[^\n]*", "", before).rstrip()
    return not said or said.endswith("|")


@functools.cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar.replace("__UNITS__", UNIT_PATTERN), parser="lalr", propagate_positions=True)


@v_args(meta=True)
class _Builder(Transformer_NonRecursive[Token, Any]):
    """Makes nodes of the parser's rules. A method has the name of the rule that it builds."""

    def __init__(self, query: str) -> None:
        super().__init__()
        self._query = query

    def start(self, _meta: Meta, parts: list[Command]) -> tuple[Command, ...]:
        return tuple(parts)

    def fields(self, _meta: Meta, parts: list[Item]) -> syntax.Fields:
        return syntax.Fields(tuple(parts))

    def display(self, _meta: Meta, parts: list[Item]) -> syntax.Display:
        return syntax.Display(tuple(parts))

    def filter(self, _meta: Meta, parts: list[Node]) -> syntax.Filter:
        return syntax.Filter(parts[0])

    def parse(self, meta: Meta, parts: list[Any]) -> syntax.Parse:
        names: tuple[Field, ...] = parts.pop() if isinstance(parts[-1], tuple) else ()
        pattern = parts.pop()
        source = parts[0] if parts else Field("@message", meta.start_pos, meta.end_pos)
        return syntax.Parse(source, pattern, names)

    def names(self, _meta: Meta, parts: list[Field]) -> tuple[Field, ...]:
        return tuple(parts)

    def stats(self, meta: Meta, parts: list[Any]) -> syntax.Stats:
        keys: tuple[Item, ...] = parts.pop() if isinstance(parts[-1], tuple) else ()
        return syntax.Stats(tuple(parts), keys, meta.start_pos, meta.end_pos)

    def keys(self, _meta: Meta, parts: list[Item]) -> tuple[Item, ...]:
        return tuple(parts)

    def sort(self, meta: Meta, parts: list[syntax.SortKey]) -> syntax.Sort:
        return syntax.Sort(tuple(parts), meta.start_pos, meta.end_pos)

    def sort_key(self, _meta: Meta, parts: list[Any]) -> syntax.SortKey:
        return syntax.SortKey(parts[0], descending=len(parts) > 1 and parts[1].type == "DESC")

    def limit(self, meta: Meta, parts: list[Token]) -> syntax.Limit:
        if not parts[0].isdecimal():
            raise MalformedQueryError(f"limit {parts[0]} is not a whole number", meta.start_pos, meta.end_pos)
        return syntax.Limit(int(parts[0][:_DIGITS_MAX]), meta.start_pos, meta.end_pos)

    def dedup(self, _meta: Meta, parts: list[Field]) -> syntax.Dedup:
        return syntax.Dedup(tuple(parts))

    def item(self, _meta: Meta, parts: list[Any]) -> Item:
        node, text = parts[0]
        return Item(node, parts[1] if len(parts) > 1 else None, text)

    def alias(self, _meta: Meta, parts: list[Field]) -> Field:
        return parts[0]

    def spanned(self, meta: Meta, parts: list[Node]) -> tuple[Node, str]:
        return parts[0], self._query[meta.start_pos : meta.end_pos]

    def some(self, _meta: Meta, parts: list[Node]) -> syntax.Some:
        return syntax.Some(tuple(parts))

    def every(self, _meta: Meta, parts: list[Node]) -> syntax.Every:
        return syntax.Every(tuple(parts))

    def negation(self, _meta: Meta, parts: list[Node]) -> syntax.Negation:
        return syntax.Negation(parts[0])

    def comparison(self, _meta: Meta, parts: list[Any]) -> syntax.Comparison:
        return syntax.Comparison(str(parts[1]), parts[0], parts[2])

    def like(self, _meta: Meta, parts: list[Any]) -> syntax.Like:
        return syntax.Like(parts[0], parts[1], negated=False)

    def not_like(self, _meta: Meta, parts: list[Any]) -> syntax.Like:
        return syntax.Like(parts[0], parts[1], negated=True)

    def among(self, _meta: Meta, parts: list[Node]) -> syntax.Membership:
        return syntax.Membership(parts[0], tuple(parts[1:]), negated=False)

    def not_among(self, _meta: Meta, parts: list[Node]) -> syntax.Membership:
        return syntax.Membership(parts[0], tuple(parts[1:]), negated=True)

    def chain(self, _meta: Meta, parts: list[Any]) -> syntax.Chain:
        pairs = zip(parts[1::2], parts[2::2], strict=True)
        return syntax.Chain(parts[0], tuple((str(operator), operand) for operator, operand in pairs))

    def power(self, _meta: Meta, parts: list[Node]) -> syntax.Chain:
        return syntax.Chain(parts[0], (("^", parts[1]),))

    def negative(self, _meta: Meta, parts: list[Node]) -> syntax.Negative:
        return syntax.Negative(parts[0])

    def call(self, meta: Meta, parts: list[Any]) -> syntax.Call:
        arguments = parts[1] if len(parts) > 1 else ()
        star = arguments == (_STAR,)
        return syntax.Call(str(parts[0]), () if star else arguments, star, meta.start_pos, meta.end_pos)

    def arguments(self, _meta: Meta, parts: list[Any]) -> tuple[Any, ...]:
        return (_STAR,) if isinstance(parts[0], Token) else tuple(parts)

    def literal(self, meta: Meta, parts: list[Token]) -> Literal:
        return Literal(_value(parts[0], meta), meta.start_pos, meta.end_pos)

    def field(self, meta: Meta, parts: list[Token]) -> Field:
        name = re.sub(r"\[(\d+)\]", r".\1", parts[0].replace("`", ""))
        return Field(name, meta.start_pos, meta.end_pos)

    def text(self, meta: Meta, parts: list[Token]) -> Pattern:
        return Pattern(_unquoted(parts[0]), is_regex=False, start=meta.start_pos, end=meta.end_pos)

    def regex(self, meta: Meta, parts: list[Token]) -> Pattern:
        return Pattern(parts[0][1:-1], is_regex=True, start=meta.start_pos, end=meta.end_pos)


def _value(token: Token, meta: Meta) -> str | float | bool | Period:
    match token.type:
        case "STRING":
            return _unquoted(token)
        case "PERIOD":
            try:
                return Period.parse(token)
            except ValueError as error:
                raise MalformedQueryError(str(error), meta.start_pos, meta.end_pos) from None
        case "NUMBER":
            found = number(str(token))
            if found is None:
                raise MalformedQueryError(f"{token} is too large a number", meta.start_pos, meta.end_pos)
            return found
        case _:
            return token.type == "TRUE"


def _unquoted(token: str) -> str:
    """A text without its quotes; a backslash before anything that it does not change stays."""
    return _UNESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[0]), token[1:-1])

"""The tokens of a statement."""

import re
from dataclasses import dataclass

from dlqlab.emulator.dynamodb.unsupported import InvalidError

NOT_WELL_FORMED = "Statement wasn't well formed, can't be processed: "
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<comment>--[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)
    |(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<word>[A-Za-z_$][A-Za-z0-9_$]*)
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<string>'(?:[^']|'')*')
    |(?P<parameter>\?)
    |(?P<sign><<|>>|<>|!=|<=|>=|[=<>()\[\]{},.:;*+-])
    )""",
    re.VERBOSE,
)
_WORDS = """
absolute action add all allocate alter and any are as asc assertion at authorization avg begin between bit
bit_length both by cascade cascaded case cast catalog char character character_length char_length check close
coalesce collate collation column commit connect connection constraint constraints continue convert
corresponding count create cross current current_date current_time current_timestamp current_user cursor date
deallocate dec decimal declare default deferrable deferred delete desc describe descriptor diagnostics
disconnect distinct domain double drop else end end-exec escape except exception exec execute exists external
extract false fetch first float for foreign found from full get global go goto grant group having identity
immediate in indicator initially inner input insensitive insert int integer intersect interval into is
isolation join key language last leading left level like local lower match max min missing module names
national natural nchar next no not null nullif numeric octet_length of on only open option or order outer
output overlaps pad partial position precision prepare preserve primary prior privileges procedure public read
real references relative restrict revoke right rollback rows schema scroll section select session session_user
set size smallint some space sql sqlcode sqlerror sqlstate substring sum system_user table temporary then time
timestamp to trailing transaction translate translation trim true union unique unknown update upper usage user
using value values varchar varying view when whenever where with work write zone remove returning limit offset
pivot unpivot let tuple
"""
KEYWORDS = frozenset(_WORDS.split())
"""Reserved words: those of SQL-92, which are PartiQL's too, and PartiQL's own that statements here have."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token: word, quoted, string, number, parameter, sign or end; quoted ones without their quotes."""

    kind: str
    text: str

    @property
    def keyword(self) -> str:
        """The keyword in capitals; empty for all else."""
        return self.text.upper() if self.kind == "word" and self.text.lower() in KEYWORDS else ""


END = Token("end", "")


def malformed(detail: str = "") -> InvalidError:
    """That a statement cannot be read."""
    return InvalidError(NOT_WELL_FORMED + detail)


def tokens_of(text: str) -> list[Token]:
    """The statement's tokens, with END after them.

    Raises:
        InvalidError: something that is not a token.
    """
    found = []
    place, text = 0, text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if not match or not match.lastgroup:
            raise malformed()
        kind, held = match.lastgroup, match[match.lastgroup]
        place = match.end()
        if kind in {"quoted", "string"}:
            held = held[1:-1].replace(held[0] * 2, held[0])
        if kind != "comment":
            found.append(Token(kind, held))
    return [*found, END]

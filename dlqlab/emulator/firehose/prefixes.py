"""Names of the objects that Firehose writes. Pure.

Sources: "Understand custom prefixes for Amazon S3 objects" and "Configure Amazon S3 object name format" (Amazon Data
Firehose developer guide): expressions ``!{timestamp:...}`` by the arrival of the oldest record, ``!{firehose:...}``;
a prefix without a timestamp gets ``yyyy/MM/dd/HH/`` after it.
"""

import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

FAILED = "processing-failed"
_EXPRESSION = re.compile(r"!\{([^:{}]*):([^{}]*)\}")
_DEFAULT = "!{timestamp:yyyy/MM/dd/HH/}"
_ERROR_TYPE = "!{firehose:error-output-type}"
_NAMES = frozenset({"error-output-type", "random-string"})
_FORMATS = {
    "yyyy": "%Y", "uuuu": "%Y", "YYYY": "%G", "yy": "%y", "MM": "%m", "dd": "%d", "DDD": "%j", "HH": "%H", "hh": "%I",
    "mm": "%M", "ss": "%S", "MMM": "%b", "MMMM": "%B", "EEE": "%a", "EEEE": "%A",
}  # fmt: skip
"""Of Java's DateTimeFormatter, as ``strftime`` has them; others are refused."""
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']")
_RANDOM_BYTES = 6


class PrefixError(ValueError):
    """A prefix is not one that Firehose takes, or that is served here."""


def check(prefix: str, error_prefix: str | None, *, member: str = "Prefix") -> None:
    """Refuse what Firehose refuses of the two prefixes.

    Raises:
        PrefixError: names the member and what is wrong.
    """
    names = _checked(prefix, member)
    if "error-output-type" in names:
        raise PrefixError(f"{member} cannot contain {_ERROR_TYPE}: only ErrorOutputPrefix can.")
    if names and not error_prefix:
        raise PrefixError(f"ErrorOutputPrefix cannot be null when {member} contains expressions.")
    found = _checked(error_prefix or "", "ErrorOutputPrefix")
    if found and "error-output-type" not in found:
        raise PrefixError(f"ErrorOutputPrefix contains expressions: one of them must be {_ERROR_TYPE}.")


def _checked(prefix: str, member: str) -> list[str]:
    """What each expression of a prefix is of: ``timestamp``, or the name of a value of Firehose."""
    found = []
    for namespace, value in _EXPRESSION.findall(prefix):
        if namespace == "timestamp":
            _format(value, member)
            found.append(namespace)
        elif namespace == "firehose" and value in _NAMES:
            found.append(value)
        else:
            raise PrefixError(f"{member} has !{{{namespace}:{value}}}, which is no expression that is served here.")
    if "!{" in _EXPRESSION.sub("", prefix):
        raise PrefixError(f"{member} has a sequence !{{ that begins no expression !{{namespace:value}}.")
    return found


def _format(pattern: str, member: str) -> str:
    """A pattern of Java's as one of ``strftime``."""
    made, place = "", 0
    while place < len(pattern):
        token = _TOKEN.match(pattern, place)
        if token is None:
            raise PrefixError(f"{member} has the timestamp {pattern}, whose quote does not end.")
        letters = token[0]
        if token[1] is not None:
            made += (token[1].replace("''", "'") or "'").replace("%", "%%")
        elif token[2] is None:
            made += letters.replace("%", "%%")
        elif letters in _FORMATS:
            made += _FORMATS[letters]
        else:
            raise PrefixError(f"{member} has {letters} in a timestamp: give {', '.join(sorted(_FORMATS))}.")
        place = token.end()
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """What the name of an object is made of; ``ts`` is when the oldest of its records arrived."""

    stream: str
    version: int
    ts: float
    zone: str = "UTC"

    def key(self, prefix: str, extension: str = "") -> str:
        """Of an object of records; the extension has its dot."""
        has_time = any(namespace == "timestamp" for namespace, _ in _EXPRESSION.findall(prefix))
        return self._evaluated(prefix if has_time else prefix + _DEFAULT) + self._suffix() + extension

    def error_key(self, prefix: str, error_prefix: str | None) -> str:
        """Of an object of records that were not transformed."""
        given = error_prefix or prefix
        if not _EXPRESSION.search(given):
            given += f"{_ERROR_TYPE}/{_DEFAULT}"
        return self._evaluated(given) + self._suffix()

    @property
    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self.ts, zone_of(self.zone))

    def _evaluated(self, prefix: str) -> str:
        def value(found: re.Match[str]) -> str:
            if found[1] == "timestamp":
                return self._moment.strftime(_format(found[2], "a prefix"))
            return FAILED if found[2] == "error-output-type" else secrets.token_hex(_RANDOM_BYTES)[:11]

        return _EXPRESSION.sub(value, prefix)

    def _suffix(self) -> str:
        return f"{self.stream}-{self.version}-{self._moment:%Y-%m-%d-%H-%M-%S}-{uuid.uuid4()}"


def zone_of(name: str) -> tzinfo:
    """Raises:
    PrefixError: there is no time zone of that name.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise PrefixError(f"CustomTimeZone is {name}: give a time zone such as Europe/Zurich.") from error

"""What the kinds of pattern share: their interface and their error."""

from abc import ABC, abstractmethod
from collections.abc import Mapping


class FilterPatternError(ValueError):
    """A pattern that breaks the syntax; ``characters`` are those that a term may not have, where that is why."""

    def __init__(self, detail: str, *, characters: str = "") -> None:
        super().__init__(detail)
        self.characters = characters

    def worded(self, general: str) -> str:
        """The error's text as AWS words it.

        Args:
            general: what the operation says of any other mistake, such as ``Invalid filter pattern``.
        """
        return f"Invalid character(s) in term '{self.characters}'" if self.characters else f"{general}: {self}"


def bad_characters(characters: str) -> FilterPatternError:
    return FilterPatternError(f"put terms with {characters!r} into double quotes", characters=characters)


class Match(ABC):
    """What a pattern found in a line that it matches."""

    @abstractmethod
    def extracted(self) -> dict[str, str]:
        """The values by their names in the pattern, as TestMetricFilter shows them."""

    @abstractmethod
    def value(self, reference: str) -> str | float | None:
        """What ``$.name`` or ``$name`` of a metric filter stands for; None where the line has no such value."""


class Pattern(ABC):
    """A compiled pattern."""

    regexes: int = 0
    """How many regular expressions it has, which AWS limits for each log group."""

    @abstractmethod
    def match(self, line: str) -> Match | None:
        """What it found; None where the line does not match."""

    @abstractmethod
    def has_values(self, reference: str) -> bool:
        """Whether lines that match can have a value of this name."""


class Texts(Match):
    """Values by name."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def extracted(self) -> dict[str, str]:
        return dict(self._values)

    def value(self, reference: str) -> str | None:
        return self._values.get(reference)

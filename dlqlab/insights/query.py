"""A whole query: its commands in order, from lines to rows.

What is done line by line is done as the lines come by. Where an order matters, only as many records are kept as can be
part of the answer: at most 10,000, or one for each value of ``dedup`` or group of ``stats``.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from dlqlab.insights import syntax
from dlqlab.insights.errors import MalformedQueryError
from dlqlab.insights.expressions import Compiler, Scope
from dlqlab.insights.grouping import compile_stats
from dlqlab.insights.lines import Getter, LogLine, Record
from dlqlab.insights.ordering import Order, deduplicated, top
from dlqlab.insights.patterns import extractor, group_names
from dlqlab.insights.syntax import Field, Item
from dlqlab.insights.values import Value, text

LIMIT_MAX = 10_000
"""Rows of an answer at most, and where a query says nothing (AWS, page "limit")."""
STATS_MAX = 2
PAUSE_LINES = 64
_DEFAULT = tuple(Item(Field(name, 0, 0), None, name) for name in ("@timestamp", "@message"))

type Step = Callable[[Iterable[Record]], Iterable[Record]]
type Change = Callable[[Record], bool]
"""Looks at a record, may add fields to it; whether the record stays."""


class QueryStopped(Exception):  # noqa: N818  (not an error: somebody wanted it)
    """The query was stopped before its end."""


@dataclass(slots=True)
class Statistics:
    """What a query has looked at so far (GetQueryResults)."""

    records_scanned: int = 0
    records_matched: int = 0
    """Lines that the filters before the first ``stats``, ``limit`` or ``dedup`` let through."""
    bytes_scanned: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """The rows, each a text by the name of its column; a row lacks the columns for which it has no value."""

    columns: tuple[str, ...]
    rows: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Query:
    """A query that can be answered."""

    text: str
    steps: tuple[Step, ...]
    changes: tuple[Change, ...]
    """What is done to each line before the first step."""
    columns: dict[str, Getter]

    def run(self, lines: Iterable[LogLine], statistics: Statistics, pause: Callable[[], None] = lambda: None) -> Result:
        """The answer over lines in the order in which they were written.

        Args:
            lines: those of the time range that is asked about.
            statistics: counted up while the query runs.
            pause: called before the first and after every 64 lines; what it raises ends the query.
        """
        records: Iterable[Record] = self._matched(lines, statistics, pause)
        for step in self.steps:
            records = step(records)
        rows = [self._row(record) for record in records]
        return Result(tuple(self.columns), rows)

    def _matched(self, lines: Iterable[LogLine], statistics: Statistics, pause: Callable[[], None]) -> Iterator[Record]:
        changes = self.changes
        for number, line in enumerate(lines):
            if not number % PAUSE_LINES:
                pause()
            statistics.records_scanned += 1
            message = line.message
            statistics.bytes_scanned += (
                len(message) if message.isascii() else len(message.encode("utf-8", "surrogatepass"))
            )
            record = Record(line, number)
            for change in changes:
                if not change(record):
                    break
            else:
                statistics.records_matched += 1
                yield record

    def _row(self, record: Record) -> dict[str, str]:
        shown = ((name, text(get(record))) for name, get in self.columns.items())
        return {name: said for name, said in shown if said is not None}


def compile_query(query: str, *, now_s: float, limit: int | None = None) -> Query:
    """Read and check a query.

    Args:
        query: its text.
        now_s: what ``now()`` is, seconds since the epoch.
        limit: rows at most, as StartQuery takes it: a ``limit`` behind the query.

    Raises:
        MalformedQueryError: it cannot be answered as it stands.
    """
    from dlqlab.insights.parser import parse  # noqa: PLC0415  (its parser takes longer to import than all the rest)

    plan = _Plan(now_s)
    commands = parse(query)
    _check_stats(commands)
    for command in commands:
        plan.add(command)
    return plan.finish(query, min(limit or LIMIT_MAX, LIMIT_MAX))


@dataclass(slots=True)
class _Plan:
    """The commands that were read so far."""

    now_s: float
    scope: Scope = field(default_factory=Scope)
    order: Order = field(default_factory=Order)
    steps: list[Step] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    first_changes: tuple[Change, ...] | None = None
    chosen: dict[str, Getter] = field(default_factory=dict)
    """What ``fields`` shows, and what ``parse`` made."""
    parsed: dict[str, Getter] = field(default_factory=dict)
    displayed: dict[str, Getter] | None = None

    def add(self, command: syntax.Command) -> None:
        compiler = Compiler(self.scope, self.now_s)
        match command:
            case syntax.Fields(items):
                self.chosen |= self._shown(items, compiler)
            case syntax.Display(items):
                self.displayed = self._shown(items, compiler)
            case syntax.Filter(condition):
                self.changes.append(compiler.test(condition))
            case syntax.Parse():
                self._parse(command)
            case syntax.Stats():
                self._stats(command)
            case syntax.Sort(keys):
                self.order = self.order.by([(self.scope.getter(key.field), key.descending) for key in keys])
            case syntax.Limit(count, start, end):
                if not 1 <= count <= LIMIT_MAX:
                    raise MalformedQueryError(f"limit {count}: give 1 to {LIMIT_MAX}", start, end)
                self._step(top(self.order, count))
            case syntax.Dedup(fields):
                self._step(deduplicated(self.order, [self.scope.getter(one) for one in fields], LIMIT_MAX))

    def finish(self, query: str, limit: int) -> Query:
        self._step(top(self.order, limit))
        assert self.first_changes is not None
        return Query(query, tuple(self.steps), self.first_changes, self._columns())

    def _columns(self) -> dict[str, Getter]:
        columns = self.displayed if self.displayed is not None else self.chosen
        if self.displayed is None and not columns and self.scope.lines:
            columns = {item.name: self.scope.getter(item.node) for item in _DEFAULT if isinstance(item.node, Field)}
        if self.displayed is None:
            columns = columns | self.parsed
        if self.scope.lines:
            columns = columns | {"@ptr": Scope().getter(Field("@ptr", 0, 0))}
        return columns

    def _shown(self, items: tuple[Item, ...], compiler: Compiler) -> dict[str, Getter]:
        """Columns of the items. What has a name of its own is calculated here, once, for later commands."""
        columns: dict[str, Getter] = {}
        for item in items:
            get = compiler.value(item.node)
            if item.alias:
                if item.name in self.chosen:
                    raise MalformedQueryError(f"field {item.name} is already defined", item.alias.start, item.alias.end)
                self.scope.define(item.alias)
                self.changes.append(_make(item.name, get))
                get = self.scope.getter(item.alias)
            columns[item.name] = get
        return columns

    def _parse(self, command: syntax.Parse) -> None:
        get = self.scope.getter(command.source)
        names = [one.name for one in command.names]
        if not names and command.pattern.is_regex:
            names = group_names(command.pattern)
        if not names:
            raise MalformedQueryError(
                "parse names no field: give names after as, or named groups (?<name>...)",
                command.pattern.start,
                command.pattern.end,
            )
        extract = extractor(command.pattern, len(names))
        for name in names:
            made = Field(name, command.pattern.start, command.pattern.end)
            self.scope.define(made)
            self.parsed[name] = self.scope.getter(made)

        def change(record: Record) -> bool:
            said = text(get(record))
            found = None if said is None else extract(said)
            if found is not None:
                record.made.update(zip(names, found, strict=True))
            return True

        self.changes.append(change)

    def _stats(self, command: syntax.Stats) -> None:
        step, names = compile_stats(command, self.scope, self.now_s)
        self._step(step)
        self.scope = Scope(lines=False, made=names)
        self.order = Order(newest_first=False)
        self.chosen = {name: self.scope.getter(Field(name, 0, 0)) for name in names}
        self.parsed, self.displayed = {}, None

    def _step(self, step: Step) -> None:
        """What is done record by record comes first, then the step, which needs all of them."""
        changes = tuple(self.changes)
        if self.first_changes is None:
            self.first_changes = changes
        elif changes:
            self.steps.append(lambda records: (record for record in records if all(one(record) for one in changes)))
        self.steps.append(step)
        self.changes = []


def _make(name: str, get: Getter) -> Change:
    def change(record: Record) -> bool:
        value: Value = get(record)
        record.made[name] = value
        return True

    return change


def _check_stats(commands: tuple[syntax.Command, ...]) -> None:
    """At most two ``stats``, and no ``sort`` or ``limit`` before the second (AWS, page "stats")."""
    places = [place for place, command in enumerate(commands) if isinstance(command, syntax.Stats)]
    if len(places) > STATS_MAX:
        third = commands[places[STATS_MAX]]
        assert isinstance(third, syntax.Stats)
        raise MalformedQueryError(f"a query has at most {STATS_MAX} stats commands", third.start, third.end)
    if len(places) == STATS_MAX:
        for command in commands[: places[1]]:
            if isinstance(command, syntax.Sort | syntax.Limit):
                raise MalformedQueryError(
                    "sort and limit must stand after the second stats command", command.start, command.end
                )

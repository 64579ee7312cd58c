"""The command ``stats``: records in groups, and figures of each group."""

from collections.abc import Callable, Iterable

from dlqlab.insights import syntax
from dlqlab.insights.aggregates import NAMES, Aggregate, Maker, aggregate
from dlqlab.insights.expressions import Compiler, Scope
from dlqlab.insights.lines import Getter, Record
from dlqlab.insights.syntax import Call
from dlqlab.insights.values import Value, sort_key, text


def compile_stats(
    command: syntax.Stats, scope: Scope, now_s: float
) -> tuple[Callable[[Iterable[Record]], Iterable[Record]], list[str]]:
    """The step that makes rows of records, and the names of their columns: the groups' keys, then the figures.

    Rows come in the order of their keys. Without records there is no row.

    Raises:
        MalformedQueryError: a figure names a field without an aggregation, or an expression makes no sense.
    """
    before = Compiler(scope, now_s)
    keys = [(item.name, before.value(item.node)) for item in command.keys]
    figures = _Figures(before, Scope(lines=False, made=[name for name, _get in keys]), now_s)
    items: list[tuple[str, Getter]] = []
    for item in command.items:
        items.append((item.name, figures.value(item.node)))
        if item.alias:
            figures.scope.define(item.alias)
        else:
            figures.scope.made[item.name] = None
    makers = figures.makers

    def step(records: Iterable[Record]) -> Iterable[Record]:
        groups: dict[tuple[str | None, ...], tuple[list[Value], list[Aggregate]]] = {}
        for record in records:
            values = [get(record) for _name, get in keys]
            group = tuple(map(text, values))
            known = groups.get(group)
            if known is None:
                known = groups[group] = values, [make() for make in makers]
            for one in known[1]:
                one.add(record)
        ranked = sorted(groups.values(), key=lambda group: tuple(map(sort_key, group[0])))
        return (_row(number, keys, values, found, items) for number, (values, found) in enumerate(ranked))

    return step, [name for name, _get in (*keys, *items)]


class _Figures(Compiler):
    """Makes functions of figures: an aggregation is looked up in its group's row, by the number it has among all."""

    def __init__(self, before: Compiler, scope: Scope, now_s: float) -> None:
        super().__init__(scope, now_s)
        self._before = before
        self.makers: list[Maker] = []

    def call(self, node: Call) -> Getter:
        if node.name.lower() not in NAMES:
            return super().call(node)
        slot = _slot(len(self.makers))
        self.makers.append(aggregate(node, self._before))
        return lambda record: record.made.get(slot)


def _slot(number: int) -> str:
    """Where an aggregation's result lies in its row: no field has such a name."""
    return f"\n{number}"


def _row(
    number: int,
    keys: list[tuple[str, Getter]],
    values: list[Value],
    found: list[Aggregate],
    items: list[tuple[str, Getter]],
) -> Record:
    row = Record(None, number)
    row.made.update(zip((name for name, _get in keys), values, strict=True))
    row.made.update((_slot(place), one.result()) for place, one in enumerate(found))
    for name, get in items:
        row.made[name] = get(row)
    return row

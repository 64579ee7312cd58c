"""Statements from their text, with the parameters of the request."""

from collections.abc import Sequence

from dlqlab.emulator.dynamodb.grammar import Path
from dlqlab.emulator.dynamodb.operations.partiql import syntax
from dlqlab.emulator.dynamodb.operations.partiql.terms import Terms
from dlqlab.emulator.dynamodb.operations.partiql.text import malformed
from dlqlab.emulator.dynamodb.unsupported import InvalidError
from dlqlab.emulator.dynamodb.values import Value

_LEFT_OVER = "Unexpected token after expression"
_ALIAS = "Aliasing is not supported"
_TYPES = {
    "MISSING": "MISSING",
    "NULL": "NULL",
    "BOOLEAN": "BOOL",
    "BOOL": "BOOL",
    "BLOB": "B",
    "STRING": "S",
    "NUMERIC": "N",
    "STRUCT": "M",
    "TUPLE": "M",
    "LIST": "L",
}
_PREDICATES = frozenset({"begins_with", "contains", "attribute_type", "attribute_exists", "attribute_not_exists"})


def parse(text: str, parameters: Sequence[Value]) -> syntax.Statement:
    """The statement.

    Raises:
        InvalidError: it is not one that DynamoDB, or the emulator, knows.
    """
    parser = _Parser(text, parameters)
    statement = parser.statement()
    parser.accept(";")
    if parser.peek().kind != "end":
        raise malformed(_LEFT_OVER)
    parser.check_parameters()
    return statement


class _Parser(Terms):
    """Reads a statement from left to right."""

    def statement(self) -> syntax.Statement:
        if self.keyword("SELECT"):
            return self._select()
        if self.keyword("INSERT"):
            return self._insert()
        if self.keyword("UPDATE"):
            return self._update()
        if self.keyword("DELETE"):
            return self._delete()
        if self.keyword("EXISTS"):
            return self._exists()
        if self.keyword("FROM"):
            return self._update_of_source()
        raise malformed("Expected data manipulation")

    def _exists(self) -> syntax.Select:
        self.expect("(")
        self.expect_keyword("SELECT")
        inner = self._select()
        self.expect(")")
        return syntax.Select(
            table=inner.table, index=inner.index, paths=inner.paths, where=inner.where, order=inner.order, is_check=True
        )

    def _select(self) -> syntax.Select:
        paths = self._selected()
        self.expect_keyword("FROM")
        table, index = self._source("Unexpected term")
        self._refuse_alias()
        where = self._where()
        order = self._order()
        return syntax.Select(table=table, index=index, paths=paths, where=where, order=order)

    def _selected(self) -> tuple[Path, ...]:
        if self.accept("*"):
            if self.peek().text == ",":
                raise InvalidError("Other attributes should not be present in the projection when '*' is used.")
            return ()
        paths = [self._selected_path()]
        while self.accept(","):
            if self.accept("*"):
                raise InvalidError("Other attributes should not be present in the projection when '*' is used.")
            paths.append(self._selected_path())
        names = [str(path[-1]) for path in paths]
        for name in names:
            if names.count(name) > 1:
                raise InvalidError(f"Duplicate identifiers in select clause: {name}")
        return tuple(paths)

    def _selected_path(self) -> Path:
        function = self.function()
        if function:
            raise InvalidError(f"Unrecognized function: {function}")
        path = self.path("Unexpected term")
        if isinstance(path[-1], int):
            raise InvalidError(
                "The emulator does not select single elements of a list: under which name DynamoDB answers them is not "
                "documented. Select the list."
            )
        if self.peek().keyword == "AS" or (self.peek().kind in {"word", "quoted"} and not self.peek().keyword):
            raise InvalidError(_ALIAS)
        return path

    def _source(self, missing: str) -> tuple[str, str | None]:
        names = [self._name(missing)]
        while self.accept("."):
            names.append(self._name(missing))
        if "" in names:
            raise InvalidError("Path component cannot be an empty string")
        if len(names) > 2:  # noqa: PLR2004  (table and index)
            raise InvalidError("A path may contain at most 2 components in the FROM clause")
        if self.peek().text == "," and self.peek().kind == "sign":
            raise InvalidError("Only select from a single table or index is supported.")
        return names[0], names[1] if len(names) > 1 else None

    def _table(self) -> str:
        table, index = self._source("Expected identifier for simple path")
        if index is not None:
            raise InvalidError("This operation is not supported on an index")
        return table

    def _name(self, missing: str) -> str:
        token = self.peek()
        if token.kind not in {"word", "quoted"} or token.keyword:
            raise malformed(missing)
        return self.take().text

    def _refuse_alias(self) -> None:
        token = self.peek()
        if token.keyword in {"AS", "AT"} or (token.kind in {"word", "quoted"} and not token.keyword):
            raise InvalidError(_ALIAS)

    def _where(self) -> syntax.Condition | None:
        return self._either() if self.keyword("WHERE") else None

    def _order(self) -> tuple[tuple[str, bool], ...]:
        if not self.keyword("ORDER"):
            return ()
        self.expect_keyword("BY")
        order = [self._ordered()]
        while self.accept(","):
            order.append(self._ordered())
        return tuple(order)

    def _ordered(self) -> tuple[str, bool]:
        path = self.path("Unexpected term")
        if len(path) > 1:
            raise InvalidError(f"Variable reference {path[-1]} in ORDER BY clause must be part of the primary key")
        descends = bool(self.keyword("DESC"))
        if not descends:
            self.keyword("ASC")
        return str(path[0]), descends

    def _insert(self) -> syntax.Insert:
        self.expect_keyword("INTO")
        table = self._table()
        if self.keyword("VALUES"):
            raise InvalidError(
                "Unsupported operation: Inserting multiple items in a single statement is not supported, use "
                '"INSERT INTO tableName VALUE item" instead'
            )
        if not self.keyword("VALUE"):
            raise malformed(_LEFT_OVER if self.peek().kind in {"word", "quoted", "sign"} else "Unexpected keyword")
        if self.peek().text != "{" or self.peek().kind != "sign":
            raise InvalidError(
                "Unsupported format in item expression. Please use struct format {...} to express item values for "
                "insert statement."
            )
        item = self.struct()
        if self.keyword("RETURNING"):
            raise InvalidError("RETURNING is not supported in INSERT")
        return syntax.Insert(table=table, item=item)

    def _update(self) -> syntax.Update:
        table = self._table()
        self._refuse_alias()
        assigned, removed = self._changes()
        where = self._where()
        return syntax.Update(table=table, assigned=assigned, removed=removed, where=where, returning=self._returning())

    def _update_of_source(self) -> syntax.Update:
        """An update that begins with FROM and has its condition before its changes."""
        table = self._table()
        self._refuse_alias()
        where = self._where()
        assigned, removed = self._changes()
        return syntax.Update(table=table, assigned=assigned, removed=removed, where=where, returning=self._returning())

    def _changes(self) -> tuple[tuple[tuple[Path, syntax.Term], ...], tuple[Path, ...]]:
        """What SET assigns and REMOVE removes."""
        assigned: list[tuple[Path, syntax.Term]] = []
        removed: list[Path] = []
        while True:
            if self.keyword("SET"):
                assigned.append(self._assigned())
                while self.accept(","):
                    assigned.append(self._assigned())
            elif self.keyword("REMOVE"):
                removed.append(self.path("Unexpected term"))
                while self.accept(","):
                    removed.append(self.path("Unexpected term"))
            else:
                break
        if not assigned and not removed:
            raise malformed("Expected data manipulation")
        return tuple(assigned), tuple(removed)

    def _assigned(self) -> tuple[Path, syntax.Term]:
        path = self.path("Unexpected term")
        self.expect("=")
        return path, self.term()

    def _delete(self) -> syntax.Delete:
        self.expect_keyword("FROM")
        table = self._table()
        self._refuse_alias()
        where = self._where()
        returning = self._returning()
        if returning not in {None, "ALL_OLD"}:
            shown = str(returning).replace("_", " ")
            raise InvalidError(
                f"Invalid returning clause: RETURNING {shown} *. Only RETURNING ALL OLD * is allowed in DELETE "
                "statements."
            )
        return syntax.Delete(table=table, where=where, returning=returning)

    def _returning(self) -> str | None:
        """What is returned, as ReturnValues calls it with MODIFIED for UPDATED."""
        if not self.keyword("RETURNING"):
            return None
        which, when = (self.word("ALL", "MODIFIED"), self.word("NEW", "OLD"))
        if not which or not when or not self.accept("*"):
            raise InvalidError("Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause")
        if self.peek().text == ",":
            raise InvalidError("Invalid syntax with multiple returning elements in RETURNING clause")
        return f"{which}_{when}"

    def _either(self) -> syntax.Condition:
        found = [self._both()]
        while self.keyword("OR"):
            found.append(self._right(self._both))
        return found[0] if len(found) == 1 else syntax.Joined("OR", tuple(found))

    def _both(self) -> syntax.Condition:
        found = [self._negated()]
        while self.keyword("AND"):
            found.append(self._right(self._negated))
        return found[0] if len(found) == 1 else syntax.Joined("AND", tuple(found))

    def _negated(self) -> syntax.Condition:
        if not self.keyword("NOT"):
            return self._single()
        self.nest()
        return syntax.Negated(self._negated())

    def _single(self) -> syntax.Condition:
        if self.accept("("):
            self.nest()
            inner = self._either()
            self.expect(")")
            return inner
        if self.peek().keyword == "EXISTS":
            raise InvalidError("EXISTS can only be used in ExecuteTransaction write requests.")
        term = self.term()
        if isinstance(term, syntax.Call) and term.name in _PREDICATES:
            return term
        return self._predicate(term)

    def _predicate(self, term: syntax.Term) -> syntax.Condition:
        negated = bool(self.keyword("NOT"))
        if self.keyword("IN"):
            condition: syntax.Condition = self._among(term)
        elif self.keyword("BETWEEN"):
            low = self.term()
            self.expect_keyword("AND")
            condition = syntax.Between(term, low, self.term())
        elif not negated and self.keyword("IS"):
            negated = bool(self.keyword("NOT"))
            condition = self._of_type(term)
        elif not negated and (sign := self.accept("=", "<>", "!=", "<=", ">=", "<", ">")):
            condition = syntax.Compared("<>" if sign == "!=" else sign, term, self._compared())
        elif self.peek().keyword == "LIKE":
            raise InvalidError("Unsupported operation: Like")
        else:
            raise InvalidError("WHERE clause must contain an expression that resolves to a boolean")
        return syntax.Negated(condition) if negated else condition

    def _compared(self) -> syntax.Term:
        if self.peek().kind == "end":
            raise malformed("Missing right-hand side expression of infix operator")
        if self.peek().keyword in {"IS", "LIKE", "IN", "BETWEEN", "AND", "OR"}:
            raise malformed("Unexpected operator")
        return self.term()

    def _among(self, term: syntax.Term) -> syntax.Among:
        closing = "]" if self.accept("[") else ")"
        if closing == ")":
            self.expect("(")
        terms = [self.term()]
        while self.accept(","):
            terms.append(self.term())
        self.expect(closing)
        return syntax.Among(term, tuple(terms))

    def _of_type(self, term: syntax.Term) -> syntax.OfType:
        token = self.take()
        kind = _TYPES.get(token.text.upper()) if token.kind == "word" else None
        if kind is None:
            raise malformed("Expected type name")
        return syntax.OfType(term, kind)

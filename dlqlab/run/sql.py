"""Questions in SQL over the tables of runs, by DuckDB, which reads their files as it needs them.

A table is a Parquet file of a run; those that the emulator recorded are in the schema ``recording``. Of several runs a
table has the rows of all. The last column of each, ``run``, is the run's name. Nothing can be written, no other file
read, nothing fetched.
"""

import math
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dlqlab.contracts.database import literal, open_database
from dlqlab.contracts.rundir import RunDir
from dlqlab.errors import EvidenceError, UsageError

MEMORY_MAX = "1GB"
BATCH_ROWS = 1_000
RECORDING = "recording"
_MISSING = re.compile(r'Table with name "?([^"]+?)"? does not exist')
_PLACE = re.compile(r"\s*LINE \d+:.*", re.DOTALL)

type Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table: its name, how many rows it has, its columns."""

    name: str
    rows: int
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Columns, and rows a batch at a time. Values are as Python has them; what is no number is None."""

    columns: tuple[str, ...]
    batches: Iterator[list[Row]]


class Tables:
    """The tables of runs."""

    def __init__(self, database: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
        self._database = database
        self._names = tuple(names)

    def facts(self) -> list[TableFacts]:
        """What there is, in the order of the names, the recorder's last."""
        return [self._facts(name) for name in self._names]

    def ask(self, query: str) -> Answer:
        """The answer to one SELECT.

        Raises:
            UsageError: the query is none, or is wrong, or asks what is not allowed; before or while it is answered.
        """
        with self._told():
            statements = self._database.extract_statements(query)
            if len(statements) != 1:
                raise UsageError(f"{len(statements)} statements: give one SELECT")
            if statements[0].type is not duckdb.StatementType.SELECT:
                kind = statements[0].type.name
                raise UsageError(
                    f"{kind} is not answered: give a SELECT, FROM, DESCRIBE or SUMMARIZE, runs are only read"
                )
            self._database.execute(statements[0])
            columns = tuple(column[0] for column in self._database.description or ())
        return Answer(columns, self._batches())

    def _batches(self) -> Iterator[list[Row]]:
        while True:
            with self._told():
                rows = self._database.fetchmany(BATCH_ROWS)
            if not rows:
                return
            yield [tuple(map(_value, row)) for row in rows]

    def _facts(self, name: str) -> TableFacts:
        columns = self._database.sql(f"FROM {name}").columns
        ((rows,),) = self._database.sql(f"SELECT count(*) FROM {name}").fetchall()  # noqa: S608  (names of our own)
        return TableFacts(name, int(rows), tuple(columns))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """DuckDB's errors in one line, and which tables there are where one is missing."""
        try:
            yield
        except duckdb.Error as error:
            text = " ".join(_PLACE.sub("", str(error)).split())
            if missing := _MISSING.search(text):
                recorded = any(name.startswith(f"{RECORDING}.") for name in self._names)
                text = f"no table {missing[1]!r}: there are {', '.join(self._names)}"
                text += "" if recorded else f"; no run has a {RECORDING}"
            raise UsageError(text) from error


@contextmanager
def tables_of(runs: Sequence[RunDir]) -> Iterator[Tables]:
    """The tables of these runs.

    Raises:
        EvidenceError: a run has no table, or a file cannot be read; names it.
    """
    files = _files(runs)
    with tempfile.TemporaryDirectory() as scratch, open_database(Path(scratch), memory_max=MEMORY_MAX) as database:
        database.execute(f"CREATE SCHEMA {RECORDING}")
        for name, of_runs in files.items():
            _create(database, name, of_runs)
        allowed = ", ".join(literal(path) for of_runs in files.values() for path in of_runs.values())
        database.execute(f"SET allowed_paths = [{allowed}]")
        database.execute("SET enable_external_access = false")
        database.execute("SET lock_configuration = true")
        yield Tables(database, list(files))


def _files(runs: Sequence[RunDir]) -> Mapping[str, Mapping[str, Path]]:
    """By table the files by run."""
    names = Counter(path.name for path in {run.path for run in runs})
    found: dict[str, dict[str, Path]] = {}
    for run in runs:
        label = run.path.name if names[run.path.name] == 1 else str(run.path)
        own = [(path.stem, path) for path in sorted(run.path.glob("*.parquet"))]
        recorded = [(f"{RECORDING}.{path.stem}", path) for path in sorted(run.recording_path.glob("*.parquet"))]
        if not own and not recorded:
            raise EvidenceError(f"{run.path}: holds no table yet: dlqlab collect makes them of what a run left")
        for name, path in own + recorded:
            found.setdefault(name, {})[label] = path
    return dict(sorted(found.items(), key=lambda item: ("." in item[0], item[0])))


def _create(database: duckdb.DuckDBPyConnection, name: str, files: Mapping[str, Path]) -> None:
    parts = []
    for run, path in files.items():
        part = f"SELECT *, {literal(run)} AS run FROM read_parquet({literal(path)})"  # noqa: S608  (quoted)
        try:
            database.sql(part)
        except duckdb.Error as error:
            reason = " ".join(_PLACE.sub("", str(error)).split()).replace(str(path), path.name)
            raise EvidenceError(f"{path}: cannot be read: {reason}") from error
        parts.append(part)
    database.execute(f"CREATE VIEW {name} AS {' UNION ALL BY NAME '.join(parts)}")


def _value(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value

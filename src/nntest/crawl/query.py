"""SQL over the tables of a source: DuckDB in memory, which reads nothing but these tables."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nntest.crawl.load import Skipped
from nntest.crawl.tables import Tables
from nntest.errors import UsageError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Views that a statement may name; each is loaded only where it does.
VIEWS = ("points", "layers", "kernels", "networks", "hardware")

_WORD = re.compile(r"\w+")
_CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
}


@dataclass(frozen=True)
class Answer:
    """The rows of a statement's result (None is unknown), and the files that gave the tables no rows."""

    columns: Sequence[str]
    rows: Sequence[tuple[Any, ...]]
    skipped: Sequence[Skipped] = ()


def query(tables: Tables, statement: str) -> Answer:
    """Run one SELECT over the views `VIEWS`; see docs/formats.md for their columns.

    Raises
    ------
    UsageError
        The statement is no single SELECT, or DuckDB refuses it; the message is one line.
    """
    import duckdb

    try:
        with duckdb.connect(":memory:", config=_CLOSED) as connection:
            _check_kind(duckdb.extract_statements(statement))
            skipped = _register(connection, tables, statement)
            connection.execute("SET lock_configuration = true")
            answer = connection.execute(statement)
            return Answer([column[0] for column in answer.description or ()], answer.fetchall(), skipped)
    except duckdb.Error as error:
        raise UsageError(f"sql: {_first_line(str(error))}") from None


def _check_kind(statements: Sequence[Any]) -> None:
    import duckdb

    kinds = [statement.type for statement in statements]
    if kinds not in ([duckdb.StatementType.SELECT], [duckdb.StatementType.EXPLAIN]):
        found = ", ".join(kind.name for kind in kinds) or "nothing"
        raise UsageError(f"sql: {found} was given; expected one SELECT; the views are {', '.join(VIEWS)}")


def _register(connection: "DuckDBPyConnection", tables: Tables, statement: str) -> list[Skipped]:
    skipped: dict[Skipped, None] = {}
    words = {word.lower() for word in _WORD.findall(statement)}
    for view in (name for name in VIEWS if name in words):
        frame = getattr(tables, view)
        connection.register(f"{view}_frame", frame)
        # A categorical text would become a type of its own, which orders and prints itself by its categories.
        texts = [name for name in frame.columns if frame[name].dtype == "category"]
        casts = ", ".join(f'"{name}"::VARCHAR AS "{name}"' for name in texts)
        replaced = f" REPLACE ({casts})" if casts else ""
        connection.execute(f"CREATE VIEW {view} AS SELECT *{replaced} FROM {view}_frame")
        skipped.update(dict.fromkeys(frame.attrs.get("skipped", ())))
    return list(skipped)


def _first_line(text: str) -> str:
    """Return what is wrong, without the picture of where, and with the nearest name."""
    lines = [line.strip() for line in text.splitlines()]
    kept = [line for line in lines if line and not line.startswith(("LINE ", "^"))]
    return " ".join(kept) or "the statement was refused"

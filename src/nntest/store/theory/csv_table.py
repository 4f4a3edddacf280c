"""CSV files as people publish them: a line of units below the heading, ``na`` and ``nm`` for what is not known."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nntest.errors import DataError

#: What published tables write for unknown: not available, not measured.
UNKNOWN = frozenset({"", "na", "nm", "n/a", "nan", "-"})

Row = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows by column name; ``where`` begins error messages."""

    where: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def has(self, *columns: str) -> bool:
        """Tell whether the table has all these columns."""
        return set(columns) <= set(self.columns)


def read_table(path: Path) -> Table:
    """Read a CSV file; see :func:`parse_table`.

    Raises
    ------
    DataError
        It cannot be read, or holds no table.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected a CSV file; check the path") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: is no UTF-8 text; expected a CSV file; save it as such") from None
    return parse_table(text, where=str(path))


def parse_table(text: str, *, where: str) -> Table:
    """Return the rows of a CSV text; a line of units is passed over, names lose surrounding blanks.

    Raises
    ------
    DataError
        There is no line, or one has more cells than the heading.
    """
    lines = [line for line in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in line)]
    if not lines:
        raise DataError(f"{where}: is empty; expected a CSV file with a heading; check the file")
    heading, *body = lines
    columns = tuple(cell.strip() for cell in heading)
    if body and _is_units(body[0]):
        body = body[1:]
    for number, line in enumerate(body, start=2):
        if len(line) > len(columns):
            raise DataError(f"{where}: line {number}: {len(line)} cells; expected {len(columns)}; correct the line")
    rows = tuple({name: cell.strip() for name, cell in zip(columns, line, strict=False)} for line in body)
    return Table(where=where, columns=columns, rows=rows)


def number(row: Row, column: str, *, where: str) -> float | None:
    """Return a cell as a number, None where it is unknown.

    Raises
    ------
    DataError
        The cell holds something else.
    """
    text = row.get(column, "").strip()
    if text.lower() in UNKNOWN:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{where}: {column} is {text!r}; expected a number, na or nothing; correct the cell")
    return value


def format_table(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> bytes:
    """Return a CSV; None becomes an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([["" if row.get(name) is None else row[name] for name in columns] for row in rows])
    return out.getvalue().encode()


def _is_units(line: Sequence[str]) -> bool:
    """A published second line: no name in front, and no number in it."""
    return not line[0].strip() and not any(_is_number(cell) for cell in line)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

"""CSV files as people publish them: a line of units below the heading, ``na`` and ``nm`` for what is not known.

Columns and rows may come in any order, and a heading may come again in the middle, as where tables were joined.
"""

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nntest.errors import DataError

#: What published tables write for unknown: not available, not measured.
UNKNOWN = frozenset({"", "na", "nm", "n/a", "n.a.", "nan", "<na>", "none", "null", "-", "--"})
# A published cell may hold a whole listing, such as the time of each of many inferences.
_LONGEST_CELL = 1 << 28
# Commas between thousands; "1,234" alone is not taken for such a number: its comma may be that of decimals.
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:(?:,\d{3}){2,}(?:\.\d+)?|,\d{3}\.\d+)")
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")

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
    """Return the rows of a CSV text; a line of units and repeated headings are passed over, cells lose blanks.

    A line with fewer cells than the heading lacks the last ones, which are empty.

    Raises
    ------
    DataError
        There is no line, one has more cells than the heading, or two columns have one name.
    """
    lines = list(_lines(text, where))
    if not lines:
        raise DataError(f"{where}: is empty; expected a CSV file with a heading; check the file")
    (_, heading), *body = lines
    if body and _is_units(body[0][1]):
        body = body[1:]
    body = [(number, line) for number, line in body if line != heading]
    width = len(heading)
    for number, line in body:
        if len(line) > width and any(line[width:]):
            raise DataError(f"{where}: line {number}: {len(line)} cells; expected {width}; correct the line")
    # a comma at the end of every line makes a column without name and cells
    while width > 1 and not heading[width - 1] and not any("".join(line[width - 1 :]) for _, line in body):
        width -= 1
    columns = tuple(heading[:width])
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise DataError(f"{where}: several columns are named {twice[0]!r}; expected one; rename or remove the others")
    rows = tuple(dict(zip(columns, [*line, *[""] * width], strict=False)) for _, line in body)
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
    plain = text.replace(",", "") if _GROUPED.fullmatch(text) else text
    value = float(plain) if _PLAIN.fullmatch(plain) else math.nan
    if not math.isfinite(value):
        raise DataError(f"{where}: {column} is {text!r}; expected a number, na or nothing; correct the cell")
    return value


def name_column(table: Table, known: Sequence[str]) -> str:
    """Return the column that names the rows of a published form: the first beside ``known`` that holds words."""
    others = [name for name in table.columns if name not in known]
    words = (name for name in others if any(not is_value(row[name]) for row in table.rows))
    return next(words, next(iter(others), table.columns[0]))


def format_table(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> bytes:
    """Return a CSV; None becomes an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([["" if row.get(name) is None else row[name] for name in columns] for row in rows])
    return out.getvalue().encode()


def _lines(text: str, where: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each line that holds something, with its number in the file; cells lose blanks around them."""
    limit = csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        for line in reader:
            cells = [cell.strip() for cell in line]
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise DataError(
            f"{where}: line {reader.line_num}: is no CSV ({error}); expected cells with commas between them; "
            f"correct the line"
        ) from None
    finally:
        csv.field_size_limit(limit)


def _is_units(line: Sequence[str]) -> bool:
    """A published second line: nothing where the name stands, no number, and units such as ``[GB]``."""
    if any(cell and is_value(cell) for cell in line):
        return False
    return "" in line and (not line[0] or any(cell.endswith("]") for cell in line))


def is_value(cell: str) -> bool:
    """Tell whether a cell is a number or says that one is unknown."""
    return cell.lower() in UNKNOWN or _PLAIN.fullmatch(cell) is not None

"""Tables as a page shows them: what is equal in all rows said once, numbers short, everything sortable."""

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nntest.analyses.names import pretty

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 200
MAX_EMBEDDED_BYTES = 150_000
_NAMED = ("library", "model", "platform", "best_single_library")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What is shown, and what the table sorts by."""

    text: str
    key: str
    number: bool


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A table ready for the template; ``constants`` are (column, value) that hold in every row."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    constants: tuple[tuple[str, str], ...]
    total: int
    file: str
    href: str

    @property
    def left_out(self) -> int:
        """Rows that only the file has."""
        return self.total - len(self.rows)


def sheet(frame: "pd.DataFrame", *, name: str, title: str, file: str) -> Sheet:
    """Prepare a table; the CSV travels inside the page unless it is too large."""
    text = frame.to_csv(index=False, lineterminator="\n").encode()
    href = f"data:text/csv;base64,{base64.b64encode(text).decode()}" if len(text) <= MAX_EMBEDDED_BYTES else ""
    constants = [column for column in frame.columns if len(frame) > 1 and frame[column].nunique(dropna=False) == 1]
    varying = [column for column in frame.columns if column not in constants]
    rows = frame[varying].head(MAX_ROWS).astype("object").itertuples(index=False, name=None)
    said = ((str(column), format_value(frame[column].iloc[0], str(column))) for column in constants)
    return Sheet(
        name=name,
        title=title,
        columns=tuple(str(column).replace("_", " ") for column in varying),
        rows=tuple(
            tuple(_cell(value, str(column)) for value, column in zip(row, varying, strict=True)) for row in rows
        ),
        constants=tuple((column.replace("_", " "), value) for column, value in said if value),
        total=len(frame),
        file=file,
        href=href,
    )


def format_value(value: Any, column: str = "") -> str:
    """Render a cell for people: four digits, unknown as nothing, known names pretty."""
    import pandas as pd

    if value is None or bool(pd.isna(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return pretty(value) if column in _NAMED else str(value)


def _cell(value: Any, column: str) -> Cell:
    text = format_value(value, column)
    number = isinstance(value, int | float) and not isinstance(value, bool) and bool(text)
    return Cell(text=text, key=repr(float(value)) if number else text, number=number)

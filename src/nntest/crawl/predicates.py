"""Which rows are wanted: ``column=value``, ``column>=8``, ``shape=512-*``, as people write it behind ``--where``."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any

from nntest.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

_PREDICATE = re.compile(r"^\s*([^\s!<>=](?:[^!<>=]*[^\s!<>=])?)\s*(!=|<=|>=|==|=|<|>)\s*(.*?)\s*$")
_ORDERED = {"<": lt, "<=": le, ">": gt, ">=": ge}


@dataclass(frozen=True)
class Predicate:
    """One condition on one column; a value may have ``*``, an unknown cell equals the empty value."""

    column: str
    sign: str
    value: str

    @property
    def ordered(self) -> bool:
        """Whether it compares numbers, which texts cannot meet."""
        return self.sign in _ORDERED

    def holds(self, cell: Any) -> bool:
        """Tell whether a cell (None is unknown) is wanted."""
        if self.ordered:
            return cell is not None and bool(_ORDERED[self.sign](float(cell), float(self.value)))
        return _matches("" if cell is None else str(cell), self.value) != (self.sign == "!=")


def parse_predicate(text: str, *, where: str) -> Predicate:
    """Parse a condition; ``where`` begins the message.

    Raises
    ------
    UsageError
        It is no condition.
    """
    match = _PREDICATE.match(text)
    if match is None:
        raise UsageError(f"{where}: {text!r} is no predicate; expected COLUMN=VALUE (or !=, <, <=, >, >=)")
    return Predicate(*match.groups())


def check_column(name: str, known: Iterable[str], *, where: str) -> None:
    """Refuse a column that does not exist, and name the nearest."""
    names = sorted(known)
    if name not in names:
        near = get_close_matches(name, names, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(names) or 'none'}"
        raise UsageError(f"{where}: there is no column {name!r}; {hint}")


def filter_rows(points: "pd.DataFrame", predicates: Sequence[str], *, where: str = "points") -> "pd.DataFrame":
    """Keep the rows for which all ``predicates`` (``column=value``, ``column>=8``, ``shape=512-*``) hold.

    Raises
    ------
    UsageError
        A predicate is none, names no column, or compares what is no number.
    """
    for text in predicates:
        predicate = parse_predicate(text, where=where)
        check_column(predicate.column, map(str, points.columns), where=where)
        points = points[_mask(points[predicate.column], predicate, where=where)]
    return points


def _mask(column: "pd.Series", predicate: Predicate, *, where: str) -> "pd.Series":
    import pandas as pd

    if predicate.ordered:
        said = f"{where}: {predicate.column}{predicate.sign}{predicate.value}"
        try:
            limit = float(predicate.value)
            numbers = pd.to_numeric(column).astype("Float64")
        except (ValueError, TypeError) as error:
            raise UsageError(f"{said}: both must be numbers; use = or != for texts") from error
        mask: pd.Series = _ORDERED[predicate.sign](numbers, limit)
        return mask.fillna(value=False).astype(bool)
    texts = column.astype("string").fillna("")
    held = {text: predicate.holds(text) for text in texts.unique()}
    return texts.map(held).astype(bool)


def _matches(text: str, value: str) -> bool:
    if fnmatchcase(text, value):
        return True
    try:
        return float(text) == float(value)
    except ValueError:
        return text.lower() == value.lower() and value.lower() in ("true", "false")

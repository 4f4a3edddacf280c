"""Which rows of a table are wanted, decided as early as can be: by folder, by point, or by row."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nntest.crawl.columns import BY_NAME, COMPUTED, PLACED
from nntest.crawl.predicates import Predicate, check_column, filter_rows, parse_predicate
from nntest.crawl.sources import Folder

if TYPE_CHECKING:
    import pandas as pd

Condition = tuple[str, Callable[[Any], bool]]
_BY_FOLDER: Mapping[str, Callable[[Folder], str]] = {
    "repo": lambda folder: folder.repo,
    "experiment": lambda folder: folder.name,
}


@dataclass(frozen=True)
class Wanted:
    """Conditions on the rows of a table.

    ``placed`` are met or not by all points of a folder, ``early`` by all rows of a point; the values and the
    predicates that are left concern single rows.
    """

    placed: Sequence[Condition]
    early: Sequence[Condition]
    values: Mapping[str, Sequence[Any]]
    predicates: Sequence[str]

    @property
    def late(self) -> list[str]:
        """The columns that the conditions on single rows need."""
        return [*self.values, *(parse_predicate(text, where="where").column for text in self.predicates)]

    def folders(self, found: Iterator[Folder]) -> Iterator[Folder]:
        """Yield the folders that may have wanted points."""
        for folder in found:
            if all(holds(_BY_FOLDER[name](folder)) for name, holds in self.placed):
                yield folder

    def rows(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        """Return the wanted rows of a table."""
        if not (self.values or self.predicates):
            return frame
        for name, values in self.values.items():
            frame = frame[frame[name].isin(list(values)).fillna(False).astype(bool)]
        return filter_rows(frame, self.predicates, where="where").reset_index(drop=True)


def wanted_rows(where: Mapping[str, Any] | Sequence[str] | None) -> Wanted:
    """Sort conditions by when they can be decided.

    Parameters
    ----------
    where
        Column to value or values, or predicates as :mod:`nntest.crawl.predicates` describes them.

    Raises
    ------
    UsageError
        A column is unknown, or a text is no predicate.
    """
    placed: list[Condition] = []
    early: list[Condition] = []
    values: dict[str, Sequence[Any]] = {}
    predicates: list[str] = []
    if isinstance(where, Mapping):
        for name, value in where.items():
            check_column(name, BY_NAME, where="where")
            listed = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
            if not _decide(name, listed.__contains__, placed, early):
                values[name] = listed
    else:
        for text in [where] if isinstance(where, str) else where or ():
            predicate = parse_predicate(text, where="where")
            check_column(predicate.column, BY_NAME, where="where")
            if not _is_early(predicate) or not _decide(predicate.column, predicate.holds, placed, early):
                predicates.append(text)
    return Wanted(placed, early, values, predicates)


def _is_early(predicate: Predicate) -> bool:
    # What cannot be compared is left to where it is said.
    return not predicate.ordered or (BY_NAME[predicate.column].kind != "text" and _is_number(predicate.value))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _decide(name: str, holds: Callable[[Any], bool], placed: list[Condition], early: list[Condition]) -> bool:
    if name in _BY_FOLDER:
        placed.append((name, holds))
    elif not BY_NAME[name].per_row and name not in PLACED and name not in COMPUTED:
        early.append((name, holds))
    else:
        return False
    return True

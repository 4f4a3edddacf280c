"""Columns of the points' table, by what they mean."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from nntest.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

#: What was asked, and where. The dataset is none of it: equal values in two datasets are one question.
QUESTION = (
    "platform",
    "target",
    "model",
    "species",
    "shape",
    "batch_size",
    "dtype",
    "threads",
    "cache",
    "isa",
    "post_ops",
)
#: What answered, and how.
ANSWER = ("program", "operator", "library", "library_version", "layout", "tuner")
#: A case written out, in the order in which tables show it.
CASE = (
    "platform",
    "target",
    "program",
    "operator",
    "species",
    "library",
    "library_version",
    "model",
    "dataset",
    "shape",
    "batch_size",
    "dtype",
    "layout",
    "threads",
    "tuner",
    "cache",
    "isa",
    "post_ops",
)
CASE_KEYS = tuple(column for column in CASE if column != "dataset")


def present(frame: "pd.DataFrame", columns: Iterable[str]) -> list[str]:
    """Return those of ``columns`` that the frame has, in their order."""
    return [column for column in columns if column in frame.columns]


def require(frame: "pd.DataFrame", columns: Sequence[str], *, where: str) -> None:
    """Check that the frame has all ``columns``.

    Raises
    ------
    DataError
        Names every missing column.
    """
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataError(
            f"{where}: the points lack the column{'s' * (len(missing) > 1)} {', '.join(missing)}; "
            "expected the columns of nntest.load; choose another source or add them"
        )


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``did you mean X?``, or the known names where none is near."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(names) or 'none'}"

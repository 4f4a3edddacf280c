"""From rows to cases: the samples of each, ready for the statistics."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nntest.analyses.columns import CASE, CASE_KEYS, present
from nntest.statistics.batch import Batch
from nntest.statistics.series import Key, Series

if TYPE_CHECKING:
    import pandas as pd

    from nntest.statistics.series import Floats, Ints

NATIVE = "native"
END_TO_END = "end_to_end"
RANKINGS = (NATIVE, END_TO_END)
#: Columns that tell where a sample was taken.
PLACES = ("session", "point", "launch", "round", "repetition")
_WIDEST = 2**62


@dataclass(frozen=True, eq=False)
class Cases:
    """``table`` has one row per case (the case columns; lists in a cell joined by ``+``), ``series`` its samples."""

    table: "pd.DataFrame"
    series: Sequence[Series]


def time_of(points: "pd.DataFrame", ranking: str = NATIVE) -> "pd.Series":
    """Return the time of one call in us: the computation alone, or with the reorders of its tensors around it.

    End to end is NA where a source does not tell the reorders.
    """
    time = _floats(points, "time_us")
    if ranking == END_TO_END:
        time = time + _floats(points, "reorder_in_us") + _floats(points, "reorder_out_us")
    return time


def collect(points: "pd.DataFrame", times: "pd.Series", keys: Sequence[str] = CASE_KEYS) -> Cases:
    """Group rows with a time into cases.

    Launches of different sessions are different launches. Rows that do not tell their launch (the original's) were a
    process each.
    """
    import numpy as np

    keys = present(points, keys)
    known = times.notna().to_numpy()
    if not known.any():
        return Cases(points.iloc[:0].reindex(columns=present(points, CASE)), [])
    if not known.all():
        points, times = points[known], times[known]
    numbers, first = group_numbers(points, keys)
    batch = batch_of(points, times.to_numpy(dtype=np.float64), numbers, first.size)
    table = points.iloc[first][keys].reset_index(drop=True)
    if "dataset" in points and "dataset" not in keys:
        table["dataset"] = joined_cells(points["dataset"], numbers).reindex(np.arange(first.size)).to_numpy()
    return Cases(table[present(table, CASE)], batch)


def batch_of(points: "pd.DataFrame", times: "Floats", numbers: "Ints", count: int) -> Batch:
    """Return the series of ``count`` cases: ``numbers`` tells which case each row is of, ``times`` its value."""
    import numpy as np
    import pandas as pd

    order = np.argsort(numbers, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(numbers, minlength=count))]).astype(np.int64)
    sessions, launches, rounds = _places(points)
    processes = combined([sessions, launches])
    places, _ = pd.factorize(combined([processes, rounds]))
    where = np.flatnonzero(np.diff(np.maximum.accumulate(places), prepend=-1))
    return Batch(
        times[order],
        _launches(numbers[order], processes[order]),
        places[order].astype(np.int64),
        starts,
        _Names(where, sessions, launches, rounds),
    )


def group_numbers(points: "pd.DataFrame", keys: Sequence[str]) -> tuple["Ints", "Ints"]:
    """Number the distinct rows of ``keys`` in order of first occurrence; also return where each occurs first.

    Unknown values are a value of their own.
    """
    import numpy as np
    import pandas as pd

    codes = combined([codes_of(points[key]) for key in keys], rows=len(points))
    numbers = pd.factorize(codes)[0].astype(np.int64)
    # numbers appear in rising order, so the first occurrences are where the running maximum grows
    first = np.flatnonzero(np.diff(np.maximum.accumulate(numbers), prepend=-1))
    return numbers, first


def codes_of(column: "pd.Series") -> "Ints":
    """Return a number for each value, 0 for unknown; equal values have equal numbers."""
    import numpy as np
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy().astype(np.int64) + 1
    return pd.factorize(column)[0].astype(np.int64) + 1


def combined(columns: Sequence["Ints"], *, rows: int = 0) -> "Ints":
    """Return one number for each row of several columns of numbers (none negative); equal rows have equal numbers."""
    import numpy as np
    import pandas as pd

    result, width = np.zeros(len(columns[0]) if columns else rows, dtype=np.int64), 1
    for codes in columns:
        count = int(codes.max(initial=0)) + 1
        if count == 1:
            continue
        if width * count > _WIDEST:
            result = pd.factorize(result)[0].astype(np.int64)
            width = int(result.max(initial=0)) + 1
        result = result * count + codes
        width *= count
    return result


def joined_cells(values: "pd.Series", groups: Any) -> "pd.Series":
    """Return the distinct values of each group, sorted and joined by ``+``; indexed by group."""
    import numpy as np
    import pandas as pd

    codes = codes_of(values)
    _, first = np.unique(combined([np.asarray(groups, dtype=np.int64), codes]), return_index=True)
    first = first[codes[first] > 0]
    pairs = pd.DataFrame(
        {"group": np.asarray(groups)[first], "value": values.iloc[first].astype("string").to_numpy(dtype=object)}
    ).sort_values(["group", "value"])
    several = pairs["group"].duplicated(keep=False)
    joined = pairs[several].groupby("group")["value"].agg("+".join)
    alone: pd.Series = pairs[~several].set_index("group")["value"]
    whole: pd.Series = pd.concat([alone, joined]).sort_index()
    return whole


def _floats(points: "pd.DataFrame", column: str) -> "pd.Series":
    import numpy as np
    import pandas as pd

    if column not in points:
        return pd.Series(np.nan, index=points.index)
    return pd.Series(points[column].to_numpy(dtype=np.float64, na_value=np.nan), index=points.index)


def _places(points: "pd.DataFrame") -> tuple["Ints", "Ints", "Ints"]:
    """Return number of session, launch and round of each row, none negative."""
    import numpy as np

    def numbers(column: str) -> Any:
        if column not in points:
            return np.full(len(points), -1)
        return points[column].astype("Int64").to_numpy(dtype=np.int64, na_value=-1)

    launches, rounds, repetitions = numbers("launch"), numbers("round"), numbers("repetition")
    unknown = launches < 0
    launches = np.where(unknown, np.where(repetitions >= 0, repetitions, np.arange(len(points))), launches)
    rounds = np.where(unknown | (rounds < 0), np.where(unknown, 0, repetitions), rounds)
    # without launches nothing was interleaved, so a point's repetitions pair with no other point's
    name = "session" if "session" in points else "point"
    sessions = codes_of(points[name]) if name in points else np.zeros(len(points), dtype=np.int64)
    if "point" in points and unknown.any():
        own = codes_of(points["point"]) + int(sessions.max(initial=0)) + 1
        sessions = np.where(unknown, own, sessions)
    return sessions, launches, np.maximum(rounds, 0)


def _launches(numbers: "Ints", processes: "Ints") -> "Ints":
    """Number the processes 0, 1, ... within each case (rows sorted by case), in order of first occurrence."""
    import numpy as np
    import pandas as pd

    found, _ = pd.factorize(combined([numbers, processes]))
    first = np.flatnonzero(np.diff(np.maximum.accumulate(found), prepend=-1))
    owner = numbers[first]
    return np.asarray(found - np.searchsorted(owner, owner)[found], dtype=np.int64)


class _Names(Sequence[Key]):
    """What the numbers of rounds stand for, written out only when somebody asks."""

    def __init__(self, where: "Ints", *places: "Ints") -> None:
        self._where, self._places = where, places

    def __len__(self) -> int:
        return len(self._where)

    def __getitem__(self, number: Any) -> Any:
        session, launch, turn = (int(place[self._where[number]]) for place in self._places)
        return (str(session), launch, turn)

"""From rows to cases: the samples of each, ready for the statistics."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nntest.analyses.columns import CASE, CASE_KEYS, present
from nntest.statistics.series import Series

if TYPE_CHECKING:
    import pandas as pd

NATIVE = "native"
END_TO_END = "end_to_end"
RANKINGS = (NATIVE, END_TO_END)


@dataclass(frozen=True, eq=False)
class Cases:
    """``table`` has one row per case (the case columns; lists in a cell joined by ``+``), ``series`` its samples."""

    table: "pd.DataFrame"
    series: list[Series]


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
    points = points.assign(_time=times)
    points = points[points["_time"].notna()]
    if points.empty:
        return Cases(points.reindex(columns=present(points, CASE)), [])
    groups = points.groupby(keys, observed=True, dropna=False, sort=False)
    numbers = groups.ngroup().to_numpy()
    order = np.argsort(numbers, kind="stable")
    cuts = np.flatnonzero(np.diff(numbers[order])) + 1
    times_us = points["_time"].to_numpy(dtype=np.float64)
    sessions, launches, rounds = _places(points)
    series, first = [], []
    for rows in np.split(order, cuts):
        first.append(rows[0])
        series.append(
            Series.of_rounds(times_us[rows], sessions[rows].tolist(), launches[rows].tolist(), rounds[rows].tolist())
        )
    table = points.iloc[first][keys].reset_index(drop=True)
    if "dataset" in points and "dataset" not in keys:
        table["dataset"] = joined_cells(points["dataset"], numbers).reindex(numbers[first]).to_numpy()
    return Cases(table[present(table, CASE)], series)


def joined_cells(values: "pd.Series", groups: Any) -> "pd.Series":
    """Return the distinct values of each group, sorted and joined by ``+``; indexed by group."""
    import pandas as pd

    pairs = pd.DataFrame({"group": groups, "value": values.astype("string").to_numpy()}).drop_duplicates()
    pairs = pairs.dropna().sort_values(["group", "value"])
    several = pairs["group"].duplicated(keep=False)
    joined = pairs[several].groupby("group")["value"].agg("+".join)
    alone: pd.Series = pairs[~several].set_index("group")["value"]
    return alone.combine_first(joined)


def _floats(points: "pd.DataFrame", column: str) -> "pd.Series":
    import numpy as np
    import pandas as pd

    if column not in points:
        return pd.Series(np.nan, index=points.index)
    return pd.Series(points[column].to_numpy(dtype=np.float64, na_value=np.nan), index=points.index)


def _places(points: "pd.DataFrame") -> tuple[Any, Any, Any]:
    import numpy as np

    def numbers(column: str) -> Any:
        if column not in points:
            return np.full(len(points), -1)
        return points[column].astype("Float64").fillna(-1).to_numpy(dtype=np.int64)

    launches, rounds, repetitions = numbers("launch"), numbers("round"), numbers("repetition")
    unknown = launches < 0
    launches = np.where(unknown, np.where(repetitions >= 0, repetitions, np.arange(len(points))), launches)
    rounds = np.where(unknown | (rounds < 0), np.where(unknown, 0, repetitions), rounds)
    # without launches nothing was interleaved, so a point's repetitions pair with no other point's
    name = "session" if "session" in points else "point"
    sessions = points[name].astype("string").fillna("").to_numpy() if name in points else np.full(len(points), "")
    if "point" in points and unknown.any():
        sessions = np.where(unknown, points["point"].astype("string").fillna("").to_numpy(), sessions)
    return sessions, launches, rounds

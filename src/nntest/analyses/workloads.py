"""What ran as a whole: a network, or an operator on one shape; and its times per image."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from nntest.analyses.columns import CASE_KEYS, nearest, present, require
from nntest.analyses.grouping import Groups, floats, group_rows
from nntest.analyses.names import equals, pretty, setting_labels
from nntest.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

#: Direction to the column of its time.
DIRECTIONS = {
    "forward": "time_us",
    "backward": "time_backward_us",
    "forward_backward": "time_forward_backward_us",
}
#: What a row of these tables is told by; further columns of the case join them only where they are needed.
KEYS = ("model", "library", "batch_size")
BEST = "time_ms_per_image"


def name_workloads(frame: "pd.DataFrame", *, where: str) -> "pd.DataFrame":
    """Give rows without a model (single operators) their shape for one."""
    if "model" not in frame:
        require(frame, ["shape"], where=where)
        return frame.assign(model=frame["shape"])
    unknown = frame["model"].isna()
    if "shape" not in frame or not unknown.any():
        return frame
    if unknown.all():
        return frame.assign(model=frame["shape"])
    model = frame["model"].astype("string").fillna(frame["shape"].astype("string"))
    return frame.assign(model=model.astype("category"))


def workload_noun(models: "pd.Series") -> str:
    """Return what `name_workloads` named: ``shape`` where all are numbers joined by dashes, else ``model``."""
    return "shape" if models.astype("string").str.fullmatch(r"\d[\d.-]*").all() else "model"


def choose(frame: "pd.DataFrame", column: str, names: Sequence[str], *, where: str) -> "pd.DataFrame":
    """Keep the rows with any of ``names`` (``*`` matches any text; a library may lack its version); all if empty.

    Raises
    ------
    UsageError
        No row has one of the names; the nearest is told.
    """
    if not names:
        return frame
    keep = np.zeros(len(frame), dtype=bool)
    for name in names:
        hit = matches(frame[column], name)
        if not hit.any():
            known = frame[column].dropna().astype("string").unique()
            raise UsageError(f"{where}: no row has {column}={name}; {nearest(name, [str(v) for v in known if v])}")
        keep |= hit
    return frame[keep]


def matches(column: "pd.Series", name: str) -> "NDArray[np.bool_]":
    """Tell which rows have the name: ``*`` matches any text, and a library may lack its version."""
    texts = column.astype("string").fillna("")
    known = [str(value) for value in texts.unique()]
    hit = texts.isin([value for value in known if fnmatchcase(value, name)]) | equals(column, name)
    return np.asarray(hit, dtype=bool)


def group_cases(frame: "pd.DataFrame") -> tuple[Groups, "pd.DataFrame"]:
    """Group rows into cases; returns the groups and the case columns of each, one row per case."""
    columns = present(frame, CASE_KEYS)
    groups = group_rows(frame, columns)
    return groups, frame[columns].iloc[groups.first].reset_index(drop=True)


def needed_keys(cases: "pd.DataFrame", keys: Sequence[str] = KEYS) -> list[str]:
    """Return ``keys`` and those further columns of the case without which two cases would look alike."""
    found = present(cases, keys)
    groups = group_rows(cases, found)
    for column in present(cases, CASE_KEYS):
        if len(groups) == len(cases):
            break
        if column not in found:
            finer = group_rows(cases, [*found, column])
            if len(finer) > len(groups):
                found, groups = [*found, column], finer
    return found


def per_image(points: "pd.DataFrame", direction: str, *, where: str) -> "pd.DataFrame":
    """Return one row per workload, library and batch size with the mean time of one image.

    Columns: `needed_keys`, time_ms_per_image, std_ms_per_image (over repetitions, ddof 1), repetitions,
    memory_mb (mean) where the points tell it.
    """
    time = DIRECTIONS[direction]
    require(points, [time, "library", "batch_size"], where=where)
    points = points[points[time].notna()]
    if points.empty:
        raise UsageError(f"{where}: no row has a {direction.replace('_', ' and ')} time; choose another --direction")
    groups, cases = group_cases(points)
    times = floats(points[time])
    images = floats(cases["batch_size"])
    images = np.where(np.isnan(images), 1.0, images)
    cases[BEST] = groups.mean(times) / images / 1e3
    cases["std_ms_per_image"] = groups.deviation(times) / images / 1e3
    cases["repetitions"] = groups.count(times)
    if "memory_mb" in points:
        cases["memory_mb"] = groups.mean(floats(points["memory_mb"]))
    return cases


def best_batch(frame: "pd.DataFrame", keys: Sequence[str]) -> "pd.DataFrame":
    """Keep, for equal ``keys`` apart from the batch size, the row with the smallest time of one image."""
    groups = group_rows(frame, [key for key in keys if key != "batch_size"])
    times = frame[BEST].to_numpy()
    order = np.lexsort((times, groups.codes))
    _, first = np.unique(groups.codes[order], return_index=True)
    return frame.iloc[np.sort(order[first])].reset_index(drop=True)


def series_labels(frame: "pd.DataFrame", *, without: Sequence[str] = ()) -> "pd.Series":
    """Return what answered, as a legend names it: the library, or the program where a library has several."""
    label = frame["library"].astype("string").fillna("?").map(pretty).astype("string")
    if "program" in frame:
        program = frame["program"].astype("string").fillna("?")
        several = label.groupby(program.to_numpy()).transform("nunique") > 1
        label = program.where(~several, program + " " + label)
    said = {"model", "library", "program", "operator", *without}
    settings = setting_labels(frame, [column for column in CASE_KEYS if column not in said])
    return label + settings.where(settings == "", " (" + settings + ")")

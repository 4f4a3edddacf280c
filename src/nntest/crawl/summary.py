"""Points in short: one row each, with the median of its repetitions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nntest.crawl.load import load
from nntest.crawl.sources import Source

if TYPE_CHECKING:
    import pandas as pd

_PLACE = ["repo", "experiment", "point"]
#: What tells points apart at a glance.
COLUMNS = ("program", "library", "model", "shape", "batch_size", "dtype", "threads", "trust")


def summarise(
    source: Source | Sequence[Source], *, tags: str = "", where: Sequence[str] = (), columns: Sequence[str] = COLUMNS
) -> "pd.DataFrame":
    """Return one row per point whose repetitions meet ``where``.

    Parameters and errors are those of :func:`nntest.load`.

    Returns
    -------
    pandas.DataFrame
        experiment, point, ``columns`` (of the first repetition), repetitions (those that meet ``where``), time_us
        (their median). ``frame.attrs["skipped"]`` as in :func:`nntest.load`.
    """
    asked = [name for name in dict.fromkeys(columns) if name not in (*_PLACE, "time_us")]
    rows = load(source, tags=tags, where=list(where), columns=[*_PLACE, *asked, "time_us"])
    groups = rows.groupby(_PLACE, observed=True, sort=False)["time_us"]
    table = rows.drop_duplicates(_PLACE)[[*_PLACE[1:], *asked]].reset_index(drop=True)
    table["repetitions"] = groups.size().to_numpy()
    table["time_us"] = groups.median().to_numpy()
    table.attrs["skipped"] = rows.attrs["skipped"]
    return table

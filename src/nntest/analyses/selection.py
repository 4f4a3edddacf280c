"""Which rows an analysis may rank, and which are left out, with the reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nntest.analyses.columns import CASE, present
from nntest.analyses.options import Options
from nntest.crawl.predicates import filter_rows
from nntest.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

#: No call takes less than a femtosecond, or longer than three centuries.
_SHORTEST_US, _LONGEST_US = 1e-9, 1e16
__all__ = ["Selection", "excluded_table", "exclusion_reasons", "filter_rows", "select"]


#: Reasons that ``--include`` may pass over.
SOFT = ("emulated", "simulated", "unverified", "profiled")


@dataclass(frozen=True, eq=False)
class Selection:
    """``ranked`` rows may be compared; ``excluded`` has one row per case and reason, with the number of ``rows``."""

    ranked: "pd.DataFrame"
    excluded: "pd.DataFrame"


def select(points: "pd.DataFrame", options: Options, *, where: str = "points") -> Selection:
    """Split the rows: failed, wrong, emulated, simulated, unverified and profiled ones never enter a ranking unasked.

    Raises
    ------
    UsageError
        A predicate names no column, or no row is left to rank; the message says why.
    """
    points = filter_rows(points, options.get("where", ()), where=where)
    reasons = exclusion_reasons(points, include=options.get("include", ()))
    ranked = points if reasons.isna().all() else points[reasons.isna()]
    if ranked.empty:
        raise UsageError(f"{where}: {_why_empty(points, reasons)}")
    return Selection(ranked, excluded_table(points, reasons))


def exclusion_reasons(points: "pd.DataFrame", *, include: Sequence[str] = ()) -> "pd.Series":
    """Return why each row is left out of rankings, NA for rows that may be ranked."""
    import numpy as np
    import pandas as pd

    codes = np.zeros(len(points), dtype=np.int8)
    words = ["failed", "wrong", "emulated", "simulated", "unverified", "profiled", "no time"]

    def mark(rows: Any, word: str) -> None:
        if word not in include:
            codes[np.asarray(rows, dtype=bool) & (codes == 0)] = words.index(word) + 1

    def trusted(word: str) -> Any:
        return (points["trust"] == word).fillna(value=False) if "trust" in points else np.zeros(len(points), bool)

    def known(column: str, *, value: bool) -> Any:
        """Rows where a truth value is known and is ``value``."""
        if column not in points:
            return np.zeros(len(points), bool)
        return points[column].astype("boolean").fillna(not value).to_numpy(dtype=bool) == value

    mark(known("success", value=False), "failed")
    mark(trusted("failed"), "failed")
    mark(known("verified", value=False), "wrong")
    mark(trusted("wrong"), "wrong")
    mark(known("emulated", value=True), "emulated")
    for word in ("emulated", "simulated", "unverified"):
        mark(trusted(word), word)
    if "flags" in points:
        # a profiler costs time
        mark(points["flags"].astype("string").str.contains(r"\bprofiled\b").fillna(value=False), "profiled")
    if "time_us" in points:
        # a row without a time cannot be ranked whatever is included, and a damaged number is no time
        times = points["time_us"].to_numpy(dtype=np.float64, na_value=np.nan)
        codes[~((times > _SHORTEST_US) & (times < _LONGEST_US)) & (codes == 0)] = words.index("no time") + 1
    texts = pd.array([pd.NA, *words], dtype="string")
    return pd.Series(texts.take(codes), index=points.index)


def excluded_table(points: "pd.DataFrame", reasons: "pd.Series") -> "pd.DataFrame":
    """Return one row per case and reason: the case columns, reason, fail_reason, rows."""
    left_out = points[reasons.notna()].assign(reason=reasons[reasons.notna()])
    if "fail_reason" not in left_out:
        left_out["fail_reason"] = ""
    keys = [*present(points, CASE), "reason", "fail_reason"]
    if left_out.empty:
        return left_out.reindex(columns=[*keys, "rows"])
    return left_out.groupby(keys, observed=True, dropna=False, sort=False).size().reset_index(name="rows")


def _why_empty(points: "pd.DataFrame", reasons: "pd.Series") -> str:
    if points.empty:
        return "no rows were found; check the source, --tags and --where"
    counts = reasons.value_counts()
    said = ", ".join(f"{count} {word}" for word, count in counts.items())
    soft = [str(word) for word in counts.index if word in SOFT]
    hint = f"--include={','.join(soft)} ranks them all the same" if soft else "`nntest show` tells why"
    return f"no row can be ranked ({said}); {hint}"

"""What stands behind a section: what was measured, on what, when, how far it can be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nntest.analyses.columns import CASE_KEYS, present
from nntest.analyses.names import count_noun, listed, natural_key, pretty, shortened
from nntest.analyses.selection import Selection
from nntest.analyses.workloads import matches

if TYPE_CHECKING:
    import pandas as pd

_FAILURES_SHOWN = 50
#: Columns, and the options of analyses that choose rows by them.
_CHOOSERS = {"model": "models", "library": "libraries", "batch_size": "batch_sizes"}


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Counts and names for captions and for the head of a report; plain JSON types only."""

    rows: int = 0
    cases: int = 0
    sessions: int = 0
    first: str = ""
    last: str = ""
    platforms: list[dict[str, str]] = field(default_factory=list)
    libraries: list[dict[str, str]] = field(default_factory=list)
    programs: list[str] = field(default_factory=list)
    datasets: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    settings: dict[str, list[str]] = field(default_factory=dict)
    trust: dict[str, int] = field(default_factory=dict)
    flags: dict[str, int] = field(default_factory=dict)
    excluded: dict[str, int] = field(default_factory=dict)
    failures: list[dict[str, str]] = field(default_factory=list)
    failures_total: int = 0
    table_rows: int = 0

    def caption(self) -> str:
        """Return the words under a chart: n, trust, platform, and what was left out."""
        if not self.rows and not self.excluded and self.table_rows:
            rows = count_noun(self.table_rows, "row")
            return f"n = {rows}, from tables of hardware, networks and accuracies; none of them a sample of a point."
        words = [f"n = {count_noun(self.rows, 'sample')} of {count_noun(self.cases, 'case')}"]
        if self.trust:
            words.append("trust: " + ", ".join(f"{count} {word}" for word, count in self.trust.items()))
        if self.excluded:
            left_out = ", ".join(f"{count:,} {word}" for word, count in self.excluded.items())
            words.append(f"left out: {left_out} (rows; listed under “excluded”)")
        names = [platform["platform"] for platform in self.platforms if platform.get("platform")]
        if names:
            words.append("on " + listed([shortened(pretty(name)) for name in dict.fromkeys(names)]))
        for name, values in self.settings.items():
            words.append(f"{name.replace('_', ' ')} {listed(values)}")
        return "; ".join(words) + "."


def chosen_rows(points: "pd.DataFrame", options: Mapping[str, Any], main: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rows that an analysis was told to look at: its models, libraries, batch sizes, compared levels.

    ``main`` is its table, which names the levels that a ratio took where no option does.
    """
    wanted = {column: list(options.get(option) or ()) for column, option in _CHOOSERS.items()}
    # one item may be a set of libraries to compose a network of
    wanted["library"] += [name for item in wanted["library"] for name in item.split("+")]
    if {"numerator", "denominator"} <= set(main.columns) and len(main):
        levels = [*main["numerator"].unique(), *main["denominator"].unique()]
        wanted[options["column"]] = list(map(str, levels))
    for column, names in wanted.items():
        # single operators go by their shape where others go by their model
        texts = [points[key] for key in ((column, "shape") if column == "model" else (column,)) if key in points]
        if names and texts:
            points = points[np.logical_or.reduce([matches(text, name) for text in texts for name in names])]
    return points


def gather(selection: Selection, all_points: "pd.DataFrame", *, table_rows: int = 0) -> Evidence:
    """Summarise the ranked rows, and the failures among all of them; ``table_rows`` are those of the main table."""
    ranked = selection.ranked
    times = ranked["timestamp"].dropna().astype("string") if "timestamp" in ranked else None
    failures = selection.excluded[selection.excluded["reason"].isin(["failed", "wrong"])]
    shown = [*present(failures, ("program", "shape", "batch_size", "threads")), "reason", "fail_reason", "rows"]
    return Evidence(
        rows=len(ranked),
        cases=_count_cases(ranked),
        sessions=len(_distinct(all_points, "session")),
        first="" if times is None or times.empty else str(times.min()),
        last="" if times is None or times.empty else str(times.max()),
        platforms=_records(ranked, ("platform", "cpu", "gpu", "os", "target")),
        libraries=_records(ranked, ("library", "library_version")),
        programs=_distinct(ranked, "program"),
        datasets=_distinct(ranked, "dataset"),
        models=_distinct(ranked, "model"),
        settings={
            name: values for name in ("threads", "batch_size", "dtype", "cache") if (values := _distinct(ranked, name))
        },
        trust=_counts_by_case(ranked, "trust"),
        flags=_flag_counts(ranked),
        excluded={str(k): int(v) for k, v in selection.excluded.groupby("reason")["rows"].sum().items()},
        failures=[
            {str(key): "" if _missing(value) else str(value) for key, value in row.items()}
            for row in failures[shown].head(_FAILURES_SHOWN).to_dict("records")
        ],
        failures_total=len(failures),
        table_rows=table_rows,
    )


def _count_cases(points: "pd.DataFrame") -> int:
    keys = present(points, CASE_KEYS)
    return int(points.groupby(keys, observed=True, dropna=False).ngroups) if keys else 0


def _counts_by_case(points: "pd.DataFrame", column: str) -> dict[str, int]:
    if column not in points:
        return {}
    keys = [key for key in present(points, CASE_KEYS) if key != column]
    counts = points.drop_duplicates([*keys, column])[column].dropna().astype("string").value_counts()
    return {str(word): int(count) for word, count in counts.items()}


def _flag_counts(points: "pd.DataFrame") -> dict[str, int]:
    if "flags" not in points:
        return {}
    cases = points.drop_duplicates([*present(points, CASE_KEYS), "flags"])
    words = cases["flags"].dropna().astype("string").str.split(r"[+,;]", regex=True).explode().str.strip()
    return {str(word): int(count) for word, count in words[words != ""].value_counts().items()}


def _distinct(points: "pd.DataFrame", column: str) -> list[str]:
    if column not in points:
        return []
    values = points[column].dropna().drop_duplicates()
    return sorted({str(value) for value in values if str(value) != ""}, key=natural_key)


def _records(points: "pd.DataFrame", columns: tuple[str, ...]) -> list[dict[str, str]]:
    kept = present(points, columns)
    if not kept:
        return []
    rows = points[kept].drop_duplicates().astype("string").fillna("")
    return [dict(zip(kept, map(str, row), strict=True)) for row in sorted(rows.itertuples(index=False, name=None))]


def _missing(value: Any) -> bool:
    import pandas as pd

    return bool(pd.isna(value))

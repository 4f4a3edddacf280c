"""One case through time: all its points, from the oldest on, each held against the one before."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nntest.crawl.load import Skipped, load
from nntest.crawl.sources import Source
from nntest.measure.libraries.places import version_key
from nntest.statistics.comparison import Comparison, compare, decide
from nntest.statistics.interval import Interval, interval
from nntest.statistics.series import Series
from nntest.store.entries import find_experiments

if TYPE_CHECKING:
    import pandas as pd

_MOMENT = re.compile(r"\d{14}")
_COLUMNS = (
    "repo", "experiment", "point", "session", "launch", "round", "timestamp", "case_id", "subject_id", "platform_id",
    "cpu", "program", "library", "shape", "success", "verified", "fail_reason", "trust", "time_us",
)  # fmt: skip
_ONE_POINT = ["platform_id", "repo", "experiment", "point", "session"]


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One measurement of a case.

    ``when`` is the start of its session as YYYYMMDDhhmmss, empty where nobody wrote it down. ``change`` is its time
    over that of the one before on the same platform, judged with all others (false discovery rate); None for the first,
    and where one of the two gave no time. Times are in us.
    """

    when: str
    program: str
    shape: str
    library: str
    subject_id: str
    platform_id: str
    cpu: str
    session: str
    experiment: str
    point: str
    trust: str
    failure: str
    time_us: Interval | None
    change: Comparison | None = None


@dataclass(frozen=True)
class History:
    """The measurements of a case, by platform and time, and the files of the source that gave no rows."""

    moments: Sequence[Moment]
    skipped: Sequence[Skipped]


def history(case_id: str, source: Source | Sequence[Source] = "local") -> History:
    """Return all measurements of a case (a prefix of its id will do).

    Raises
    ------
    UsageError
        The source is unknown.
    """
    rows = load(source, where=[f"case_id={case_id}*"], columns=_COLUMNS)
    skipped = rows.attrs["skipped"]
    if rows.empty:
        return History([], skipped)
    started: dict[tuple[str, str], str] = {}
    found = []
    for _, group in rows.groupby(_ONE_POINT, observed=True, sort=False, dropna=False):
        found.append(_moment(group, started))
    found.sort(key=lambda one: (one[0].platform_id, one[0].when, one[0].session, version_key(one[0].library)))
    moments = [moment for moment, _ in found]
    pairs = {
        number: compare(series, before)
        for number, ((moment, series), (last, before)) in enumerate(zip(found[1:], found, strict=False), start=1)
        if moment.platform_id == last.platform_id and series is not None and before is not None
    }
    for number, change in zip(pairs, decide(list(pairs.values()), "fdr"), strict=True):
        moments[number] = replace(moments[number], change=change)
    return History(moments, skipped)


def _moment(rows: "pd.DataFrame", started: dict[tuple[str, str], str]) -> tuple[Moment, Series | None]:
    head = {name: _text(rows[name].iloc[0]) for name in _COLUMNS if name not in {"time_us", "launch", "round"}}
    usable = rows["success"].fillna(value=False) & rows["verified"].fillna(value=True) & rows["time_us"].notna()
    good = rows[usable.astype(bool)]
    series = None
    if not good.empty:
        launches, rounds = ([int(value) for value in good[name].fillna(-1)] for name in ("launch", "round"))
        series = Series.of_rounds(good["time_us"], [head["session"]] * len(good), launches, rounds)
    place = head["repo"], head["experiment"]
    if place not in started:
        started[place] = _started(*place)
    timestamp = head["timestamp"]
    moment = Moment(
        when=timestamp if _MOMENT.fullmatch(timestamp) else started[place],
        program=head["program"],
        shape=head["shape"],
        library=head["library"],
        subject_id=head["subject_id"],
        platform_id=head["platform_id"],
        cpu=head["cpu"],
        session=head["session"],
        experiment=head["experiment"],
        point=head["point"],
        trust=head["trust"],
        failure="" if series is not None else head["fail_reason"] or "no time",
        time_us=interval(series) if series is not None else None,
    )
    return moment, series


def _started(repository: str, experiment: str) -> str:
    """Return when an experiment was begun, which its tags tell; empty where they do not."""
    entries = [entry for entry in find_experiments(experiment) if entry.repository == repository]
    return next((tag for entry in entries for tag in entry.tags if _MOMENT.fullmatch(tag)), "")


def _text(value: Any) -> str:
    from pandas import isna

    return "" if isna(value) else str(value)

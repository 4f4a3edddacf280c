"""Two sides of points, joined by case: which got slower, which did not, and what cannot be told."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from nntest.crawl.columns import BY_NAME
from nntest.errors import UsageError
from nntest.statistics.comparison import MARGIN, Comparison, compare, decide
from nntest.statistics.series import Series

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["slower", "faster", "equal", "undecided", "failed", "missing in A", "missing in B"]
Gate = Literal["", "passed", "slower", "undecided"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

#: What a case's label says when it is not the usual.
_USUAL = {
    "batch_size": "1",
    "dtype": "float32",
    "layout": "auto",
    "threads": "1",
    "cache": "warm",
    "isa": "",
    "post_ops": "",
    "data": "normal",
    "seed": "42",
}


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side of a case: which library, its median time in us (NaN where it failed), its trust, why it failed."""

    library: str = ""
    platform: str = ""
    time_us: float = math.nan
    trust: str = ""
    failure: str = ""


@dataclass(frozen=True, kw_only=True)
class CaseDifference:
    """What became of one case between A and B.

    Attributes
    ----------
    comparison
        Time of B over time of A, judged together with all other cases (Holm); None where nothing was compared.
    gate
        Whether B is slower than A by more than the limit: ``slower`` (shown), ``passed`` (shown not to be),
        ``undecided``; '' where nothing was asked, or where A gives nothing to hold B against.
    reason
        Why there is no verdict, or what to mind about it.
    """

    case_id: str
    program: str
    case: str
    a: Side | None
    b: Side | None
    verdict: Verdict
    comparison: Comparison | None = None
    gate: Gate = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """All cases of two sides; ``notes`` tell what could not be joined at all."""

    cases: tuple[CaseDifference, ...]
    limit: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """Return 1 where a case got slower than the limit or fails now, 4 where that cannot be decided, else 0."""
        if self.limit is None:
            return 0
        gates = {case.gate for case in self.cases}
        if "slower" in gates:
            return 1
        return 0 if gates >= {"passed"} and "undecided" not in gates else 4

    def count(self, verdict: Verdict) -> int:
        """Return how many cases have a verdict."""
        return sum(case.verdict == verdict for case in self.cases)


@dataclass
class _Group:
    """Rows of one case, one subject, one platform."""

    side: Side
    series: Series | None


def select(points: "pd.DataFrame", words: Mapping[str, str], *, name: str) -> "pd.DataFrame":
    """Return the rows whose columns match patterns (``library_version``: ``3.1*``).

    Raises
    ------
    UsageError
        A column is unknown, or nothing is left.
    """
    for column, pattern in words.items():
        if column not in BY_NAME:
            raise UsageError(f"{name}: {column} is no column; expected one of {', '.join(BY_NAME)}")
        texts = points[column].astype("string")
        kept = points[texts.map(lambda text, wanted=pattern: fnmatchcase(text, wanted), na_action="ignore") == True]  # noqa: E712
        if kept.empty:
            there = ", ".join(sorted(texts.dropna().unique())[:10]) or "no value at all"
            raise UsageError(f"{name}: no point has {column}={pattern}; there is {there}")
        points = kept
    return points


def diff(a: "pd.DataFrame", b: "pd.DataFrame", *, limit: float | None = None, margin: float = MARGIN) -> Difference:
    """Compare the cases of two tables of points.

    Points are joined by ``case_id``, and by platform where both sides know the same ones. A case that one side
    measured with several subjects (library versions, builds, flags) is not compared: averages over them mean nothing.

    Parameters
    ----------
    a, b
        From :func:`nntest.load`; B is held against A.
    limit
        Slow-down that is still allowed, 0.05 for 5 %. A case is ``slower`` when B is shown to be slower than that
        (Holm over all cases), ``passed`` when it is shown not to be (each case by itself: all of them must pass, so
        that nothing needs to be adjusted).
    margin
        Relative difference that does not matter for the verdict ``equal``.

    Returns
    -------
    Difference
        Cases in order of program and case.
    """
    notes = [*_foreign(a, "A"), *_foreign(b, "B")]
    sides = _grouped(a), _grouped(b)
    labels = {**_labels(b), **_labels(a)}
    cases: list[CaseDifference] = []
    pairs: list[tuple[int, Series, Series]] = []
    for case_id in sorted(labels, key=lambda name: (labels[name], name)):
        program, case = labels[case_id]
        for row, series in _match(case_id, program, case, sides[0].get(case_id, {}), sides[1].get(case_id, {})):
            if series is not None:
                pairs.append((len(cases), *series))
            cases.append(row)
    _judge(cases, pairs, margin)
    if limit is not None:
        _gate(cases, pairs, limit)
    return Difference(cases=tuple(cases), limit=limit, notes=tuple(notes))


def _judge(cases: list[CaseDifference], pairs: Sequence[tuple[int, Series, Series]], margin: float) -> None:
    found = decide([compare(b, a, margin=margin) for _, a, b in pairs], "holm")
    for (position, _, _), comparison in zip(pairs, found, strict=True):
        verdict: Verdict = "undecided"
        if comparison.verdict == "equivalent":
            verdict = "equal"
        elif comparison.verdict == "different":
            verdict = "slower" if comparison.ratio > 1 else "faster"
        reason = cases[position].reason or comparison.reason
        cases[position] = replace(cases[position], comparison=comparison, verdict=verdict, reason=reason)


def _gate(cases: list[CaseDifference], pairs: Sequence[tuple[int, Series, Series]], limit: float) -> None:
    """Hold every case against the limit: B's times are divided by 1 + limit and compared with A's."""
    single = [compare(replace(b, values=b.values / (1 + limit)), a, margin=0.0) for _, a, b in pairs]
    gates: dict[int, Gate] = {}
    for (position, _, _), alone, together in zip(pairs, single, decide(single, "holm"), strict=True):
        if together.verdict == "different" and together.ratio > 1:
            gates[position] = "slower"
        elif alone.verdict == "different" and alone.ratio < 1:
            gates[position] = "passed"
        else:
            gates[position] = "undecided"
    for position, case in enumerate(cases):
        gate = gates.get(position, "")
        if position not in gates and case.a is not None and not case.a.failure:
            gate = "slower" if case.verdict == "failed" else "undecided"
        cases[position] = replace(case, gate=gate)


_Groups = dict[tuple[str, str], _Group]
_Match = tuple[CaseDifference, tuple[Series, Series] | None]


def _match(case_id: str, program: str, case: str, a: _Groups, b: _Groups) -> list[_Match]:
    """Return the rows of one case: one per platform that both sides know, else one."""

    def row(verdict: Verdict, one: _Group | None, other: _Group | None, reason: str = "") -> CaseDifference:
        return CaseDifference(
            case_id=case_id,
            program=program,
            case=case,
            a=one.side if one else None,
            b=other.side if other else None,
            verdict=verdict,
            reason=reason,
        )

    if not a or not b:
        one, other = next(iter(a.values()), None), next(iter(b.values()), None)
        return [(row("missing in B" if a else "missing in A", one, other), None)]
    platforms = [{platform for platform, _ in side} for side in (a, b)]
    shared = sorted(platforms[0] & platforms[1])
    if not shared and max(map(len, platforms)) > 1:
        reason = "several platforms, none of them on both sides; choose with --a and --b platform=NAME"
        return [(row("undecided", _first(a), _first(b), reason), None)]
    matches = []
    for platform in shared or [""]:
        mine = [group for (where, _), group in a.items() if where == platform or not shared]
        theirs = [group for (where, _), group in b.items() if where == platform or not shared]
        matches.append(_match_subjects(mine, theirs, row, "" if shared else _other_platform(mine[0], theirs[0])))
    return matches


def _match_subjects(mine: Sequence[_Group], theirs: Sequence[_Group], row: Any, caution: str) -> _Match:
    one, other = mine[0], theirs[0]
    for name, groups in (("A", mine), ("B", theirs)):
        if len(groups) > 1:
            libraries = ", ".join(dict.fromkeys(group.side.library for group in groups))
            reason = f"{len(groups)} subjects in {name} ({libraries}); choose with --{name.lower()} subject_id=ID"
            return row("undecided", one, other, reason), None
    failed = [f"{name}: {group.side.failure}" for name, group in (("A", one), ("B", other)) if group.side.failure]
    if failed or one.series is None or other.series is None:
        return row("failed", one, other, "; ".join(failed)), None
    return row("undecided", one, other, caution), (one.series, other.series)


def _first(groups: _Groups) -> _Group:
    return next(iter(groups.values()))


def _other_platform(one: _Group, other: _Group) -> str:
    names = one.side.platform, other.side.platform
    return f"on another platform: {names[0]} and {names[1]}" if names[0] != names[1] else "on another platform"


def _grouped(points: "pd.DataFrame") -> dict[str, _Groups]:
    """Return groups by case, then by (platform, subject)."""
    known = points[points["case_id"].notna()]
    groups: dict[str, _Groups] = {}
    keys = ["case_id", "platform_id", "subject_id"]
    for (case_id, platform, subject), rows in known.groupby(keys, observed=True, dropna=False):
        groups.setdefault(str(case_id), {})[str(platform), str(subject)] = _group(rows)
    return groups


def _group(rows: "pd.DataFrame") -> _Group:
    usable = rows["success"].fillna(value=False) & (rows["verified"].fillna(value=True)) & rows["time_us"].notna()
    good = rows[usable.astype(bool)]
    head = rows.iloc[-1]
    side = Side(library=_text(head["library"]), platform=_text(head["platform"]), trust=_text(head["trust"]))
    if good.empty:
        return _Group(replace(side, failure=_text(head["fail_reason"]) or "no time"), None)
    times = good["time_us"].to_numpy(dtype=np.float64)
    sessions = [_text(value) for value in good["session"]]
    launches, rounds = (good[name].fillna(-1).to_numpy(dtype=np.int64) for name in ("launch", "round"))
    series = Series.of_rounds(times, sessions, [int(value) for value in launches], [int(value) for value in rounds])
    return _Group(replace(side, time_us=float(np.median(times))), series)


def _labels(points: "pd.DataFrame") -> dict[str, tuple[str, str]]:
    """Return program and case in words by case_id."""
    labels = {}
    first = points[points["case_id"].notna()].drop_duplicates("case_id")
    for _, row in first.iterrows():
        words = [_text(row["shape"]) or _text(row["species"])]
        words += [f"{name}={_text(row[name])}" for name, usual in _USUAL.items() if _text(row[name]) not in {usual, ""}]
        labels[str(row["case_id"])] = (_text(row["program"]), " ".join(words))
    return labels


def _foreign(points: "pd.DataFrame", name: str) -> list[str]:
    """Say how many rows have no identity to be joined by."""
    foreign = points[points["case_id"].isna()]
    if foreign.empty:
        return []
    count = len(foreign[["repo", "experiment", "point"]].drop_duplicates())
    return [f"{name}: {count} points of other tools have no case_id and were not compared"]


def _text(value: Any) -> str:
    from pandas import isna

    return "" if isna(value) else str(value)

"""Speedup: a baseline's time over each case's, shape by shape."""

import numpy as np
import pandas as pd

from nntest.analyses.bars import Bar, Group, ratio_bars
from nntest.analyses.cases import collect, time_of
from nntest.analyses.columns import ANSWER, QUESTION, nearest, present, require
from nntest.analyses.names import (
    count_noun,
    equals,
    listed,
    pretty,
    question_labels,
    question_noun,
    sort_naturally,
    subject_labels,
)
from nntest.analyses.selection import select
from nntest.analyses.style import empty_figure
from nntest.errors import UsageError
from nntest.statistics.comparison import compare, decide
from nntest.statistics.interval import ratio
from nntest.units import format_ratio

NAME = "speedup"
#: What a baseline need not share with what it is compared with, but does where it can: fp16 is compared with fp32
#: where a library has nothing else.
ALIKE = ("dtype", "isa")
NOTHING = "There is nothing to compare with the baseline."


def table(source, options):
    """Compare every case with the baseline's case of the same question.

    Parts: ``comparison`` (verdict after control of the false discovery rate, smallest effect that could be found),
    ``unmatched`` (cases without a baseline, with the reason).
    """
    points = source.points
    require(points, ["time_us", "program", "library"], where=NAME)
    ranked = select(points, options, where=NAME).ranked
    cases = collect(ranked, time_of(ranked, options.time))
    baseline = _baseline(cases.table, options)
    partner, reasons = match(cases.table, baseline)
    found = [position for position, other in enumerate(partner) if other >= 0]
    rows, verdicts = [], []
    for position in found:
        mine, theirs = cases.series[position], cases.series[partner[position]]
        item = ratio(mine, theirs, options.statistic)
        rows.append((_value(mine, options), _value(theirs, options), item.estimate, item.low, item.high))
        verdicts.append(compare(mine, theirs))
    keys = cases.table.iloc[found].reset_index(drop=True)
    is_baseline = np.array([partner[position] == position for position in found], dtype=bool)
    main = keys.assign(statistic=options.statistic)
    main[["time_us", "baseline_us", "speedup", "ci_low", "ci_high"]] = np.array(rows, dtype=float).reshape(-1, 5)
    main.loc[is_baseline, ["speedup", "ci_low", "ci_high"]] = 1.0
    others = [number for number, same in enumerate(is_baseline) if not same]
    unmatched = cases.table.assign(reason=reasons)[np.array(partner) < 0]
    return {
        NAME: sort_naturally(main),
        "comparison": comparison(keys.iloc[others], [verdicts[number] for number in others]),
        "unmatched": unmatched.reset_index(drop=True),
    }


def chart(tables, options):
    """Draw horizontal bars, grouped by shape, with the interval on each."""
    main = tables[NAME]
    baseline = _baseline(main, options)
    drawn = main[~_baseline_rows(main, baseline)]
    if drawn.empty:
        return empty_figure(NOTHING)
    drawn = drawn.assign(_subject=subject_labels(drawn), _group=question_labels(drawn, without=ALIKE))
    groups = [
        Group(
            str(label),
            tuple(
                Bar(
                    subject=row["_subject"],
                    library=str(row["library"]),
                    value=row["speedup"],
                    low=row["ci_low"],
                    high=row["ci_high"],
                    label=format_ratio(row["speedup"]),
                )
                for _, row in rows.sort_values(["library", "_subject"]).iterrows()
            ),
        )
        for label, rows in drawn.groupby("_group", sort=False)
    ]
    return ratio_bars(
        groups,
        title=_title(drawn, baseline),
        xlabel=f"speed relative to {_words(baseline)} ({options.statistic} times; black line: 95 % interval)",
        xmax=options.xmax,
    )


def finding(tables, options):
    """Say which program beats the baseline, how often, and how sure that is."""
    main, verdicts = tables[NAME], tables["comparison"]
    drawn = main[~_baseline_rows(main, _baseline(main, options))]
    if drawn.empty:
        return NOTHING
    words = [_title(drawn, _baseline(main, options)) + "."]
    counts = verdicts["verdict"].value_counts()
    said = [f"{counts.get(word, 0)} {word}" for word in ("different", "equivalent", "undecided") if counts.get(word, 0)]
    findable = verdicts["mde_pct"].dropna()
    could = f"; the typical one would have found a difference of {findable.median():.1f} %" if len(findable) else ""
    words.append(
        f"Of {count_noun(len(verdicts), 'comparison')}, {listed(said)} (false discovery rate 5 %, "
        f"differences under 1 % count as none){could}."
    )
    if len(tables["unmatched"]):
        words.append(f"{count_noun(len(tables['unmatched']), 'case')} had no baseline to be compared with.")
    return " ".join(words)


def default_baseline(cases):
    """Choose what covers the most questions; among equals the slowest-sounding: the plain library, else by name."""
    questions = cases[present(cases, QUESTION)].astype("string").fillna("").agg("|".join, axis=1)
    coverage = questions.groupby(cases["library"].astype("string").to_numpy()).nunique()
    best = sorted(coverage[coverage == coverage.max()].index, key=lambda name: ("plain" not in str(name), str(name)))
    return {"library": str(best[0])}


def match(cases, baseline):
    """Return, for each case, the position of its baseline (-1 without one) and the reason why there is none.

    What is asked must be equal, apart from the baseline's own columns. If those are no part of the answer
    (threads:1), what answers must be equal as well; otherwise, of several candidates, the one whose answer (and
    dtype) is most alike is taken.
    """
    for column in baseline:
        if column not in cases.columns:
            raise UsageError(f"{NAME}: baseline names the column {column!r}; {nearest(column, cases.columns)}")
    is_candidate = np.ones(len(cases), dtype=bool)
    for column, value in baseline.items():
        hit = equals(cases[column], value).to_numpy()
        if not hit.any():
            known = cases[column].dropna().astype("string").unique()
            raise UsageError(f"{NAME}: no case has {column}={value}; {nearest(value, known)}")
        is_candidate &= hit
    if not is_candidate.any():
        raise UsageError(f"{NAME}: no case has all of {', '.join(f'{c}={v}' for c, v in baseline.items())} at once")
    free = (*ANSWER, *ALIKE) if set(baseline) & {*ANSWER, *ALIKE} else ()
    columns = [column for column in present(cases, (*QUESTION, *ANSWER)) if column not in baseline]
    equal = [column for column in columns if column not in free]
    alike = [column for column in columns if column in free]
    texts = cases[[*equal, *alike]].astype("string").fillna("")
    questions = list(texts[equal].itertuples(index=False, name=None))
    answers = texts[alike].to_numpy(dtype=object)
    by_question = {}
    for position in np.flatnonzero(is_candidate):
        by_question.setdefault(questions[position], []).append(position)
    partner, reasons = [], []
    for position in range(len(cases)):
        candidates = by_question.get(questions[position], [])
        if position in candidates:
            candidates = [position]
        likeness = [int(np.sum(answers[position] == answers[other])) for other in candidates]
        best = [other for other, value in zip(candidates, likeness, strict=True) if value == max(likeness)]
        partner.append(best[0] if len(best) == 1 else -1)
        reasons.append("" if len(best) == 1 else "several baselines fit equally well" if best else "no baseline here")
    return partner, reasons


def comparison(keys, comparisons):
    """Return the verdicts, judged together as an exploration (false discovery rate)."""
    columns = ("verdict", "p_fdr", "mde_pct", "paired", "n", "launches", "reason")
    judged = decide(comparisons, "fdr")
    rows = [(c.verdict, c.p_value, c.mde_pct, c.paired, c.n, c.launches, c.reason) for c in judged]
    return pd.concat([keys.reset_index(drop=True), pd.DataFrame(rows, columns=list(columns))], axis=1)


def _value(series, options):
    return float(np.median(series.values) if options.statistic == "median" else series.values.min())


def _baseline(cases, options):
    # the default can be found again in the finished table: no library covers more of it
    return options.baseline or default_baseline(cases)


def _baseline_rows(main, baseline):
    rows = np.ones(len(main), dtype=bool)
    for column, value in baseline.items():
        rows &= equals(main[column], value).to_numpy()
    return rows


def _words(baseline):
    return listed(f"{pretty(value)}" if column in ("program", "library", "model", "platform") else f"{column} {value}"
                  for column, value in baseline.items()) or "the baseline"  # fmt: skip


def _title(drawn, baseline):
    by_subject = drawn.assign(_subject=subject_labels(drawn)).groupby("_subject")["speedup"]
    leader = by_subject.median().idxmax()
    values = by_subject.get_group(leader)
    typical = f"{leader} is {format_ratio(float(values.median()))} as fast as {_words(baseline)}"
    if len(values) == 1:
        return typical
    return (
        f"{typical}: median of {count_noun(len(values), question_noun(drawn))}, "
        f"{format_ratio(float(values.min()))} to {format_ratio(float(values.max()))}"
    )

"""Speedup: a baseline's time over each case's, shape by shape."""

import numpy as np
import pandas as pd

from nntest.analyses.bars import Bar, Group, ratio_bars
from nntest.analyses.cases import Cases, codes_of, collect, combined, group_numbers, time_of
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
from nntest.statistics.batch import Batch
from nntest.statistics.comparison import comparisons
from nntest.statistics.interval import ratios
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
    times = time_of(ranked, options.time)
    best = _is_best(ranked, options)
    if best:
        times = times / ranked["batch_size"].astype("Float64").to_numpy(dtype=np.float64, na_value=1.0)
    cases = collect(ranked, times)
    if not cases.series:
        raise UsageError(f"{NAME}: no row tells its reorders, so none has a time end to end; leave --time out")
    if best:
        cases = at_best_batch(cases, options.statistic)
    baseline = _baseline(cases.table, options)
    partner, reasons = match(cases.table, baseline, without=("batch_size",) if best else ())
    found = np.flatnonzero(partner >= 0)
    against = partner[found]
    series = cases.series
    items = ratios(series, found, against, options.statistic)
    values = statistics_of(series, options.statistic)
    is_baseline = found == against
    keys = cases.table.iloc[found].reset_index(drop=True)
    main = keys.assign(
        statistic=f"{options.statistic} per image at the best batch size" if best else options.statistic,
        time_us=values[found],
        baseline_us=values[against],
        speedup=np.where(is_baseline, 1.0, items.estimate),
        ci_low=np.where(is_baseline, 1.0, items.low),
        ci_high=np.where(is_baseline, 1.0, items.high),
    )
    others = np.flatnonzero(~is_baseline)
    unmatched = cases.table.assign(reason=reasons)[partner < 0]
    return {
        NAME: sort_naturally(main),
        "comparison": comparison(
            keys.iloc[others], comparisons(series, found[others], against[others], adjustment="fdr")
        ),
        "unmatched": unmatched.reset_index(drop=True),
    }


def chart(tables, options):
    """Draw horizontal bars, grouped by shape, with the interval on each."""
    main = tables[NAME]
    baseline = _baseline(main, options)
    drawn = main[~_baseline_rows(main, baseline)]
    if drawn.empty:
        return empty_figure(NOTHING)
    best = _is_best(main, options)
    without = (*ALIKE, "batch_size") if best else ALIKE
    drawn = drawn.assign(_subject=subject_labels(drawn), _group=question_labels(drawn, without=without))
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
                    label=f"{row['speedup']:.2f}x" if best else _ratio_words(row["speedup"]),
                )
                for _, row in rows.sort_values(["library", "_subject"]).iterrows()
            ),
        )
        for label, rows in drawn.groupby("_group", sort=False)
    ]
    per = " of an image, each at its best batch size" if best else ""
    return ratio_bars(
        groups,
        title=_title(drawn, baseline, tables["comparison"]),
        xlabel=f"speed relative to {_words(baseline)} ({options.statistic} times{per}; thin line: 95 % interval)",
        xmax=options.xmax,
    )


def finding(tables, options):
    """Say which program beats the baseline, how often, and how sure that is."""
    main, verdicts = tables[NAME], tables["comparison"]
    drawn = main[~_baseline_rows(main, _baseline(main, options))]
    if drawn.empty:
        return NOTHING
    words = [_title(drawn, _baseline(main, options), verdicts) + "."]
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
    questions, _ = group_numbers(cases, present(cases, QUESTION))
    coverage = pd.Series(questions, index=cases.index).groupby(cases["library"].astype("string").to_numpy()).nunique()
    best = sorted(coverage[coverage == coverage.max()].index, key=lambda name: ("plain" not in str(name), str(name)))
    return {"library": str(best[0])}


def at_best_batch(cases, statistic):
    """Keep of each case the batch size at which one image takes the least time; times are those of an image."""
    values = statistics_of(cases.series, statistic)
    keys = [column for column in cases.table.columns if column not in ("batch_size", "dataset")]
    numbers, _ = group_numbers(cases.table, keys)
    order = np.lexsort((values, numbers))
    kept = np.sort(order[np.flatnonzero(np.diff(numbers[order], prepend=-1))])
    return Cases(cases.table.iloc[kept].reset_index(drop=True), Batch.of(cases.series).take(kept))


def match(cases, baseline, *, without=()):
    """Return, for each case, the position of its baseline (-1 without one) and the reason why there is none.

    What is asked must be equal, apart from the baseline's own columns. If those are no part of the answer
    (threads:1), what answers must be equal as well; otherwise, of several candidates, the one whose answer (and
    dtype) is most alike is taken. Columns in ``without`` need not be equal.
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
    columns = [column for column in present(cases, (*QUESTION, *ANSWER)) if column not in (*baseline, *without)]
    equal = [column for column in columns if column not in free]
    alike = [column for column in columns if column in free]
    questions = combined([codes_of(cases[column]) for column in equal], rows=len(cases))
    positions, candidates = _joined(questions, np.flatnonzero(is_candidate))
    likeness = np.zeros(len(positions), dtype=np.int64)
    for column in alike:
        codes = codes_of(cases[column])
        likeness += codes[positions] == codes[candidates]
    # a baseline is its own
    likeness[positions == candidates] = len(alike) + 1
    best = likeness == _largest(likeness, positions, len(cases))[positions]
    count = np.bincount(positions[best], minlength=len(cases))
    partner = np.full(len(cases), -1)
    partner[positions[best]] = candidates[best]
    partner[count != 1] = -1
    reasons = np.select([count == 0, count > 1], ["no baseline here", "several baselines fit equally well"], "")
    return partner, reasons


def statistics_of(series, statistic):
    """Return the median, minimum or mean of each series."""
    batch = Batch.of(series)
    return {"median": batch.medians, "minimum": batch.minima, "mean": batch.means}[statistic]()


def _is_best(frame, options):
    """Tell whether each side is taken at its best batch size; by default where all rows are of whole networks."""
    if options.batch != "auto" or "batch_size" not in frame:
        return options.batch == "best"
    return not ("shape" in frame and frame["shape"].notna().any())


def _joined(questions, candidates):
    """Return all pairs of a case and a candidate for the same question, as two arrays."""
    candidates = candidates[np.argsort(questions[candidates], kind="stable")]
    asked = questions[candidates]
    left, right = np.searchsorted(asked, questions, "left"), np.searchsorted(asked, questions, "right")
    counts = right - left
    positions = np.repeat(np.arange(questions.size), counts)
    offsets = np.arange(positions.size) - np.repeat(np.cumsum(counts) - counts, counts)
    return positions, candidates[left[positions] + offsets]


def _largest(values, groups, count):
    largest = np.full(count, -1)
    np.maximum.at(largest, groups, values)
    return largest


def comparison(keys, found):
    """Return the verdicts on ``keys`` as a table."""
    columns = ("verdict", "p_fdr", "mde_pct", "paired", "n", "launches", "reason")
    rows = [(c.verdict, c.p_value, c.mde_pct, c.paired, c.n, c.launches, c.reason) for c in found]
    keys = keys.reset_index(drop=True)
    return pd.concat([keys, pd.DataFrame(rows, columns=list(columns), index=keys.index)], axis=1)


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


def _title(drawn, baseline, verdicts):
    by_subject = drawn.assign(_subject=subject_labels(drawn)).groupby("_subject")["speedup"]
    leader = by_subject.median().idxmax()
    values = by_subject.get_group(leader)
    typical = f"{leader} is {_ratio_words(float(values.median()))} as fast as {_words(baseline)}"
    if _untold(drawn.loc[values.index], verdicts):
        typical = f"{leader} is not told apart from {_words(baseline)}, at {_ratio_words(float(values.median()))}"
    if len(values) == 1:
        return typical
    ends = [_ratio_words(float(end)) for end in (values.min(), values.max())]
    if ends[0] == ends[1]:
        ends = [f"{end:.2f}x" for end in (values.min(), values.max())]
    return f"{typical}: median of {count_noun(len(values), question_noun(drawn))}, {ends[0]} to {ends[1]}"


def _untold(rows, verdicts):
    """Tell whether rows were tested, and none was found to differ or to be equal; what has one value has no test."""
    keys = list(verdicts.columns[: list(verdicts.columns).index("verdict")])
    mine = set(rows[keys].astype("string").fillna("").itertuples(index=False, name=None))
    found = [
        (verdict, reason)
        for case, verdict, reason in zip(
            verdicts[keys].astype("string").fillna("").itertuples(index=False, name=None),
            verdicts["verdict"],
            verdicts["reason"],
            strict=True,
        )
        if case in mine
    ]
    return any(not reason for _, reason in found) and all(verdict == "undecided" for verdict, _ in found)


def _ratio_words(ratio):
    """Render a speedup; one that is far below 1 keeps two digits."""
    if ratio >= 0.1:
        return format_ratio(ratio)
    return f"{ratio:.3f}x" if ratio >= 0.01 else f"{ratio:.2g}x"

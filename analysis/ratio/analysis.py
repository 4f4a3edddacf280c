"""Ratio: one level of a column over another, by any metric, wherever everything else is equal.

What is equal: all columns of the case but the compared one, and but those of the answer that the two levels never share
(a library brings its programs and its versions with it; fp16 is compared with fp32 where a library has nothing else).
What was asked is always the same: no ratio stands over two networks, unless networks are what is compared.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nntest.analyses.bars import Bar, Group, ratio_bars
from nntest.analyses.columns import CASE_KEYS, QUESTION, nearest, present, require
from nntest.analyses.grouping import floats, group_rows
from nntest.analyses.names import count_noun, pretty, setting_labels, sort_naturally, split_version
from nntest.analyses.selection import select
from nntest.analyses.style import empty_figure
from nntest.analyses.workloads import DIRECTIONS, choose, name_workloads
from nntest.errors import UsageError
from nntest.statistics.interval import ratio as ratio_of
from nntest.statistics.series import Series

NAME = "ratio"
#: Metrics of one image; the column that they are made of, and whether a larger value is a smaller time.
PER_IMAGE = ("time_ms_per_image", "images_per_s", "memory_mb_per_image")
BATCH = ("batch_size",)
#: What changes with a column of the question, and cannot be equal on both sides.
COMPANIONS = {
    "model": ("shape", "species"),
    "shape": ("model", "species"),
    "species": ("model", "shape"),
    "platform": ("target", "isa"),
    "target": ("platform", "isa"),
    "isa": ("platform", "target"),
}
AT_BEST = ("time_ms_per_image", "images_per_s")


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows that count, with the metric of each."""

    ranked: pd.DataFrame
    values: np.ndarray


def table(source, options):
    """Return one row per question that both levels answer; the part ``unmatched`` has the others."""
    points = name_workloads(source.points, where=NAME)
    points = choose(choose(points, "model", options.models, where=NAME), "library", options.libraries, where=NAME)
    ranked = select(points, options, where=NAME).ranked
    column = options.column
    require(ranked, ["batch_size", "library"], where=NAME)
    if column not in CASE_KEYS or column not in ranked:
        known = present(ranked, CASE_KEYS)
        raise UsageError(f"{NAME}: {column!r} is no column of the case; {nearest(column, known)}")
    values = _values(ranked, options)
    ranked, values = ranked[~np.isnan(values)], values[~np.isnan(values)]
    if ranked.empty:
        raise UsageError(f"{NAME}: no row has a value of {options.metric}; choose another --metric")
    upper, lower = _levels(ranked, column, options)
    cases = _cases(ranked, values, options.statistic)
    texts = cases[column].astype("string").fillna("")
    sides = [cases[texts.isin(_matching(texts, level, column))] for level in (upper, lower)]
    keys = _shared(sides, column)
    if _at_best(options):
        keys = [key for key in keys if key != "batch_size"]
        sides = [_best_of(side) for side in sides]
    return _join(sides, keys, (upper, lower), Rows(ranked, values), options)


def chart(tables, options):
    """Draw the ratio of each question around 1, with its interval."""
    main = tables[NAME]
    if main.empty:
        return empty_figure("No question was answered by both levels.")
    model = main["model"].map(pretty).astype("string")
    said = {"model", "shape", "operator", "species", "program", options.column}
    settings = setting_labels(main, [key for key in CASE_KEYS if key not in said])
    label = model + settings.where(settings == "", " (" + settings + ")")
    groups = [
        Group(
            name,
            (
                Bar(
                    subject=f"{pretty(row['numerator'])} over {pretty(row['denominator'])}",
                    library=str(row["numerator"]),
                    value=row["ratio"],
                    low=row["ci_low"],
                    high=row["ci_high"],
                    label=f"{row['ratio']:.3f}",
                ),
            ),
        )
        for name, (_, row) in zip(label, main.iterrows(), strict=True)
    ]
    sure = "; thin line: 95 % interval" if main["ci_low"].notna().any() else ""
    return ratio_bars(groups, title=_title(main, options), xlabel=f"{_sides(main)}{sure}")


def finding(tables, options):
    """Say the typical ratio and its range, and how many questions only one level answered."""
    main = tables[NAME]
    if main.empty:
        return "No question was answered by both levels."
    words = [f"{_title(main, options)}."]
    if len(main) > 1:
        words.append(f"The ratios lie between {main['ratio'].min():.3f} and {main['ratio'].max():.3f}.")
    sure = main[(main["ci_low"] > 1) | (main["ci_high"] < 1)]
    known = int(main["ci_low"].notna().sum())
    if known:
        words.append(f"Of {count_noun(known, 'interval')} (95 %), {len(sure)} exclude 1.")
    if len(tables["unmatched"]):
        words.append(f"{count_noun(len(tables['unmatched']), 'case')} had no partner.")
    return " ".join(words)


def _values(ranked, options):
    """Return the metric of each row."""
    metric = options.metric
    if metric in PER_IMAGE:
        column = "memory_mb" if metric.startswith("memory") else DIRECTIONS[options.direction]
        require(ranked, [column], where=NAME)
        images = floats(ranked["batch_size"])
        raw = floats(ranked[column]) / np.where(np.isnan(images), 1.0, images)
        # a rate is averaged as its inverse: images per second of the mean time
        return raw if metric.startswith("memory") else raw / 1e3
    numeric = [str(name) for name in ranked.columns if ranked[name].dtype.kind in "fiu" and name not in CASE_KEYS]
    if metric not in numeric:
        raise UsageError(f"{NAME}: there is no metric {metric!r}; {nearest(metric, [*PER_IMAGE, *numeric])}")
    return floats(ranked[metric])


def _levels(ranked, column, options):
    texts = ranked[column].astype("string").fillna("")
    known = sorted(str(value) for value in texts.unique() if value)
    for level in (options.numerator, options.denominator):
        if level and not _matching(texts, level, column):
            raise UsageError(f"{NAME}: no row has {column}={level}; {nearest(level, known)}")
    named = [level for level in (options.numerator, options.denominator) if level]
    if len(named) == 2:
        return options.numerator, options.denominator
    taken = {value for level in named for value in _matching(texts, level, column)}
    free = [level for level in known if level not in taken]
    if len(named) + len(free) < 2:
        raise UsageError(
            f"{NAME}: {column} has no two values to compare ({', '.join(known) or 'none at all'}); "
            "choose another --column, or points that differ in it"
        )
    # levels that were not named are those that answer most of the same questions, the first over the last by name
    questions = group_rows(ranked, _asked(ranked, column)).codes
    answered = {level: set(questions[(texts == level).to_numpy(dtype=bool)]) for level in known}
    other = set().union(*(answered[value] for value in taken))
    if named:
        found = max(free if options.numerator else reversed(free), key=lambda level: len(answered[level] & other))
        return (options.numerator, found) if options.numerator else (found, options.denominator)
    lower = max(free, key=lambda level: len(answered[level]))
    free.remove(lower)
    return max(reversed(free), key=lambda level: len(answered[level] & answered[lower])), lower


def _asked(frame, column):
    """Return the columns of the question that are equal on both sides: all but the compared one and its companions."""
    apart = {column, *BATCH, *COMPANIONS.get(column, ()), "dtype"}
    return [key for key in present(frame, QUESTION) if key not in apart]


def _matching(texts, level, column):
    known = [str(value) for value in texts.unique()]
    if level in known:
        return [level]
    return [value for value in known if column == "library" and split_version(value)[0] == level]


def _cases(ranked, values, statistic):
    """Return one row per case: its columns, ``value`` by the statistic, and ``place``, its number in ``groups``."""
    columns = present(ranked, CASE_KEYS)
    groups = group_rows(ranked, columns)
    found = {"mean": groups.mean, "median": groups.median, "minimum": groups.minimum}[statistic](values)
    cases = ranked[columns].iloc[groups.first].reset_index(drop=True)
    return cases.assign(value=found, place=np.arange(len(cases)))


def _shared(sides, column):
    """Return the columns that make two cases one question: what was asked, and of the rest what the sides share."""
    keys = []
    asked = {*_asked(sides[0], column), *BATCH}
    for key in present(sides[0], CASE_KEYS):
        if key == column or (key == "shape" and sides[0]["shape"].equals(sides[0]["model"])):
            continue
        mine, theirs = (set(side[key].astype("string").fillna("").unique()) for side in sides)
        if key in asked or mine & theirs:
            keys.append(key)
    return keys


def _at_best(options):
    return options.batch == "best" or (options.batch == "auto" and options.metric in AT_BEST)


def _best_of(side):
    # the smallest value is the best one: a rate is kept as its time until the ratio is taken
    groups = group_rows(side, [key for key in CASE_KEYS if key != "batch_size"])
    order = np.lexsort((side["value"].to_numpy(), groups.codes))
    _, first = np.unique(groups.codes[order], return_index=True)
    return side.iloc[np.sort(order[first])]


def _join(sides, keys, levels, rows, options):
    upper, lower = sides
    both = pd.concat([upper, lower], ignore_index=True)
    groups = group_rows(both, keys)
    codes = groups.codes[: len(upper)], groups.codes[len(upper) :]
    counts = [np.bincount(code, minlength=len(groups)) for code in codes]
    paired = np.flatnonzero((counts[0] == 1) & (counts[1] == 1))
    where = [np.full(len(groups), -1) for _ in codes]
    for place, code in zip(where, codes, strict=True):
        place[code] = np.arange(len(code))
    above, below = upper.iloc[where[0][paired]], lower.iloc[where[1][paired]]
    estimates = above["value"].to_numpy() / below["value"].to_numpy()
    low, high = _intervals(above, below, rows, estimates, options)
    if options.metric == "images_per_s":
        estimates, low, high = 1 / estimates, 1 / high, 1 / low
    told = [key for key in keys if above[key].notna().any()]
    main = above[told].reset_index(drop=True)
    main = main.assign(numerator=levels[0], denominator=levels[1], ratio=estimates, ci_low=low, ci_high=high)
    if _at_best(options):
        main["numerator_batch_size"] = above["batch_size"].to_numpy()
        main["denominator_batch_size"] = below["batch_size"].to_numpy()
    alone = both[~np.isin(groups.codes, paired)]
    reason = np.where(
        (counts[0] > 1)[groups.codes] | (counts[1] > 1)[groups.codes], "several cases fit", "the other side lacks it"
    )[~np.isin(groups.codes, paired)]
    unmatched = alone[[options.column, *keys]].assign(reason=reason).reset_index(drop=True)
    return {NAME: sort_naturally(main, keys), "unmatched": unmatched}


def _intervals(above, below, rows, estimates, options):
    """Return the intervals of the ratios; NaN with fewer than two launches on a side."""
    if options.statistic != "mean":
        return _bootstrapped(above, below, rows, options.statistic)
    ranked, values = rows.ranked, rows.values
    cases = group_rows(ranked, present(ranked, CASE_KEYS))
    launches = _launches(ranked, cases.codes)
    means = launches.mean(values)
    owner = cases.codes[launches.first]
    per_case = group_rows(pd.DataFrame({"case": owner}), ["case"])
    # group_rows numbers by first occurrence, so does `cases`: the numbers agree
    count = per_case.count(means).astype(float)
    mean = per_case.mean(means)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = (per_case.deviation(means) / np.sqrt(count) / mean) ** 2
        a, b = (side["place"].to_numpy() for side in (above, below))
        total = error[a] + error[b]
        # Welch 1947 and Satterthwaite 1946, on the logarithm of the ratio
        freedom = total**2 / (error[a] ** 2 / (count[a] - 1) + error[b] ** 2 / (count[b] - 1))
    from scipy.special import stdtrit  # scipy takes a while to import

    half = stdtrit(freedom, 0.975) * np.sqrt(total)
    return estimates * np.exp(-half), estimates * np.exp(half)


def _bootstrapped(above, below, samples, statistic):
    ranked, values = samples.ranked, samples.values
    cases = group_rows(ranked, present(ranked, CASE_KEYS))
    cuts = np.flatnonzero(np.diff(cases.codes[cases.order])) + 1
    rows = np.split(cases.order, cuts)
    launches = _launches(ranked, cases.codes).codes

    def series(place):
        return Series.of(values[rows[place]], launches[rows[place]])

    # `ratio` of statistics is the speed, the second argument over the first
    found = [
        ratio_of(series(theirs), series(mine), statistic)
        for mine, theirs in zip(above["place"], below["place"], strict=True)
    ]
    return np.array([item.low for item in found]), np.array([item.high for item in found])


def _launches(ranked, codes):
    """Group rows by the process that they come from; rows that do not tell theirs were a process each."""
    launch = floats(ranked["launch"]) if "launch" in ranked else np.full(len(ranked), np.nan)
    alone = np.where(np.isnan(launch), np.arange(len(ranked), dtype=float), -1.0)
    columns = {"case": codes, "launch": launch, "alone": alone}
    if "session" in ranked:
        columns["session"] = ranked["session"].to_numpy() if ranked["session"].notna().any() else 0
    return group_rows(pd.DataFrame(columns), list(columns))


def _sides(main):
    first = main.iloc[0]
    return f"{pretty(first['numerator'])} over {pretty(first['denominator'])}"


def _title(main, options):
    batch = ", each at its best batch size" if _at_best(options) else ""
    several = f" (median of {len(main)})" if len(main) > 1 else ""
    known = {"time_ms_per_image": "time per image", "images_per_s": "images per second", "time_us": "time of one call"}
    metric = known.get(options.metric)
    metric = metric or options.metric.replace("_", " ")
    return f"{_sides(main)}: {main['ratio'].median():.3f} of the {options.statistic} {metric}{several}{batch}"

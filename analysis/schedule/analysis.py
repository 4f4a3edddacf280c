"""Schedule: the best tuner of each program, the best program for each shape, and what a network takes then."""

import numpy as np
import pandas as pd

from nntest.analyses.amounts import amount_bars, format_amount
from nntest.analyses.bars import Bar, Group, drawable
from nntest.analyses.cases import collect, time_of
from nntest.analyses.columns import CASE, CASE_KEYS, present, require
from nntest.analyses.grouping import floats, group_rows
from nntest.analyses.leads import MARKS, lead_words, leads
from nntest.analyses.names import count_noun, listed, pretty, setting_labels, sort_naturally
from nntest.analyses.networks import layers_of, shapes_as_layers
from nntest.analyses.selection import select
from nntest.analyses.style import empty_figure
from nntest.errors import UsageError
from nntest.statistics.comparison import comparisons
from nntest.units import format_duration

NAME = "schedule"
#: Schedules are made for each of these apart.
SETTING = ("platform", "target", "batch_size", "dtype", "threads", "cache", "isa", "post_ops")
UNTUNED = "NONE"
MAIN = ("network", "layer", "shape", "multiplicity", "program", "tuner", "time_us")
XLABEL = "ms in all occurrences of the shape – ≈ a tie within 1 %, ? undecided"
#: Column of the number of a case's samples.
_SERIES = "_series"


def table(source, options):
    """Return the best program for every layer, and whether it is told apart from the next.

    Parts: ``total`` (the network's time), ``configurations`` (every case's time), ``best-tuner`` (each program at its
    best tuner), ``tuner`` (every tuner against none, the faster one where both ``NONE`` and no tuner at all were
    measured: whose time is the less, and whether a test bears it out),
    ``missing`` (layers that nobody measured).
    """
    require(source.points, ["time_us", "species", "shape", "program", "library"], where=NAME)
    ranked = select(source.points, options, where=NAME).ranked
    ranked = ranked[ranked["species"].notna() & ranked["shape"].notna()]
    if ranked.empty:
        raise UsageError(f"{NAME}: no row tells its species and shape; expected points of single operators")
    series = collect(ranked, time_of(ranked)).series
    cases = _times(ranked, options.statistic)
    tuned = _first(cases, [key for key in present(cases, CASE_KEYS) if key != "tuner"])
    best = _with_rivals(tuned, present(tuned, [*SETTING, "species", "shape"]), series)
    layers = layers_of(source, options.network, where=NAME) if options.network else shapes_as_layers(ranked)
    main, missing = _schedule(best, layers.rename(columns={"model": "network"}))
    if main.empty:
        raise UsageError(f"{NAME}: none of the network's layers was measured; run its datasets first")
    return {
        NAME: main,
        "total": _totals(main, missing, options.statistic),
        "configurations": sort_naturally(cases.drop(columns=_SERIES)),
        "best-tuner": sort_naturally(tuned.drop(columns=_SERIES)),
        "tuner": _tuners(cases, series),
        "missing": missing,
    }


def chart(tables, _options):
    """Draw the time of each layer in the colour of the library that takes it."""
    main = tables[NAME]
    if main.empty:
        return empty_figure("No layer was measured.")
    first = tables["total"].iloc[0]
    keys = present(main, SETTING)
    same = (main[keys].astype("string").fillna("") == first[keys].astype("string").fillna("").tolist()).all(axis=1)
    drawn = main[same]
    groups = []
    for row in drawn.itertuples():
        time = row.time_us * row.multiplicity / 1e3
        times = f"  × {row.multiplicity}" if row.multiplicity > 1 else ""
        tuner = f", tuner {row.tuner}" if isinstance(row.tuner, str) else ""
        rival = f" {MARKS[row.verdict]} {row.runner_up}" if row.verdict in MARKS else ""
        words = f"{format_amount(time)}  {row.program}{tuner}{rival}"
        bar = Bar(subject=pretty(row.library), library=str(row.library), value=time, label=words)
        groups.append(Group(f"{row.shape}{times}", (bar,)))
    # a longer bar that is not drawn would press those that are into a line
    longest = max(group.bars[0].value for group in groups[: drawable([1] * len(groups))])
    setting = setting_labels(main, keys)[drawn.index[0]]
    title = _title(first) + (f" ({setting}; the table has all)" if setting else "")
    return amount_bars(groups, title=title, xlabel=XLABEL, end=longest)


def finding(tables, _options):
    """Say what the network takes, who runs its layers, what is missing, and whether tuning always helps."""
    words = []
    for _, total in tables["total"].head(4).iterrows():
        missing = f", without {count_noun(int(total['layers_missing']), 'layer')} that nobody measured"
        words.append(f"{_title(total)}{missing if total['layers_missing'] else ''}.")
    picked = tables[NAME].groupby("program", observed=True)["multiplicity"].sum().sort_values(ascending=False)
    words.append("Picked: " + listed(f"{name} for {count}" for name, count in picked.items()) + ".")
    shapes = count_noun(len(tables[NAME]), "distinct shape")
    words.append(f"Of {shapes}, the lead of the one picked is: {lead_words(tables[NAME]['verdict'])}.")
    tuner = tables["tuner"]
    if len(tuner):
        for name, rows in tuner.groupby("tuner"):
            words.append(_tuner_words(name, rows["verdict"]))
    else:
        words.append("No program was measured with and without a tuner.")
    return " ".join(words)


def _tuner_words(name, verdicts):
    counts = verdicts.value_counts()
    if counts.get("faster", 0) == len(verdicts):
        return f"Tuner {name} is always faster than {UNTUNED} ({count_noun(len(verdicts), 'case')})."
    said = (
        ("faster", "faster in {}"),
        ("slower", "slower in {}"),
        ("equivalent", "a tie within 1 % in {}"),
        ("undecided", "not told apart in {}"),
    )
    told = listed(text.format(counts[word]) for word, text in said if counts.get(word, 0))
    return f"Tuner {name} against {UNTUNED}, {count_noun(len(verdicts), 'case')}: {told}."


def _times(ranked, statistic):
    groups = group_rows(ranked, CASE_KEYS)
    keys = present(ranked, CASE_KEYS)
    found = {"minimum": groups.minimum, "median": groups.median, "mean": groups.mean}[statistic]
    cases = ranked[keys].iloc[groups.first].reset_index(drop=True)
    cases["time_us"] = found(floats(ranked["time_us"]))
    return cases[[*present(cases, CASE), "time_us"]].assign(**{_SERIES: np.arange(len(cases))})


def _first(cases, keys):
    """Return the fastest case of equal ``keys``."""
    order, first = _ordered(cases, keys)
    return cases.iloc[np.sort(order[first])].reset_index(drop=True)


def _ordered(cases, keys):
    """Return the cases' places by ``keys`` and time, and where among these each of the ``keys`` begins."""
    groups = group_rows(cases, keys)
    order = np.lexsort((cases["time_us"].to_numpy(), groups.codes))
    return order, np.unique(groups.codes[order], return_index=True)[1]


def _with_rivals(cases, keys, series):
    """Return the fastest case of equal ``keys`` beside the next one, and whether the two are told apart."""
    order, first = _ordered(cases, keys)
    sizes = np.diff(first, append=len(order))
    best = cases.iloc[order[first]]
    rivals = cases.iloc[order[np.minimum(first + 1, len(order) - 1)]]
    numbers = np.where(sizes > 1, rivals[_SERIES].to_numpy(), -1)
    verdicts, least = leads(series, best[_SERIES].to_numpy(), numbers)
    found = best.assign(
        runner_up=pd.array(rivals["program"].astype("string"), dtype="string"),
        runner_up_us=np.where(sizes > 1, rivals["time_us"].to_numpy(), np.nan),
        verdict=verdicts,
        mde_pct=least,
    )
    found.loc[sizes == 1, "runner_up"] = ""
    return found.iloc[np.argsort(order[first])].reset_index(drop=True)


def _schedule(best, layers):
    """Give every layer its best case, setting by setting; a layer that nobody measured is told apart."""
    keys = present(best, SETTING)
    results, gaps = [], []
    best = best.astype({"species": "string", "shape": "string"})
    for _, rows in best.groupby(keys, observed=True, dropna=False, sort=True) if keys else [((), best)]:
        measured = rows.assign(measured_shape=rows["shape"])
        joined = layers.merge(measured, on=["species", "shape"], how="left")
        joined = _padding_aside(joined, measured)
        known = joined["time_us"].notna()
        if known.any():
            results.append(joined[known])
            setting = {key: rows[key].iloc[0] for key in keys}
            gaps.append(joined.loc[~known, ["network", "layer", "species", "shape", "multiplicity"]].assign(**setting))
    if not results:
        return pd.DataFrame(columns=list(MAIN)), pd.DataFrame()
    main = pd.concat(results, ignore_index=True)
    # a network's layers alone do not tell these apart
    judged = ("runner_up", "runner_up_us", "verdict", "mde_pct")
    more = [key for key in ("species", "library", *keys, "operator", "measured_shape", *judged) if key in main]
    if "tuner" not in main:
        main["tuner"] = pd.NA
    missing = pd.concat(gaps, ignore_index=True)
    return main[[*MAIN, *more]], missing


def _padding_aside(joined, measured):
    """Let a shape that is equal but for its padding stand for a layer that nobody measured (the study's own data)."""
    open_rows = joined.index[joined["time_us"].isna()]
    stand_ins = {(row.species, _without_padding(row.shape)): place for place, row in enumerate(measured.itertuples())}
    filled = joined.copy()
    for index in open_rows:
        key = (filled.at[index, "species"], _without_padding(filled.at[index, "shape"]))
        if key in stand_ins and key[0] in ("conv", "depthwiseconv"):
            source = measured.iloc[stand_ins[key]]
            for column in measured.columns:
                if column not in ("species", "shape"):
                    filled.at[index, column] = source[column]
    return filled


def _without_padding(shape):
    parts = str(shape).split("-")
    # suffixes such as -g2 stay; the padding is the last plain number or dotted quadruple
    for place in range(len(parts) - 1, -1, -1):
        if parts[place].replace(".", "").isdigit():
            return "-".join([*parts[:place], "*", *parts[place + 1 :]])
    return str(shape)


def _totals(main, missing, statistic):
    keys = present(main, SETTING)
    rows = []
    columns = ["network", *keys]
    for values, layers in main.groupby(columns, observed=True, dropna=False, sort=True):
        setting = dict(zip(columns, values, strict=True))
        gaps = missing
        for key in keys:
            gaps = gaps[gaps[key].astype("string").fillna("") == ("" if pd.isna(setting[key]) else str(setting[key]))]
        time = float((layers["time_us"] * layers["multiplicity"]).sum())
        rows.append(
            {
                **setting,
                "statistic": statistic,
                "time_us": time,
                "layers": int(layers["multiplicity"].sum()),
                "layers_missing": int(gaps["multiplicity"].sum()) if len(gaps) else 0,
            }
        )
    return pd.DataFrame(rows).sort_values(["layers", "time_us"], ascending=[False, True], ignore_index=True)


def _tuners(cases, series):
    """Return every tuned case beside the same one untuned; ``verdict`` is of a test on all samples of both.

    One question may be answered untuned twice, under ``NONE`` and under no tuner: the faster one is what a tuner has to
    beat.
    """
    if "tuner" not in cases or cases["tuner"].isna().all():
        columns = ["program", "shape", "tuner", "time_us", "untuned_us", "speedup", "better", "verdict", "mde_pct"]
        return pd.DataFrame(columns=columns)
    keys = [key for key in present(cases, CASE_KEYS) if key != "tuner"]
    groups = group_rows(cases, keys)
    tuner = cases["tuner"].astype("string").fillna(UNTUNED).to_numpy()
    times = cases["time_us"].to_numpy()
    untuned = np.flatnonzero(tuner == UNTUNED)
    # the slowest first, so that the fastest is written last and stays
    untuned = untuned[np.argsort(-times[untuned], kind="stable")]
    partner = np.full(len(groups), -1)
    partner[groups.codes[untuned]] = untuned
    partner = partner[groups.codes]
    kept = (tuner != UNTUNED) & (partner >= 0)
    table = cases.loc[kept, [*keys, "tuner", "time_us"]].assign(untuned_us=times[partner[kept]])
    table["speedup"] = table["untuned_us"] / table["time_us"]
    numbers = cases[_SERIES].to_numpy()
    found = comparisons(series, numbers[partner[kept]], numbers[kept], adjustment="fdr")
    table["better"] = table["speedup"] > 1
    table["verdict"] = [_direction(item) for item in found]
    table["mde_pct"] = [item.mde_pct for item in found]
    return sort_naturally(table)


def _direction(item):
    """Return the verdict on a tuned case: the untuned one's time over its own."""
    return ("faster" if item.ratio > 1 else "slower") if item.verdict == "different" else item.verdict


def _title(total):
    time = format_duration(total["time_us"] / 1e6)
    what = pretty(total["network"])
    return f"{what}: the best program for each of {count_noun(int(total['layers']), 'layer')} takes {time}"

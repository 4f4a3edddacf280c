"""Schedule: the best tuner of each program, the best program for each shape, and what a network takes then."""

import numpy as np
import pandas as pd

from nntest.analyses.amounts import amount_bars, format_amount
from nntest.analyses.bars import Bar, Group
from nntest.analyses.columns import CASE, CASE_KEYS, present, require
from nntest.analyses.grouping import floats, group_rows
from nntest.analyses.names import count_noun, listed, pretty, setting_labels, sort_naturally
from nntest.analyses.networks import layers_of, shapes_as_layers
from nntest.analyses.selection import select
from nntest.analyses.style import empty_figure
from nntest.errors import UsageError
from nntest.units import format_duration

NAME = "schedule"
#: Schedules are made for each of these apart.
SETTING = ("platform", "target", "batch_size", "dtype", "threads", "cache", "isa", "post_ops")
UNTUNED = "NONE"
MAIN = ("network", "layer", "shape", "multiplicity", "program", "tuner", "time_us")


def table(source, options):
    """Return the best program for every layer.

    Parts: ``total`` (the network's time), ``configurations`` (every case's time), ``best-tuner`` (each program at its
    best tuner), ``tuner`` (every tuner against none), ``missing`` (layers that nobody measured).
    """
    require(source.points, ["time_us", "species", "shape", "program", "library"], where=NAME)
    ranked = select(source.points, options, where=NAME).ranked
    ranked = ranked[ranked["species"].notna() & ranked["shape"].notna()]
    if ranked.empty:
        raise UsageError(f"{NAME}: no row tells its species and shape; expected points of single operators")
    cases = _times(ranked, options.statistic)
    tuned = _first(cases, [key for key in present(cases, CASE_KEYS) if key != "tuner"])
    best = _first(tuned, present(tuned, [*SETTING, "species", "shape"]))
    layers = layers_of(source, options.network, where=NAME) if options.network else shapes_as_layers(ranked)
    main, missing = _schedule(best, layers.rename(columns={"model": "network"}))
    if main.empty:
        raise UsageError(f"{NAME}: none of the network's layers was measured; run its datasets first")
    return {
        NAME: main,
        "total": _totals(main, missing, options.statistic),
        "configurations": sort_naturally(cases),
        "best-tuner": sort_naturally(tuned),
        "tuner": _tuners(cases),
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
        words = f"{format_amount(time)}  {row.program}{tuner}"
        bar = Bar(subject=pretty(row.library), library=str(row.library), value=time, label=words)
        groups.append(Group(f"{row.shape}{times}", (bar,)))
    longest = max(group.bars[0].value for group in groups)
    setting = setting_labels(main, keys)[drawn.index[0]]
    title = _title(first) + (f" ({setting}; the table has all)" if setting else "")
    return amount_bars(groups, title=title, xlabel="ms in all occurrences of the shape", end=longest)


def finding(tables, _options):
    """Say what the network takes, who runs its layers, what is missing, and whether tuning always helps."""
    words = []
    for _, total in tables["total"].head(4).iterrows():
        missing = f", without {count_noun(int(total['layers_missing']), 'layer')} that nobody measured"
        words.append(f"{_title(total)}{missing if total['layers_missing'] else ''}.")
    picked = tables[NAME].groupby("program", observed=True)["multiplicity"].sum().sort_values(ascending=False)
    words.append("Picked: " + listed(f"{name} for {count}" for name, count in picked.items()) + ".")
    tuner = tables["tuner"]
    if len(tuner):
        for name, rows in tuner.groupby("tuner"):
            better = int(rows["better"].sum())
            always = "always" if better == len(rows) else f"in {better} of {len(rows)} cases"
            words.append(f"Tuner {name} is {always} better than {UNTUNED}.")
    else:
        words.append("No program was measured with and without a tuner.")
    return " ".join(words)


def _times(ranked, statistic):
    groups = group_rows(ranked, CASE_KEYS)
    keys = present(ranked, CASE_KEYS)
    found = {"minimum": groups.minimum, "median": groups.median, "mean": groups.mean}[statistic]
    cases = ranked[keys].iloc[groups.first].reset_index(drop=True)
    cases["time_us"] = found(floats(ranked["time_us"]))
    return cases[[*present(cases, CASE), "time_us"]]


def _first(cases, keys):
    """Return the fastest case of equal ``keys``."""
    groups = group_rows(cases, keys)
    order = np.lexsort((cases["time_us"].to_numpy(), groups.codes))
    _, first = np.unique(groups.codes[order], return_index=True)
    return cases.iloc[np.sort(order[first])].reset_index(drop=True)


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
    more = [key for key in ("species", "library", *keys, "operator", "measured_shape") if key in main]
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


def _tuners(cases):
    """Return every tuned case beside the same one untuned."""
    if "tuner" not in cases or cases["tuner"].isna().all():
        return pd.DataFrame(columns=["program", "shape", "tuner", "time_us", "untuned_us", "speedup", "better"])
    keys = [key for key in present(cases, CASE_KEYS) if key != "tuner"]
    groups = group_rows(cases, keys)
    tuner = cases["tuner"].astype("string").fillna(UNTUNED).to_numpy()
    times = cases["time_us"].to_numpy()
    untuned = groups.minimum(np.where(tuner == UNTUNED, times, np.nan))[groups.codes]
    kept = (tuner != UNTUNED) & ~np.isnan(untuned)
    table = cases.loc[kept, [*keys, "tuner", "time_us"]].assign(untuned_us=untuned[kept])
    table["speedup"] = table["untuned_us"] / table["time_us"]
    return sort_naturally(table.assign(better=table["speedup"] > 1))


def _title(total):
    time = format_duration(total["time_us"] / 1e6)
    what = pretty(total["network"])
    return f"{what}: the best program for each of {count_noun(int(total['layers']), 'layer')} takes {time}"

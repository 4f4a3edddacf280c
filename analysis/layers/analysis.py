"""Layers: what each layer of a network takes of one image, and of the whole.

Points of single operators have no layers; there every shape stands for one.
"""

import numpy as np

from nntest.analyses.amounts import amount_bars, format_amount, largest_groups
from nntest.analyses.bars import Bar, Group
from nntest.analyses.columns import present, require
from nntest.analyses.grouping import floats, group_rows
from nntest.analyses.names import count_noun, listed, natural_key, pretty
from nntest.analyses.selection import exclusion_reasons, filter_rows, select
from nntest.analyses.style import empty_figure
from nntest.analyses.workloads import BEST, DIRECTIONS, choose, group_cases, needed_keys, series_labels
from nntest.errors import UsageError

NAME = "layers"
PARTS = {"forward": ("forward",), "backward": ("backward",), "forward_backward": ("forward", "backward")}
MAX_SERIES = 8
WORDS = {"forward": "inference", "backward": "backward pass", "forward_backward": "training step"}


def table(source, options):
    """Return means and standard deviations over repetitions, layer by layer, in the network's order."""
    rows = source.layers
    if rows is None or rows.empty:
        rows = _shapes_as_layers(source.points, options)
    else:
        rows = _of_layers(rows, source.points, options)
    for column, names in (
        ("model", options.models),
        ("library", options.libraries),
        ("batch_size", options.batch_sizes),
    ):
        rows = choose(rows, column, names, where=NAME)
    main = _window(_means(rows), _share(options, "share_min"), _share(options, "share_max"))
    if main.empty:
        raise UsageError(f"{NAME}: no layer has such a share; choose another --share_min or --share_max")
    return {NAME: main}


def chart(tables, options):
    """Draw a group of bars per layer, one bar per library and batch size."""
    main, batch = _drawn(tables[NAME])
    main = main.assign(_series=series_labels(main))
    title = _title(main, options) + batch
    main, total = largest_groups(main, ["model", "layer"], "share")
    several = main["model"].nunique() > 1
    groups = []
    for (model, layer), rows in main.groupby(["model", "layer"], sort=False, observed=True):
        bars = tuple(_bar(row) for _, row in rows.iterrows())
        groups.append(Group(f"{pretty(model)}: {layer}" if several else str(layer), bars))
    if not groups:
        return empty_figure("No layer has a time.")
    return amount_bars(
        groups,
        title=title,
        total=total,
        which="largest",
        xlabel="ms per image; brackets: share of all layers; thin line: ± 1 standard deviation over repetitions",
        end=options.xmax,
    )


def finding(tables, options):
    """Say which layers take most of each network's time."""
    main = tables[NAME]
    main = main.assign(_series=series_labels(main))
    words = []
    for (model, series), rows in main.groupby(["model", "_series"], sort=False, observed=True):
        top = rows.sort_values("share", ascending=False).head(3)
        said = listed(f"{row.layer} {100 * row.share:.0f} %" for row in top.itertuples())
        words.append(f"{pretty(model)} with {series}: {said}")
    return f"Largest shares, {WORDS[options.direction]}. {listed(words, limit=4)}."


def _drawn(main):
    """Leave the chart one batch size where several would make too many bars: the one that tells most."""
    series = main[["library", "batch_size", *present(main, ["program"])]].drop_duplicates()
    if len(series) <= MAX_SERIES or main["batch_size"].nunique() < 2:
        return main, ""
    counts = main["batch_size"].value_counts()
    batch = max(counts[counts == counts.max()].index)
    return main[(main["batch_size"] == batch).to_numpy(dtype=bool)], f", batch {batch} (the table has all)"


def _of_layers(rows, points, options):
    """Return layer times of valid repetitions in the wanted direction; forward and backward are added."""
    require(rows, ["model", "library", "batch_size", "label", "direction", "time_us"], where=NAME)
    rows = filter_rows(rows, options.where, where=NAME)
    rows = rows[exclusion_reasons(rows, include=options.include).isna()]
    rows = rows[rows["direction"].isin(PARTS[options.direction])]
    failed = _failed(points)
    if len(failed):
        keys = present(rows, ("repo", "experiment", "point", "repetition"))
        bad = set(failed[keys].astype("string").itertuples(index=False, name=None))
        told = rows[keys].astype("string").itertuples(index=False, name=None)
        rows = rows[[row not in bad for row in told]]
    if options.direction == "forward_backward":
        # a library that has no backward pass has no training step either
        both = rows.groupby("library", observed=True)["direction"].transform("nunique") > 1
        rows = rows[both.to_numpy()]
    if rows.empty:
        raise UsageError(f"{NAME}: no layer has a {options.direction.replace('_', ' and ')} time; choose another")
    return rows.rename(columns={"label": "layer"})


def _failed(points):
    if points is None or "success" not in points:
        return []
    return points[~points["success"].astype("boolean").fillna(value=True).to_numpy(dtype=bool)]


def _shapes_as_layers(points, options):
    time = DIRECTIONS[options.direction]
    require(points, ["shape", time, "library", "batch_size"], where=NAME)
    ranked = select(points, options, where=NAME).ranked
    ranked = ranked[ranked["shape"].notna() & ranked[time].notna()]
    if ranked.empty:
        raise UsageError(f"{NAME}: these points tell neither layers nor shapes; choose others")
    ranked = ranked.assign(layer=ranked["shape"], time_us=ranked[time], index=0)
    return ranked.assign(model="all shapes") if "model" not in ranked or ranked["model"].isna().all() else ranked


def _means(rows):
    """Return one row per case and layer."""
    rows = rows.reset_index(drop=True)
    cases, columns = group_cases(rows.drop(columns="shape", errors="ignore"))
    times = floats(rows["time_us"])
    kept = present(rows, ["layer", "repo", "experiment", "point", "session", "repetition", "index"])
    keyed = rows[kept].assign(_case=cases.codes)
    # a layer's name may occur twice in a network, and forward and backward are two rows: both add up first
    parts = group_rows(keyed, ["_case", "layer", "repo", "experiment", "point", "session", "repetition"])
    sums = parts.total(times)
    held = keyed.iloc[parts.first]
    layers = group_rows(held, ["_case", "layer"])
    result = columns.iloc[held["_case"].to_numpy()[layers.first]].reset_index(drop=True)
    images = floats(result["batch_size"])
    images = np.where(np.isnan(images), 1.0, images)
    result["layer"] = held["layer"].astype("string").to_numpy()[layers.first]
    result[BEST] = layers.mean(sums) / images / 1e3
    result["std_ms_per_image"] = layers.deviation(sums) / images / 1e3
    owner = held["_case"].to_numpy()[layers.first]
    totals = np.bincount(owner, weights=np.nan_to_num(result[BEST].to_numpy()), minlength=len(cases))
    result["share"] = result[BEST] / totals[owner]
    result["_place"] = layers.mean(floats(held["index"])) if "index" in held else 0.0
    return _in_order(result)


def _in_order(result):
    """Sort by model, then by the layer's place in it, the same for all libraries, then by library and batch."""
    keys = needed_keys(result.drop_duplicates(["model", "library", "batch_size", "layer"]), ("model", "library"))
    keys = [*dict.fromkeys(["model", "library", "batch_size", *needed_keys(_distinct(result)), *keys])]
    # fused and missing layers shift the places of those behind them: what counts is the place among all of a library
    length = result.groupby([key for key in keys if key in result], observed=True, dropna=False)["_place"]
    relative = result["_place"] / np.maximum(length.transform("max"), 1)
    place = relative.groupby([result["model"].astype("string"), result["layer"]]).transform("median")
    order = [
        result["batch_size"].astype("Float64").fillna(0).to_numpy(dtype=float),
        result["library"].astype("string").fillna("").to_numpy(),
        _natural_ranks(result["layer"]),
        place.to_numpy(),
        result["model"].astype("string").fillna("").to_numpy(),
    ]
    codes = [np.unique(values.astype(str) if values.dtype == object else values, return_inverse=True)[1]
             for values in order]  # fmt: skip
    shown = [key for key in keys if key not in ("model", "library", "batch_size")]
    columns = ["model", "library", "batch_size", *shown, "layer", BEST, "std_ms_per_image", "share"]
    return result.iloc[np.lexsort(codes)][columns].reset_index(drop=True)


def _natural_ranks(names):
    rank = {name: number for number, name in enumerate(sorted(set(names), key=natural_key))}
    return np.array([rank[name] for name in names])


def _distinct(result):
    columns = [key for key in result.columns if key not in ("layer", BEST, "std_ms_per_image", "share", "_place")]
    return result[columns].drop_duplicates().reset_index(drop=True)


def _window(main, low, high):
    """Keep layers whose share is inside the window in some series: at least ``low`` in one, at most ``high`` in one."""
    groups = group_rows(main, ["model", "layer"])
    share = main["share"].to_numpy()
    top, bottom = -groups.minimum(-share), groups.minimum(share)
    return main[((top >= low) & (bottom <= high))[groups.codes]].reset_index(drop=True)


def _share(options, name):
    text = str(options[name]).strip()
    try:
        value = float(text.removesuffix("%"))
    except ValueError as error:
        raise UsageError(f"{NAME}: {name} is {text!r}; expected a share such as 0.1 or 10%") from error
    return value / 100 if text.endswith("%") or value > 1 else value


def _bar(row):
    time, scatter = row[BEST], row["std_ms_per_image"]
    return Bar(
        subject=str(row["_series"]),
        library=str(row["library"]),
        value=time,
        low=time - scatter,
        high=time + scatter,
        label=f"{format_amount(time)} ({100 * row['share']:.1f} %)",
    )


def _title(main, options):
    models = listed([pretty(name) for name in main["model"].drop_duplicates()])
    series = listed(main["_series"].drop_duplicates(), limit=3)
    layers = count_noun(main[["model", "layer"]].drop_duplicates().shape[0], "layer")
    return f"{models}, {WORDS[options.direction]}, {layers}: {series}"

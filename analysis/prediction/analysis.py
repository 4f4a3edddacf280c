"""Prediction: min(peak, intensity x bandwidth) / operations, beside what was measured."""

from pathlib import Path

import numpy as np
import pandas as pd

from nntest.analyses.bars import set_heading
from nntest.analyses.cases import collect, time_of
from nntest.analyses.names import count_noun, listed, pretty, shortened
from nntest.analyses.selection import exclusion_reasons, filter_rows
from nntest.analyses.style import INK, empty_figure, new_figure, ordered_subjects, subject_styles
from nntest.analyses.theory import (
    chosen_groups,
    graph_workloads,
    hardware_rows,
    published_workloads,
    theory_names,
)
from nntest.analyses.work import machine_for, works
from nntest.errors import DataError
from nntest.model.roof import PUBLISHED_DTYPES, attainable_tops
from nntest.store.theory.csv_table import number, read_table
from nntest.store.theory.hardware import peaks_of

NAME = "prediction"
COLUMNS = ["platform", "datatype", "model", "inputs_per_s", "bound", "measured_inputs_per_s", "ratio", "group"]
LAYERS = ["platform", "program", "library", "species", "shape", "batch_size", "dtype", "threads", "cache",
          "predicted_us", "measured_us", "ratio", "error_pct", "bound"]  # fmt: skip
RANKS = ["platform", "program", "library", "species", "threads", "cases", "median_ratio", "rank_correlation"]
# What the study's tables leave blank though the formula gives a value, and what they fill without it.
STUDY_ARM = "U96-Quadcore A53"
FEWEST = 3
#: Columns of measured tables by the option's words.
_RATES = {"compute": "fps-comp", "system": "fps-system"}


def table(source, options):
    """Predict every platform's cells; parts ``cases`` and ``ranks`` hold measured cases against their roofs."""
    names = theory_names()
    rows = hardware_rows(options.hardware, names)
    points = _ranked(source, options)
    layers = _layers(points, rows, options)
    wanted = options.platforms if options.platforms != "auto" else "measured" if len(layers) else "published"
    parts = []
    if wanted in ("published", "all"):
        parts.append(_published(rows, names, options))
    if wanted in ("measured", "all"):
        parts.append(_machines(source, layers))
    main = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    return {NAME: main, "cases": layers, "ranks": _ranks(layers)}


def chart(tables, _options):
    """Draw a heat map per group of networks, and measured against predicted times where there are any."""
    main, layers = tables[NAME], tables["cases"]
    if main["inputs_per_s"].isna().all() and layers.empty:
        return empty_figure("No platform has a peak in the datatype of any network.")
    if not layers.empty and not main["group"].isin(["ours"]).ne(True).any():
        return _scatter(layers, main)
    return _heat_maps(main)


def finding(tables, _options):
    """Say what bounds the predictions, and how near the measurements came."""
    main, ranks = tables[NAME], tables["ranks"]
    cells = main["inputs_per_s"].notna()
    words = []
    if cells.any():
        memory = int((main.loc[cells, "bound"] != "compute").sum())
        words.append(f"{count_noun(int(cells.sum()), 'prediction')}, {memory} of them bound by memory.")
    ratios = main["ratio"].dropna()
    if len(ratios):
        words.append(
            f"Measured over predicted: median {ratios.median():.2f}, {ratios.min():.2f} to {ratios.max():.2f} "
            f"({count_noun(len(ratios), 'cell')})."
        )
    known = ranks.dropna(subset=["rank_correlation"])
    if len(known):
        best = known.sort_values("rank_correlation").iloc[-1]
        words.append(
            f"The roof orders the shapes of {best['program']} with a rank correlation of "
            f"{best['rank_correlation']:.2f} ({best['cases']} cases); its times are {best['median_ratio']:.1f} times "
            "the roof's in the median."
        )
    return " ".join(words)


def _published(rows, names, options):
    """Return the cells of platforms in tables (machines of our own have points)."""
    rows = [row for row in rows if not row.machine]
    loads = published_workloads(options.networks, options.gops, options.accuracy, names)
    groups = chosen_groups(options.groups, sorted({load.group for load in loads if load.group}), where=NAME)
    loads = [load for load in loads if not load.group or load.group in groups]
    measured = _published_measurements(options.measured, _RATES[options.rate], names)
    bandwidths = {row.platform: row.bandwidth_gb_s for row in rows if row.bandwidth_gb_s is not None}
    cells = []
    for (platform, datatype, _), row in peaks_of(rows).items():
        for load in loads:
            bandwidth = row.bandwidth_gb_s or bandwidths.get(platform)
            value, bound = _cell(row.peak_tops, bandwidth, load) if load.datatype == datatype else (np.nan, "")
            seen = measured.get((platform, load.network, load.pruning_pct, datatype), np.nan)
            seen = seen if load.datatype == datatype else np.nan
            cells.append((platform, datatype, load.model, value, bound, seen, seen / value, load.group))
    frame = pd.DataFrame(cells, columns=COLUMNS)
    return _as_published(frame) if options.cells == "study" else frame


def _cell(peak_tops, bandwidth, load):
    oi = load.intensity()
    if bandwidth is None or oi is None or not load.gops:
        return np.nan, ""
    tops, bound = attainable_tops(peak_tops, bandwidth, oi)
    return tops * 1e3 / load.gops, bound


def _as_published(cells):
    """Redo what the published tables do: the Arm cores answer in INT8 for MLPs in INT2 and INT4; blanks as there."""
    arm = cells["platform"] == STUDY_ARM
    mlp = cells["model"].str.startswith("MLP")
    other = cells[arm & (cells["datatype"] != "INT8") & mlp & cells["inputs_per_s"].notna()]
    filled = dict(zip(other["model"], zip(other["inputs_per_s"], other["bound"], strict=True), strict=True))
    cells = cells[~arm | (cells["datatype"] == "INT8")].copy()
    imagenet = cells["group"] == "ImageNet"
    blank = imagenet & (
        (cells["platform"] == STUDY_ARM)
        | ((cells["platform"] == "NCS") & (cells["datatype"] == "INT8") & ~cells["model"].str.startswith("GoogLeNet"))
        | (cells["platform"].isin(["Ultra96", "ZCU104-DPU", "ZCU102-DPU"]) & cells["model"].str.startswith("MobileNet"))
        | (cells["platform"].str.startswith("TPU") & cells["model"].str.contains(r"^ResNet-50_(?:80|50|30)%"))
    )
    cells.loc[blank, ["inputs_per_s", "ratio"]] = np.nan
    cells.loc[blank, "bound"] = ""
    here = (cells["platform"] == STUDY_ARM) & cells["model"].isin(list(filled))
    cells.loc[here, "inputs_per_s"] = [filled[model][0] for model in cells.loc[here, "model"]]
    cells.loc[here, "bound"] = [filled[model][1] for model in cells.loc[here, "model"]]
    return cells.reset_index(drop=True)


def _published_measurements(files, rate, names):
    """Return the most inputs per second over batches by (platform, network, pruning, datatype)."""
    best = {}
    for file in files:
        listing = read_table(Path(file))
        missing = [name for name in ("NN_Topology", "HWType", "Datatype", rate) if not listing.has(name)]
        if missing:
            raise DataError(f"{file}: {', '.join(missing)} is missing; expected measured results; check the file")
        for line in listing.rows:
            platform = _device(line["HWType"], line.get("Op mode", ""), names)
            pruning = number(line, "PruningFactor", where=file)
            key = (platform, names.network(line["NN_Topology"]), pruning or 100.0, line["Datatype"])
            fps = number(line, rate, where=file)
            if fps is not None:
                best[key] = max(fps, best.get(key, 0.0))
    return best


def _device(name, mode, names):
    """Return the platform of a device in a mode; some tables say the mode in the name, too: TX2-maxn, maxn."""
    said = not mode or name.lower().replace(" ", "").endswith(f"-{mode.lower()}")
    return names.platform(name if said else f"{name}-{mode}")


def _ranked(source, options):
    points = filter_rows(source.points, options.where, where=NAME)
    return points[exclusion_reasons(points, include=options.include).isna()]


def _layers(points, rows, options):
    """Return every measured case whose machine has roofs: the least time that these allow, and the median taken."""
    cases = collect(points, time_of(points)) if len(points) else None
    if cases is None or cases.table.empty:
        return pd.DataFrame(columns=LAYERS)
    ids = points.drop_duplicates("platform").set_index("platform")["platform_id"] if "platform_id" in points else {}
    found, known = [], {}
    for work, series, (_, case) in zip(works(cases.table), cases.series, cases.table.iterrows(), strict=True):
        threads = None if pd.isna(case.get("threads")) else int(case["threads"])
        datatype = PUBLISHED_DTYPES.get(str(case.get("dtype")), "")
        key = (case["platform"], datatype, threads)
        if key not in known:
            machine = str(ids.get(case["platform"], "")) if len(ids) else ""
            known[key] = machine_for(
                rows, platform=str(case["platform"]), machine=machine, datatype=datatype, threads=threads
            )
        if work is None or known[key] is None:
            continue
        operations = work.study_flops or work.flops if options.flops == "study" else work.flops
        traffic = work.weights if options.oi == "weights" else work.traffic
        cache = str(case["cache"]) if isinstance(case.get("cache"), str) else "warm"
        seconds, bound = known[key].seconds(work, operations=operations, traffic=traffic, cache=cache)
        median = float(np.median(series.values))
        row = {column: case.get(column) for column in LAYERS if column in case}
        row |= {"predicted_us": seconds * 1e6, "measured_us": median, "ratio": median / (seconds * 1e6)}
        found.append({**row, "error_pct": 100 * (median / (seconds * 1e6) - 1), "bound": bound})
    return pd.DataFrame(found, columns=LAYERS)


def _ranks(layers):
    """Return, for each program, how well the roof orders its cases (Spearman), and the median ratio."""
    from scipy.stats import spearmanr

    rows = []
    keys = ["platform", "program", "library", "species", "threads"]
    for key, group in layers.groupby(keys, sort=True, dropna=False, observed=True):
        distinct = len(group) >= FEWEST and group["predicted_us"].nunique() > 1 and group["measured_us"].nunique() > 1
        rank = float(spearmanr(group["predicted_us"], group["measured_us"]).statistic) if distinct else np.nan
        rows.append((*key, len(group), float(group["ratio"].median()), rank))
    return pd.DataFrame(rows, columns=RANKS)


def _machines(source, layers):
    """Return our networks on measured machines: what the roofs promise, and the sum of the best programs' layers."""
    rows = []
    table = source.networks
    graphs = {load.network for load in graph_workloads(source)} if table is not None else set()
    warm = layers[(layers["batch_size"].fillna(1) == 1) & (layers["cache"].fillna("warm") == "warm")]
    for (platform, dtype, threads), group in warm.groupby(["platform", "dtype", "threads"], observed=True):
        best = group.groupby(["species", "shape"], observed=True)[["predicted_us", "measured_us"]].min()
        for network in sorted(graphs):
            wanted = table[table["network"].astype("string").str.removeprefix("network-") == network]
            asked = [
                (str(species), str(shape))
                for work, species, shape in zip(works(wanted), wanted["species"], wanted["shape"], strict=True)
                if work is not None and work.macs
            ]
            if not asked or any(key not in best.index for key in asked):
                continue
            times = best.loc[asked]
            predicted, measured = 1e6 / times["predicted_us"].sum(), 1e6 / times["measured_us"].sum()
            bounds = group.drop_duplicates(["species", "shape"]).set_index(["species", "shape"]).loc[asked, "bound"]
            rows.append((platform, f"{PUBLISHED_DTYPES[dtype]} x {threads}", network, predicted,
                         str(bounds.mode().iloc[0]), measured, measured / predicted, "ours"))  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _heat_maps(main):
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import FuncFormatter, NullLocator

    known = main.dropna(subset=["inputs_per_s"])
    groups = [(name, rows) for name, rows in main.groupby("group", sort=False) if rows["inputs_per_s"].notna().any()]
    grids = []
    for name, rows in groups:
        labels = (rows["platform"] + " " + rows["datatype"]).to_numpy()
        grid = rows.assign(_row=labels).pivot_table(index="_row", columns="model", values="inputs_per_s", sort=False)
        order = [label for label in dict.fromkeys(labels) if label in grid.index]
        grid = grid.loc[order, [model for model in dict.fromkeys(rows["model"]) if model in grid]]
        grids.append((name, grid, _measured(rows, labels, grid)))
    heights = [(0.36 if ratios.notna().any(axis=None) else 0.27) * len(grid) + 1.5 for _, grid, ratios in grids]
    # a column is as wide as its longest word
    longest = max(len(word) for _, grid, _ in grids for model in grid for word in _model_label(model).split("\n"))
    column = max(0.76, 0.075 * longest)
    figure = new_figure(max(8.0, 3.0 + column * max(grid.shape[1] for _, grid, _ in grids)), sum(heights) + 0.5)
    axes = figure.subplots(len(grids), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    norm = LogNorm(known["inputs_per_s"].min(), known["inputs_per_s"].max())
    for place, (name, grid, ratios) in zip(axes, grids, strict=True):
        image = place.imshow(grid.to_numpy(dtype=float), aspect="auto", norm=norm, cmap="cividis")
        _cells(place, grid, ratios, norm)
        place.set_title(name or "other networks")
        place.set_xticks(range(grid.shape[1]), [_model_label(model) for model in grid.columns], fontsize=8)
        place.set_yticks(range(len(grid)), list(grid.index), fontsize=8.5)
        place.tick_params(length=0)
        place.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=list(axes), shrink=min(1.0, 3.0 / sum(heights)), pad=0.015, aspect=25)
    bar.set_label("predicted inputs/s (log)")
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.outline.set_visible(False)
    fastest = known.loc[known["inputs_per_s"].idxmax()]
    set_heading(
        figure,
        f"The roofline promises up to {fastest['inputs_per_s']:,.0f} inputs/s ({fastest['model'].replace('_', ' ')} on "
        f"{fastest['platform']} {fastest['datatype']})\n"
        f"min(peak, intensity x bandwidth) / operations; {count_noun(len(known), 'prediction')}, "
        f"blank where the datatypes differ or a number is unknown{_share_reached(known)}",
    )
    return figure


def _share_reached(known):
    ratios = known["ratio"].dropna()
    if ratios.empty:
        return ""
    return f"\nbelow it the share that was measured: {len(ratios)} cells, median {ratios.median():.0%}"


def _measured(rows, labels, grid):
    """Return the ratio of measured to predicted in the cells of a grid."""
    ratios = rows.assign(_row=labels, ratio=rows["ratio"].astype(float))
    found = ratios.pivot_table(index="_row", columns="model", values="ratio", sort=False)
    return found.reindex(index=grid.index, columns=grid.columns)


def _cells(axes, grid, ratios, norm):
    shares = ratios.to_numpy(dtype=float)
    for (row, column), value in np.ndenumerate(grid.to_numpy(dtype=float)):
        if np.isfinite(value):
            colour = "white" if norm(value) < 0.55 else "black"
            share = f"\n{_percent(shares[row, column])} reached" if np.isfinite(shares[row, column]) else ""
            axes.text(column, row, f"{value:,.0f}{share}", ha="center", va="center", fontsize=7.5, color=colour)


def _percent(share):
    return f"{share:.0%}" if share >= 0.095 else f"{share:.1%}"


def _model_label(model):
    return "\n".join(shortened(word, 24) for word in model.split("_"))


def _scatter(layers, main):
    """Draw measured over predicted times, case by case."""
    from matplotlib.ticker import FuncFormatter

    figure = new_figure(9, 6)
    axes = figure.add_subplot()
    pairs = ordered_subjects(zip(layers["program"].astype(str), layers["library"].astype(str), strict=True))
    styles = subject_styles(pairs)
    for label, _ in pairs:
        rows = layers[layers["program"].astype(str) == label]
        axes.scatter(
            rows["predicted_us"],
            rows["measured_us"],
            s=30,
            marker=styles[label]["marker"],
            color=styles[label]["color"],
            edgecolor=styles[label]["edge"],
            linewidth=0.6,
            label=label,
        )
    low = min(layers["predicted_us"].min(), layers["measured_us"].min()) / 1.5
    high = max(layers["predicted_us"].max(), layers["measured_us"].max()) * 1.5
    for factor, words in ((1, "at the roof"), (2, "2x"), (5, "5x"), (20, "20x")):
        axes.plot([low, high], [low * factor, high * factor], color=INK, linewidth=1.1 if factor == 1 else 0.5,
                  linestyle="-" if factor == 1 else ":", zorder=0)  # fmt: skip
        axes.text(low * 1.15, low * 1.15 * factor * 1.05, words, fontsize=8, rotation_mode="anchor", va="bottom",
                  rotation=np.degrees(np.arctan(factor)), transform_rotates_text=True)  # fmt: skip
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
    axes.set_xlabel("predicted by the roofline, us (log)")
    axes.set_ylabel("measured, median, us (log)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axis.grid(visible=True, which="major")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), title=None)
    platforms = listed([pretty(name) for name in dict.fromkeys(layers["platform"].astype(str))])
    ratio = layers["ratio"].median()
    lines = [f"Measured cases take {ratio:.1f} times what the roofline of {platforms} allows (median)",
             f"{count_noun(len(layers), 'case')}"]  # fmt: skip
    if len(main):
        best = main.iloc[0]
        lines[1] += (
            f"; {best['model']}: {best['measured_inputs_per_s']:,.0f} inputs/s measured, "
            f"{best['inputs_per_s']:,.0f} predicted"
        )
    set_heading(figure, "\n".join(lines))
    return figure

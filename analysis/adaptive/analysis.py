"""Adaptive: the best program for every layer of a network, and what that is worth.

Two kinds of points answer it. Single layers, measured one by one, compose a network: a program is picked for a layer on
odd repetitions and its time is estimated on even ones, every total is a sum of the same statistic over the same half.
Whole networks that tell the time of each layer are treated as the published study did (each layer's minimum over
repetitions and batch sizes, over a mean of whole-network times), and beside it with one rule on both sides.
"""

import numpy as np
import pandas as pd

from nntest.analyses.bars import set_heading
from nntest.analyses.cases import NATIVE, RANKINGS
from nntest.analyses.columns import nearest, present, require
from nntest.analyses.composed import SETTING, candidates, chosen, solve
from nntest.analyses.leads import MARKS, lead_words
from nntest.analyses.names import count_noun, equals, listed, pretty, setting_labels, shortened
from nntest.analyses.networks import PREFIX, layers_of, shapes_as_layers
from nntest.analyses.selection import select
from nntest.analyses.style import LABEL_BOX, empty_figure, new_figure, ordered_subjects, subject_styles
from nntest.analyses.whole import STUDY_RULE, WHOLE, compose, rows_of
from nntest.errors import UsageError
from nntest.units import format_duration

NAME = "adaptive"
MAX_LAYERS = 60
MAX_BARS = 24
MAX_PANELS = 8
MAX_TOLD = 4


def table(source, options):
    """Return the time per library of the ideal network, and how it was found.

    Parts: ``total`` (the ideal against the best single library), ``single`` (against every single library and
    program, on the layers that it has), ``layers`` (who was picked, how sure), ``missing`` (layers nobody measured),
    ``left_out`` (layers of whole networks that not all libraries have), ``sets`` (sets of libraries against the first).
    """
    require(source.points, ["time_us", "program", "library"], where=NAME)
    ranked = select(source.points, options, where=NAME).ranked
    sets = library_sets(ranked, options)
    if options.libraries:
        ranked = ranked[ranked["library"].astype("string").isin({name for one in sets for name in one}).to_numpy()]
    single, whole = _split(ranked)
    models = whole_models(source, whole, options)
    results = []
    if len(single) and (models is None or not options.network):
        results += of_layers(source, single, sets, options)
    if models is not None:
        results += of_networks(source.layers, models, sets, options)
    if not any("total" in result for result in results):
        raise UsageError(f"{NAME}: {_why_nothing(single, results)}")
    tables = {}
    for result in results:
        for name, frame in result.items():
            tables.setdefault(name, []).append(frame)
    tables = {name: pd.concat(frames, ignore_index=True) for name, frames in tables.items()}
    main = {NAME: by_library(tables["layers"]), **tables}
    if len(sets) > 1:
        main["sets"] = against_first(tables["total"])
    return main


def library_sets(ranked, options):
    """Return the sets of libraries to compose of, each a tuple of tags; one empty set means all libraries.

    ``a,b`` is one set; ``a+b,c+d`` are two.
    """
    items = options.libraries
    groups = [item.split("+") for item in items] if any("+" in item for item in items) else [list(items)]
    tags = ranked["library"].drop_duplicates()
    sets = []
    for group in groups:
        found = [str(tag) for name in group for tag in tags[equals(tags, name)]]
        if group and not found:
            raise UsageError(f"{NAME}: no row is of the libraries {', '.join(group)}")
        sets.append(tuple(dict.fromkeys(found)))
    return sets


def of_layers(source, ranked, sets, options):
    """Compose the network of single layers: a list of results, one per set of libraries and ranking."""
    layers = layers_of(source, options.network, where=NAME) if options.network else shapes_as_layers(ranked)
    statistic = "median" if options.statistic == STUDY_RULE else options.statistic
    if statistic == "mean":
        raise UsageError(f"{NAME}: the mean is for whole networks; expected median or minimum for single layers")
    results = []
    for ranking in RANKINGS:
        found = candidates(ranked, ranking, statistic, split=options.split)
        for names in sets:
            some = chosen(found, names)
            words = "+".join(sorted(some.table["library"].unique()))
            results.append(solve(some, layers, ranking, words))
    results = [result for result in results if result]
    if not results:
        return []
    joined = {name: pd.concat([result[name] for result in results], ignore_index=True) for name in results[0]}
    keys = present(joined["total"], ("libraries", *SETTING))
    return [{name: frame.sort_values(keys, kind="stable") for name, frame in joined.items()}]


def whole_models(source, ranked, options):
    """Return the rows of whole networks that tell their layers, None where there are none."""
    if "model" not in ranked or not ranked["model"].notna().any() or source.layers is None or source.layers.empty:
        return None
    ranked = ranked[ranked["model"].notna()]
    if options.network:
        known = {str(name) for name in ranked["model"].unique()}
        wanted = options.network.removeprefix(PREFIX)
        ranked = ranked[ranked["model"].astype("string").isin([options.network, wanted])]
        if ranked.empty and not _is_network(source, wanted):
            raise UsageError(f"{NAME}: there is no network {options.network!r}; {nearest(wanted, known)}")
    return None if ranked.empty else ranked


def of_networks(layers, ranked, sets, options):
    """Compose each whole network of its libraries' layers: a list of results."""
    layers = rows_of(layers, ranked, options.direction)
    # libraries that were named are compared across number formats, others only within one
    keys = [key for key in present(ranked, ("model", *SETTING)) if key != "batch_size" and key in layers]
    keys = [key for key in keys if key != "dtype" or not options.libraries]
    results = []
    for values, rows in layers.groupby(keys, observed=True, dropna=False, sort=True):
        setting = dict(zip(keys, values, strict=True))
        points = ranked[np.logical_and.reduce([_same(ranked[key], value) for key, value in setting.items()])]
        for names in sets:
            libraries = sorted(str(name) for name in points["library"].unique() if not names or name in names)
            if libraries:
                mine = rows[rows["library"].isin(libraries).to_numpy(dtype=bool)]
                results.append(compose(mine, points, libraries, setting, options))
    return results


def by_library(layers):
    """Return what each library contributes to the ideal."""
    keys = present(layers, ("model", *(key for key in SETTING if key != "batch_size"), "ranking", "libraries"))
    whole = layers["ranking"] == WHOLE
    parts = []
    # the batch size is a setting of single layers, and a choice for those of whole networks
    for rows, more in ((layers[~whole], present(layers, ["batch_size"])), (layers[whole], [])):
        if len(rows):
            groups = rows.groupby([*keys, *more, "library"], observed=True, dropna=False, sort=False)
            frame = groups.agg(time_ms_per_image=("time_ms_per_image", "sum"), layers=("multiplicity", "sum"))
            frame = frame.reset_index()
            owner = frame.groupby([*keys, *more], observed=True, dropna=False, sort=False)
            frame["share"] = frame["time_ms_per_image"] / owner["time_ms_per_image"].transform("sum")
            frame["_place"] = owner.ngroup()
            frame = frame.sort_values(["_place", "time_ms_per_image"], ascending=[True, False], kind="stable")
            parts.append(frame.drop(columns="_place"))
    return pd.concat(parts, ignore_index=True)


def against_first(totals):
    """Return the ideal of each set of libraries over that of the first set."""
    keys = [key for key in present(totals, ("model", *SETTING, "ranking")) if totals[key].notna().any()]
    first = totals.drop_duplicates(keys)[[*keys, "libraries", "ideal_ms_per_image"]]
    both = totals[[*keys, "libraries", "ideal_ms_per_image"]].merge(first, on=keys, suffixes=("", "_first"))
    return both.assign(ratio=both["ideal_ms_per_image"] / both["ideal_ms_per_image_first"])


def chart(tables, _options):
    """Draw the totals (ideal split by library, single libraries below) and who was picked for each layer."""
    totals, layers = tables["total"], tables["layers"]
    if (totals["ranking"] == WHOLE).all():
        return _whole_chart(tables)
    totals = totals[totals["ranking"] != WHOLE]
    first = totals.iloc[0]
    keys = ["model", *present(totals, SETTING)]
    here = (layers[keys].astype("string").fillna("") == first[keys].astype("string").fillna("").tolist()).all(axis=1)
    layers = layers[here & (layers["ranking"] == NATIVE)]
    if layers.empty:
        return empty_figure("No layer was measured.")
    shown = layers.head(MAX_LAYERS)
    bars = _total_bars(tables, keys)
    figure = new_figure(9.0, 1.9 + 0.34 * len(bars) + 0.235 * len(shown))
    upper, lower = figure.subplots(2, 1, height_ratios=[0.34 * len(bars) + 0.6, 0.235 * len(shown) + 0.6])
    styles = subject_styles(ordered_subjects((name, name) for name in tables["single"]["library"]))
    _draw_totals(upper, bars, styles)
    _draw_layers(lower, shown, len(layers), styles)
    set_heading(figure, _title(first))
    return figure


def finding(tables, _options):
    """Say what the ideal costs, what the best single library costs, who was picked, and how sure that is."""
    totals, layers = tables["total"], tables["layers"]
    words = [_whole_words(tables)] if (totals["ranking"] == WHOLE).any() else []
    layers = layers[layers["ranking"] == NATIVE]
    if layers.empty:
        return " ".join(words)
    for _, row in totals[totals["ranking"] != WHOLE].iterrows():
        kind = "" if row["ranking"] == NATIVE else " with reorders around every layer"
        words.append(
            f"{pretty(row['model'])}{kind}: the best program for each layer needs "
            f"{_ms(row['ideal_ms_per_image'])} per image{_interval(row)}"
        )
        if row["best_single_library"]:
            low, high = 100 * (1 - row["ratio_ci_high"]), 100 * (1 - row["ratio_ci_low"])
            words[-1] += f", {_gain(row)} ({_ms(row['best_single_ms_per_image'])}"
            words[-1] += f"; saving, 95 %: {low:.1f} to {high:.1f} %)" if low < high else ")"
        else:
            words[-1] += "; no single library has all of these layers"
        words[-1] += "."
    picked = layers.groupby("library")["multiplicity"].sum().sort_values(ascending=False)
    words.append(
        "Picked: " + listed(f"{pretty(name)} for {count_noun(count, 'layer')}" for name, count in picked.items()) + "."
    )
    shapes = count_noun(len(layers), "distinct shape")
    words.append(f"Of {shapes}, the lead of the one picked is: {lead_words(layers['verdict'])}.")
    missing = tables["missing"].drop_duplicates(["layer", "species", "shape"])
    if len(missing):
        names = listed((f"{row.species} {row.shape}" for row in missing.itertuples()), limit=6)
        words.append(
            f"Nobody measured {names}: the totals lack {count_noun(int(missing['multiplicity'].sum()), 'layer')}."
        )
    return " ".join(words)


def _total_bars(tables, keys):
    """Rows of the upper panel, (label, [(library, ms)], words): the ideal, then every library alone."""
    bars = []
    totals = tables["total"]
    settings = setting_labels(totals, keys)
    for (_, total), setting in zip(totals.iterrows(), settings, strict=True):
        same = [*keys, "ranking"]
        wanted = total[same].astype("string").fillna("").tolist()
        words = f"{'native' if total['ranking'] == NATIVE else 'end to end'}{f' ({setting})' if setting else ''}"
        parts = _rows_like(tables[NAME], same, wanted)
        ideal = list(zip(parts["library"], parts["time_ms_per_image"], strict=True))
        bars.append((f"best per layer, {words}", ideal, _ms(total["ideal_ms_per_image"])))
        singles = _rows_like(tables["single"], same, wanted)
        singles = singles[singles["kind"] == "library"].sort_values(["layers", "ratio"], ascending=False)
        for _, single in singles.iterrows():
            parts = [(single["library"], single["time_ms_per_image"])]
            bars.append((f"{pretty(single['name'])} alone, {words}", parts, _single_words(single)))
    return bars[:MAX_BARS]


def _single_words(single):
    slower = f"{_ms(single['time_ms_per_image'])}, {1 / single['ratio']:.2f}x the best"
    if single["layers"] == single["layers_of"]:
        return slower
    return f"{slower} on its {single['layers']} of {single['layers_of']} layers"


def _rows_like(frame, columns, values):
    return frame[(frame[columns].astype("string").fillna("") == values).all(axis=1)]


def _draw_totals(axes, bars, styles, *, legend=True):
    drawn = set()
    # a library many times slower would press the rest into a line
    end = min(max(sum(value for _, value in parts) for _, parts, _ in bars), 2.5 * sum(v for _, v in bars[0][1]))
    for position, (_, parts, words) in enumerate(bars):
        left = 0.0
        for library, value in parts:
            style = styles[library]
            axes.barh(
                position, min(value, end - left), left=left, height=0.8, color=style["color"], hatch=style["hatch"],
                edgecolor="white", linewidth=0.5, label=None if library in drawn else shortened(pretty(library), 44),
            )  # fmt: skip
            drawn.add(library)
            left = min(left + value, end)
        cut = "… " if sum(value for _, value in parts) > end else ""
        axes.annotate(
            cut + words, (left, position), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5,
            bbox=LABEL_BOX,
        )  # fmt: skip
    axes.set_yticks(range(len(bars)), [shortened(label) for label, _, _ in bars])
    axes.set_ylim(len(bars) - 0.45, -0.55)
    axes.set_xlim(0, end * 1.7)
    axes.set_xlabel("ms per image")
    axes.grid(axis="x")
    if legend:
        longest = max((len(text) for text in axes.get_legend_handles_labels()[1]), default=0)
        columns = 4 if longest < 18 else 3 if longest < 28 else 2
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.3, ncols=columns, handlelength=1.5)


def _draw_layers(axes, shown, count, styles):
    for position, (_, row) in enumerate(shown.iterrows()):
        time = row["time_ms_per_image"]
        style = styles[row["library"]]
        axes.barh(position, time, height=0.8, color=style["color"], hatch=style["hatch"], edgecolor=style["edge"])
        rival = f" {MARKS[row['verdict']]} {row['runner_up']}" if row["verdict"] in MARKS else ""
        words = f"{shortened(row['program'])}{shortened(rival)}  {100 * row['share']:.1f} %"
        axes.annotate(
            words,
            (time, position),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            bbox=LABEL_BOX,
        )
    times = [f"  × {times}" if times > 1 else "" for times in shown["multiplicity"]]
    axes.set_yticks(
        range(len(shown)), [shortened(shape) + words for shape, words in zip(shown["shape"], times, strict=True)]
    )
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(0, shown["time_ms_per_image"].max() * 1.6)
    axes.grid(axis="x")
    more = f" (the first {len(shown)} of {count})" if count > len(shown) else ""
    axes.set_xlabel("ms per image in all occurrences of the layer")
    # both on one line would not fit beside long names
    axes.set_title(f"Picked for each layer{more}{chr(10) if more else ' – '}≈ a tie within 1 %, ? undecided")


def _title(total):
    ideal = _ms(total["ideal_ms_per_image"])
    words = f"{pretty(total['model'])}: the best program for each layer takes {ideal} per image"
    return f"{words}, {_gain(total)}" if total["best_single_library"] else words


def _gain(total):
    name, saved = pretty(total["best_single_library"]), 100 * (1 - total["ratio"])
    if abs(saved) < 0.05:
        return f"as {name} alone does"
    # by the interval of the ratio, where one is known
    if total.get("ratio_ci_low", np.nan) <= 1 <= total.get("ratio_ci_high", np.nan):
        return f"not told apart from {name} alone"
    return f"{abs(saved):.1f} % {'less' if saved > 0 else 'more'} than {name} alone"


def _ms(value):
    return format_duration(value / 1e3)


def _interval(row):
    if row["ideal_ci_low"] != row["ideal_ci_low"]:
        return ""
    return f" (95 %: {_ms(row['ideal_ci_low'])} to {_ms(row['ideal_ci_high'])})"


def _whole_words(tables):
    """Say what composing whole networks of several libraries is worth, as published and by one rule."""
    words = []
    totals = tables["total"][tables["total"]["ranking"] == WHOLE]
    for _, row in totals.head(MAX_TOLD).iterrows():
        several = f" of {_named(row['libraries'])}" if len(totals) > totals["model"].nunique() else ""
        said = (
            f"{pretty(row['model'])}: {_ms(row['ideal_ms_per_image'])} per image with the fastest library{several} for "
            f"each of {count_noun(row['layers'], 'layer')}"
        )
        if row["best_single_library"]:
            said += f", {_gain(row)} ({_ms(row['best_single_ms_per_image'])})"
        if _differ(row):
            said += f"; by one rule on both sides {_percent(row['ratio_same_rule'])}"
        words.append(f"{said}.")
    if any(_differ(row) for _, row in totals.iterrows()):
        words.append(
            "The first percentage divides least times of layers by a mean of the whole, as the study does; the rule is "
            "the same layers, statistic and batch size on both sides."
        )
    if len(totals) > MAX_TOLD:
        words.append(f"The table has {len(totals) - MAX_TOLD} more.")
    left_out = tables["left_out"].drop_duplicates(["layer", "reason"])
    if len(left_out):
        said = listed(dict.fromkeys(_left_out(row) for row in left_out.itertuples()), limit=5)
        words.append(f"Left out, since not all libraries have it: {said}.")
    return " ".join(words)


def _differ(row):
    return row["ratio_same_rule"] == row["ratio_same_rule"] and row["ratio"] != row["ratio_same_rule"]


def _left_out(row):
    who, verb, rest = row.reason.partition(" lack")
    reason = f"{', '.join(map(pretty, who.split(', ')))}{verb}{rest}" if verb else row.reason
    return f"{row.layer} ({reason})" if row.layer else reason


def _named(libraries):
    return listed((pretty(name) for name in libraries.split("+")), limit=6).replace(" and ", " or ")


def _whole_chart(tables):
    """Draw for every network a bar of the ideal, split by library, above one of each library alone."""
    totals = tables["total"].head(MAX_PANELS)
    keys = [key for key in present(totals, ("model", *SETTING, "libraries")) if totals[key].notna().any()]
    settings = setting_labels(totals, [key for key in keys if key not in ("model", "libraries")])
    panels = []
    for (_, total), setting in zip(totals.iterrows(), settings, strict=True):
        wanted = total[keys].astype("string").fillna("").tolist()
        parts = _rows_like(tables[NAME], keys, wanted)
        ideal = list(zip(parts["library"], parts["time_ms_per_image"], strict=True))
        bars = [("best per layer", ideal, _ms(total["ideal_ms_per_image"]))]
        singles = _rows_like(tables["single"], keys, wanted).sort_values("time_ms_per_image")
        for _, single in singles.iterrows():
            words = f"{_ms(single['time_ms_per_image'])}, {1 / single['ratio']:.2f}x the best"
            bars.append((pretty(single["name"]), [(single["library"], single["time_ms_per_image"])], words))
        words = f", {_percent(total['ratio'])} than {pretty(total['best_single_library'])}" if len(singles) else ""
        rule = f" (by one rule: {_percent(total['ratio_same_rule'])})" if _differ(total) else ""
        panels.append((f"{pretty(total['model'])}{f', {setting}' if setting else ''}{words}{rule}", bars))
    heights = [0.34 * len(bars) + 0.75 for _, bars in panels]
    figure = new_figure(9.0, 1.0 + sum(heights))
    styles = subject_styles(ordered_subjects((name, name) for name in tables["single"]["library"]))
    grid = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)
    for axes, (title, bars) in zip(grid[:, 0], panels, strict=True):
        _draw_totals(axes, bars, styles, legend=False)
        axes.set_title(shortened(title, 110))
    more = f" (the first {MAX_PANELS} of {len(tables['total'])})" if len(tables["total"]) > MAX_PANELS else ""
    set_heading(figure, f"The fastest library for each layer, against one library for all{more}")
    return figure


def _percent(ratio):
    change = 100 * (1 - ratio)
    if abs(change) < 0.05:
        return "nothing less"
    return f"{abs(change):.1f} % {'less' if change > 0 else 'more'}"


def _split(ranked):
    """Return the rows of single layers, and the others."""
    if not {"shape", "species"} <= set(ranked.columns):
        return ranked.iloc[:0], ranked
    told = (ranked["shape"].notna() & ranked["species"].notna()).to_numpy()
    return (ranked, ranked.iloc[:0]) if told.all() else (ranked[told], ranked[~told])


def _same(column, value):
    return (column.isna() if pd.isna(value) else column == value).fillna(value=False).to_numpy(dtype=bool)


def _is_network(source, wanted):
    networks = source.networks
    return networks is not None and wanted in {str(name).removeprefix(PREFIX) for name in networks["network"].unique()}


def _why_nothing(single, results):
    if results:
        reasons = listed((_left_out(row) for row in results[0]["left_out"].itertuples()), limit=3)
        return f"the libraries have no layer in common ({reasons}); choose others by --libraries"
    if len(single):
        return "none of the network's layers was measured; run its datasets first"
    return "no row tells its species and shape, or is of a network with times of layers"

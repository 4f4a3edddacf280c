"""Latency: how long an inference takes in each variant, on each board; every bar is keyed by what it is."""

from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from nntest.analyses.bars import set_heading
from nntest.analyses.boards import board_name, variants
from nntest.analyses.cases import batch_of, group_numbers
from nntest.analyses.leads import ALONE, leads
from nntest.analyses.names import count_noun, pretty, question_labels, shortened, subject_labels
from nntest.analyses.selection import exclusion_reasons, filter_rows, select
from nntest.analyses.style import BLUE, GREEN, GREY, ORANGE, empty_figure, library_colour, new_figure
from nntest.units import format_duration, format_ratio

NAME = "latency"
COLUMNS = ["platform", "model", "variant", "latency_ms", "low_ms", "high_ms", "n", "library", "dtype", "isa", "tuner",
           "program", "dataset"]  # fmt: skip
#: The study took these rows of each board's table, and wrote these words beside them whatever they were.
STUDY_ROWS = (0, 2, 4, 5)
STUDY_LABELS = ("Unoptimized", "U + FPU", "Quantized", "Q + CMSIS-NN")
LEADS = ["model", "platform", "variant", "latency_ms", "against_platform", "against_variant", "against_ms", "ratio",
         "verdict", "mde_pct"]  # fmt: skip
_OPEN = {"undecided": "not told apart from", "equivalent": "a tie within 1 % with"}
_MOST_PANELS = 12


def table(source, options):
    """Return one row per board (platform), model and variant: the median of its values, NA where it failed there.

    Part: ``leads`` (the fastest of all against the next that answers the same question, and what a test says).
    """
    points = pd.concat([select(source.points, options, where=NAME).ranked, _failed(source.points, options)])
    board = points["library"].astype("string").isin(["cmsis-nn", "tflite-micro"])
    points = points.assign(
        variant=variants(points).where(board, subject_labels(points)),
        # what was asked: layers of one shape are another question in another operator or batch
        model=points["model"].astype("string").fillna(question_labels(points, without=("platform", "target", "dtype"))),
        tuner=points["tuner"].astype("string").fillna(""),
        _time=points["timestamp"].astype("string").fillna(""),
    )
    if options.flags != "*":
        points = points[~points["tuner"].str.startswith("-") | (points["tuner"] == options.flags)]
    if options.dtypes == "same":
        points = points[~points["dtype"].astype("string").fillna("").str.contains("/")]
    if options.model:
        points = points[[any(fnmatchcase(str(name), wanted) for wanted in options.model) for name in points["model"]]]
    keys = ["platform", "model", "variant", "library", "dtype", "isa", "tuner", "program", "dataset"]
    numbers, first = group_numbers(points, keys)
    known = points["time_us"].notna().to_numpy()
    times = points["time_us"].to_numpy(dtype=float, na_value=float("nan"))
    series = batch_of(points[known], times[known], numbers[known], len(first))
    groups = points.groupby(keys, observed=True, dropna=False, sort=False)
    main = groups["time_us"].agg(["median", "min", "max", "count"]) / 1e3
    main["_time"] = groups["_time"].min()
    main = main.reset_index().rename(columns={"median": "latency_ms", "min": "low_ms", "max": "high_ms", "count": "n"})
    main["n"] = (main["n"] * 1e3).round().astype("int64")
    # groups stand in order of their first row, as the series do
    main = main.assign(_series=range(len(main)))
    main = main.sort_values(["model", "platform", "dataset", "_time"], kind="stable").reset_index(drop=True)
    if options.labels == "study":
        main = _as_published(main)
    return {NAME: main[COLUMNS], "leads": _leads(main, series)}


def _leads(main, series):
    """Return the fastest of all, the next of the same model on any board, and whether a test tells them apart."""
    bars = _bars(main)
    if bars.empty:
        return pd.DataFrame(columns=LEADS)
    fastest = bars.iloc[0]
    # other networks are other questions
    rivals = bars[bars["model"] == fastest["model"]].iloc[1:2]
    numbers = rivals["_series"].to_numpy() if len(rivals) else np.array([-1])
    [verdict], [mde_pct] = leads(series, np.array([fastest["_series"]]), numbers)
    against = [rivals[column].iloc[0] if len(rivals) else None for column in ("platform", "variant", "latency_ms")]
    ratio = against[2] / fastest["latency_ms"] if len(rivals) else None
    own = [fastest[column] for column in ("model", "platform", "variant", "latency_ms")]
    return pd.DataFrame([[*own, *against, ratio, verdict, mde_pct]], columns=LEADS)


def _bars(main):
    """Return what the panels show of known latencies, the fastest first."""
    panels = [_once(rows) for _, rows in main.groupby(["model", "platform"], sort=False, observed=True)]
    bars = pd.concat(panels) if panels else main
    return _in_order(bars[bars["latency_ms"].notna()])


def _in_order(rows):
    return rows.sort_values("latency_ms", kind="stable")


def _failed(points, options):
    """Return the inferences that could not be built or run on a board: the published tables have rows of them, too."""
    points = filter_rows(points, options.where, where=NAME)
    if points is None or points.empty:
        return points
    board = points["library"].astype("string").isin(["cmsis-nn", "tflite-micro"])
    failed = exclusion_reasons(points) == "failed"
    return points[(board & failed).fillna(value=False).astype(bool)]


def chart(tables, options):
    """Draw a panel per model and board: horizontal bars, the slowest variant first."""
    main = tables[NAME]
    if main.empty:
        return empty_figure("No inference is left; check --flags, --dtypes and --model.")
    panels = [(key, _once(rows)) for key, rows in main.groupby(["model", "platform"], sort=False, observed=True)]
    dropped = len(panels) - _MOST_PANELS
    panels = panels[:_MOST_PANELS]
    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    most = max(len(rows) for _, rows in panels)
    figure = new_figure(max(7.0, 4.6 * columns), 1.1 + lines * (0.9 + 0.27 * most))
    axes = figure.subplots(lines, columns, squeeze=False)
    several = main["platform"].nunique() > 1
    for place, ((model, platform), rows) in zip(axes.flat, panels, strict=False):
        # the heading names the only one
        title = f"{pretty(model)} on {pretty(board_name(platform))}" if several else pretty(model)
        _panel(place, rows, title, by_position=options.labels == "study")
    for place in axes.flat[len(panels) :]:
        place.set_visible(False)
    words = [_title(main, tables["leads"])]
    if dropped > 0:
        words.append(f"(the first {_MOST_PANELS} of {_MOST_PANELS + dropped} panels; the table has all)")
    if options.labels == "study":
        words.append("labels by position, as published: they are wrong where the boards' tables are ordered otherwise")
    set_heading(figure, "\n".join(words))
    return figure


def finding(tables, _options):
    """Say which variant has the least latency, and whether a test tells it from the next."""
    return f"{_title(tables[NAME], tables['leads'])}." if len(tables[NAME]) else ""


def _panel(axes, rows, title, *, by_position):
    rows = rows if by_position else rows.sort_values("latency_ms", ascending=False, kind="stable")
    places = range(len(rows))
    colours = [_colour(library, dtype) for library, dtype in zip(rows["library"], rows["dtype"], strict=True)]
    longest = rows["latency_ms"].max()
    # what takes no millisecond would have ticks that run into each other
    unit, scale = ("us", 1e3) if longest < 1 else ("ms", 1.0)
    axes.barh(places, rows["latency_ms"] * scale, color=colours, height=0.72)
    for place, value in zip(places, rows["latency_ms"], strict=True):
        words, end = ("failed", 0.0) if pd.isna(value) else (format_duration(value / 1e3), value * scale)
        axes.annotate(words, (end, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5)
    axes.set_yticks(list(places), [shortened(name, 36) for name in rows["variant"]])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, 1.0 if pd.isna(longest) else longest * scale * 1.22)
    axes.locator_params(axis="x", nbins=5)
    axes.set_xlabel(f"latency, {unit}")
    axes.set_title(shortened(title, 34))
    axes.grid(axis="x")


def _colour(library, dtype):
    if str(library) == "cmsis-nn":
        return GREEN if str(dtype).startswith("int8") else ORANGE
    if str(library) != "tflite-micro":
        return library_colour(library)
    return BLUE if str(dtype).startswith("int8") else GREY


def _once(rows, columns=("variant",)):
    """Return each variant once: of several tables the one with the most variants speaks."""
    sizes = rows.groupby("dataset", observed=True, dropna=False)["variant"].transform("size")
    return rows.assign(_size=sizes).sort_values("_size", ascending=False, kind="stable").drop_duplicates(list(columns))


def _title(main, found):
    if found.empty:
        return "No inference has a latency"
    bars, first = _bars(main), found.iloc[0]
    who = f"{first['variant']} on {board_name(first['platform'])}"
    time = format_duration(first["latency_ms"] / 1e3)
    counted = count_noun(len(bars), "bar")
    if first["verdict"] == ALONE:
        return f"{who} takes {time} ({counted})"
    single = (bars["n"] < 2).all()
    words = f"{who} is the fastest: {time}" if first["verdict"] == "different" else f"Least latency: {who}, {time}"
    if first["verdict"] in _OPEN and not single:
        words += f", {_OPEN[first['verdict']]} {first['against_variant']} on {board_name(first['against_platform'])}"
    # told, not judged: they were picked for lying far apart
    ends = bars.groupby(["model", "platform"], observed=True)["latency_ms"].agg(["min", "max", "count"])
    ends = ends[ends["count"] > 1]
    if len(ends):
        words += f"; the variants of a board lie up to {format_ratio((ends['max'] / ends['min']).max())} apart"
    if single:
        counted += ", one value each: no test can tell more"
    return f"{words} ({counted})"


def _as_published(main):
    """Take rows by position, order them by the FPU, and label them by position: what the study did."""
    parts = []
    for _, rows in main.groupby(["model", "platform", "dataset"], sort=False, observed=True):
        ordered = rows.sort_values("dtype", key=lambda dtype: dtype.astype("string"), kind="stable")
        taken = ordered.iloc[[number for number in STUDY_ROWS if number < len(rows)]]
        taken = taken.sort_values("isa", key=lambda isa: isa.astype("string") == "fpu", kind="stable")
        parts.append(taken.assign(variant=list(STUDY_LABELS[: len(taken)])))
    return pd.concat(parts, ignore_index=True) if parts else main

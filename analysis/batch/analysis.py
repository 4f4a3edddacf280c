"""Batch: what one image takes, by model, library and batch size, and which batch size is best."""

from nntest.analyses.amounts import (
    Curve,
    amount_bars,
    curve_grid,
    first_groups,
    format_amount,
    format_scattered,
    plain_styles,
)
from nntest.analyses.bars import Bar, Group
from nntest.analyses.names import count_noun, listed, pretty, sort_naturally
from nntest.analyses.selection import select
from nntest.analyses.style import empty_figure
from nntest.analyses.workloads import (
    BEST,
    best_batch,
    choose,
    name_workloads,
    needed_keys,
    per_image,
    series_labels,
    workload_noun,
)

NAME = "batch"
VALUES = (BEST, "std_ms_per_image", "repetitions")
MAX_PANELS = 6
WORDS = {"forward": "inference", "backward": "backward pass", "forward_backward": "training step"}
UNITS = {BEST: "ms per image", "images_per_s": "images per second"}


def table(source, options):
    """Return means and standard deviations over repetitions; the part ``best`` at the best batch size of each."""
    points = name_workloads(source.points, where=NAME)
    for column, names in (
        ("model", options.models),
        ("library", options.libraries),
        ("batch_size", options.batch_sizes),
    ):
        points = choose(points, column, names, where=NAME)
    means = per_image(select(points, options, where=NAME).ranked, options.direction, where=NAME)
    keys = needed_keys(means)
    main = sort_naturally(means[[*keys, *VALUES]], _order(keys))
    best = best_batch(main, keys)
    return {NAME: main, "best": best.assign(images_per_s=1e3 / best[BEST])}


def chart(tables, options):
    """Draw bars at the best batch size, by model or by library, or curves over the batch size."""
    if options.group_by == "batch_size" and tables[NAME]["batch_size"].nunique() > 1:
        return _curves(tables[NAME], options)
    best = tables["best"]
    if best.empty:
        return empty_figure("No case has a time.")
    title = _title(tables, options)
    best, total = first_groups(best, ["model"]) if options.group_by != "library" else (best, 0)
    best = best.assign(_series=series_labels(best, without=("batch_size",)), _model=best["model"].map(pretty))
    across, along = ("_model", "_series") if options.group_by == "model" else ("_series", "_model")
    several = tables[NAME]["batch_size"].nunique() > 1
    groups = [
        Group(
            str(label),
            tuple(_bar(row, along, options.metric, several=several) for _, row in rows.iterrows()),
        )
        for label, rows in best.groupby(across, sort=False, observed=True)
    ]
    bars = "; thin line: ± 1 standard deviation over repetitions" if options.metric == BEST else ""
    where = " at the best batch size (in brackets)" if several else ""
    return amount_bars(
        groups,
        title=title,
        total=total,
        xlabel=f"{UNITS[options.metric]}{where}{bars}",
        styles=plain_styles(best["_model"]) if along == "_model" else None,
    )


def finding(tables, options):
    """Say which library is fastest on each model, and at which batch size."""
    best = tables["best"]
    if best.empty:
        return ""
    words, labels = [], series_labels(best, without=("batch_size",))
    for model, rows in best.groupby("model", sort=False, observed=True):
        first = rows.sort_values(BEST).iloc[0]
        words.append(
            f"{pretty(model)}: {labels[first.name]} takes {format_amount(first[BEST])} ms per image at "
            f"batch {first['batch_size']} ({format_amount(first['images_per_s'])} images/s)"
        )
    text = f"One {WORDS[options.direction]}. {listed(words, limit=6)}."
    rest = int(tables[NAME]["repetitions"].min()), int(tables[NAME]["repetitions"].max())
    said = f"{rest[0]}" if rest[0] == rest[1] else f"{rest[0]} to {rest[1]}"
    return f"{text} Means over {said} repetitions."


def _bar(row, along, metric, *, several):
    time, scatter = row[BEST], row["std_ms_per_image"]
    value = time if metric == BEST else row["images_per_s"]
    words = format_scattered(value, scatter) if metric == BEST else format_amount(value)
    return Bar(
        subject=str(row[along]),
        library=str(row["library"] if along == "_series" else row["model"]),
        value=value,
        low=value - scatter if metric == BEST else float("nan"),
        high=value + scatter if metric == BEST else float("nan"),
        label=f"{words} ({row['batch_size']})" if several else words,
    )


def _curves(main, options):
    main = main.assign(_series=series_labels(main, without=("batch_size",)))
    models = list(main["model"].drop_duplicates())
    panels = {}
    for model in models[:MAX_PANELS]:
        rows = main[main["model"] == model].sort_values("batch_size")
        panels[UNITS[options.metric], pretty(model)] = [
            Curve(
                subject=str(label),
                library=str(own["library"].iloc[0]),
                x=own["batch_size"].astype(float).tolist(),
                y=(own[BEST] if options.metric == BEST else 1e3 / own[BEST]).tolist(),
                scatter=own["std_ms_per_image"].fillna(0.0).tolist() if options.metric == BEST else (),
            )
            for label, own in rows.groupby("_series", sort=False)
        ]
    more = f" (the first {MAX_PANELS} of {len(models)} models)" if len(models) > MAX_PANELS else ""
    title = f"{UNITS[options.metric].capitalize()} by batch size, {WORDS[options.direction]}{more}"
    return curve_grid(panels, title=title, xlabel="batch size; vertical lines: ± 1 standard deviation")


def _title(tables, options):
    best = tables["best"]
    what = "Time of one image" if options.metric == BEST else "Images per second"
    batch = " at the best batch size" if tables[NAME]["batch_size"].nunique() > 1 else ""
    series = count_noun(series_labels(best, without=("batch_size",)).nunique(), "series")
    series = series.replace("serieses", "series")
    noun = workload_noun(best["model"])
    return f"{what}, {WORDS[options.direction]}{batch}: {count_noun(best['model'].nunique(), noun)}, {series}"


def _order(keys):
    return [key for key in keys if key != "batch_size"] + ["batch_size"]

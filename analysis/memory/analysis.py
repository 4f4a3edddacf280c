"""Memory: what a library holds for a model, in all and per image, beside the time, as the batch grows."""

from nntest.analyses.amounts import Curve, amount_bars, curve_grid, first_groups, format_amount
from nntest.analyses.bars import Bar, Group
from nntest.analyses.columns import require
from nntest.analyses.grouping import floats
from nntest.analyses.names import count_noun, listed, pretty, sort_naturally
from nntest.analyses.selection import select
from nntest.analyses.style import empty_figure
from nntest.analyses.workloads import BEST, choose, name_workloads, needed_keys, per_image, series_labels

NAME = "memory"
MAX_PANELS = 4
ROWS = {BEST: "ms per image", "memory_mb": "memory, MB", "memory_mb_per_image": "memory, MB per image"}


def table(source, options):
    """Return memory (unknown where the source does not tell it) and time by batch size."""
    require(source.points, ["memory_mb"], where=NAME)
    points = name_workloads(source.points, where=NAME)
    for column, names in (
        ("model", options.models),
        ("library", options.libraries),
        ("batch_size", options.batch_sizes),
    ):
        points = choose(points, column, names, where=NAME)
    means = per_image(select(points, options, where=NAME).ranked, "forward", where=NAME)
    keys = needed_keys(means)
    means["memory_mb_per_image"] = means["memory_mb"] / floats(means["batch_size"])
    order = [key for key in keys if key != "batch_size"] + ["batch_size"]
    return {NAME: sort_naturally(means[[*keys, "memory_mb", "memory_mb_per_image", BEST]], order)}


def chart(tables, _options):
    """Draw curves over the batch size, one column per model; with one batch size, or many models, bars."""
    main = tables[NAME]
    main = main.assign(_series=series_labels(main, without=("batch_size",)))
    if main["memory_mb"].isna().all():
        return empty_figure("These points do not tell memory.")
    if main["batch_size"].nunique() < 2 or main["model"].nunique() > MAX_PANELS:
        return _bars(main)
    panels = {
        (row, pretty(model)): [
            Curve(
                subject=str(label),
                library=str(own["library"].iloc[0]),
                x=own["batch_size"].astype(float).tolist(),
                y=own[column].astype(float).tolist(),
            )
            for label, own in rows.sort_values("batch_size").groupby("_series", sort=False)
        ]
        for column, row in ROWS.items()
        for model, rows in main.groupby("model", sort=False, observed=True)
    }
    unknown = main[main["memory_mb"].isna()]["_series"].drop_duplicates()
    more = f"; memory unknown: {listed(unknown)}" if len(unknown) else ""
    linear = (ROWS["memory_mb"], ROWS["memory_mb_per_image"])
    return curve_grid(panels, title=f"Time and memory by batch size{more}", xlabel="batch size", linear=linear)


def finding(tables, _options):
    """Say who needs most and least memory, and what an image costs."""
    main = tables[NAME]
    known = main[main["memory_mb"].notna()]
    if known.empty:
        return "These points do not tell memory."
    words = []
    for model, rows in known.groupby("model", sort=False, observed=True):
        per = rows["memory_mb_per_image"]
        words.append(f"{pretty(model)} {format_amount(per.min())} to {format_amount(per.max())} MB per image")
    text = f"{listed(words, limit=6)}."
    lost = len(main) - len(known)
    return f"{text} {count_noun(lost, 'row')} do not tell memory." if lost else text


def _bars(main):
    # of several batch sizes the one that most workloads have, the smallest of those
    counts = main["batch_size"].value_counts()
    batch = min(counts[counts == counts.max()].index)
    drawn = main[(main["batch_size"] == batch).to_numpy(dtype=bool)]
    drawn, total = first_groups(drawn, ["model"])
    groups = [
        Group(
            pretty(model),
            tuple(
                Bar(
                    subject=str(row["_series"]),
                    library=str(row["library"]),
                    value=row["memory_mb"],
                    label=format_amount(row["memory_mb"]),
                )
                for _, row in rows.iterrows()
            ),
        )
        for model, rows in drawn.groupby("model", sort=False, observed=True)
    ]
    return amount_bars(groups, title=f"Memory at batch {batch}", xlabel="MB", total=total)

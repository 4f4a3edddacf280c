"""Accuracy: top-1 and top-5 of the models, from the tables in dataset entries tagged accuracy."""

from nntest.analyses.amounts import amount_bars, plain_styles
from nntest.analyses.bars import Bar, Group
from nntest.analyses.lookup import read_tables
from nntest.analyses.names import count_noun, pretty
from nntest.analyses.style import empty_figure

NAME = "accuracy"
KINDS = {"top1": "top 1", "top5": "top 5"}


def table(_source, _options):
    """Return the published accuracies (fractions), whatever the points are of; rising by top 1."""
    found = read_tables("dataset,accuracy", ("model", *KINDS))
    return {NAME: found.drop_duplicates("model").sort_values(["top1", "model"], ignore_index=True)}


def chart(tables, _options):
    """Draw a group of two bars per model."""
    main = tables[NAME]
    if main.empty:
        return empty_figure("No dataset entry with the tag accuracy was found.")
    groups = [
        Group(
            pretty(row.model),
            tuple(
                Bar(subject=words, library=words, value=getattr(row, kind), label=f"{100 * getattr(row, kind):.1f} %")
                for kind, words in KINDS.items()
            ),
        )
        for row in main.itertuples()
    ]
    xlabel = "fraction of the validation images that are classified correctly, as published"
    return amount_bars(groups, title=_title(main), xlabel=xlabel, end=1.0, styles=plain_styles(list(KINDS.values())))


def finding(tables, _options):
    """Say which model is most accurate."""
    main = tables[NAME]
    if main.empty:
        return "No dataset entry with the tag accuracy was found."
    return f"{_title(main)}. These are published values, not measured here; points of other models are not in them."


def _title(main):
    best = main.iloc[-1]
    return (
        f"{pretty(best['model'])} is the most accurate of {count_noun(len(main), 'model')}: "
        f"{100 * best['top1']:.1f} % top 1, {100 * best['top5']:.1f} % top 5"
    )

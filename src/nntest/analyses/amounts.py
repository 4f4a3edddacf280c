"""Amounts with their scatter: grouped bars from zero, and curves over a number such as the batch size."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from nntest.analyses.bars import (
    MAX_GROUPS,
    WIDTH,
    Bar,
    Group,
    draw_interval,
    legend,
    log_ticks,
    plain_number,
    set_heading,
    set_xlabel,
)
from nntest.analyses.grouping import group_rows
from nntest.analyses.style import HATCHES, MARKERS, new_figure, ordered_subjects, subject_styles

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_BARS = 160
# Tol 2021, Colour schemes, "muted": safe for colour-blind readers, and none of them near a library's colour.
_TONES = ("#332288", "#ddcc77", "#882255", "#44aa99", "#cc6677", "#999933")
_CUT_FROM = 3.0


def amount_bars(
    groups: Sequence[Group],
    *,
    title: str,
    xlabel: str,
    end: float | None = None,
    styles: Mapping[str, dict[str, Any]] | None = None,
    total: int = 0,
    which: str = "first",
) -> "Figure":
    """Draw grouped horizontal bars from zero; a bar's ``low`` and ``high`` are its scatter.

    ``total`` is how many groups there are, where not all were handed in, and ``which`` they are (`first_groups`,
    `largest_groups`). ``styles`` are the
    subjects' (`plain_styles` where they are no libraries); by default those of their libraries.

    Where a few bars are several times longer than all others, those are cut, and say so. At most 60 groups and 160
    bars are drawn, the first; the title then tells how many there are.
    """
    from matplotlib.ticker import MaxNLocator

    shown = _first(groups)
    total = max(total, len(groups))
    if len(shown) < total:
        title = f"{title}\n(the {which} {len(shown)} of {total:,} groups; the table has all)"
    bars = [bar for group in shown for bar in group.bars]
    limit = end or _with_scatter(cut_at([bar.value for bar in bars]), bars)
    figure = new_figure(WIDTH, 1.75 + 0.2 * len(bars) + 0.12 * len(shown))
    axes = figure.add_subplot()
    styles = styles or subject_styles(ordered_subjects((bar.subject, bar.library) for bar in bars))
    ticks, cursor = [], 0.0
    for group in shown:
        ticks.append(cursor + (len(group.bars) - 1) / 2)
        for bar in group.bars:
            _bar(axes, cursor, bar, styles[bar.subject], limit)
            cursor += 1
        cursor += 0.7
    axes.set_ylim(cursor - 0.7 - 0.3, -0.7)
    axes.set_yticks(ticks, [group.label for group in shown])
    axes.set_xlim(0, limit * 1.2)
    # behind the limit is room for labels, and where bars are cut no scale at all
    ticks_in = MaxNLocator(nbins=9, steps=[1, 2, 2.5, 5, 10]).tick_values(0, limit)
    axes.set_xticks([tick for tick in ticks_in if tick <= limit * 1.0001])
    axes.grid(axis="x")
    axes.xaxis.set_major_formatter(lambda value, _: plain_number(value))
    set_xlabel(axes, xlabel)
    set_heading(figure, title)
    legend(axes, dict(styles), kind="bar")
    return figure


def first_groups(frame: "pd.DataFrame", columns: Sequence[str]) -> tuple["pd.DataFrame", int]:
    """Return the rows of as many groups as a chart draws, in their order, and how many groups there are."""
    groups = group_rows(frame, columns)
    return frame[groups.codes < MAX_GROUPS], len(groups)


def largest_groups(frame: "pd.DataFrame", columns: Sequence[str], amount: str) -> tuple["pd.DataFrame", int]:
    """Return the rows of those groups that hold the largest ``amount``, in the frame's order, and the count of all.

    As many as a chart draws: 60 groups and 160 rows at most.
    """
    groups = group_rows(frame, columns)
    top = -groups.minimum(-frame[amount].to_numpy(dtype=float))
    order = np.argsort(-np.nan_to_num(top), kind="stable")[:MAX_GROUPS]
    sizes = np.bincount(groups.codes, minlength=len(groups))
    kept = order[: max(int(np.searchsorted(np.cumsum(sizes[order]), MAX_BARS, side="right")), 1)]
    return frame[np.isin(groups.codes, kept)], len(groups)


def plain_styles(labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return styles of what is no library: models, accuracies; none of their colours is a library's."""
    return {
        label: {
            "color": _TONES[number % len(_TONES)],
            "edge": _TONES[number % len(_TONES)],
            "hatch": HATCHES[number // len(_TONES) % len(HATCHES)],
            "marker": MARKERS[number % len(MARKERS)],
        }
        for number, label in enumerate(dict.fromkeys(labels))
    }


def cut_at(values: Sequence[float]) -> float:
    """Return where the axis ends: at the largest value, or, if at most a third stand far out, behind the others."""
    known = sorted((value for value in values if not isnan(value)), reverse=True)
    for place in range(len(known) // 3, 0, -1):
        if known[place] > 0 and known[place - 1] / known[place] > _CUT_FROM:
            return known[place] * 1.4
    return known[0] if known and known[0] > 0 else 1.0


def _with_scatter(limit: float, bars: Sequence[Bar]) -> float:
    """Return where the axis ends if the scatter of the bars up to ``limit`` shall be seen, too, within reason."""
    highs = [bar.high for bar in bars if bar.value <= limit and bar.high == bar.high]
    return max(limit, min(max(highs, default=limit), 2 * limit))


def format_amount(value: float) -> str:
    """Render three digits, thousands set apart."""
    if isnan(value):
        return "unknown"
    return f"{value:,.{_decimals(value)}f}" if value >= 0.001 or value == 0 else f"{value:.2g}"


def format_scattered(value: float, scatter: float) -> str:
    """Render ``7.41 ± 0.02``, with the decimals that the scatter's first digit needs; without one the value alone."""
    if isnan(value) or isnan(scatter):
        return format_amount(value)
    decimals = _decimals(value)
    while decimals < 4 and round(scatter, decimals) == 0 < scatter:
        decimals += 1
    return f"{value:,.{decimals}f} ± {scatter:,.{decimals}f}"


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One line: ``subject`` as the legend names it, its library, and its points; ``scatter`` is drawn around them."""

    subject: str
    library: str
    x: Sequence[float]
    y: Sequence[float]
    scatter: Sequence[float] = field(default=())


def curve_grid(
    panels: Mapping[tuple[str, str], Sequence[Curve]], *, title: str, xlabel: str, linear: Collection[str] = ()
) -> "Figure":
    """Draw curves, one panel for each (row, column); rows are amounts (their unit is the name), columns workloads.

    Rows that span more than a factor of 12 have a logarithmic axis, unless ``linear`` names them.

    Curves that coincide share one line, its dashes in turn in the colours of each.
    """
    rows, columns = (list(dict.fromkeys(key[place] for key in panels)) for place in (0, 1))
    figure = new_figure(max(WIDTH, 0.6 + 3.6 * len(columns)), 1.2 + 2.5 * len(rows))
    grid = figure.subplots(len(rows), len(columns), squeeze=False, sharex="col")
    curves = [curve for drawn in panels.values() for curve in drawn]
    styles = subject_styles(ordered_subjects((curve.subject, curve.library) for curve in curves))
    for (row, column), drawn in panels.items():
        axes = grid[rows.index(row), columns.index(column)]
        _panel(axes, drawn, styles, may_be_log=row not in linear)
        if column == columns[0]:
            axes.set_ylabel(row)
        if row == rows[0]:
            axes.set_title(column)
        if row == rows[-1]:
            axes.set_xlabel(xlabel)
    set_heading(figure, title)
    _legend_below(figure, styles)
    return figure


def _decimals(value: float) -> int:
    return 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3 if value >= 0.01 else 4


def _first(groups: Sequence[Group]) -> list[Group]:
    shown: list[Group] = []
    for group in groups[:MAX_GROUPS]:
        if shown and sum(len(item.bars) for item in shown) + len(group.bars) > MAX_BARS:
            break
        shown.append(group)
    return shown


def _bar(axes: "Axes", y: float, bar: Any, style: dict[str, Any], limit: float) -> None:
    if isnan(bar.value):
        axes.annotate(bar.label, (0, y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5)
        return
    cut = bar.value > limit
    reach = limit if cut else bar.value
    axes.barh(y, reach, height=0.88, color=style["color"], edgecolor=style["edge"], hatch=style["hatch"], linewidth=0.6)
    tip = reach
    if cut:
        # two white strokes say that the bar goes on
        for place in (0.955, 0.975):
            axes.plot([limit * place, limit * (place + 0.012)], [y + 0.44, y - 0.44], color="white", linewidth=2.0)
    elif not isnan(bar.low):
        draw_interval(axes, y, bar, limit)
        tip = max(reach, min(bar.high, limit))
    words = f"{bar.label} (bar cut)" if cut else bar.label
    axes.annotate(words, (tip, y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5,
                  annotation_clip=False)  # fmt: skip


def _panel(axes: "Axes", curves: Sequence[Curve], styles: Mapping[str, dict[str, Any]], *, may_be_log: bool) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    known = [curve for curve in curves if not all(isnan(value) for value in curve.y)]
    if not known:
        axes.text(0.5, 0.5, "unknown", ha="center", va="center", transform=axes.transAxes)
        axes.set_yticks([])
        return
    alike: dict[tuple[float, ...], list[Curve]] = {}
    for curve in known:
        alike.setdefault(tuple(float(f"{value:.6g}") for value in curve.y), []).append(curve)
    for twins in alike.values():
        for number, curve in enumerate(twins):
            style = styles[curve.subject]
            line = "-" if len(twins) == 1 else (6.0 * number, (6.0, 6.0 * (len(twins) - 1)))
            axes.plot(curve.x, curve.y, color=style["edge"], linestyle=line, linewidth=1.8, marker=style["marker"],
                      markersize=5 if len(twins) == 1 else 3.5, zorder=3)  # fmt: skip
            if curve.scatter:
                axes.errorbar(curve.x, curve.y, yerr=curve.scatter, fmt="none", ecolor=style["edge"], elinewidth=1.0)
    values = np.array([value for curve in known for value in curve.y if not isnan(value)])
    positive = values[values > 0]
    if may_be_log and positive.size == values.size and values.max() / values.min() > 12:
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(NullLocator())
        low, high = values.min() / 1.3, values.max() * 1.3
        axes.set_ylim(low, high)
        axes.yaxis.set_major_locator(FixedLocator(log_ticks(low, high)))
    else:
        axes.set_ylim(0, values.max() * 1.12 or 1.0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: plain_number(value)))
    places = sorted({place for curve in known for place in curve.x})
    if len(places) <= 10:
        axes.set_xticks(places, [f"{place:g}" for place in places])
    axes.grid(axis="both")


def _legend_below(figure: "Figure", styles: Mapping[str, dict[str, Any]]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=style["edge"], marker=style["marker"], linewidth=1.8, markersize=5, label=label)
        for label, style in styles.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4 if max(map(len, styles)) < 24 else 2)

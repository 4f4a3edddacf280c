"""Grouped horizontal bars with intervals and labels: ratios around 1, or amounts from 0."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

from nntest.analyses.names import shortened
from nntest.analyses.style import INK, LABEL_BOX, new_figure, ordered_subjects, subject_styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 9.0
MAX_GROUPS = 60
MAX_BARS = 240
_LOG_FROM = 12.0
_NAN = float("nan")


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar: ``subject`` as the legend names it, its library (the colour), value, interval and label."""

    subject: str
    library: str
    value: float
    label: str
    low: float = _NAN
    high: float = _NAN


@dataclass(frozen=True)
class Group:
    """Bars that answer one question."""

    label: str
    bars: tuple[Bar, ...]


def ratio_bars(groups: Sequence[Group], *, title: str, xlabel: str, xmax: float | None = None) -> "Figure":
    """Draw ratios: bars grow from 0, or on a logarithmic axis from 1, to the left when slower.

    At most 60 groups and 240 bars are drawn, the first; the title then says so.
    """
    shown = drawable([len(group.bars) for group in groups])
    if len(groups) > shown:
        title = f"{title}\n(the first {shown} of {len(groups)} groups; the table has all)"
        groups = groups[:shown]
    bars = [bar for group in groups for bar in group.bars]
    low = min(bar.value for bar in bars)
    high = max(*(bar.value for bar in bars), 1.0)
    # intervals are seen whole, unless they are far longer than any bar
    ends = [end for bar in bars for end in (bar.low, bar.high) if not isnan(end)]
    low = min(low, max(min(ends, default=low), low / 2))
    high = xmax or max(high, min(max(ends, default=high), 2 * high))
    logarithmic = high / low > _LOG_FROM
    figure = new_figure(WIDTH, 1.7 + 0.2 * len(bars) + 0.12 * len(groups))
    axes = figure.add_subplot()
    _limits(axes, low, high, logarithmic=logarithmic)
    styles = subject_styles(ordered_subjects((bar.subject, bar.library) for bar in bars))
    ticks, cursor = [], 0.0
    for group in groups:
        ticks.append(cursor + (len(group.bars) - 1) / 2)
        for bar in group.bars:
            _draw(axes, cursor, bar, styles[bar.subject], start=1.0 if logarithmic else 0.0, end=high)
            cursor += 1
        cursor += 0.7
    axes.axvline(1.0, color=INK, linewidth=1.0)
    axes.set_ylim(cursor - 0.7 - 0.3, -0.7)
    axes.set_yticks(ticks, [shortened(group.label) for group in groups])
    axes.grid(axis="x")
    set_xlabel(axes, xlabel)
    set_heading(figure, title)
    legend(axes, styles, kind="bar")
    return figure


def drawable(sizes: Sequence[int]) -> int:
    """Return how many groups of so many bars one picture holds: at most 60, of 240 bars in all, but one at least."""
    total = 0
    for number, size in enumerate(sizes[:MAX_GROUPS]):
        total += size
        if total > MAX_BARS:
            return max(number, 1)
    return min(len(sizes), MAX_GROUPS)


def set_heading(figure: "Figure", title: str) -> None:
    """Put what the chart shows above everything, wrapped at the figure's width."""
    from textwrap import wrap

    lines = [part for line in title.splitlines() for part in wrap(line, int(figure.get_figwidth() * 10.8))]
    figure.suptitle("\n".join(lines), x=0.008, ha="left", fontweight="bold", fontsize=11, color=INK)


def set_xlabel(axes: "Axes", words: str) -> None:
    """Say what x is; a long text takes several lines, since long names beside the axes leave it little width."""
    from textwrap import wrap

    lines = -(-len(words) // 76)
    # lines of about one length
    axes.set_xlabel("\n".join(wrap(words, len(words) // lines + 8)) if lines > 1 else words)


def legend(axes: "Axes", styles: dict[str, dict[str, Any]], *, kind: str) -> None:
    """Put the subjects above the axes, as bars or as markers."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = []
    for label, style in styles.items():
        if kind == "bar":
            handles.append(
                Patch(
                    facecolor=style["color"], edgecolor=style["edge"], hatch=style["hatch"], label=shortened(label, 36)
                )
            )
        else:
            handles.append(
                Line2D([], [], color=style["color"], marker=style["marker"], linestyle="", markersize=7,
                       markeredgecolor=style["edge"], label=shortened(label, 36))
            )  # fmt: skip
    columns = 3 if max(map(len, styles), default=0) < 34 else 2
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.3,
                ncols=min(columns, len(handles)), handlelength=1.5)  # fmt: skip


def log_ticks(low: float, high: float) -> list[float]:
    """Return 1-2-5 steps between the limits, thinned to at most ten."""
    from math import ceil, floor, log10

    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [step * 10.0**decade for decade in decades for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= 10:
            return ticks
    return ticks[:: len(ticks) // 10 + 1]


def plain_number(value: float) -> str:
    """Return the number without an exponent, with thousands set apart."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"


def set_log_axis(axes: "Axes", low: float, high: float, *, suffix: str = "") -> None:
    """Make the x axis logarithmic with plainly written ticks."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(log_ticks(low, high)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{plain_number(value)}{suffix}"))


def draw_interval(axes: "Axes", y: float, bar: Bar, end: float) -> None:
    """Draw a bar's interval as a thin line; where it goes on behind ``end``, it has a point there."""
    axes.plot([bar.low, min(bar.high, end)], [y, y], color=INK, linewidth=1.2, solid_capstyle="butt")
    if bar.high > end * 1.0001:
        axes.plot([end], [y], color=INK, marker=">", markersize=4, linestyle="", clip_on=False)


def _limits(axes: "Axes", low: float, high: float, *, logarithmic: bool) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    if logarithmic:
        room = (high / min(low, 1.0)) ** 0.1
        set_log_axis(axes, min(low, 1.0) / room, high * room, suffix="x")
    else:
        axes.set_xlim(0, high * 1.12)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=9, steps=[1, 2, 2.5, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}x"))


def _draw(axes: "Axes", y: float, bar: Bar, style: dict[str, Any], *, start: float, end: float) -> None:
    reach = min(bar.value, end)
    axes.barh(y, reach - start, left=start, height=0.88, color=style["color"], edgecolor=style["edge"],
              hatch=style["hatch"], linewidth=0.6)  # fmt: skip
    ends = [reach]
    if bar.low == bar.low and bar.low < end:
        draw_interval(axes, y, bar, end)
        ends += [bar.low, min(bar.high, end)]
    leftwards = start > 0 and bar.value < start
    axes.annotate(bar.label, (min(ends) if leftwards else max(ends), y), xytext=(-4 if leftwards else 4, 0),
                  textcoords="offset points", ha="right" if leftwards else "left", va="center", fontsize=8.5,
                  bbox=LABEL_BOX, annotation_clip=False)  # fmt: skip

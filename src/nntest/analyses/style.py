"""One look for all charts: a colour per library everywhere, told apart by colour-blind readers too."""

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nntest.analyses.names import natural_key, shortened, split_version

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text

#: Ink of texts and of lines; the report replaces both by its theme's, so no chart uses them for data.
INK = "#24292f"
FAINT = "#c8ccd1"

# Okabe and Ito 2008, Color Universal Design, without its black. Yellow cannot be seen on white; darkened a little it is
# orange to a deuteranope, so it is darkened until its lightness tells it apart. Grey is dark enough to be no green or
# purple without its hue. `tests/analyses/test_style.py` holds all pairs apart for the three kinds of colour blindness.
BLUE, ORANGE, GREEN, SKY, VERMILLION, PURPLE, YELLOW, GREY = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#56b4e9",
    "#d55e00",
    "#cc79a7",
    "#655400",
    "#6a6a6a",
)
#: Lengths of names that are tried in turn where longer ones leave no room for the chart.
_LIMITS = (36, 24)
_CLIP = re.compile(r'<clipPath id="(\w+)"')
_CLIP_USE = re.compile(r'(<clipPath id="|clip-path="url\(#)(\w+)')
_NO_ROOM = "constrained_layout not applied"
#: How far a text may run over the figure's edge: what two ways of drawing it differ by.
_EDGE_INCHES = 0.1
#: How often a figure is enlarged, and to how many times its width and height at most.
_ENLARGED, _LARGEST = 6, 3
_TITLE_LIMIT = 56
_TURNS = 3
_CYCLE = (BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY, YELLOW)
_KNOWN = {
    "onednn-cpu": BLUE,
    "openblas-cpu": ORANGE,
    "plain-cpu": GREY,
    "naive-cpu-library": GREY,
    "arm-compute-library-opencl": SKY,
    "arm-compute-library-neon": GREEN,
    "armcl-cpu": GREEN,
    "armcl-opencl": SKY,
    "onnxruntime-cpu": PURPLE,
    "openvino-cpu": VERMILLION,
    "litert-cpu": YELLOW,
    "ncnn-cpu": GREEN,
    "pytorch-cpu": SKY,
    "cpu": GREY,
    "libdnn-cuda": GREEN,
    "nvidia-cuda": ORANGE,
    "nvidia-cudnn": BLUE,
    "nvidia-fp16-cuda": YELLOW,
    "nvidia-fp16-cudnn": SKY,
    "tensorrt-fp16": PURPLE,
    "tensorrt-fp32": VERMILLION,
}
#: Behind labels, so that no grid line runs through them; the report makes the white its paper.
LABEL_BOX = {"facecolor": "#ffffff", "edgecolor": "none", "pad": 1.0}
# no dots: as SVG a pattern of dots is a quarter of a megabyte
HATCHES = ("", "////", "++++", "xxxx", "----", "\\\\\\\\")
MARKERS = ("o", "D", "s", "^", "v", "P")


def library_colour(library: object) -> str:
    """Return the library's colour, which depends on nothing but its name; all its versions share it."""
    name, _ = split_version(str(library))
    if name in _KNOWN:
        return _KNOWN[name]
    return _CYCLE[int(sha256(name.encode()).hexdigest(), 16) % len(_CYCLE)]


def subject_styles(subjects: Sequence[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """Return colour, hatch and marker of each (label, library).

    Programs of one library share its hue; the second, third, ... are lighter, hatched, and marked differently. So are
    libraries that happen to have one colour.
    """
    from matplotlib.colors import to_hex, to_rgb

    seen: dict[str, int] = {}
    styles = {}
    for label, library in subjects:
        colour = library_colour(library)
        rank = seen[colour] = seen.get(colour, -1) + 1
        base = to_rgb(colour)
        fade = min(0.35 * rank, 0.7)
        styles[label] = {
            "color": to_hex((_fade(base[0], fade), _fade(base[1], fade), _fade(base[2], fade))),
            "edge": to_hex(base),
            "hatch": HATCHES[rank % len(HATCHES)],
            "marker": MARKERS[rank % len(MARKERS)],
        }
    return styles


def _fade(channel: float, share: float) -> float:
    return channel + (1 - channel) * share


@contextmanager
def chart_style() -> Iterator[None]:
    """Draw under the house's settings; equal tables give equal bytes of SVG."""
    import matplotlib as mpl
    from cycler import cycler

    settings: Any = {
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 9.5,
        "axes.titlesize": 10.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 10,
        "axes.labelsize": 9.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        "axes.edgecolor": FAINT,
        "axes.labelcolor": INK,
        "axes.titlecolor": INK,
        "axes.axisbelow": True,
        "axes.prop_cycle": cycler(color=list(_CYCLE)),
        "text.color": INK,
        # names may hold dollars; none of them is mathematics
        "text.parse_math": False,
        "xtick.color": INK,
        "ytick.color": INK,
        "xtick.labelsize": 9,
        "ytick.labelsize": 9,
        "ytick.major.size": 0,
        "grid.color": FAINT,
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "hatch.linewidth": 0.7,
        "figure.dpi": 100,
        "savefig.dpi": 150,
        "svg.hashsalt": "nntest",
        "svg.fonttype": "none",
        "path.simplify": True,
    }
    with mpl.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="vert: bool will be deprecated", category=PendingDeprecationWarning)
        # a name may be of any script: the picture has a box for it, the SVG the letter itself
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
        yield


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure (inches) that needs no display; its layout leaves room for every label."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: "Figure", stem: Path) -> list[Path]:
    """Write ``stem``.svg and ``stem``.png; neither holds a date, so equal figures are equal files."""
    svg, png = stem.with_name(f"{stem.name}.svg"), stem.with_name(f"{stem.name}.png")
    with chart_style():
        with warnings.catch_warnings():
            # until all that makes room has been tried
            warnings.filterwarnings("ignore", message=_NO_ROOM)
            _save_svg(figure, svg)
            for make_room in _ways(figure):
                if _is_whole(figure):
                    break
                make_room()
                _save_svg(figure, svg)
        figure.savefig(png, format="png", facecolor="white", metadata={"Software": None})
    svg.write_text(_with_plain_clips(svg.read_text(encoding="utf-8")), encoding="utf-8")
    return [svg, png]


def _save_svg(figure: "Figure", path: Path) -> None:
    figure.savefig(path, format="svg", metadata={"Date": None}, transparent=True)


def _ways(figure: "Figure") -> list[Callable[[], None]]:
    """Return what makes room for a chart, in order: shorter names, and where none are short enough a larger figure.

    At first nothing but drawing it again: words beside bars move with them, so that the layout needs several turns.
    """
    width, height = figure.get_size_inches()
    shorten = [partial(_shorten_texts, figure, limit) for limit in _LIMITS]
    enlarge = [partial(_enlarge, figure, _LARGEST * width, _LARGEST * height)] * _ENLARGED
    return [*[lambda: None] * _TURNS, *shorten, *enlarge]


def _with_plain_clips(svg: str) -> str:
    """Return an SVG whose clips are numbered: matplotlib names them by all digits of where the layout put them."""
    names = {name: f"clip{number}" for number, name in enumerate(dict.fromkeys(_CLIP.findall(svg)), start=1)}
    return _CLIP_USE.sub(lambda match: f"{match[1]}{names.get(match[2], match[2])}", svg)


def _is_whole(figure: "Figure") -> bool:
    """Tell whether every axes has room, and nothing runs over the figure's edges."""
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    over = max(-box.x0, box.x1 - width, -box.y0, box.y1 - height)
    return bool(over < _EDGE_INCHES) and not _is_crowded(figure)


def _enlarge(figure: "Figure", widest: float, highest: float) -> None:
    """Give the figure (inches) the size of all that it holds, and more width where its axes need it."""
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    wide, high = max(width, box.x1) - min(box.x0, 0.0), max(height, box.y1) - min(box.y0, 0.0)
    wide *= 1.25 if _is_crowded(figure) else 1.02
    figure.set_size_inches(min(ceil(wide * 10) / 10, widest), min(ceil(high * 10) / 10, highest))


def _is_crowded(figure: "Figure") -> bool:
    """Tell whether texts leave an axes less than a quarter of its place."""
    for axes in figure.axes:
        place = axes.get_subplotspec()
        if place is None or not axes.get_visible():
            continue
        found = axes.get_position(original=True)
        share = (place.colspan.stop - place.colspan.start) / place.get_gridspec().ncols
        # where there is no room at all, the layout leaves everything where it was
        if found.width < share / 4 or found.bounds == place.get_position(figure).bounds:
            return True
    return False


def _shortened_label(words: "Callable[[float, int], str]", limit: int, value: float, place: int) -> str:
    return shortened(words(value, place), limit)


def _shorten_texts(figure: "Figure", limit: int) -> None:
    """Shorten the names beside and inside the axes, and what titles and legends say; the table has them whole."""
    from matplotlib.text import Text
    from matplotlib.ticker import FuncFormatter

    legends = list(figure.legends)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            words = axis.get_major_formatter()
            # what `set_yticks` makes of labels
            if isinstance(words, FuncFormatter):
                axis.set_major_formatter(partial(_shortened_label, words, limit))
        legend = axes.get_legend()
        legends += [] if legend is None else [legend]
        for text in axes.get_children():
            if isinstance(text, Text):
                # a title is no name: it says something, and less of it would not
                _shorten_lines(text, limit if text in axes.texts else _TITLE_LIMIT)
    for legend in legends:
        for text in legend.get_texts():
            _shorten_lines(text, limit)


def _shorten_lines(text: "Text", limit: int) -> None:
    text.set_text("\n".join(shortened(line, limit) for line in text.get_text().split("\n")))


def empty_figure(words: str) -> "Figure":
    """Return a figure that says why there is nothing to draw."""
    figure = new_figure(8, 1.2)
    figure.text(0.5, 0.5, words, ha="center", va="center")
    return figure


def ordered_subjects(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return distinct (label, library) pairs in an order that every chart shares: by library, then by label."""
    return sorted(set(pairs), key=lambda pair: (pair[1], natural_key(pair[0]), pair[0]))

"""SVG charts made part of a page: own identifiers, the page's colours, nothing that leaves the page."""

import re

from nntest.analyses.style import FAINT, INK
from nntest.units import printable

_PROLOGUE = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", re.DOTALL)
_ID = re.compile(r'\bid="([^"]+)"')
_REFERENCE = re.compile(r'(url\(#|xlink:href="#)([^)"]+)')
_SIZE = re.compile(r'(<svg\b[^>]*?)\swidth="[^"]*"|(<svg\b[^>]*?)\sheight="[^"]*"')
# a hundredth of a point is finer than any screen, and a third of the page
_PATH = re.compile(r' (?:d|x|y|transform)="[^"]*"', re.DOTALL)
#: What says nothing, or the same everywhere: turns by nothing, the font (the page's own), room between elements.
_SHORTER = (
    (re.compile(r' transform="rotate\(-?0 [^"]*"'), ""),
    (re.compile(r" font-family: 'DejaVu Sans', sans-serif;?"), ""),
    (re.compile(r"<g\s*/>|<g>\s*</g>"), ""),
    (re.compile(r">\s+<"), "><"),
    (re.compile(r"\s*\n\s*"), " "),
)
_LONG = re.compile(r"(-?\d+\.\d\d)\d+")
_THEME = {INK: "var(--ink)", FAINT: "var(--line)", "#ffffff": "var(--paper)"}


def inline_svg(text: str, *, prefix: str, label: str) -> str:
    """Return the SVG for use inside HTML.

    Identifiers get ``prefix``, so that charts do not draw each other's marks; ink, lines and paper take the page's
    colours; the size follows the page; ``label`` (escaped HTML) is read out instead of the marks.
    """
    text = _PROLOGUE.sub("", printable(text)).strip()
    wanted = {match[2] for match in _REFERENCE.finditer(text)}
    text = _ID.sub(lambda match: f'id="{prefix}-{match[1]}"' if match[1] in wanted else "", text)
    text = _REFERENCE.sub(lambda match: f"{match[1]}{prefix}-{match[2]}", text)
    text = _PATH.sub(lambda match: _LONG.sub(r"\1", match[0]), text)
    for colour, variable in _THEME.items():
        text = re.sub(re.escape(colour), variable, text, flags=re.IGNORECASE)
    for _ in ("width", "height"):
        text = _SIZE.sub(lambda match: match[1] or match[2], text, count=1)
    for long, short in _SHORTER:
        text = long.sub(short, text)
    return text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)

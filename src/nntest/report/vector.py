"""SVG charts made part of a page: own identifiers, the page's colours, nothing that leaves the page."""

import re

from nntest.analyses.style import FAINT, INK

_PROLOGUE = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", re.DOTALL)
_ID = re.compile(r'\bid="([^"]+)"')
_REFERENCE = re.compile(r'(url\(#|xlink:href="#)([^)"]+)')
_SIZE = re.compile(r'(<svg\b[^>]*?)\swidth="[^"]*"|(<svg\b[^>]*?)\sheight="[^"]*"')
_THEME = {INK: "var(--ink)", FAINT: "var(--line)", "#ffffff": "var(--paper)"}


def inline_svg(text: str, *, prefix: str, label: str) -> str:
    """Return the SVG for use inside HTML.

    Identifiers get ``prefix``, so that charts do not draw each other's marks; ink, lines and paper take the page's
    colours; the size follows the page; ``label`` (escaped HTML) is read out instead of the marks.
    """
    text = _PROLOGUE.sub("", text).strip()
    text = _ID.sub(lambda match: f'id="{prefix}-{match[1]}"', text)
    text = _REFERENCE.sub(lambda match: f"{match[1]}{prefix}-{match[2]}", text)
    for colour, variable in _THEME.items():
        text = re.sub(re.escape(colour), variable, text, flags=re.IGNORECASE)
    for _ in ("width", "height"):
        text = _SIZE.sub(lambda match: match[1] or match[2], text, count=1)
    return text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)

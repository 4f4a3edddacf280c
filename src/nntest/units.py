"""Numbers and foreign texts for people; everything else carries its unit in its name, and texts as they are."""

import re

US_PER_S = 1e6
MS_PER_S = 1e3
MJ_PER_J = 1e3
BYTES_PER_MB = 1e6


# What a terminal acts upon, marks that turn the direction of what follows, breaks of lines, and what no text may hold.
_ACTED_UPON = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_BREAKS = re.compile(r"[\t\n]+")


def printable(text: str) -> str:
    r"""Return a text as it may be shown wherever it comes from: ``\u202e`` for what would act instead of show.

    Tabs and ends of lines stay; `printable_line` makes blanks of them.
    """
    return _ACTED_UPON.sub(lambda match: ascii(match[0])[1:-1], text)


def printable_line(text: str) -> str:
    """Return a text as it may be shown where there is one line for it."""
    return _BREAKS.sub(" ", printable(text))


def format_duration(seconds: float) -> str:
    """Render a duration with three significant digits and its unit: ``12.3 us``, ``4.56 ms``, ``1 min 05 s``."""
    if seconds >= 59.95:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest:02d} s"
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= 0.9995 * factor:
            return f"{_three_digits(seconds / factor)} {unit}"
    return f"{_three_digits(seconds / 1e-9)} ns"


def format_ratio(ratio: float) -> str:
    """Render a speedup as charts label it: ``1.2x``."""
    return f"{ratio:.1f}x" if ratio >= 0.95 else f"{ratio:.2f}x"


def _three_digits(value: float) -> str:
    decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{decimals}f}"

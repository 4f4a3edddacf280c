"""Conversion of numbers for people; everything else carries its unit in its name."""

US_PER_S = 1e6
MS_PER_S = 1e3
MJ_PER_J = 1e3
BYTES_PER_MB = 1e6


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

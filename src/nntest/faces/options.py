"""What several commands read off their options in the same way: comma lists, numbers, percentages."""

from nntest.errors import UsageError

_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "ms": 1e-3}


def words(text: str) -> tuple[str, ...]:
    """Return the words of a comma list."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def numbers(name: str, text: str) -> tuple[int, ...]:
    """Return the integers of a comma list.

    Raises
    ------
    UsageError
        One of them is none; ``name`` is the option's.
    """
    try:
        return tuple(int(word) for word in words(text))
    except ValueError:
        raise UsageError(f"{name}: {text!r} was given; expected integers such as 1,2,4") from None


def percentage(name: str, text: str) -> float:
    """Return a share written as a percentage: 0.05 for ``5%``.

    Raises
    ------
    UsageError
        It is none, or not from 0 up to 10,000 %.
    """
    try:
        value = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        value = -1.0
    if not 0 <= value < 100:
        raise UsageError(f"{name}: {text!r} was given; expected a percentage such as 5%")
    return value


def duration(name: str, text: str) -> float:
    """Return a duration in seconds, written as ``60s``, ``2min``, ``1h`` or a bare number of seconds.

    Raises
    ------
    UsageError
        It is none.
    """
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = text[len(number) :].strip() or "s"
    try:
        return float(number) * _SECONDS[unit]
    except (KeyError, ValueError):
        raise UsageError(f"{name}: {text!r} was given; expected a duration such as 60s, 2min or 1h") from None

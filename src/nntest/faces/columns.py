"""Plain tables for terminals and pipes: aligned columns, a heading, nothing that a script would trip over."""

from collections.abc import Iterable, Iterator, Sequence

from nntest.units import printable_line


def columns(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a table whose columns are as wide as their widest cell; the last column runs free."""
    table = [tuple(heading), *(tuple(printable_line(str(cell)) for cell in row) for row in rows)]
    widths = [max(len(row[index]) for row in table) for index in range(len(heading) - 1)]
    for row in table:
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield "  ".join([*padded, row[-1]]).rstrip()


def count_of(count: int, noun: str) -> str:
    """Say how many: ``1 case``, ``2 cases``, ``3 launches``."""
    plural = f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"

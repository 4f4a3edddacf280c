"""Rows for people and for programs: an aligned table, CSV, or JSON."""

import csv
import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import typer

from nntest.errors import UsageError
from nntest.faces.columns import columns, count_of
from nntest.units import printable

if TYPE_CHECKING:
    from nntest.crawl.tables import Tables

Rows = Sequence[Sequence[Any]]


def say(text: object, *, err: bool = False, nl: bool = True) -> None:
    """Print a text for people; what a terminal would act upon is shown instead (all faces speak through this)."""
    typer.echo(printable(str(text)), err=err, nl=nl)


def check_format(name: str) -> None:
    """Refuse a format that does not exist, before anything is loaded for it.

    Raises
    ------
    UsageError
        Names the nearest.
    """
    if name not in FORMATS:
        near = get_close_matches(name, FORMATS, n=1, cutoff=0.5)
        guess = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(FORMATS)}"
        raise UsageError(f"--format: {name!r} was given; {guess}")


def print_rows(heading: Sequence[str], rows: Rows, form: str) -> None:
    """Print rows; None is unknown: nothing in a table and in CSV, null in JSON."""
    # what goes on to a program is data, as it stands in the points
    write = say if form == "table" or sys.stdout.isatty() else typer.echo
    for line in FORMATS[form](heading, rows):
        write(line)


def put_text(text: str, out: Path | None) -> None:
    """Write what was asked for into a file, or print it.

    Raises
    ------
    UsageError
        The file could not be written. Exit code 1 would say that something is slower.
    """
    if out is None:
        say(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"{out}: could not be written ({reason}); choose another --out") from None


def say_skipped(skipped: Sequence[tuple[str, str]]) -> None:
    """Name the files that gave no rows on standard error, and count them."""
    for path, reason in skipped:
        say(f"{path}: {reason}", err=True)
    if skipped:
        say(f"{count_of(len(skipped), 'file')} gave no rows", err=True)


def say_damaged_registrations() -> None:
    """Name ck's damaged registrations on standard error: what their repositories hold is not found."""
    from nntest.store.repository import damaged_registrations

    for line in damaged_registrations():
        say(line, err=True)


@contextmanager
def open_places(places: Sequence[str], tags: str) -> "Iterator[Tables]":
    """Give the tables of sources, and say afterwards which files gave no rows, also where nothing came of the rest."""
    from nntest.crawl.tables import Tables

    tables = Tables(places[0] if len(places) == 1 else places, tags=tags)
    try:
        yield tables
    finally:
        say_skipped(tables.skipped)


def _table(heading: Sequence[str], rows: Rows) -> Iterator[str]:
    return columns(heading, ([_cell(value) for value in row] for row in rows))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else " ".join(str(value).split())


def _csv(heading: Sequence[str], rows: Rows) -> Iterator[str]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(rows)
    yield from text.getvalue().splitlines()


def _json(heading: Sequence[str], rows: Rows) -> Iterator[str]:
    objects = [dict(zip(heading, row, strict=True)) for row in rows]
    text = orjson.dumps(objects, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()
    # JSON's own escape says the same text, and leaves a terminal nothing to do and `say` nothing to write out
    yield text.translate({ord(letter): f"\\u{ord(letter):04x}" for letter in set(text) if printable(letter) != letter})


FORMATS: Mapping[str, Callable[[Sequence[str], Rows], Iterator[str]]] = {"table": _table, "csv": _csv, "json": _json}

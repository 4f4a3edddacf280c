"""``nntest import``, ``export``, ``diff``: points travel between people, and two sides are held against each other."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nntest.errors import UsageError
from nntest.faces.output import say

if TYPE_CHECKING:
    import pandas as pd

    from nntest.store.entries import Entry
    from nntest.store.exchange.intake import Intake

_TABLES = ("csv", "parquet")
_FORMATS = ("zip", *_TABLES, "pyperf", "gbench")


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command("import")(import_points)
    app.command("export")(export)
    app.command("diff")(diff)


def import_points(
    source: Annotated[str, typer.Argument(help="A zip, a folder, or the https address of a zip.")],
    repo: Annotated[str, typer.Option("--repo", help="CK repository that takes the points.")] = "local",
) -> int:
    """Take in experiments and datasets of others: data only, checked, all or nothing, nothing replaced."""
    from nntest.store.exchange.intake import import_entries
    from nntest.store.repository import resolve_repository

    for line in _intake_lines(import_entries(source, resolve_repository(repo))):
        say(line)
    return 0


def export(  # noqa: PLR0917 - typer reads the options off the signature
    patterns: Annotated[
        list[str], typer.Argument(metavar="PATTERN...", help="Experiments, such as 'local:nntest-*', or dataset:NAME.")
    ],
    out: Annotated[Path, typer.Option("--out", help="File to write.")],
    form: Annotated[str, typer.Option("--format", help=f"One of {', '.join(_FORMATS)}.")] = "zip",
    tags: Annotated[str, typer.Option("--tags", help="Only entries that carry all these tags (comma list).")] = "",
    with_host: Annotated[
        bool, typer.Option("--with-host", help="Keep paths, and names of users and machines.")
    ] = False,
    author: Annotated[
        list[str] | None, typer.Option("--author", help="Who made the points; repeatable. Default: CITATION.cff.")
    ] = None,
    licence: Annotated[
        str, typer.Option("--license", "--licence", help="SPDX name, such as CC-BY-4.0. Default: CITATION.cff.")
    ] = "",
) -> int:
    """Give out experiments: a zip that anyone can check and import, or a file for other tools."""
    from nntest.store.exchange.export import export_zip, find_exported
    from nntest.store.exchange.foreign_file import export_foreign

    _check_choice("format", form, _FORMATS)
    entries = find_exported(patterns, tags)
    if form == "zip":
        done = export_zip(entries, out, with_host=with_host, authors=author or (), licence=licence)
        say(f"{out}: {done.points} points in {done.entries} entries, {done.files} files")
        if done.scrubbed:
            say(f"paths and names of the machine were taken out of {done.scrubbed} files")
        for name in done.left_out:
            say(f"left out: {name}")
    elif form in _TABLES:
        rows = _write_table(entries, out, form, with_host=with_host)
        say(f"{out}: {rows} rows")
    else:
        converted = export_foreign(entries, out, form, with_host=with_host)
        say(f"{out}: {converted.points} points, {converted.failed} of them failed")
        if converted.foreign:
            say(f"left out: {converted.foreign} points of other tools")
    return 0


def diff(  # noqa: PLR0917 - typer reads the options off the signature
    first: Annotated[str, typer.Argument(metavar="A", help="Repository, folder or zip: what was.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Repository, folder or zip: what is held against it.")],
    a: Annotated[
        list[str] | None, typer.Option("--a", metavar="COLUMN=VALUE", help="Only these points of A; repeatable.")
    ] = None,
    b: Annotated[
        list[str] | None, typer.Option("--b", metavar="COLUMN=VALUE", help="Only these points of B; repeatable.")
    ] = None,
    tags: Annotated[str, typer.Option("--tags", help="Only experiments that carry all these tags.")] = "",
    fail_if_slower: Annotated[
        str, typer.Option("--fail-if-slower", help="Exit 1 where a case is slower by more than this, such as 5%.")
    ] = "",
    form: Annotated[str, typer.Option("--format", help="One of table, markdown, junit.")] = "table",
    out: Annotated[Path | None, typer.Option("--out", help="Write there instead of to the terminal.")] = None,
) -> int:
    """Compare the cases that two sides share; with --fail-if-slower, exit 1 (slower) or 4 (cannot be decided)."""
    from nntest.crawl.diff import diff as compare_sides
    from nntest.crawl.diff import select
    from nntest.crawl.load import load
    from nntest.faces.difference import FORMATS
    from nntest.faces.output import put_text

    _check_choice("format", form, tuple(FORMATS))
    limit = _fraction(fail_if_slower) if fail_if_slower else None
    words = _filter("a", a), _filter("b", b)
    sides = [load(first, tags=tags)]
    sides.append(sides[0] if second == first else load(second, tags=tags))
    chosen = [select(side, word, name=name) for side, word, name in zip(sides, words, ("--a", "--b"), strict=True)]
    difference = compare_sides(chosen[0], chosen[1], limit=limit)
    text = FORMATS[form](difference)
    put_text(text, out)
    for name, side in zip("AB", sides if second != first else sides[:1], strict=False):
        for path, reason in side.attrs["skipped"]:
            say(f"skipped in {name}: {path}: {reason}", err=True)
    return difference.exit_code


def _intake_lines(intake: "Intake") -> Iterator[str]:
    merged, repo = intake.merged, intake.repository.name
    if intake.recovered:
        yield f"imports that had been interrupted and were brought to their end: {intake.recovered}"
    yield (f"{repo}: points: {merged.added} added, {merged.skipped} there already; entries: {len(merged.entries)} new")
    yield from (f"beside another of its uid: {place}" for place in merged.renumbered)
    yield from (f"differs, ours was kept: {place}" for place in merged.kept)
    if not intake.verified:
        yield "the source has no manifest, so its files could not be checked against one"


def _write_table(entries: Sequence["Entry"], out: Path, form: str, *, with_host: bool) -> int:
    from nntest.crawl.load import load
    from nntest.store.exchange.export import written

    frame = load([entry.path for entry in entries])
    for path, reason in frame.attrs["skipped"]:
        say(f"skipped: {path}: {reason}", err=True)
    frame.attrs.clear()  # pandas would write them, with their paths, into the file
    if not with_host:
        frame = _scrubbed(frame)
    with written(out) as file:
        if form == "csv":
            file.write(frame.to_csv(index=False, lineterminator="\n").encode())
        else:
            frame.to_parquet(file, index=False)
    return len(frame)


def _scrubbed(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Take paths out of the texts of a table."""
    from nntest.store.exchange.privacy import scrub_text

    for name in frame.columns[frame.dtypes == "category"]:
        column = frame[name]
        clean = {text: scrub_text(text, label=name != "fail_reason") for text in column.cat.categories}
        if any(text != other for text, other in clean.items()):
            frame[name] = column.astype("object").map(clean, na_action="ignore").astype("category")
    return frame


def _filter(name: str, words: Sequence[str] | None) -> Mapping[str, str]:
    chosen = {}
    for word in words or ():
        column, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"{name}: {word!r} was given; expected COLUMN=VALUE, such as library_version=3.1*")
        chosen[column.strip()] = value.strip()
    return chosen


def _fraction(text: str) -> float:
    try:
        value = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        value = -1.0
    if not 0 <= value < 100:
        raise UsageError(f"fail_if_slower: {text!r} was given; expected a percentage such as 5%")
    return value


def _check_choice(name: str, word: str, choices: Sequence[str]) -> None:
    if word not in choices:
        near = get_close_matches(word, choices, n=1)
        guess = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(choices)}"
        raise UsageError(f"{name}: {word!r} was given; {guess}")

"""``nntest list``: what there is to run, to run it on, and to look at."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated

import typer

from nntest.errors import UsageError
from nntest.faces.output import check_format, print_rows, say, say_damaged_registrations
from nntest.faces.points import list_points


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("list")(list_things)


def list_things(  # noqa: PLR0917 - typer reads the options off the signature
    what: Annotated[str, typer.Argument(help="programs, datasets, libraries, experiments, points, analyses or notes.")],
    pattern: Annotated[
        str, typer.Argument(help="Only names like this, such as '*conv-*'; for points, those of their experiments.")
    ] = "*",
    tags: Annotated[str, typer.Option(help="Only entries that carry all these tags (comma list).")] = "",
    where: Annotated[
        list[str] | None, typer.Option(help="Points: only rows where COLUMN=VALUE, COLUMN>=8, ... (comma list).")
    ] = None,
    source: Annotated[str, typer.Option(help="Points: repositories, folders or zips (comma list).")] = "local",
    shown: Annotated[str, typer.Option("--columns", help="Points: columns to show (comma list).")] = "",
    form: Annotated[str, typer.Option("--format", help="table, csv or json.")] = "table",
) -> int:
    """List programs, datasets, libraries, experiments, points, analyses, or notes: what was said of points."""
    check_format(form)
    if what == "points":
        return list_points(pattern, tags=tags, where=where or [], source=source, shown=shown, form=form)
    if what not in _LISTS:
        near = get_close_matches(what, _THINGS, n=1)
        guess = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(_THINGS)}"
        raise UsageError(f"nntest list: {what!r} was given; {guess}")
    if where or shown or source != "local":
        raise UsageError(f"nntest list {what}: --where, --source and --columns are for points; leave them out")
    say_damaged_registrations()
    heading, rows = _LISTS[what](pattern, tags)
    found = list(rows)
    if found or form != "table":
        print_rows(heading, found, form)
    else:
        say(f"no {what} match")
    return 0


_Table = tuple[Sequence[str], Iterable[Sequence[object]]]


def _programs(pattern: str, tags: str) -> _Table:
    from nntest.store.entries import find_programs

    heading = ("program", "species", "library", "target", "types", "repository")
    return heading, (
        (entry.uoa, entry.species, entry.library, entry.target_kind, ",".join(entry.dtypes), entry.repository)
        for entry in find_programs(pattern, tags)
    )


def _datasets(pattern: str, tags: str) -> _Table:
    from nntest.store.entries import find_datasets

    heading = ("dataset", "shapes", "repository", "tags")
    return heading, (
        (entry.uoa, len(entry.dataset_files), entry.repository, ",".join(entry.tags))
        for entry in find_datasets(pattern, tags)
    )


def _libraries(pattern: str, tags: str) -> _Table:
    from fnmatch import fnmatchcase

    from nntest.measure.libraries import find_libraries

    if tags:
        raise UsageError("nntest list libraries: tags were given; libraries have none; leave --tags out")
    return ("library", "version", "what it says of itself"), (
        (found.library.tag, found.library.version, found.library.description)
        for found in find_libraries()
        if fnmatchcase(found.library.tag, pattern)
    )


def _experiments(pattern: str, tags: str) -> _Table:
    from nntest.store.entries import find_experiments

    heading = ("experiment", "points", "repository", "tags")
    return heading, (
        (entry.uoa, len(entry.point_paths()), entry.repository, ",".join(entry.tags))
        for entry in find_experiments(pattern, tags)
    )


def _analyses(pattern: str, tags: str) -> _Table:
    from nntest.store.entries import find_analyses

    heading = ("analysis", "repository", "options (with their defaults)")
    return heading, (
        (entry.uoa, entry.repository, " ".join(_option(*item) for item in entry.options.items()) or "none")
        for entry in find_analyses(pattern, tags)
    )


def _notes(pattern: str, tags: str) -> _Table:
    from nntest.faces.notes import note_rows

    return ("experiment", "point", "state", "tags", "notes"), note_rows(pattern, tags)


def _option(name: str, words: Mapping[str, object]) -> str:
    default = words.get("default")
    return f"--{name}={'' if default is None else default}"


_LISTS: Mapping[str, Callable[[str, str], _Table]] = {
    "programs": _programs,
    "datasets": _datasets,
    "libraries": _libraries,
    "experiments": _experiments,
    "analyses": _analyses,
    "notes": _notes,
}
_THINGS = (*_LISTS, "points")

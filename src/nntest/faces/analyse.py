"""``nntest analyse``: points from anywhere become tables, charts and a report."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from nntest.errors import UsageError
from nntest.faces.output import say


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("analyse")(analyse)


def analyse(  # noqa: PLR0917 - typer reads the options off the signature
    name: Annotated[str, typer.Argument(help="The analysis, one of `nntest list analyses`.")],
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Repositories, folders or zips with points.")
    ] = None,
    source: Annotated[str, typer.Option("--source", help="The same as an option (comma list).")] = "",
    tags: Annotated[str, typer.Option("--tags", help="Only experiments that carry all these tags.")] = "",
    out: Annotated[
        Path, typer.Option("--out", "--out-dir", help="Folder for the tables, charts and report.html.")
    ] = Path("out"),
    options: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="An option of the analysis; --NAME=VALUE is short for it."),
    ] = None,
) -> int:
    """Analyse points; each analysis has options of its own (`nntest list analyses` shows them)."""
    places = [*(sources or []), *(part.strip() for part in source.split(",") if part.strip())]
    if not places:
        raise UsageError(
            f"nntest analyse {name}: no source was given; expected a repository, folder or zip, such as local"
        )
    values = parse_settings(options or [])
    if name == "report":
        # `ck run analysis:report` comes this way
        from nntest.faces.report import write

        write(places, tags=tags, out=out, settings=values)
        return 0

    from nntest.analyses.run import run_analysis
    from nntest.faces.output import open_places
    from nntest.report import publish

    with open_places(places, tags) as tables:
        written = run_analysis(name, tables, values, out, publish=publish)
    for path in written.paths:
        say(path)
    return 0


def parse_settings(options: Sequence[str]) -> dict[str, str]:
    """Return ``NAME=VALUE`` texts by name, with underscores."""
    values = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals:
            raise UsageError(f"set: {option!r} was given; expected NAME=VALUE")
        values[name.replace("-", "_")] = value
    return values

"""``nntest report``: what a source holds, on one page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from nntest.errors import UsageError
from nntest.faces.analyse import parse_settings
from nntest.faces.output import say

#: The name under which ``nntest analyse`` and ``ck run analysis:`` reach it, too.
NAME = "report"
_OWN = ("analyses", "format", "formats")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(NAME)(report)


def report(  # noqa: PLR0917 - typer reads the options off the signature
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Repositories, folders or zips with points.")
    ] = None,
    source: Annotated[str, typer.Option("--source", help="The same as an option (comma list).")] = "",
    tags: Annotated[str, typer.Option("--tags", help="Only experiments that carry all these tags.")] = "",
    out: Annotated[Path, typer.Option("--out", "--out-dir", help="Folder for report.html and all its parts.")] = Path(
        "out"
    ),
    analyses: Annotated[str, typer.Option(help="Only these analyses (comma list).")] = "",
    format: Annotated[  # noqa: A002 - the option's name
        str, typer.Option(help="html, and beside it md (a report for a repository) or tex (tables for a paper).")
    ] = "html",
    options: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="An option of the analyses; --NAME=VALUE is short for it."),
    ] = None,
) -> int:
    """Put the analyses that suit a source on one self-contained page; its path is the last line."""
    places = [*(sources or []), *_words(source)]
    write(
        places, tags=tags, out=out, settings={**parse_settings(options or []), "analyses": analyses, "format": format}
    )
    return 0


def write(places: Sequence[str], *, tags: str, out: Path, settings: Mapping[str, str]) -> None:
    """Write the report and print the paths; ``analyses`` and ``format`` may be among the settings."""
    if not places:
        raise UsageError("nntest report: no source was given; expected a repository, folder or zip, such as local")

    from nntest.faces.output import open_places
    from nntest.report import write_report

    with open_places(places, tags) as tables:
        paths = write_report(
            tables,
            out,
            analyses=_words(settings.get("analyses", "")),
            options={name: value for name, value in settings.items() if name not in _OWN},
            formats=_words(settings.get("format", settings.get("formats", ""))) or ["html"],
        )
    for path in paths:
        say(path)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]

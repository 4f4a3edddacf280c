"""``nntest allow``: let the analyses of another repository run on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from nntest.faces.output import say


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("allow")(allow_repository)


def allow_repository(
    repository: Annotated[str, typer.Argument(help="A repository that ck knows, or its folder.")],
) -> int:
    """Let the code of a repository's analyses run; read it first."""
    from nntest.analyses.entries import allow, allowed_file
    from nntest.store.repository import resolve_repository

    path: Path = resolve_repository(repository).path
    allow(path)
    say(f"{path}: its analyses may run from now on (noted in {allowed_file()})")
    return 0

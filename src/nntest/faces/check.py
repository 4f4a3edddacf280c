"""``nntest check``: are all entries and points of a repository whole and consistent?"""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("check")(check)


def check(
    folder: Annotated[Path, typer.Argument(help="Repository, or any folder with entries.")] = Path(),
    repair: Annotated[
        bool, typer.Option("--repair", help="Write missing alias files; nothing else is touched.")
    ] = False,
) -> int:
    """Check every entry and point below a folder; all damage is reported, not only the first."""
    raise NotImplementedError

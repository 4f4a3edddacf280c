"""``nntest check``: are all entries and points of a repository whole and consistent?"""

from pathlib import Path
from typing import Annotated

import typer

from nntest.errors import UsageError
from nntest.faces.columns import count_of
from nntest.faces.output import say


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("check")(check)


def check(
    repository: Annotated[str, typer.Argument(help="Repository by name or folder, or any folder with entries.")] = ".",
    repair: Annotated[
        bool, typer.Option("--repair", help="Write missing alias files, set damaged points aside; lose nothing.")
    ] = False,
) -> int:
    """Check every entry and point of a repository; all damage is reported, not only the first."""
    from nntest.faces.consistency import KNOWN_MODULES, problems
    from nntest.faces.point_consistency import Census
    from nntest.store.repository import resolve_repository

    folder = Path(repository) if Path(repository).is_dir() else resolve_repository(repository).path
    if not any((folder / module).is_dir() for module in KNOWN_MODULES):
        raise UsageError(f"{folder}: no entries were found; expected one of the folders {', '.join(KNOWN_MODULES)}")
    census = Census()
    found = list(problems(folder, census))
    repaired = [problem for problem in found if repair and problem.repair is not None]
    for problem in repaired:
        assert problem.repair is not None
        problem.repair()
    for problem in found:
        say(f"{'repaired: ' if problem in repaired else ''}{problem}")
    left = len(found) - len(repaired)
    entries = "1 entry" if census.entries == 1 else f"{census.entries} entries"
    say(f"{entries} and {count_of(census.points, 'point')} checked, {count_of(left, 'problem')}")
    return 1 if left else 0

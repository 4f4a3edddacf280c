"""``nntest convert``: measurements that CK did not run become points, so that every analysis works on them."""

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from nntest.errors import UsageError
from nntest.faces.columns import count_of
from nntest.faces.output import say


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("convert")(convert)


def convert(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Tables as CSV; never pickles.")],
    form: Annotated[str, typer.Option("--from", help="What the tables are: mcu (inferences on boards).")],
    repo: Annotated[str, typer.Option("--repo", help="CK repository that takes the points.")] = "local",
    experiment: Annotated[str, typer.Option("--experiment", help="Name of the experiment; else the file's.")] = "",
) -> int:
    """Turn published tables of measurements into points, trusted as imported."""
    from nntest.store.exchange.board_file import FORMS, import_boards
    from nntest.store.repository import resolve_repository

    if form not in FORMS:
        near = get_close_matches(form, FORMS, n=1)
        guess = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(FORMS)}"
        raise UsageError(f"from: {form!r} was given; {guess}")
    repository = resolve_repository(repo)
    for path in files:
        done = import_boards(path, repository, name=experiment)
        failed = f", {done.failed} of them failed" if done.failed else ""
        there = f", {done.points - done.added} there already" if done.points != done.added else ""
        say(
            f"{path.name}: {count_of(done.rows, 'row')} became {count_of(done.points, 'point')}{failed}{there}; "
            f"recorded in {repository.name}:experiment:{done.experiment.name}"
        )
    return 0

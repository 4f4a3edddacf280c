"""``nntest tag``, ``note`` and ``trash``: say something of points, or put them aside; all of it can be undone."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from nntest.errors import UsageError
from nntest.faces.columns import count_of
from nntest.faces.output import say

_POINT = "Uid (or its beginning) or file of a point; name of an experiment for all of its points."


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command("tag")(tag)
    app.command("note")(note)
    app.command("trash")(trash)


def tag(
    point: Annotated[str, typer.Argument(help=_POINT)],
    tags: Annotated[list[str] | None, typer.Argument(help="Tags to add.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take these tags away, or the last one.")] = False,
) -> int:
    """Tag points; `nntest list notes` shows the tags."""
    from nntest.store.lookup import find_point_files
    from nntest.store.notes import add, check_tag, take_back

    words = [check_tag(word) for word in tags or []]
    if not words and not undo:
        raise UsageError("tag: no tag was given; expected at least one after the point")
    paths = find_point_files(point)
    if undo:
        gone = sum(take_back(paths, "tag", word) for word in words or [""])
        say(f"{count_of(gone, 'tag')} taken away")
    else:
        added = sum(add(paths, "tag", word) for word in words)
        say(f"{count_of(added, 'tag')} added to {count_of(len(paths), 'point')}")
    return 0


def note(
    point: Annotated[str, typer.Argument(help=_POINT)],
    text: Annotated[list[str] | None, typer.Argument(help="What to say.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take this note away, or the last one.")] = False,
) -> int:
    """Write a note about points; `nntest list notes` and `nntest why` show it."""
    from nntest.store.lookup import find_point_files
    from nntest.store.notes import add, take_back

    said = " ".join(text or []).strip()
    if not said and not undo:
        raise UsageError("note: no text was given; expected it after the point")
    paths = find_point_files(point)
    if undo:
        say(f"{count_of(take_back(paths, 'note', said), 'note')} taken away")
    else:
        say(f"note added to {count_of(add(paths, 'note', said), 'point')}")
    return 0


def trash(
    points: Annotated[list[str], typer.Argument(metavar="POINT...", help=_POINT)],
    undo: Annotated[bool, typer.Option("--undo", help="Bring them back.")] = False,
) -> int:
    """Put points aside: nothing loads them any more, until --undo brings them back."""
    from nntest.store.lookup import find_point_files
    from nntest.store.notes import bring_back
    from nntest.store.notes import trash as put_aside

    paths = list(dict.fromkeys(path for point in points for path in find_point_files(point, trashed=undo)))
    moved = bring_back(paths) if undo else put_aside(paths)
    for line in _moved_lines(paths, moved):
        say(line)
    back = "brought back" if undo else "in the trash; the same command with --undo brings them back"
    say(f"{count_of(len(moved), 'point')} {back}")
    return 0


def note_rows(pattern: str, tags: str) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield experiment, point, state, tags and notes of every point of which something was said or that is trashed."""
    from nntest.store.entries import find_experiments
    from nntest.store.lookup import uid_of
    from nntest.store.notes import remarks_in

    for entry in find_experiments(pattern, tags):
        for one in remarks_in(entry.path):
            state = "trashed" if one.trashed else ""
            yield entry.uoa, uid_of(one.path), state, ",".join(one.tags), "; ".join(one.notes)


def _moved_lines(before: Sequence[Path], after: Sequence[Path]) -> Iterator[str]:
    for old, new in zip(before, after, strict=True):
        if old.name != new.name:
            yield f"{old.name} is {new.name} now: its number was taken meanwhile"

"""``nntest uninstall``: remove what set-up made; points stay."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from nntest.errors import MissingPartError
from nntest.faces.columns import columns
from nntest.faces.output import say
from nntest.measure.world import cache_root
from nntest.store.repository import checkout_path, local_path

_STAMP = "nntest-set-up"


@dataclass(frozen=True, kw_only=True)
class Remains:
    """One thing that set-up or a run left on the machine."""

    path: Path
    what: str


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("uninstall")(uninstall)


def uninstall(
    yes: Annotated[bool, typer.Option("--yes", help="Remove; without it, only list what would be removed.")] = False,
) -> int:
    """Remove the face and registration in ck, the caches, and the checkout's .venv; points and checkout stay."""
    remains = list(find_remains())
    title = "removing" if yes else "would be removed by `nntest uninstall --yes`"
    say(f"{title}:" if remains else "nothing of NNTest's set-up was found")
    for line in columns(("path", "what"), [(one.path, one.what) for one in remains]) if remains else ():
        say(f"  {line}")
    say(f"stays: the checkout, and the points in {local_path() / 'experiment'}")
    if yes:
        _forget_in_ck()
        for one in remains:
            _remove(one.path)
    return 0


def find_remains() -> Iterator[Remains]:
    """Yield what there is to remove, in the order of removal (.venv, which runs this, comes last)."""
    from nntest.faces.install import face_files, face_meta

    local = local_path()
    if (face_meta(local) or {}).get("face") == "nntest":
        yield from (Remains(path=path, what="face in ck's local repository") for path in face_files(local))
    registered = local / "repo" / "nntest"
    if registered.is_dir():
        yield Remains(path=registered, what="registration of the checkout in ck")
    if cache_root().is_dir():
        yield Remains(path=cache_root(), what="caches: builds, references, journals, index")
    checkout = checkout_path()
    if checkout is not None and (checkout / ".venv" / _STAMP).is_file():
        yield Remains(path=checkout / ".venv", what="environment of set-up")


def _forget_in_ck() -> None:
    """Let ck itself take the registration out of its own cache of repositories."""
    from nntest.faces.install import remove_face, unregister

    with suppress(MissingPartError):  # no ck, no cache of it
        unregister()
    remove_face(local_path())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

"""What people say about points: tags, notes, and a trash. Kept beside the points, which stay as they were published.

Tags and notes are in ``.nntest-notes.json`` of the experiment, by the point's file. A trashed point is moved into the
experiment's folder ``.trash``: nothing that loads points looks there, and the way back is the same move.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import count
from pathlib import Path
from typing import Any, Literal

import orjson

from nntest.errors import UsageError
from nntest.store.entries import is_point_name
from nntest.store.files import locked, replace, sync_folder, write_error
from nntest.store.lookup import TRASH, experiment_of, uid_of
from nntest.store.repository import read_json

FILE = ".nntest-notes.json"
_OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE

Word = Literal["tag", "note"]


@dataclass(frozen=True, kw_only=True)
class Remark:
    """One tag or note: what kind, its text, when it was made (ISO 8601, UTC)."""

    kind: Word
    text: str
    at: str


@dataclass(frozen=True, kw_only=True)
class Remarks:
    """A point with what was said of it; ``trashed`` points are in the trash."""

    path: Path
    remarks: tuple[Remark, ...]
    trashed: bool

    @property
    def tags(self) -> tuple[str, ...]:
        """Texts of the tags."""
        return tuple(one.text for one in self.remarks if one.kind == "tag")

    @property
    def notes(self) -> tuple[str, ...]:
        """Texts of the notes."""
        return tuple(one.text for one in self.remarks if one.kind == "note")


def add(paths: Sequence[Path], kind: Word, text: str, *, now: datetime | None = None) -> int:
    """Add a tag or a note to points; return to how many (a tag that is there already is not added).

    Raises
    ------
    DataError
        It could not be written.
    """
    at = (now or datetime.now(timezone.utc)).isoformat(timespec="seconds")
    changed = 0
    for folder, names in _by_experiment(paths):
        with _edited(folder) as words:
            for name in names:
                said = words.setdefault(name, [])
                if kind == "note" or not any(one["kind"] == "tag" and one["text"] == text for one in said):
                    said.append({"kind": kind, "text": text, "at": at})
                    changed += 1
    return changed


def take_back(paths: Sequence[Path], kind: Word, text: str = "") -> int:
    """Remove from each point the last tag or note, or those of this text; return how many went.

    Raises
    ------
    DataError
        It could not be written.
    """
    gone = 0
    for folder, names in _by_experiment(paths):
        with _edited(folder) as words:
            for name in names:
                said = words.get(name, [])
                wanted = [one for one in said if one["kind"] == kind and (not text or one["text"] == text)]
                for one in wanted if text else wanted[-1:]:
                    said.remove(one)
                    gone += 1
                if not said:
                    words.pop(name, None)
    return gone


def trash(paths: Sequence[Path]) -> list[Path]:
    """Move points into the trash of their experiments; return where they are now.

    Raises
    ------
    DataError
        A file could not be moved.
    """
    return [_move(path, experiment_of(path) / TRASH) for path in paths]


def bring_back(paths: Sequence[Path]) -> list[Path]:
    """Move trashed points back; one whose number was taken meanwhile becomes the next sub-point of its uid.

    Raises
    ------
    DataError
        A file could not be moved.
    """
    return [_move(path, experiment_of(path)) for path in paths]


def remarks_of(path: Path) -> Remarks:
    """Return what was said of a point."""
    words = read_json(experiment_of(path) / FILE)
    return _remarks(path, words.get(path.name))


def remarks_in(experiment: Path) -> list[Remarks]:
    """Return all points of an experiment of which something was said or which are in the trash, by name."""
    words = read_json(experiment / FILE)
    trashed = {path.name: path for path in (experiment / TRASH).glob("ckp-*.json") if is_point_name(path.name)}
    named = {name: experiment / name for name in words if (experiment / name).is_file()}
    return [_remarks(path, words.get(name)) for name, path in sorted({**named, **trashed}.items())]


def check_tag(text: str) -> str:
    """Return a tag.

    Raises
    ------
    UsageError
        It would not stand in a comma list.
    """
    if not text.strip() or "," in text:
        raise UsageError(f"tag: {text!r} was given; expected a word without commas")
    return text.strip()


@contextmanager
def _edited(folder: Path) -> Iterator[dict[str, Any]]:
    """Give an experiment's notes, and write them when they have changed, under the folder's lock."""
    path = folder / FILE
    try:
        with locked(folder):
            words = read_json(path)
            before = orjson.dumps(words)
            yield words
            if orjson.dumps(words) != before:
                replace(path, orjson.dumps(words, option=_OPTIONS))
    except OSError as error:
        raise write_error(path, error) from None


def _by_experiment(paths: Sequence[Path]) -> Iterator[tuple[Path, list[str]]]:
    folders: dict[Path, list[str]] = {}
    for path in paths:
        folders.setdefault(experiment_of(path), []).append(path.name)
    yield from folders.items()


def _remarks(path: Path, words: Any) -> Remarks:
    items: Sequence[Mapping[str, Any]] = [one for one in words or [] if isinstance(one, dict)]
    remarks = tuple(
        Remark(kind="tag" if one.get("kind") == "tag" else "note", text=str(one["text"]), at=str(one.get("at", "")))
        for one in items
        if "text" in one
    )
    return Remarks(path=path, remarks=remarks, trashed=path.parent.name == TRASH)


def _move(path: Path, folder: Path) -> Path:
    """Move a point, never over another one."""
    try:
        folder.mkdir(exist_ok=True)
        with locked(folder):
            target = folder / path.name
            numbers = (folder / f"ckp-{uid_of(path)}.{number:04d}.json" for number in count(1))
            while target.exists():
                target = next(numbers)
            path.rename(target)
        for place in (folder, path.parent):
            sync_folder(place)
    except OSError as error:
        raise write_error(path, error) from None
    return target

"""From staging into the repository: nothing is replaced, and what fails half-way is taken back.

Everything that is published lies durable in the staging already, and what has to be looked at is looked at first. What
is left are renames and links, one after the other, so that hardly any crash finds them half-done; the next import ends
what one did. Readers see whole points at every moment, in between some of them only.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

import orjson

from nntest.errors import DataError
from nntest.store.entries import MODULE_UIDS
from nntest.store.exchange.content import parse_json
from nntest.store.exchange.names import META_FILES, is_uid, point_number
from nntest.store.exchange.staging import Staging, derived_uid
from nntest.store.files import sync_folder, write_new
from nntest.store.repository import Repository, ensure_local_repository

_Step = Callable[[], None]

_UNIMPORTANT = frozenset(f".cm/{name}" for name in META_FILES if name != "meta.json")


@dataclass
class Merged:
    """What became of the entries of one import.

    Attributes
    ----------
    entries
        ``module/name`` of the entries that are new.
    added, skipped
        Points (sub-points) that are new, and those whose equal bytes were there already.
    renumbered
        Points that differ from others of their uid: where they are now, as ``experiment/name/file``.
    kept
        Other files that differ from the ones in the repository, which stayed.
    """

    entries: list[str] = field(default_factory=list)
    added: int = 0
    skipped: int = 0
    renumbered: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


class _Changes:
    """Changes that were made: how to take them back, and which folders to make durable."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], object]] = []
        self._folders: set[Path] = set()

    def add(self, folder: Path, undo: Callable[[], object]) -> None:
        """Note a change of a folder's names."""
        self._folders.add(folder)
        self._undo.append(undo)

    def make_durable(self) -> None:
        for folder in sorted(self._folders):
            sync_folder(folder)

    def take_back(self) -> None:
        """Undo all changes, the last first; what somebody else has built upon stays."""
        while self._undo:
            with suppress(OSError):
                self._undo.pop()()

    def link(self, source: Path, target: Path) -> bool:
        """Give a staged file its place; False where something stands there."""
        try:
            target.hardlink_to(source)
        except FileExistsError:
            return False
        except OSError:
            # A file system without links; where the reason is another one, this says it.
            if not write_new(target, source.read_bytes()):
                return False
        self.add(target.parent, target.unlink)
        return True


def merge(staging: Staging, repository: Repository) -> Merged:
    """Publish a completed staging; called again after a crash it goes on where it was.

    The caller holds the repository's lock.

    Raises
    ------
    DataError, OSError
        It could not be written; everything is as it was before.
    """
    merged, changes = Merged(), _Changes()
    try:
        ensure_local_repository(repository)
        # Also those that a killed process moved, and had no time to name.
        places = sorted({*staging.entries(), *staging.uids})
        for module in dict.fromkeys(module for module, _ in places):
            _module_aliases(repository.path, module, changes)
        steps = [step for place in places for step in _steps(staging, repository, place, merged, changes)]
        for step in steps:
            step()
        for module, entry in places:
            target = repository.path / module / entry
            if target.is_dir():
                _entry_aliases(target, staging, changes)
        changes.make_durable()
    except BaseException:  # also when the user interrupts
        changes.take_back()
        raise
    staging.remove()
    return merged


def check_datasets(staging: Staging, repository: Repository) -> None:
    """Refuse datasets that differ from those of the same name; points would mean other shapes than they say.

    Raises
    ------
    DataError
        One differs.
    """
    for module, entry in staging.entries():
        target = repository.path / module / entry
        if module != "dataset" or not target.is_dir():
            continue
        for path in _files(staging.path / module / entry):
            inside = path.relative_to(staging.path / module / entry).as_posix()
            if inside not in _UNIMPORTANT and not _equal(path, target / inside):
                raise DataError(
                    f"{module}/{entry}/{inside}: differs from the one in {repository.name}; "
                    f"import into another repository with --repo"
                )


def _steps(
    staging: Staging, repository: Repository, place: tuple[str, str], merged: Merged, changes: _Changes
) -> Iterator[_Step]:
    """Yield what publishes one entry, as far as it still waits."""
    source, target = staging.path.joinpath(*place), repository.path.joinpath(*place)
    if target.is_dir() and source.is_dir():
        yield from _merging(source, target, merged, changes)
    elif source.is_dir():
        names = {path.relative_to(source) for path in _files(source)}
        yield partial(_move, source, target, names, merged, changes)


def _move(source: Path, target: Path, names: set[Path], merged: Merged, changes: _Changes) -> None:
    """Move a whole entry into its place, or merge it where somebody opened one of the name in the meantime."""

    def move_back() -> None:
        if {path.relative_to(target) for path in _files(target)} <= names:
            target.rename(source)

    try:
        if not target.exists():
            source.rename(target)
            changes.add(target.parent, move_back)
            merged.entries.append(f"{target.parent.name}/{target.name}")
            merged.added += sum(len(name.parts) == 1 and point_number(name.name) is not None for name in names)
            return
    except OSError:
        if not target.is_dir():
            raise
    for step in [*_merging(source, target, merged, changes)]:
        step()


def _merging(source: Path, target: Path, merged: Merged, changes: _Changes) -> Iterator[_Step]:
    """Yield what publishes the points of an entry into one of the same name; its other files go first."""
    place = f"{target.parent.name}/{target.name}"
    # By number, so that sub-points keep their order.
    for path in sorted(_files(source), key=lambda path: (point_number(path.name) or ("", 0), path.name)):
        if point_number(path.name) is None or target.parent.name != "experiment":
            inside = path.relative_to(source).as_posix()
            _merge_other(path, target / inside, f"{place}/{inside}", merged, changes)
        else:
            yield partial(_merge_point, path, _free_place(path, target), target, merged, changes)


def _merge_point(source: Path, place: Path | None, experiment: Path, merged: Merged, changes: _Changes) -> None:
    """Publish a point in the place that was free a moment ago, or in the next; None: its very bytes are there."""
    while place is not None:
        if changes.link(source, place):
            merged.added += 1
            if place.name != source.name:
                merged.renumbered.append(f"{experiment.parent.name}/{experiment.name}/{place.name}")
            return
        place = _free_place(source, experiment)
    merged.skipped += 1


def _free_place(source: Path, experiment: Path) -> Path | None:
    """Return the next sub-point that is not there of a point's uid, None where the point's very bytes are."""
    data = source.read_bytes()
    stem = source.name.partition(".")[0]
    for number in count(1):
        place = experiment / f"{stem}.{number:04d}.json"
        try:
            if place.read_bytes() == data:
                return None
        except FileNotFoundError:
            return place
    raise AssertionError("count() does not end")


def _merge_other(source: Path, target: Path, place: str, merged: Merged, changes: _Changes) -> None:
    target.parent.mkdir(exist_ok=True)
    if not changes.link(source, target) and not _equal(source, target) and f".cm/{target.name}" not in _UNIMPORTANT:
        merged.kept.append(place)


def _module_aliases(repository: Path, module: str, changes: _Changes) -> None:
    uid = MODULE_UIDS[module]
    for folder in (repository / ".cm", repository / module / ".cm"):
        folder.mkdir(parents=True, exist_ok=True)
    _line(repository / ".cm" / f"alias-u-{uid}", module, changes)
    _line(repository / ".cm" / f"alias-a-{module}", uid, changes)


def _entry_aliases(target: Path, staging: Staging, changes: _Changes) -> None:
    """Let ck find the entry; one that is stored under its UID needs no alias."""
    aliases, module, entry = target.parent / ".cm", target.parent.name, target.name
    if is_uid(entry) or (aliases / f"alias-a-{entry}").exists():
        return
    uid = staging.uids.get((module, entry)) or derived_uid(module, entry)
    taken = aliases / f"alias-u-{uid}"
    if taken.exists() and taken.read_text(encoding="utf-8").strip() != entry:
        uid = derived_uid(uid, entry)
    # The alias by name comes last: with it ck finds the entry.
    for name, text in ((f"alias-u-{uid}", entry), (f"alias-a-{entry}", uid)):
        staged, data = staging.alias(module, name), f"{text}\n".encode()
        if staged.is_file() and staged.read_bytes() == data:
            changes.link(staged, aliases / name)
        else:  # the stated UID is taken here
            _line(aliases / name, text, changes)


def _line(path: Path, text: str, changes: _Changes) -> None:
    if not path.exists() and write_new(path, f"{text}\n".encode()):
        changes.add(path.parent, path.unlink)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _equal(first: Path, second: Path) -> bool:
    """Tell whether two files say the same; JSON by its values."""
    try:
        one, other = first.read_bytes(), second.read_bytes()
    except OSError:
        return False
    if one == other:
        return True
    if first.suffix.lower() != ".json":
        return False
    return _canonical(first.name, one) == _canonical(second.name, other)


def _canonical(name: str, data: bytes) -> object:
    try:
        return orjson.dumps(orjson.loads(data), option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return parse_json(name, data)

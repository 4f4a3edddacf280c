"""From staging into the repository: nothing is replaced, and what fails half-way is taken back."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from nntest.errors import DataError
from nntest.store.entries import MODULE_UIDS
from nntest.store.exchange.content import parse_json
from nntest.store.exchange.names import META_FILES, is_uid, point_number
from nntest.store.exchange.staging import Staging
from nntest.store.files import sync_folder, write_new
from nntest.store.publish import publish
from nntest.store.repository import Repository, ensure_local_repository

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


class _Undo:
    """Steps that were made, and how to take them back."""

    def __init__(self) -> None:
        self._steps: list[Callable[[], object]] = []

    def add(self, step: Callable[[], object]) -> None:
        self._steps.append(step)

    def run(self) -> None:
        """Take back all steps, the last first; what somebody else has built upon stays."""
        while self._steps:
            with suppress(OSError):
                self._steps.pop()()


def merge(staging: Staging, repository: Repository) -> Merged:
    """Publish a completed staging; called again after a crash it goes on where it was.

    The caller holds the repository's lock.

    Raises
    ------
    DataError, OSError
        It could not be written; everything is as it was before.
    """
    merged, undo = Merged(), _Undo()
    try:
        ensure_local_repository(repository)
        for module, entry in staging.entries():
            source, target = staging.path / module / entry, repository.path / module / entry
            _module_aliases(repository.path, module, undo)
            points = [path.name for path in source.iterdir() if point_number(path.name)]
            if _moved(source, target, undo):
                merged.entries.append(f"{module}/{entry}")
                merged.added += len(points)
            else:
                _merge_files(source, target, merged, undo)
            _entry_aliases(target, uid_of(module, entry, staging.uids.get((module, entry), "")), undo)
    except BaseException:  # also when the user interrupts
        undo.run()
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


def uid_of(module: str, entry: str, stated: str) -> str:
    """Return the UID for an entry: the one that its source states, else one that follows from its name."""
    return stated or hashlib.sha256(f"{module}:{entry}".encode()).hexdigest()[:16]


def _moved(source: Path, target: Path, undo: _Undo) -> bool:
    """Move a whole entry into its place; False where one is there already."""
    if target.exists():
        return False
    names = {path.relative_to(source) for path in _files(source)}

    def move_back() -> None:
        if {path.relative_to(target) for path in _files(target)} <= names:
            target.rename(source)

    try:
        source.rename(target)
    except OSError:
        if target.is_dir():  # somebody opened the entry in the meantime
            return False
        raise
    undo.add(move_back)
    sync_folder(target.parent)
    return True


def _merge_files(source: Path, target: Path, merged: Merged, undo: _Undo) -> None:
    place = f"{target.parent.name}/{target.name}"
    # By number, so that sub-points keep their order.
    for path in sorted(_files(source), key=lambda path: (point_number(path.name) or ("", 0), path.name)):
        inside = path.relative_to(source).as_posix()
        found = point_number(path.name)
        if found is None or target.parent.name != "experiment":
            _merge_other(path, target / inside, f"{place}/{inside}", merged, undo)
            continue
        published = publish(target, found[0], path.read_bytes())
        if not published.added:
            merged.skipped += 1
            continue
        undo.add(published.path.unlink)
        merged.added += 1
        if published.path.name != path.name:
            merged.renumbered.append(f"{place}/{published.path.name}")


def _merge_other(source: Path, target: Path, place: str, merged: Merged, undo: _Undo) -> None:
    target.parent.mkdir(exist_ok=True)
    if write_new(target, source.read_bytes()):
        undo.add(target.unlink)
    elif not _equal(source, target) and f".cm/{target.name}" not in _UNIMPORTANT:
        merged.kept.append(place)


def _module_aliases(repository: Path, module: str, undo: _Undo) -> None:
    uid = MODULE_UIDS[module]
    for folder in (repository / ".cm", repository / module / ".cm"):
        folder.mkdir(parents=True, exist_ok=True)
    _line(repository / ".cm" / f"alias-u-{uid}", module, undo)
    _line(repository / ".cm" / f"alias-a-{module}", uid, undo)


def _entry_aliases(target: Path, uid: str, undo: _Undo) -> None:
    """Let ck find the entry; one that is stored under its UID needs no alias."""
    aliases, entry = target.parent / ".cm", target.name
    if is_uid(entry) or (aliases / f"alias-a-{entry}").exists():
        return
    taken = aliases / f"alias-u-{uid}"
    if taken.exists() and taken.read_text(encoding="utf-8").strip() != entry:
        uid = hashlib.sha256(f"{uid}:{entry}".encode()).hexdigest()[:16]
    # The alias by name comes last: with it ck finds the entry.
    _line(aliases / f"alias-u-{uid}", entry, undo)
    _line(aliases / f"alias-a-{entry}", uid, undo)


def _line(path: Path, text: str, undo: _Undo) -> None:
    if not path.exists() and write_new(path, f"{text}\n".encode()):
        undo.add(path.unlink)


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

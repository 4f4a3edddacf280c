"""A hidden folder inside the target repository, in which an import is made ready before any of it shows.

Its life has two states, told by its name. ``.nntest-import-<id>.part`` is being filled: whoever finds it without an
owner removes it. ``.nntest-import-<id>`` is complete, checked and durable: whoever finds it without an owner brings it
to its end. An owner holds a lock on the folder, which the system drops when the process ends in whatever way.
"""

import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from nntest.store.exchange.names import DATA_MODULES, is_uid
from nntest.store.files import locked, sync_folder

PREFIX = ".nntest-import-"
_PART = ".part"
_UIDS = "uids"
_ALIASES = "aliases"


@dataclass
class Staging:
    """One import on its way; ``uids`` are the UIDs of its entries by (module, name)."""

    path: Path
    uids: dict[tuple[str, str], str] = field(default_factory=dict)

    def write(self, module: str, entry: str, file: str, data: bytes) -> None:
        """Put one file of an entry there; it becomes durable with :meth:`complete`."""
        target = self.path / module / entry / file
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as stream:
            stream.write(data)

    def alias(self, module: str, name: str) -> Path:
        """Return where an alias file waits."""
        return self.path / _ALIASES / module / name

    def complete(self) -> None:
        """Make everything durable and mark it as complete, in one step."""
        for (module, entry), uid in self.uids.items():
            for name, text in ((f"alias-a-{entry}", uid), (f"alias-u-{uid}", entry)):
                path = self.alias(module, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{text}\n", encoding="utf-8")
        lines = "".join(f"{module}/{entry}\t{uid}\n" for (module, entry), uid in sorted(self.uids.items()))
        (self.path / _UIDS).write_text(lines, encoding="utf-8")
        # One call for all files: a hundred thousand single ones take minutes.
        os.sync()
        finished = self.path.with_name(self.path.name.removesuffix(_PART))
        self.path.rename(finished)
        self.path = finished
        sync_folder(finished.parent)

    def entries(self) -> list[tuple[str, str]]:
        """Return (module, name) of the entries that still wait here."""
        return [
            (module, folder.name)
            for module in DATA_MODULES
            if (self.path / module).is_dir()
            for folder in sorted((self.path / module).iterdir())
        ]

    def remove(self) -> None:
        """Take the folder away."""
        shutil.rmtree(self.path)


def derived_uid(*texts: str) -> str:
    """Return a UID that follows from some texts, for an entry whose source states none."""
    return hashlib.sha256(":".join(texts).encode()).hexdigest()[:16]


@contextmanager
def new_staging(repository: Path) -> Iterator[Staging]:
    """Make a staging folder that is ours; one that was not completed is gone at the end."""
    path = repository / f"{PREFIX}{secrets.token_hex(8)}{_PART}"
    with locked(repository):  # nobody may find it between its making and its lock
        path.mkdir()
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    staging = Staging(path)
    try:
        yield staging
    finally:
        if staging.path.name.endswith(_PART):
            shutil.rmtree(staging.path, ignore_errors=True)
        os.close(descriptor)


@contextmanager
def left_behind(repository: Path) -> Iterator[list[Staging]]:
    """Remove what dead imports were filling, and yield what they had completed, which is ours until the end.

    The caller holds the repository's lock.
    """
    descriptors = []
    completed = []
    try:
        for path in sorted(repository.glob(f"{PREFIX}*")):
            descriptor = _take(path)
            if descriptor is None:
                continue
            descriptors.append(descriptor)
            if path.name.endswith(_PART):
                shutil.rmtree(path, ignore_errors=True)
            elif path.is_dir():
                completed.append(Staging(path, _read_uids(path)))
        yield completed
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _take(path: Path) -> int | None:
    """Lock a folder that has no owner; None where it has one, or is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _read_uids(path: Path) -> dict[tuple[str, str], str]:
    uids = {}
    try:
        lines = (path / _UIDS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}  # not ours as it is; entries without a stated UID get the one that follows from their name
    for line in lines:
        place, _, uid = line.partition("\t")
        module, _, entry = place.partition("/")
        if module in DATA_MODULES and entry not in {"", ".", ".."} and "/" not in entry and is_uid(uid):
            uids[module, entry] = uid
    return uids

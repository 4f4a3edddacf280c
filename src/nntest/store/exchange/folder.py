"""Folders as lists of members: no link is followed, neither to a file nor to a folder."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nntest.errors import DataError
from nntest.store.exchange.archive import Member
from nntest.store.exchange.limits import Limits, RefusedError, Tally

#: What tools keep at the root of a checkout; never data, never read.
PASSED_OVER = frozenset({".git", ".hg", ".svn"})


@contextmanager
def open_folder(path: Path, limits: Limits, tally: Tally) -> Iterator[list[Member]]:
    """Yield the files and folders below ``path`` as members.

    Raises
    ------
    RefusedError
        One is a link, a device or the like.
    DataError
        There are more than the limits allow, or the folder cannot be read.
    """
    members: list[Member] = []
    for member in _walk(path, "", 0, limits, tally):
        members.append(member)
        if len(members) > limits.members:
            raise DataError(f"holds more than {limits.members} members, the limit for an archive")
    yield members


def _walk(root: Path, inside: str, depth: int, limits: Limits, tally: Tally) -> Iterator[Member]:
    with os.scandir(root / inside) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        name = f"{inside}{entry.name}"
        if not inside and entry.name in PASSED_OVER:
            continue
        if depth >= limits.parts:
            raise RefusedError(name, f"deeper than {limits.parts} levels, the limit")
        if entry.is_symlink():
            raise RefusedError(name, "is a link")
        if entry.is_dir(follow_symlinks=False):
            yield Member(f"{name}/", bytes, folder=True)
            yield from _walk(root, f"{name}/", depth + 1, limits, tally)
        else:
            yield Member(name, _reader(root, name, tally))


def _reader(root: Path, name: str, tally: Tally) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            # Not to wait for a writer of a pipe, nor to follow what became a link since the folder was listed.
            descriptor = os.open(root / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise RefusedError(name, f"cannot be read ({error.strerror})") from None
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise RefusedError(name, "is a device, pipe or socket")
            if status.st_nlink > 1:
                raise RefusedError(name, f"is a hard link (its file has {status.st_nlink} names); copy it first")
            data = file.read(tally.limits.file_bytes + 1)
        tally.check_file(name, len(data), len(data))
        tally.add(len(data))
        return data

    return read

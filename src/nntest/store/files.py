"""Writing files so that a reader sees all of one or none, also when the writer is killed or the disk fills."""

import errno
import fcntl
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from nntest.errors import DataError

#: Prefix of files being written; readers of points and of CK entries pass over names that begin with a dot.
TEMPORARY_PREFIX = ".nntest-"

# File systems without hard links (FAT, some network mounts) answer link() with one of these.
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}
_ADVICE = {
    errno.ENOSPC: "free disk space and resume",
    errno.EDQUOT: "free disk space and resume",
    errno.EROFS: "choose a writable repository with --record_repo",
    errno.EACCES: "choose a writable repository with --record_repo",
    errno.EPERM: "choose a writable repository with --record_repo",
}


#: Call a function with each of many, as `map` does.
RunAll = Callable[[Callable[[tuple[Path, int]], None], Sequence[tuple[Path, int]]], Iterable[None]]


def write_new(path: Path, data: bytes, *, sync_name: bool = True) -> bool:
    """Create ``path`` with ``data`` at once; an existing file stays as it is.

    Parameters
    ----------
    sync_name
        Whether the name is durable on return, as the data is; who makes many files syncs their folder once.

    Returns
    -------
    bool
        Whether the file was created; False where it existed already.

    Raises
    ------
    DataError
        The disk is full, read-only, or the like; nothing of the file is visible then.
    """
    with _written(path, data) as temporary:
        created = _link(temporary, path)
        if created and sync_name:
            sync_folder(path.parent)
        return created


@contextmanager
def written_together(files: Sequence[tuple[Path, bytes]], run_all: RunAll) -> Iterator[list[Path]]:
    """Write temporary files, each beside the path that it is for; what was not moved away is gone afterwards.

    Parameters
    ----------
    run_all
        Calls what it is given with each of many, as `Executor.map` does at once: files that wait for the disk together
        share its flushes.

    Raises
    ------
    DataError
        As for :func:`write_new`.
    """
    temporaries: list[Path] = []
    opened: list[tuple[Path, int]] = []
    try:
        try:
            for path, data in files:
                temporaries.append(_temporary(path))
                with _told_of(path):
                    opened.append((path, _create(temporaries[-1])))
                    _write_whole(opened[-1][1], data)
            for _ in run_all(_sync_written, opened):
                pass
        finally:
            for _, descriptor in opened:
                os.close(descriptor)
        yield temporaries
    finally:
        for temporary in temporaries:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def link_new(temporary: Path, path: Path) -> bool:
    """Give a written file its name; an existing file stays as it is, and the answer is False.

    Raises
    ------
    DataError
        As for :func:`write_new`.
    """
    with _told_of(path):
        return _link(temporary, path)


def replace(path: Path, data: bytes) -> None:
    """Put ``data`` in the place of ``path`` at once.

    Raises
    ------
    DataError
        As for :func:`write_new`; the former file stays.
    """
    with _written(path, data) as temporary:
        temporary.replace(path)
        sync_folder(path.parent)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock against other writers of this machine."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the folder's list of names durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_error(path: Path, error: OSError) -> DataError:
    """Say in one line why ``path`` could not be written and what to do."""
    advice = _ADVICE.get(error.errno or 0, "see to the folder and resume")
    reason = os.strerror(error.errno) if error.errno else str(error)
    return DataError(f"{path}: could not be written ({reason}); nothing partial was left; {advice}")


@contextmanager
def _written(path: Path, data: bytes) -> Iterator[Path]:
    """Write and sync a temporary file beside ``path``; it is gone afterwards unless it was moved away."""
    temporary = _temporary(path)
    try:
        try:
            _write_synced(temporary, data)
            yield temporary
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise write_error(path, error) from None


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise write_error(path, error) from None


def _sync_written(written: tuple[Path, int]) -> None:
    path, descriptor = written
    with _told_of(path):
        os.fsync(descriptor)


def _temporary(path: Path) -> Path:
    return path.parent / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}.tmp"


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)


def _write_whole(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _write_synced(path: Path, data: bytes) -> None:
    descriptor = _create(path)
    try:
        _write_whole(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _link(temporary: Path, path: Path) -> bool:
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS or not os.access(path.parent, os.W_OK):
            raise
        return _move(temporary, path)
    return True


def _move(temporary: Path, path: Path) -> bool:
    """Do as ``_link`` where there are no hard links; the folder's lock keeps our own writers apart."""
    with locked(path.parent):
        if path.exists():
            return False
        temporary.rename(path)
    return True

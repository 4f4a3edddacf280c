"""One measuring session per machine: two at once would measure each other."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from nntest.errors import BusyMachineError


def machine_lock_path() -> Path:
    """Return the lock file, common to all users of the machine, whatever their TMPDIR."""
    common = Path("/tmp")
    return (common if os.access(common, os.W_OK) else Path(tempfile.gettempdir())) / "nntest-machine.lock"


@contextmanager
def machine_lock(path: Path, *, now: datetime, share: bool = False) -> Iterator[bool]:
    """Hold the machine for one session; yields True when another session measures at the same time.

    The lock is the kernel's (flock), so that it ends with its holder, however that ends.

    Raises
    ------
    BusyMachineError
        Another session holds it, and ``share`` is False.
    """
    descriptor = _open(path)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not share:
                raise BusyMachineError(_busy(path)) from None
            yield True
        else:
            _sign(descriptor, now)
            yield False
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    # anyone can put a link into a common folder: what it leads to must not be signed
    careful = os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | careful, 0o666)
        except PermissionError:
            # another user's file: flock needs no right to write, only the signature is lost
            return os.open(path, os.O_RDONLY | careful)
    except OSError as error:
        raise BusyMachineError(f"{path}: it cannot serve as the machine's lock ({error.strerror}); remove it") from None
    if os.fstat(descriptor).st_uid == os.getuid():
        os.fchmod(descriptor, 0o666)  # whatever the umask made of it
    return descriptor


def _sign(descriptor: int, now: datetime) -> None:
    """Write who holds the lock, for the message of the next session."""
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {now:%Y-%m-%d %H:%M:%S}\n".encode(), 0)
    except OSError:
        return


def _busy(path: Path) -> str:
    words = path.read_text().split(maxsplit=1)
    holder = f"process {words[0]} since {words[1].strip()}" if len(words) == 2 else "another process"
    return (
        f"machine: another session is measuring ({holder}); wait for its end, "
        "or add --share to measure beside it (the points are flagged)"
    )

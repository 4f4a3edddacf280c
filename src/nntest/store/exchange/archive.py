"""Zip archives as lists of members, read in place by the standard zipfile, member by member, within limits."""

import io
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from nntest.errors import DataError
from nntest.store.exchange.limits import Limits, RefusedError, Tally

#: What zipfile and zlib raise on damaged archives.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    LookupError,
    OSError,
)

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_CHUNK = 2**16
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1 | 0x40 | 0x2000
#: Extra fields of PKWARE and ASi Unix, which can carry the target of a link.
_LINK_FIELDS = frozenset({0x000D, 0x756E})


@dataclass(frozen=True)
class Member:
    """One file of a source: its name there, and how to read it."""

    name: str
    read: Callable[[], bytes]
    folder: bool = False


@contextmanager
def open_archive(file: BinaryIO, limits: Limits, tally: Tally) -> Iterator[list[Member]]:
    """Open a zip and yield its members, those that can never come in already refused.

    Parameters
    ----------
    file
        The archive, opened for reading; left open.
    tally
        Counts what is read of the members.

    Raises
    ------
    RefusedError
        A member is encrypted, a link, or packed in a way that is not read here.
    DataError
        The file is no zip, is damaged, or is larger than its limits.
    """
    source = _Counted(file, limits.directory_bytes)
    try:
        archive = zipfile.ZipFile(source)
    except DAMAGE as error:
        raise DataError(f"is no readable zip ({type(error).__name__}: {error}); get it again from its source") from None
    with archive:
        source.unlimited = True
        infos = archive.infolist()
        if len(infos) > limits.members:
            raise DataError(f"holds more than {limits.members} members, the limit for an archive")
        for info in infos:
            _check_header(info)
        yield [
            Member(info.filename, _reader(archive, source, info, tally), info.filename.endswith("/")) for info in infos
        ]


@contextmanager
def opened(path: Path, limits: Limits) -> Iterator[BinaryIO]:
    """Open an archive's file, unless it is larger than its limit."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        if size > limits.archive_bytes:
            raise DataError(f"larger than {limits.archive_bytes} bytes, the limit for an archive")
        file.seek(0)
        yield file


class _Counted(io.BufferedIOBase):
    """A file that counts what is read, and that refuses a table of contents too large to hold in memory."""

    def __init__(self, file: BinaryIO, directory_bytes: int) -> None:
        super().__init__()
        self._file = file
        self._directory_bytes = directory_bytes
        self.unlimited = False
        self.count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        if not self.unlimited and (size is None or size < 0 or size > self._directory_bytes):
            size = self._directory_bytes + 1
        data = self._file.read(-1 if size is None else size)
        if not self.unlimited and len(data) > self._directory_bytes:
            raise DataError(f"its table of contents exceeds {self._directory_bytes} bytes, the limit for an archive")
        self.count += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def _check_header(info: zipfile.ZipInfo) -> None:
    """Refuse what no later check could make safe."""
    name = info.orig_filename
    if "\0" in name or info.filename != name:
        raise RefusedError(name, "has a control or unassigned character")
    if not name.isascii() and not info.flag_bits & _UTF8_NAME:
        raise RefusedError(name, "is not marked as UTF-8, so that systems disagree about it")
    if info.flag_bits & _ENCRYPTED:
        raise RefusedError(name, "is encrypted")
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFLNK or _LINK_FIELDS & set(_extra_fields(info.extra)):
        raise RefusedError(name, "is a link")
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise RefusedError(name, "is a device, pipe or socket")
    if (kind == stat.S_IFDIR) != name.endswith("/") and kind:
        raise RefusedError(name, "is a folder by its attributes and a file by its name, or the reverse")
    if info.compress_type not in _METHODS:
        raise RefusedError(name, f"is packed by method {info.compress_type}; expected stored or deflated")


def _extra_fields(extra: bytes) -> Iterator[int]:
    """Yield the kinds of a member's extra fields."""
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        yield kind
        extra = extra[4 + size :]


def _reader(archive: zipfile.ZipFile, source: _Counted, info: zipfile.ZipInfo, tally: Tally) -> Callable[[], bytes]:
    def read() -> bytes:
        produced = bytearray()
        before = source.count
        try:
            with archive.open(info) as stream:
                while chunk := stream.read(_CHUNK):
                    produced += chunk
                    tally.check_file(info.filename, len(produced), source.count - before)
        except DAMAGE as error:
            raise RefusedError(info.filename, f"is damaged ({type(error).__name__}: {error})") from None
        tally.add(len(produced))
        return bytes(produced)

    return read

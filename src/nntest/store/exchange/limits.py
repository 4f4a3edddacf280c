"""What an archive may hold; everything is counted while it is read, never believed from a header."""

from dataclasses import dataclass, field
from typing import NoReturn

from nntest.errors import DataError

KIB, MIB, GIB = 2**10, 2**20, 2**30


class RefusedError(DataError):
    """One member of an archive may not come in; says which and why."""

    def __init__(self, member: str, reason: str) -> None:
        super().__init__(f"{printable(member)}: {reason}")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of one import; the defaults are documented in docs/sharing.md.

    Attributes
    ----------
    archive_bytes
        Size of the archive itself.
    directory_bytes
        Size of its table of contents, which is held in memory before anything can be counted.
    members
        Files and folders in it.
    file_bytes, total_bytes
        Size of one file and of all files, unpacked.
    ratio
        Unpacked bytes for each compressed byte that was read, once a member passes ``ratio_from_bytes``.
    parts, part_bytes
        Depth of a name, and UTF-8 bytes of each of its parts.
    """

    archive_bytes: int = GIB
    directory_bytes: int = 128 * MIB
    members: int = 500_000
    file_bytes: int = 16 * MIB
    total_bytes: int = 4 * GIB
    ratio: int = 200
    ratio_from_bytes: int = 64 * KIB
    parts: int = 6
    part_bytes: int = 255


@dataclass
class Tally:
    """What was read so far."""

    limits: Limits
    total_bytes: int = field(default=0, init=False)

    def check_file(self, member: str, produced: int, consumed: int) -> None:
        """Refuse a file that outgrows its limits.

        Parameters
        ----------
        produced
            Bytes of the file that were unpacked so far.
        consumed
            Bytes of the archive that were read for them.
        """
        limits = self.limits
        if produced > limits.file_bytes:
            _refuse(member, f"larger than {limits.file_bytes} bytes, the limit for one file")
        if self.total_bytes + produced > limits.total_bytes:
            _refuse(member, f"all files together exceed {limits.total_bytes} bytes, the limit for an archive")
        if produced > limits.ratio_from_bytes and produced > limits.ratio * max(1, consumed):
            _refuse(member, f"unpacks to more than {limits.ratio} times its compressed size, as bombs do")

    def add(self, produced: int) -> None:
        """Count a file that was read to its end."""
        self.total_bytes += produced


def printable(name: str) -> str:
    """Return a member's name as one short line that no terminal will act upon."""
    shown = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)
    return shown if len(shown) <= 200 else f"{shown[:200]}..."


def _refuse(member: str, reason: str) -> NoReturn:
    raise RefusedError(member, reason)

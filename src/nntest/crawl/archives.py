"""Reading points out of zips, in place."""

import zipfile
import zlib
from collections.abc import Callable
from functools import partial

from nntest.crawl.content import ADVICE, MAX_POINT_BYTES, UnreadableError, check_size

_ERRORS = (
    zipfile.BadZipFile,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    KeyError,
    zlib.error,
)


class Archives:
    """Keeps a zip open from one of its folders to the next: reading its directory takes as long as many points."""

    def __init__(self) -> None:
        self._path = ""
        self._archive: zipfile.ZipFile | None = None

    def reader(self, path: str, folder: str) -> Callable[[str, int], bytes]:
        """Return the function that gives the content of a file, by its name in a folder (with a slash) of a zip."""
        try:
            if self._archive is None or self._path != path:
                self.close()
                self._archive, self._path = zipfile.ZipFile(path), path
        except (zipfile.BadZipFile, OSError, ValueError):
            return _vanished
        return partial(_read_member, self._archive, folder)

    def close(self) -> None:
        """Close the zip that is open."""
        if self._archive is not None:
            self._archive.close()
            self._archive = None


def _vanished(*_: object) -> bytes:
    raise UnreadableError(f"cannot be read (it was in the zip a moment ago); {ADVICE}")


def _read_member(archive: zipfile.ZipFile, folder: str, name: str, _: int) -> bytes:
    try:
        member = archive.getinfo(folder + name)
        check_size(member.file_size)
        with archive.open(member) as file:
            data = file.read(MAX_POINT_BYTES + 1)
    except _ERRORS as error:
        raise UnreadableError(f"cannot be read ({error}); {ADVICE}") from None
    # The directory of a zip may lie about sizes.
    check_size(len(data))
    return data

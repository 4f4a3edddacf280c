"""Content of points: the bytes of a file, whatever it is, and the JSON object in them."""

import json
import os
import stat
from contextlib import suppress
from typing import Any

import orjson

#: A point of a thousand repetitions has about 0.5 MB; the largest published ones (per layer) 0.25 MB.
MAX_POINT_BYTES = 64_000_000
#: What to do about a file that cannot be used.
ADVICE = "remove the file or restore it from its source"
#: How to open what may be a pipe or a device.
QUIETLY = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC

_PIECE = 65_536


class UnreadableError(Exception):
    """Says why a file gives no document."""


def parse(data: bytes) -> dict[str, Any]:
    """Return the JSON object of a point's file; NaN and Infinity of Python 2 times are understood.

    Raises
    ------
    UnreadableError
        It is no JSON, or no object.
    """
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        document = _parse_lenient(data, str(error))
    if type(document) is not dict:
        raise UnreadableError(f"holds no JSON object; expected a point; {ADVICE}")
    return document


def _parse_lenient(data: bytes, reason: str) -> Any:
    # What the fast parser refuses may be what Python's own writer makes of NaN, Infinity or half a surrogate pair.
    with suppress(ValueError, RecursionError):
        return json.loads(data)
    if not data.strip():
        raise UnreadableError(f"is empty; expected a point; {ADVICE}")
    raise UnreadableError(f"is no valid JSON ({reason}); expected a point; {ADVICE}")


def read_file(folder: int, name: str, size: int) -> bytes:
    """Return the content of a file in an open folder: a name is found in half the time of a path.

    Parameters
    ----------
    size
        Bytes that the file had when it was listed; it may have others now.

    Raises
    ------
    UnreadableError
        It cannot be opened, is no regular file, or is larger than any point.
    """
    try:
        descriptor = os.open(name, QUIETLY, dir_fd=folder)
        try:
            if size > MAX_POINT_BYTES:
                check_size(os.fstat(descriptor).st_size)
            data = os.read(descriptor, size + 1)
            return data if len(data) == size else data + _rest(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise refused(error) from None


def _rest(descriptor: int) -> bytes:
    """Return what a file has behind what was read, when it has changed since it was listed."""
    status = os.fstat(descriptor)
    check_size(status.st_size)
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableError(f"is no regular file; {ADVICE}")
    pieces = []
    while piece := os.read(descriptor, _PIECE):
        pieces.append(piece)
    return b"".join(pieces)


def refused(error: OSError) -> UnreadableError:
    """Say what the system said."""
    if isinstance(error, FileNotFoundError):
        return UnreadableError("was removed while it was read; load again")
    return UnreadableError(f"cannot be read ({os.strerror(error.errno or 0)}); see to its permissions")


def check_size(size: int) -> None:
    """Refuse what is larger than any point."""
    if size > MAX_POINT_BYTES:
        raise UnreadableError(f"has {size} bytes; expected at most {MAX_POINT_BYTES}; {ADVICE}")

"""Files that an entry's meta names: lists of plain names, none of which leads out of the entry."""

import os
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from nntest.errors import DataError
from nntest.units import printable_line

_LONGEST_NAME_BYTES = 250  # most file systems take 255; `.json` may be added
_LONGEST_PATH_BYTES = 4000  # Linux takes 4095
_SHOWN = 60


def file_names(folder: Path, meta: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return the names that the meta lists under a key, none where the key is missing.

    Raises
    ------
    DataError
        There is something else than a list of texts.
    """
    found = meta.get(key)
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise DataError(
            f"{_meta(folder)}: {key} is {_brief(found)}; expected a list of names of files in the entry; correct it"
        )
    return tuple(found)


def file_of(folder: Path, key: str, name: str) -> Path:
    """Return the path of a file that the meta names under a key; whether it is there is not asked.

    Raises
    ------
    DataError
        The name leads out of the entry, or is none that a file should have and a terminal could show.
    """
    inside = PurePath(name)
    path = folder / inside
    if inside.is_absolute() or ".." in inside.parts:
        raise DataError(
            f"{_meta(folder)}: {key} names {name if _is_plain(inside, path) else _brief(name)}, which leads out of the "
            "entry; expected files of the entry itself; correct the name"
        )
    if not inside.parts or not _is_plain(inside, path):
        raise DataError(
            f"{_meta(folder)}: {key} names {_brief(name)}, which is no plain name of a file; expected characters that "
            f"show, at most {_LONGEST_NAME_BYTES} bytes, {_LONGEST_PATH_BYTES:,} with all folders; correct it"
        )
    return path


def _is_plain(inside: PurePath, path: Path) -> bool:
    # the system's own refusals (a zero, too many bytes) are raised by whatever opens or looks for such a file
    names = all(printable_line(part) == part and len(os.fsencode(part)) <= _LONGEST_NAME_BYTES for part in inside.parts)
    return names and len(os.fsencode(path)) <= _LONGEST_PATH_BYTES


def _meta(folder: Path) -> Path:
    return folder / ".cm" / "meta.json"


def _brief(value: object) -> str:
    words = repr(value)
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}..."

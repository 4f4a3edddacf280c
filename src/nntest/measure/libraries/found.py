"""A library as found: what to compile against, what to link, what its processes need in the environment."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from nntest.model.case import Library


@dataclass(frozen=True, kw_only=True)
class FoundLibrary:
    """A library that programs can be built with.

    Attributes
    ----------
    library
        Name, version and the hash of the binary; part of a subject's identity.
    root
        Folder that it was found in; None for what needs no library.
    include_dirs, link_files
        Header folders, and shared objects that are linked by their full path.
    definitions
        Texts that programs are compiled with, such as the path of a file that they load themselves.
    env
        Variables that a driver process needs before the library is loaded; those of a case win.
    python
        Folders that the library's Python modules are imported from, where nothing but Python can enter it: its programs
        then run inside a Python process.
    """

    library: Library
    root: Path | None = None
    include_dirs: tuple[Path, ...] = ()
    link_files: tuple[Path, ...] = ()
    definitions: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    python: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Search:
    """What looking for a library gave: versions found, best first, and where was looked."""

    found: tuple[FoundLibrary, ...] = ()
    looked_in: tuple[str, ...] = ()


def build_hash(binary: Path) -> str:
    """Return the first 16 hex digits of the SHA-256 of a library's binary."""
    status = binary.stat()
    return _hash_of(binary, status.st_size, status.st_mtime_ns)


@cache
def _hash_of(binary: Path, _size: int, _mtime_ns: int) -> str:
    digest = hashlib.sha256()
    with binary.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()[:16]

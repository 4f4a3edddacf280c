"""Where libraries stand: this environment, folders that a user names, versions installed beside each other, the system.

Any of these is a prefix: a folder with ``include/`` and ``lib/``.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from nntest.measure.world import cache_root

#: Variable with folders of one's own builds, separated as in PATH.
VARIABLE = "NNTEST_LIBRARIES"
#: pip's layout below a prefix, for packages that carry their library inside.
PACKAGES = "lib/python3*/site-packages"

_SYSTEM = (Path("/usr/local"), Path("/usr"))


def prefixes(root: str = "", environ: Mapping[str, str] | None = None) -> list[Path]:
    """Return ``root`` alone where it is given, else every prefix, the one that is preferred first.

    The order is this environment, ``NNTEST_LIBRARIES``, what ``nntest install`` has put beside each other (the newest
    version first), and the system.
    """
    if root:
        return [Path(root).expanduser().absolute()]
    environ = os.environ if environ is None else environ
    named = [Path(item).expanduser().absolute() for item in environ.get(VARIABLE, "").split(os.pathsep) if item]
    installed = sorted(_folders(installed_root(environ)), key=lambda path: version_key(path.name), reverse=True)
    return list(dict.fromkeys([Path(sys.prefix), *named, *installed, *_SYSTEM]))


def installed_root(environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder in which ``nntest install`` keeps versions, each under a prefix of its own."""
    return cache_root(environ) / "libraries"


def library_folders(prefix: Path) -> list[Path]:
    """Return where a prefix may hold shared objects: ``lib``, ``lib64``, Debian's folders."""
    return [
        folder for pattern in ("lib", "lib64", "lib/*-linux-gnu", "lib/*-linux-gnu/openblas-*")
        for folder in sorted(prefix.glob(pattern)) if folder.is_dir()
    ]  # fmt: skip


def header_folders(folder: Path) -> tuple[Path, ...]:
    """Return a header folder as compilers want it: the system's own is left out, which they search anyway.

    Naming it would move it before the headers of the C++ library, which then miss those of C.
    """
    return () if folder in (system / "include" for system in _SYSTEM) else (folder,)


def version_key(text: str) -> list[tuple[int, int | str]]:
    """Return what versions sort by: numbers as numbers, before words."""
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in re.findall(r"\d+|[^\W\d_]+", text)]


def _folders(root: Path) -> Iterator[Path]:
    if root.is_dir():
        yield from (path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))

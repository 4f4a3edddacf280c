"""oneDNN, from the wheels onednn-cpu-gomp and onednn-devel-cpu-gomp, or from a folder with include/ and lib/."""

import ctypes
import re
from pathlib import Path

from nntest.errors import MissingPartError
from nntest.measure.libraries.found import FoundLibrary, Search, build_hash
from nntest.measure.libraries.places import header_folders, library_folders, prefixes
from nntest.model.case import Library

NAME = "onednn-cpu"
PACKAGES = ("onednn-cpu-gomp", "onednn-devel-cpu-gomp")
INSTALL = f"pip install {' '.join(PACKAGES)}"
# Programs use the interface of version 3, in which primitive descriptors are made without operation descriptors; one
# that is written for another says so in its meta (library_version).
VERSIONS = "3.*"

_MAJORS = ("3", "2")
# With its cache of primitives, setting up a shape for the second time would seem to cost nothing.
_ENV = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "0"}


def search(root: str = "") -> Search:
    """Look in ``root``, or in this environment, beside it and in the system's folders.

    Raises
    ------
    MissingPartError
        oneDNN is there, but the OpenMP runtime that it needs is not.
    """
    looked_in: list[str] = []
    found = []
    for major in _MAJORS:
        for folder in prefixes(root):
            if major == _MAJORS[0]:
                looked_in.append(str(folder / "lib" / f"libdnnl.so.{major}"))
            library = _in_folder(folder, major)
            if library is not None:
                found.append(library)
    if found:
        _require_openmp()
    return Search(found=tuple(found), looked_in=tuple(looked_in))


def _in_folder(folder: Path, major: str) -> FoundLibrary | None:
    header = folder / "include" / "oneapi" / "dnnl" / "dnnl_version.h"
    binaries = [place / f"libdnnl.so.{major}" for place in library_folders(folder)]
    binary = next((path for path in binaries if path.is_file()), None)
    if binary is None or not header.is_file():
        return None
    text = header.read_text()
    numbers = [_define(text, f"DNNL_VERSION_{part}") for part in ("MAJOR", "MINOR", "PATCH")]
    if numbers[0] != major:
        return None  # two versions share the folder, and the headers are those of the other
    version = ".".join(numbers)
    library = Library(
        tag=f"{NAME}-{version}",
        name=NAME,
        version=version,
        build=build_hash(binary),
        description=f"oneDNN {version} ({_define(text, 'DNNL_VERSION_HASH')[:7]}), OpenMP",
    )
    return FoundLibrary(
        library=library, root=folder, include_dirs=header_folders(folder / "include"), link_files=(binary,), env=_ENV
    )


def _define(header: str, name: str) -> str:
    match = re.search(rf'#define\s+{name}\s+"?([^"\s]+)', header)
    return match.group(1) if match else "unknown"


def _require_openmp() -> None:
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError:
        raise MissingPartError(
            f"{NAME}: libgomp.so.1, the OpenMP runtime that it needs, was not found (looked in the system's library "
            "folders); install it with `apt install libgomp1`, or choose another program from `nntest list programs`"
        ) from None

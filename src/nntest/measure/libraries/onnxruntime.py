"""ONNX Runtime, from its wheel: the shared object inside, without headers.

Its C interface is a table of functions whose order never changes, so that programs declare it themselves
(native/onnxruntime_api.h). They load the file by its path: it does not bear the name that it has for a linker.
"""

import re
from pathlib import Path

from nntest.measure.libraries.found import FoundLibrary, Search, build_hash
from nntest.measure.libraries.places import PACKAGES as SITE
from nntest.measure.libraries.places import library_folders, prefixes, version_key
from nntest.model.case import Library

NAME = "onnxruntime-cpu"
PACKAGES = ("onnxruntime",)
INSTALL = f"nntest install {NAME}"
VERSIONS = "1.*"

_FILE = re.compile(r"libonnxruntime\.so\.(\d+\.\d+\.\d+)")


def search(root: str = "") -> Search:
    """Look in ``root`` (a prefix with a wheel inside, or a folder with lib/), or in this environment and beside it."""
    folders = prefixes(root)
    found = [library for folder in folders for library in _below(folder)]
    looked_in = tuple(str(folder / SITE / "onnxruntime" / "capi") for folder in folders)
    return Search(found=tuple(found), looked_in=looked_in)


def _below(prefix: Path) -> list[FoundLibrary]:
    places = [*sorted(prefix.glob(f"{SITE}/onnxruntime/capi")), *library_folders(prefix)]
    binaries = [path for place in places for path in place.glob("libonnxruntime.so.*") if _FILE.fullmatch(path.name)]
    return [_found(path) for path in sorted(binaries, key=lambda path: version_key(path.name), reverse=True)]


def _found(binary: Path) -> FoundLibrary:
    match = _FILE.fullmatch(binary.name)
    assert match is not None
    version = match.group(1)
    library = Library(
        tag=f"{NAME}-{version}",
        name=NAME,
        version=version,
        build=build_hash(binary),
        description=f"ONNX Runtime {version}",
    )
    return FoundLibrary(library=library, root=binary.parent, definitions={"NNTEST_LIBRARY_FILE": str(binary)})

"""LiteRT (TensorFlow Lite), from its wheel: a shared object with a C interface, without headers.

Its models are written with the schema in the wheel, which is Python and needs flatbuffers; so its programs run inside
a Python process, and enter the library through C.
"""

from pathlib import Path

from nntest.measure.libraries.found import FoundLibrary, Search, build_hash
from nntest.measure.libraries.in_packages import installed_version, search_packages
from nntest.model.case import Library

NAME = "litert-cpu"
PACKAGES = ("ai-edge-litert",)
NEEDS = ("flatbuffers",)
INSTALL = f"nntest install {NAME}"
# Tried: 2.2.0 and 2.3.0. Nobody promises that later ones keep the interface, and before 2.2 it was another one under
# the same names; so a program refuses those before, and tries the library with one number before it measures.
VERSIONS = "2.*"


def search(root: str = "") -> Search:
    """Look in ``root`` (a prefix with a wheel inside), or in this environment and beside it."""
    return search_packages("ai_edge_litert", root, _in_package)


def _in_package(package: Path) -> FoundLibrary | None:
    site, version = package.parent, installed_version(package)
    binary, schema = package / "libLiteRt.so", package / "schema_py_generated.py"
    if not version or not binary.is_file() or not schema.is_file() or not (site / "flatbuffers").is_dir():
        return None
    library = Library(
        tag=f"{NAME}-{version}",
        name=NAME,
        version=version,
        build=build_hash(binary),
        description=f"LiteRT {version}",
    )
    definitions = {"NNTEST_LIBRARY_FILE": str(binary)}
    return FoundLibrary(library=library, root=binary.parent, definitions=definitions, python=(site,))

"""ncnn, from its wheel: one extension module, made for one version of Python, that nothing but Python can enter."""

from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from nntest.measure.libraries.found import FoundLibrary, Search, build_hash
from nntest.measure.libraries.in_packages import installed_version, search_packages
from nntest.model.case import Library

NAME = "ncnn-cpu"
PACKAGES = ("ncnn",)
INSTALL = f"nntest install {NAME}"
# The rest is a date; some of 2024 and all before it take no networks from memory.
VERSIONS = "1.0.202[5-9]*"


def search(root: str = "") -> Search:
    """Look in ``root`` (a prefix with a wheel inside), or in this environment and beside it."""
    return search_packages("ncnn", root, _in_package)


def _in_package(package: Path) -> FoundLibrary | None:
    binaries = [package / f"ncnn{suffix}" for suffix in EXTENSION_SUFFIXES]
    binary = next((path for path in binaries if path.is_file()), None)
    version = installed_version(package)
    if binary is None or not version:
        return None
    library = Library(
        tag=f"{NAME}-{version}",
        name=NAME,
        version=version,
        build=build_hash(binary),
        description=f"ncnn {version}, entered through Python",
    )
    return FoundLibrary(library=library, root=binary.parent, python=(package.parent,))

"""LiteRT (TensorFlow Lite), from its wheel: a shared object with a C interface, without headers.

Its models are written with the schema in the wheel, which is Python and needs flatbuffers; so its programs run inside
a Python process, and enter the library through C.
"""

from pathlib import Path

from nntest.measure.libraries.found import FoundLibrary, Search, build_hash
from nntest.measure.libraries.places import PACKAGES as SITE
from nntest.measure.libraries.places import prefixes
from nntest.model.case import Library

NAME = "litert-cpu"
PACKAGES = ("ai-edge-litert",)
NEEDS = ("flatbuffers",)
INSTALL = f"nntest install {NAME}"
# Before them, a model was made without an environment.
VERSIONS = "2.[2-9].*"

_PACKAGE = "ai_edge_litert"


def search(root: str = "") -> Search:
    """Look in ``root`` (a prefix with a wheel inside), or in this environment and beside it."""
    folders = prefixes(root)
    sites = [site for folder in folders for site in sorted(folder.glob(SITE))]
    found = [library for site in sites if (library := _in_site(site)) is not None]
    return Search(found=tuple(found), looked_in=tuple(str(folder / SITE / _PACKAGE) for folder in folders))


def _in_site(site: Path) -> FoundLibrary | None:
    binary, schema = site / _PACKAGE / "libLiteRt.so", site / _PACKAGE / "schema_py_generated.py"
    versions = [path.name.removesuffix(".dist-info").partition("-")[2] for path in site.glob(f"{_PACKAGE}-*.dist-info")]
    if not versions or not binary.is_file() or not schema.is_file() or not (site / "flatbuffers").is_dir():
        return None
    version = max(versions)
    library = Library(
        tag=f"{NAME}-{version}",
        name=NAME,
        version=version,
        build=build_hash(binary),
        description=f"LiteRT {version}",
    )
    definitions = {"NNTEST_LIBRARY_FILE": str(binary)}
    return FoundLibrary(library=library, root=binary.parent, definitions=definitions, python=(site,))

"""ncnn, from its wheel: one extension module, made for one version of Python, that nothing but Python can enter."""

from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from nntest.measure.libraries.found import FoundLibrary, Search, build_hash
from nntest.measure.libraries.places import PACKAGES as SITE
from nntest.measure.libraries.places import prefixes
from nntest.model.case import Library

NAME = "ncnn-cpu"
PACKAGES = ("ncnn",)
INSTALL = f"nntest install {NAME}"
# The rest is a date; some of 2024 and all before it take no networks from memory.
VERSIONS = "1.0.202[5-9]*"


def search(root: str = "") -> Search:
    """Look in ``root`` (a prefix with a wheel inside), or in this environment and beside it."""
    folders = prefixes(root)
    sites = [site for folder in folders for site in sorted(folder.glob(SITE))]
    found = [library for site in sites if (library := _in_site(site)) is not None]
    return Search(found=tuple(found), looked_in=tuple(str(folder / SITE / "ncnn") for folder in folders))


def _in_site(site: Path) -> FoundLibrary | None:
    binaries = [site / "ncnn" / f"ncnn{suffix}" for suffix in EXTENSION_SUFFIXES]
    binary = next((path for path in binaries if path.is_file()), None)
    versions = [path.name.removesuffix(".dist-info").partition("-")[2] for path in site.glob("ncnn-*.dist-info")]
    if binary is None or not versions:
        return None
    version = max(versions)
    library = Library(
        tag=f"{NAME}-{version}",
        name=NAME,
        version=version,
        build=build_hash(binary),
        description=f"ncnn {version}, entered through Python",
    )
    return FoundLibrary(library=library, root=binary.parent, python=(site,))

"""Libraries that stand inside Python packages, where pip has put them."""

from collections.abc import Callable
from pathlib import Path

from nntest.measure.libraries.found import FoundLibrary, Search
from nntest.measure.libraries.places import PACKAGES, prefixes, version_key


def search_packages(name: str, root: str, read: Callable[[Path], FoundLibrary | None]) -> Search:
    """Look for a package in ``root`` (a prefix), or in this environment and beside it.

    Parameters
    ----------
    name
        Folder of the package, as it is imported.
    read
        Takes the folder of one and returns the library in it; None where it holds none.
    """
    folders = prefixes(root)
    packages = [package for folder in folders for package in sorted(folder.glob(f"{PACKAGES}/{name}"))]
    found = [library for package in packages if (library := read(package)) is not None]
    return Search(found=tuple(found), looked_in=tuple(str(folder / PACKAGES / name) for folder in folders))


def installed_version(package: Path) -> str:
    """Return the version that pip has noted beside a package's folder; empty where it has noted none."""
    notes = package.parent.glob(f"{package.name}-*.dist-info")
    versions = [note.name.removesuffix(".dist-info").partition("-")[2] for note in notes]
    return max(versions, key=version_key, default="")

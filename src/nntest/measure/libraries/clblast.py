"""CLBlast, matrix products and convolutions on any OpenCL device, from Debian's packages or a folder.

Its programs need three parts: CLBlast itself, OpenCL's loader with its headers, and at least one driver of a device,
which only a program that runs can tell.
"""

import re
from functools import cache
from pathlib import Path

from nntest.measure.libraries.found import FoundLibrary, Search, build_hash
from nntest.measure.libraries.places import header_folders, library_folders, prefixes
from nntest.model.case import Library

NAME = "clblast-opencl"
TITLE = "CLBlast with OpenCL"
VERSIONS = "1.*"
INSTALL = "apt install libclblast-dev ocl-icd-opencl-dev pocl-opencl-icd"
#: What gives an ordinary processor an OpenCL device.
INSTALL_DEVICE = "apt install pocl-opencl-icd"

_LOADERS = ("libOpenCL.so", "libOpenCL.so.1")


def search(root: str = "") -> Search:
    """Look in ``root``, or in this environment, beside it and in the system's folders."""
    looked_in: list[str] = []
    found = []
    for folder in prefixes(root):
        looked_in.append(str(folder / "lib" / "libclblast.so"))
        library = _in_folder(folder)
        if library is not None:
            found.append(library)
    return Search(found=tuple(found), looked_in=tuple(looked_in))


def find_drivers(vendors: Path = Path("/etc/OpenCL/vendors")) -> list[str]:
    """Return the names of the OpenCL drivers that the loader finds; whether they have a device is another question."""
    return [path.stem for path in sorted(vendors.glob("*.icd"))]


def _in_folder(folder: Path) -> FoundLibrary | None:
    headers = folder / "include"
    if not (headers / "clblast.h").is_file() or not (headers / "CL" / "cl.h").is_file():
        return None
    for place in library_folders(folder):
        binary = place / "libclblast.so"
        loader = next((place / name for name in _LOADERS if (place / name).is_file()), None)
        if binary.is_file() and loader is not None:
            return _found(folder, headers, binary, loader)
    return None


def _found(folder: Path, headers: Path, binary: Path, loader: Path) -> FoundLibrary:
    version = _version(binary)
    library = Library(
        tag=f"{NAME}-{version}",
        name=NAME,
        version=version,
        build=build_hash(binary),
        description=f"CLBlast {version}",
    )
    # the loader is linked too: so it is found beside CLBlast, which asks for it without saying where
    return FoundLibrary(
        library=library,
        root=folder,
        include_dirs=header_folders(headers),
        link_files=(binary, loader),
        env=_drivers(folder),
    )


@cache
def _version(binary: Path) -> str:
    """Read the version off pkg-config's file, else off the name of the library's file; its headers have none."""
    description = binary.parent / "pkgconfig" / "clblast.pc"
    text = description.read_text(errors="replace") if description.is_file() else ""
    match = re.search(r"^Version:\s*(\S+)", text, re.MULTILINE)
    match = match or re.search(r"\.so\.(\d[\d.]*)$", binary.resolve().name)
    return match.group(1) if match else "unknown"


def _drivers(folder: Path) -> dict[str, str]:
    """Say where the drivers are of packages that were unpacked into a folder: the loader looks in /etc alone."""
    own = folder.parent / "etc" / "OpenCL" / "vendors"
    if folder in (Path("/usr"), Path("/usr/local")) or not own.is_dir():
        return {}
    pocl = next((file for place in library_folders(folder) for file in sorted(place.glob("libpocl.so.*"))), None)
    if pocl is None:
        return {"OCL_ICD_VENDORS": str(own)}
    # by its full path PoCL finds its own parts beside it
    return {"OCL_ICD_VENDORS": str(pocl.resolve()), "LD_LIBRARY_PATH": str(pocl.parent)}

"""Arm Compute Library, from Debian's packages, on an Arm machine or in the sysroot of a target.

Its tags are those of the published experiments: ``arm-compute-library-neon-20.08``.
"""

import platform
import re
from functools import cache
from pathlib import Path

from nntest.measure.libraries.found import FoundLibrary, Search, build_hash
from nntest.measure.libraries.places import header_folders
from nntest.model.case import Library

NEON = "arm-compute-library-neon"
OPENCL = "arm-compute-library-opencl"
TITLE = "Arm Compute Library"
VERSIONS = "20.*"
INSTALL = (
    "apt install libarm-compute-dev ocl-icd-opencl-dev"
    if platform.machine() == "aarch64"
    else "nntest target install linux-arm64-qemu` and add `--target=linux-arm64-qemu"
)

_TRIPLET = "aarch64-linux-gnu"


def search_neon(root: str = "") -> Search:
    """Look for the library as programs for Neon use it; see ``search``."""
    return search(NEON, root)


def search_opencl(root: str = "") -> Search:
    """Look for the library as programs for OpenCL use it; see ``search``."""
    return search(OPENCL, root)


def search(name: str, root: str = "") -> Search:
    """Look below ``root`` (a folder with usr/, or with include/ and lib/), or in this system.

    Parameters
    ----------
    name
        ``NEON`` or ``OPENCL``: one binary serves both.
    """
    base = Path(root or "/")
    looked_in = []
    for prefix in (base / "usr", base):
        headers = [prefix / "include" / _TRIPLET, prefix / "include"]
        binaries = [prefix / "lib" / _TRIPLET / "libarm_compute.so", prefix / "lib" / "libarm_compute.so"]
        looked_in.append(str(binaries[0]))
        include = next((folder for folder in headers if (folder / "arm_compute").is_dir()), None)
        binary = next((path for path in binaries if path.is_file()), None)
        if include is not None and binary is not None:
            return Search(found=(_found(name, prefix, include, binary),), looked_in=tuple(looked_in))
    return Search(looked_in=tuple(looked_in))


def _found(name: str, prefix: Path, include: Path, binary: Path) -> FoundLibrary:
    version = _version(binary)
    core = binary.with_name("libarm_compute_core.so")
    library = Library(
        tag=f"{name}-{version}",
        name=name,
        version=version,
        build=build_hash(binary),
        description=f"{TITLE} {version}, {'Neon' if name == NEON else 'OpenCL'}",
    )
    return FoundLibrary(
        library=library,
        root=prefix,
        # the library's package brings older headers of OpenCL along, in its own folder
        include_dirs=tuple(dict.fromkeys((*header_folders(prefix / "include"), include))),
        link_files=(binary, core) if core.is_file() else (binary,),
    )


@cache
def _version(binary: Path) -> str:
    """Read the version out of the library's own account of its build."""
    core = binary.with_name("libarm_compute_core.so")
    for path in (core, binary):
        match = re.search(rb"arm_compute_version=v(\d+\.\d+(?:\.\d+)?)", path.read_bytes()) if path.is_file() else None
        if match:
            return match.group(1).decode()
    return "unknown"

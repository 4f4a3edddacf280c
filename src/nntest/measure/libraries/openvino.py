"""OpenVINO's CPU plugin, from its wheel, which holds shared objects and headers of a C interface."""

import re
from pathlib import Path

from nntest.measure.libraries.found import FoundLibrary, Search, build_hash
from nntest.measure.libraries.in_packages import search_packages
from nntest.model.case import Library

NAME = "openvino-cpu"
PACKAGES = ("openvino",)
INSTALL = f"nntest install {NAME}"
# The first of these have no headers.
VERSIONS = "202[4-9].*"

_PLUGIN = "libopenvino_intel_cpu_plugin.so"


def search(root: str = "") -> Search:
    """Look in ``root`` (a prefix with a wheel inside), or in this environment and beside it."""
    return search_packages("openvino", root, _in_wheel)


def _in_wheel(wheel: Path) -> FoundLibrary | None:
    header = wheel / "include" / "openvino" / "core" / "version.hpp"
    interfaces = sorted((wheel / "libs").glob("libopenvino_c.so.*"))
    plugin = wheel / "libs" / _PLUGIN
    if not interfaces or not header.is_file() or not plugin.is_file():
        return None
    numbers = dict(re.findall(r"#define OPENVINO_VERSION_(MAJOR|MINOR|PATCH) (\d+)", header.read_text()))
    version = ".".join(numbers.get(part, "0") for part in ("MAJOR", "MINOR", "PATCH"))
    library = Library(
        tag=f"{NAME}-{version}",
        name=NAME,
        version=version,
        build=build_hash(plugin),
        description=f"OpenVINO {version}, CPU plugin",
    )
    return FoundLibrary(library=library, root=wheel, include_dirs=(wheel / "include",), link_files=(interfaces[0],))

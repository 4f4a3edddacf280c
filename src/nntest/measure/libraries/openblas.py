"""OpenBLAS, from the wheel scipy-openblas32 (its symbols begin with ``scipy_``) or from a folder with an own build."""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from nntest.measure.libraries.found import FoundLibrary, Search, build_hash
from nntest.measure.libraries.places import PACKAGES as SITE
from nntest.measure.libraries.places import header_folders, library_folders, prefixes
from nntest.model.case import Library

NAME = "openblas-cpu"
PACKAGES = ("scipy-openblas32",)
INSTALL = f"pip install {' '.join(PACKAGES)}"
VERSIONS = "*"

_PACKAGE = "scipy_openblas32"
# A cblas.h that gives the functions of an ordinary build the names that the wheel has for them.
_NAMES = Path(__file__).parent / "openblas_names"
# Kernels for AVX2 that a detection older than the processor falls back on.
_AVX2_CORES = ("Haswell", "Zen", "Excavator", "Prescott", "Generic")
_AVX512_CORE = "SkylakeX"


class _Build(NamedTuple):
    binary: Path
    headers: Path

    @property
    def is_wheel(self) -> bool:
        return self.binary.name.startswith("libscipy_")


def search(root: str = "") -> Search:
    """Look in ``root`` (a folder with include/ and lib/), or for the installed wheel and other versions beside it."""
    folders = prefixes(root)
    builds = [build for folder in folders for build in _builds_below(folder)]
    wheel = None if root else _wheel_folder()
    looked_in = tuple(str(folder / "lib" / "libopenblas.so") for folder in folders)
    if wheel is not None:
        builds = [*_builds_in(wheel), *builds]
    elif not root:
        looked_in = (f"{sys.prefix} (package {_PACKAGE})", *looked_in[1:])
    found = {build.binary.resolve(): build for build in reversed(builds)}
    return Search(found=tuple(_found(build) for build in reversed(found.values())), looked_in=looked_in)


def _builds_below(prefix: Path) -> Iterator[_Build]:
    for package in sorted(prefix.glob(f"{SITE}/{_PACKAGE}")):
        yield from _builds_in(package)
    yield from _builds_in(prefix)


def _builds_in(folder: Path) -> Iterator[_Build]:
    for place in library_folders(folder):
        wheels, own = sorted(place.glob("libscipy_openblas.so")), place / "libopenblas.so"
        binary = wheels[0] if wheels else own
        # Debian keeps headers as it keeps libraries: include/x86_64-linux-gnu/openblas-pthread
        inside = place.relative_to(folder).parts[1:]
        candidates = [folder.joinpath("include", *inside), folder / "include", folder / "include" / "openblas"]
        headers = next((path for path in candidates if (path / "openblas_config.h").is_file()), None)
        if binary.is_file() and headers is not None:
            yield _Build(binary, headers)


def _found(build: _Build) -> FoundLibrary:
    text = (build.headers / "openblas_config.h").read_text()
    match = re.search(r'OPENBLAS_VERSION\s+"\s*OpenBLAS (\d+\.\d+\.\d+)', text)
    version = match.group(1) if match else "unknown"
    env = _core_env(build.binary)
    title = f"OpenBLAS {version}, {'scipy wheel' if build.is_wheel else build.binary.name}"
    library = Library(
        tag=f"{NAME}-{version}",
        name=NAME,
        version=version,
        build=build_hash(build.binary),
        description=" ".join([title, *(f"{key}={value}" for key, value in env.items())]),
    )
    include_dirs = header_folders(build.headers) if build.is_wheel else (_NAMES, *header_folders(build.headers))
    return FoundLibrary(
        library=library, root=build.headers.parent, include_dirs=include_dirs, link_files=(build.binary,), env=env
    )


def _wheel_folder() -> Path | None:
    # The package is not imported: that would load the library, and start its threads, in this process.
    spec = importlib.util.find_spec(_PACKAGE)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _core_env(binary: Path) -> dict[str, str]:
    """Say which kernels to use where OpenBLAS does not recognise the processor (1.9x on Zen 5 with older versions)."""
    if not _has_avx512():
        return {}
    return {"OPENBLAS_CORETYPE": _AVX512_CORE} if _detected_core(binary) in _AVX2_CORES else {}


def _has_avx512() -> bool:
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.is_file() and " avx512vl " in cpuinfo.read_text(errors="replace")


@cache
def _detected_core(binary: Path) -> str:
    """Ask the library itself, in a process of its own."""
    question = (
        "import ctypes, sys; library = ctypes.CDLL(sys.argv[1]); "
        "ask = getattr(library, sys.argv[2] + 'openblas_get_corename'); "
        "ask.restype = ctypes.c_char_p; sys.stdout.write(ask().decode())"
    )
    answer = subprocess.run(
        [sys.executable, "-S", "-c", question, str(binary), "scipy_" if binary.name.startswith("libscipy_") else ""],
        env={"OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return answer.stdout.strip()

"""OpenBLAS, from the wheel scipy-openblas32 (its symbols begin with ``scipy_``)."""

import importlib.util
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from nntest.measure.libraries.found import FoundLibrary, Search, build_hash
from nntest.model.case import Library

NAME = "openblas-cpu"
INSTALL = "pip install scipy-openblas32"

_PACKAGE = "scipy_openblas32"
# Kernels for AVX2 that a detection older than the processor falls back on.
_AVX2_CORES = ("Haswell", "Zen", "Excavator", "Prescott", "Generic")
_AVX512_CORE = "SkylakeX"


def search(root: str = "") -> Search:
    """Look in ``root`` (a folder with include/ and lib/), or for the installed wheel."""
    folder = Path(root) if root else _wheel_folder()
    if folder is None:
        return Search(looked_in=(f"{sys.prefix} (package {_PACKAGE})",))
    binary = next(iter(sorted((folder / "lib").glob("libscipy_openblas*.so"))), None)
    header = folder / "include" / "openblas_config.h"
    if binary is None or not header.is_file():
        return Search(looked_in=(str(folder / "lib" / "libscipy_openblas*.so"),))
    match = re.search(r'OPENBLAS_VERSION\s+"\s*OpenBLAS (\d+\.\d+\.\d+)', header.read_text())
    version = match.group(1) if match else "unknown"
    env = _core_env(binary)
    library = Library(
        tag=f"{NAME}-{version}",
        name=NAME,
        version=version,
        build=build_hash(binary),
        description=" ".join([f"OpenBLAS {version}, scipy wheel", *(f"{key}={value}" for key, value in env.items())]),
    )
    found = FoundLibrary(
        library=library, root=folder, include_dirs=(folder / "include",), link_files=(binary,), env=env
    )
    return Search(found=(found,), looked_in=(str(binary),))


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
        "import ctypes, sys; library = ctypes.CDLL(sys.argv[1]); ask = library.scipy_openblas_get_corename; "
        "ask.restype = ctypes.c_char_p; sys.stdout.write(ask().decode())"
    )
    answer = subprocess.run(
        [sys.executable, "-S", "-c", question, str(binary)],
        env={"OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return answer.stdout.strip()

"""Two versions of oneDNN in one process: what the loader does with them, by three ways of loading.

Runs where a second version of one major number is installed (``nntest install onednn-cpu 2023.1.0 --yes``).
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from nntest.measure.build import NATIVE, build
from nntest.measure.compiler import find_compiler
from nntest.measure.libraries import FoundLibrary, find_libraries
from tests.programs.build import CACHE, source_of

pytestmark = [pytest.mark.native, pytest.mark.skipif(sys.platform != "linux", reason="dlmopen is glibc's")]

SONAME = b"libdnnl.so.3\0"
CONV = {"CK_IN_SHAPE_C": 16, "CK_IN_SHAPE_H": 9, "CK_IN_SHAPE_W": 9, "CK_OUT_SHAPE_C": 16, "CK_CONV_KERNEL": 3}


@pytest.fixture(scope="module")
def versions() -> list[FoundLibrary]:
    found = [one for one in find_libraries() if one.library.name == "onednn-cpu" and one.library.version[:2] == "3."]
    if len({one.library.version for one in found}) < 2:
        pytest.skip("one version of oneDNN 3 is installed; `nntest install onednn-cpu 2023.1.0 --yes` adds another")
    return found[:2]


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("loader") / "two_versions"
    sources = [Path(__file__).parent / "two_versions.cpp", *NATIVE.glob("*.cpp")]
    listed = [str(source) for source in sources if source.name != "main.cpp"]
    command = [*find_compiler().command, "-std=c++17", "-O0", f"-I{NATIVE}", *listed, "-o", str(target)]
    subprocess.run([*command, "-ldl", "-pthread"], check=True, timeout=300)
    return target


def operators(versions: Sequence[FoundLibrary]) -> list[Path]:
    return [build(source_of("conv-onednn-cpu"), one, cache_root=CACHE).operator for one in versions]


def renamed(one: FoundLibrary, folder: Path, letter: str) -> FoundLibrary:
    """Return a copy of a library that calls itself otherwise: the loader knows libraries by that name."""
    [binary] = one.link_files
    content = binary.read_bytes()
    assert content.count(SONAME) == 1
    copy = folder / f"libdnn{letter}.so.3"
    copy.write_bytes(content.replace(SONAME, copy.name.encode() + b"\0"))
    library = replace(one.library, build=f"{one.library.build}-{letter}")
    return replace(one, library=library, link_files=(copy,))


def versions_in_one_process(loader: Path, way: str, files: Sequence[Path], folder: Path) -> tuple[list[str], int]:
    """Return the versions that answered, and the number of threads; their outputs were equal."""
    folders = [folder / str(number) for number in range(len(files))]
    for one in folders:
        one.mkdir()
    words = [str(word) for pair in zip(files, folders, strict=True) for word in pair]
    environment = {**os.environ, "CK_THREADS": "2", "OMP_NUM_THREADS": "2", **{k: str(v) for k, v in CONV.items()}}
    done = subprocess.run([loader, way, *words], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    *described, threads = done.stdout.splitlines()
    outputs = {(one / "tmp-ck-output.bin").read_bytes() for one in folders}
    assert len(outputs) == 1
    return [json.loads(line)["version"] for line in described], int(threads.split()[0])


def test_local_symbols_do_not_keep_apart_what_has_one_name(
    versions: Sequence[FoundLibrary], loader: Path, tmp_path: Path
) -> None:
    """The second operator silently gets the library of the first."""
    first = versions[0].library.version
    assert versions_in_one_process(loader, "local", operators(versions), tmp_path) == ([first, first], 2)


def test_namespaces_keep_them_apart(versions: Sequence[FoundLibrary], loader: Path, tmp_path: Path) -> None:
    """Each has an OpenMP runtime of its own, with threads of its own."""
    both = [one.library.version for one in versions]
    assert versions_in_one_process(loader, "namespaces", operators(versions), tmp_path) == (both, 3)


def test_names_of_their_own_keep_them_apart(versions: Sequence[FoundLibrary], loader: Path, tmp_path: Path) -> None:
    """They share one OpenMP runtime and its threads."""
    copies = [renamed(one, tmp_path, letter) for one, letter in zip(versions, "ab", strict=True)]
    files = [
        build(source_of("conv-onednn-cpu"), one, cache_root=tmp_path / "builds").operator for one in copies
    ]  # fmt: skip
    both = [one.library.version for one in versions]
    assert versions_in_one_process(loader, "local", files, tmp_path) == (both, 2)

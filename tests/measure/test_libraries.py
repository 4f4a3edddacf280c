"""Finding libraries: versions, specs, and what a missing one says."""

import re
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from nntest.errors import MissingPartError, UsageError
from nntest.measure.libraries import (
    LIBRARY_NAMES,
    find_libraries,
    find_library,
    isa_environment,
    needs_of,
    onednn,
    openblas,
    places,
    wheels_of,
)
from nntest.measure.libraries.in_packages import installed_version
from nntest.measure.libraries.places import header_folders
from tests.programs.build import OPTIONAL_LIBRARIES

# Arm Compute Library is for Arm machines and targets, CLBlast for OpenCL; some wheels are no part of the set-up.
_ELSEWHERE = ("arm-", "clblast-")
NATIVE_NAMES = [name for name in LIBRARY_NAMES if not name.startswith(_ELSEWHERE) and name not in OPTIONAL_LIBRARIES]


@pytest.fixture(autouse=True)
def _nothing_beside_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NNTEST_LIBRARIES", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def write_onednn(folder: Path, version: str) -> Path:
    """Make a folder that looks like an installation of oneDNN."""
    header = folder / "include" / "oneapi" / "dnnl" / "dnnl_version.h"
    header.parent.mkdir(parents=True)
    parts = zip(("MAJOR", "MINOR", "PATCH"), version.split("."), strict=True)
    defines = "".join(f"#define DNNL_VERSION_{name} {value}\n" for name, value in parts)
    header.write_text(defines + '#define DNNL_VERSION_HASH "abcdef0123"\n')
    (folder / "lib").mkdir()
    (folder / "lib" / f"libdnnl.so.{version[0]}").write_bytes(version.encode())
    return folder


def write_openblas(folder: Path, version: str, *, below: str = "") -> Path:
    """Make a folder that looks like one's own build of OpenBLAS, or like Debian's with a folder ``below``."""
    lib, include = folder / "lib" / below, folder / "include" / below
    for place in (lib, include):
        place.mkdir(parents=True)
    (include / "openblas_config.h").write_text(f'#define OPENBLAS_VERSION " OpenBLAS {version} "\n')
    (lib / "libopenblas.so").write_bytes(version.encode())
    return folder


def test_every_library_of_this_environment_is_found_once() -> None:
    tags = [found.library.tag for found in find_libraries()]
    assert len(tags) == len(set(tags))
    assert {found.library.name for found in find_libraries()} >= set(NATIVE_NAMES)


@pytest.mark.parametrize("name", NATIVE_NAMES)
def test_a_library_is_found_by_nothing_version_and_tag(name: str) -> None:
    found = find_library(name)
    assert found.library.tag == f"{name}-{found.library.version}"
    assert find_library(name, found.library.version) == found
    assert find_library(name, found.library.tag) == found
    assert all(path.exists() for path in (*found.include_dirs, *found.link_files))


def test_an_unknown_library_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        find_library("blis-cpu")
    assert str(caught.value) == (
        f"library blis-cpu: unknown; expected one of {', '.join(LIBRARY_NAMES)}; correct the name"
    )


def test_a_version_that_is_not_there_says_what_is() -> None:
    with pytest.raises(MissingPartError) as caught:
        find_library("plain-cpu", "9.9")
    assert str(caught.value) == ("plain-cpu: 9.9 was not found (there is plain-cpu-1.0.0); choose that one")
    with pytest.raises(MissingPartError) as caught:
        find_library("openblas-cpu", "0.1")
    there = find_library("openblas-cpu").library.tag
    assert str(caught.value) == (
        f"openblas-cpu: 0.1 was not found (there is {there}); install it with `pip install scipy-openblas32`, "
        "or choose one of those"
    )


def test_a_library_is_found_in_a_folder(tmp_path: Path) -> None:
    found = find_library("onednn-cpu", str(write_onednn(tmp_path / "other", "3.9.1")))
    assert found.library.tag == "onednn-cpu-3.9.1"
    assert found.library.description == "oneDNN 3.9.1 (abcdef0), OpenMP"
    assert found.root == tmp_path / "other"
    assert found.link_files == (tmp_path / "other" / "lib" / "libdnnl.so.3",)
    assert found.library.build != find_library("onednn-cpu").library.build


def test_versions_stand_beside_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = [write_onednn(tmp_path / name, version) for name, version in (("one", "3.9.1"), ("two", "2.6.3"))]
    for version in ("3.7.2", "3.10.0"):
        write_onednn(tmp_path / "cache" / "nntest" / "libraries" / f"onednn-cpu-{version}", version)
    monkeypatch.setenv("NNTEST_LIBRARIES", ":".join(map(str, own)))
    first, *others = [found.library.version for found in find_libraries() if found.library.name == "onednn-cpu"]
    assert first == find_library("onednn-cpu").library.version  # the environment's
    # one's own come before the installed ones, these from the newest on, and older interfaces last
    assert others == ["3.9.1", "3.10.0", "3.7.2", "2.6.3"]
    assert find_library("onednn-cpu", "3.9").library.version == "3.9.1"
    assert find_library("onednn-cpu", "onednn-cpu-3.7").library.version == "3.7.2"
    assert find_library("onednn-cpu", "2.*").link_files == (tmp_path / "two" / "lib" / "libdnnl.so.2",)


def test_headers_of_another_version_are_no_library(tmp_path: Path) -> None:
    folder = write_onednn(tmp_path / "mixed", "3.9.1")
    (folder / "lib" / "libdnnl.so.3").rename(folder / "lib" / "libdnnl.so.2")
    with pytest.raises(MissingPartError, match="oneDNN was not found"):
        find_library("onednn-cpu", str(folder))


@pytest.mark.parametrize("below", ["", "x86_64-linux-gnu/openblas-pthread"])
def test_an_ordinary_openblas_gets_the_names_that_programs_call(
    below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openblas, "_has_avx512", lambda: False)
    found = find_library("openblas-cpu", str(write_openblas(tmp_path / "own", "0.3.21", below=below)))
    assert (found.library.tag, found.library.description) == (
        "openblas-cpu-0.3.21",
        "OpenBLAS 0.3.21, libopenblas.so",
    )
    names, headers = found.include_dirs
    assert headers == tmp_path / "own" / "include" / below
    used = {
        name
        for source in Path(openblas.__file__).parents[2].joinpath("native").glob("openblas*.h")
        for name in re.findall(r"scipy_\w+", source.read_text())
    }
    assert used <= set(re.findall(r"scipy_\w+", (names / "cblas.h").read_text()))


def test_onnx_runtimes_stand_beside_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    for version in ("1.9.0", "1.31.1"):
        prefix = tmp_path / "cache" / "nntest" / "libraries" / f"onnxruntime-cpu-{version}"
        folder = prefix / "lib" / "python3.11" / "site-packages" / "onnxruntime" / "capi"
        folder.mkdir(parents=True)
        (folder / f"libonnxruntime.so.{version}").write_bytes(version.encode())
    own = tmp_path / "own" / "lib"
    own.mkdir(parents=True)
    (own / "libonnxruntime.so.1.20.0").write_bytes(b"own")
    newest = find_library("onnxruntime-cpu")
    assert (newest.library.tag, newest.library.description) == ("onnxruntime-cpu-1.31.1", "ONNX Runtime 1.31.1")
    assert newest.link_files == ()
    assert newest.definitions["NNTEST_LIBRARY_FILE"].endswith("/onnxruntime/capi/libonnxruntime.so.1.31.1")
    assert find_library("onnxruntime-cpu", "onnxruntime-cpu-1.9").library.version == "1.9.0"
    assert find_library("onnxruntime-cpu", str(own.parent)).library.version == "1.20.0"


def test_an_openvino_is_found_in_its_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    wheel = tmp_path / "own" / "lib" / "python3.11" / "site-packages" / "openvino"
    header = wheel / "include" / "openvino" / "core" / "version.hpp"
    header.parent.mkdir(parents=True)
    parts = {"MAJOR": 2026, "MINOR": 4, "PATCH": 1}
    header.write_text("".join(f"#define OPENVINO_VERSION_{part} {number}\n" for part, number in parts.items()))
    (wheel / "libs").mkdir()
    for name in ("libopenvino_c.so.2641", "libopenvino_intel_cpu_plugin.so"):
        (wheel / "libs" / name).write_bytes(name.encode())
    found = find_library("openvino-cpu", str(tmp_path / "own"))
    assert (found.library.tag, found.library.description) == ("openvino-cpu-2026.4.1", "OpenVINO 2026.4.1, CPU plugin")
    assert found.link_files == (wheel / "libs" / "libopenvino_c.so.2641",)
    assert found.include_dirs == (wheel / "include",)


def test_an_ncnn_is_found_in_the_wheel_for_this_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    site = tmp_path / "own" / "lib" / "python3.11" / "site-packages"
    (site / "ncnn").mkdir(parents=True)
    (site / "ncnn-1.0.20261020.dist-info").mkdir()
    (site / "ncnn" / "ncnn.cpython-27-x86_64-linux-gnu.so").write_bytes(b"for another Python")
    with pytest.raises(MissingPartError, match="ncnn-cpu: ncnn was not found"):
        find_library("ncnn-cpu", str(tmp_path / "own"))
    (site / "ncnn" / f"ncnn{EXTENSION_SUFFIXES[0]}").write_bytes(b"for this one")
    found = find_library("ncnn-cpu", str(tmp_path / "own"))
    assert (found.library.tag, found.library.version) == ("ncnn-cpu-1.0.20261020", "1.0.20261020")
    assert found.python == (site,)


def test_a_litert_is_found_with_what_writes_its_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    site = tmp_path / "own" / "lib" / "python3.11" / "site-packages"
    (site / "ai_edge_litert").mkdir(parents=True)
    (site / "ai_edge_litert-2.3.0.dist-info").mkdir()
    for name in ("libLiteRt.so", "schema_py_generated.py"):
        (site / "ai_edge_litert" / name).write_bytes(name.encode())
    with pytest.raises(MissingPartError, match="litert-cpu: LiteRT was not found"):
        find_library("litert-cpu", str(tmp_path / "own"))
    (site / "flatbuffers").mkdir()
    found = find_library("litert-cpu", str(tmp_path / "own"))
    assert (found.library.tag, found.library.description) == ("litert-cpu-2.3.0", "LiteRT 2.3.0")
    assert found.python == (site,)
    assert found.definitions == {"NNTEST_LIBRARY_FILE": str(site / "ai_edge_litert" / "libLiteRt.so")}
    assert (wheels_of("litert-cpu"), needs_of("litert-cpu")) == (("ai-edge-litert",), ("flatbuffers",))


def test_a_missing_onnx_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(places, "_SYSTEM", ())
    with pytest.raises(MissingPartError) as caught:
        find_library("onnxruntime-cpu")
    assert str(caught.value) == (
        "onnxruntime-cpu: ONNX Runtime was not found (looked in "
        f"{tmp_path}/lib/python3*/site-packages/onnxruntime/capi); "
        "install it with `nntest install onnxruntime-cpu`, or choose another program from `nntest list programs`"
    )


def test_the_headers_of_the_system_are_not_named(tmp_path: Path) -> None:
    assert header_folders(Path("/usr/include")) == ()
    assert header_folders(tmp_path) == (tmp_path,)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError) as caught:
        find_library("onednn-cpu", f"{tmp_path}/nowhere")
    assert str(caught.value) == (
        f"onednn-cpu: {tmp_path}/nowhere is no folder; expected one with include/ and lib/; correct --library"
    )


def test_a_missing_onednn_says_where_it_was_looked_for_and_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(onednn, "_in_folder", lambda _folder, _major: None)
    with pytest.raises(MissingPartError) as caught:
        find_library("onednn-cpu")
    assert str(caught.value) == (
        f"onednn-cpu: oneDNN was not found (looked in {tmp_path}/lib/libdnnl.so.3, /usr/local/lib/libdnnl.so.3, "
        "/usr/lib/libdnnl.so.3); install it with `pip install onednn-cpu-gomp onednn-devel-cpu-gomp`, "
        "or choose another program from `nntest list programs`"
    )


def test_a_missing_openmp_runtime_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_name: str) -> None:
        raise OSError("libgomp.so.1: cannot open shared object file")

    monkeypatch.setattr("ctypes.CDLL", refuse)
    with pytest.raises(MissingPartError) as caught:
        find_library("onednn-cpu", str(write_onednn(tmp_path / "other", "3.9.1")))
    assert str(caught.value) == (
        "onednn-cpu: libgomp.so.1, the OpenMP runtime that it needs, was not found (looked in the system's library "
        "folders); install it with `apt install libgomp1`, or choose another program from `nntest list programs`"
    )
    assert "onednn-cpu" not in {found.library.name for found in find_libraries()}


def test_a_missing_openblas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setattr(openblas, "_builds_below", lambda _prefix: iter(()))
    with pytest.raises(MissingPartError) as caught:
        find_library("openblas-cpu")
    assert str(caught.value) == (
        f"openblas-cpu: OpenBLAS was not found (looked in {sys.prefix} (package scipy_openblas32), "
        "/usr/local/lib/libopenblas.so, /usr/lib/libopenblas.so); "
        "install it with `pip install scipy-openblas32`, or choose another program from `nntest list programs`"
    )


@pytest.mark.parametrize(
    ("has_avx512", "core", "env"),
    [
        (True, "Haswell", {"OPENBLAS_CORETYPE": "SkylakeX"}),
        (True, "SapphireRapids", {}),
        (False, "Haswell", {}),
    ],
)
def test_a_processor_that_openblas_does_not_know_gets_its_kernels(
    monkeypatch: pytest.MonkeyPatch, has_avx512: bool, core: str, env: dict[str, str]
) -> None:
    monkeypatch.setattr(openblas, "_has_avx512", lambda: has_avx512)
    monkeypatch.setattr(openblas, "_detected_core", lambda _binary: core)
    found = find_library("openblas-cpu")
    assert found.env == env
    assert ("OPENBLAS_CORETYPE=SkylakeX" in found.library.description) == bool(env)


def test_a_library_is_held_back_by_the_variable_that_it_reads() -> None:
    assert isa_environment("onednn-cpu", "") == {}
    assert isa_environment("onednn-cpu", "avx2") == {"ONEDNN_MAX_CPU_ISA": "AVX2"}
    assert isa_environment("openblas-cpu", "avx2") == {"OPENBLAS_CORETYPE": "Haswell"}


def test_an_unknown_isa_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        isa_environment("openblas-cpu", "mmx")
    assert str(caught.value) == (
        "openblas-cpu: isa_max 'mmx' is unknown; expected one of sse41, avx, avx2, avx512_core; correct it"
    )
    with pytest.raises(UsageError) as caught:
        isa_environment("plain-cpu", "avx2")
    assert str(caught.value) == ("plain-cpu: isa_max 'avx2' is unknown; expected none for this library; correct it")


def write_clblast(root: Path) -> Path:
    """Make a folder that looks like Debian's packages of CLBlast, OpenCL and PoCL, unpacked."""
    usr, lib = root / "usr", root / "usr" / "lib" / "x86_64-linux-gnu"
    for place in (usr / "include" / "CL", lib / "pkgconfig", root / "etc" / "OpenCL" / "vendors"):
        place.mkdir(parents=True)
    for name in ("include/clblast.h", "include/CL/cl.h"):
        (usr / name).touch()
    for name in ("libclblast.so", "libOpenCL.so.1", "libpocl.so.2.10.0"):
        (lib / name).write_bytes(name.encode())
    (lib / "pkgconfig" / "clblast.pc").write_text("Name: CLBlast\nVersion: 1.5.3\n")
    return usr


def test_clblast_is_found_where_packages_were_unpacked_and_its_driver_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usr = write_clblast(tmp_path)
    monkeypatch.setenv("NNTEST_LIBRARIES", str(usr))
    found = find_library("clblast-opencl")
    lib = usr / "lib" / "x86_64-linux-gnu"
    assert found.library.tag == "clblast-opencl-1.5.3"
    assert found.link_files == (lib / "libclblast.so", lib / "libOpenCL.so.1")
    assert found.env == {"OCL_ICD_VENDORS": str(lib / "libpocl.so.2.10.0"), "LD_LIBRARY_PATH": str(lib)}


def test_clblast_without_the_headers_of_opencl_is_not_found(tmp_path: Path) -> None:
    usr = write_clblast(tmp_path)
    (usr / "include" / "CL" / "cl.h").unlink()
    with pytest.raises(MissingPartError) as caught:
        find_library("clblast-opencl", str(usr))
    assert str(caught.value) == (
        f"clblast-opencl: CLBlast with OpenCL was not found (looked in {usr}/lib/libclblast.so); install it with "
        "`apt install libclblast-dev ocl-icd-opencl-dev pocl-opencl-icd`, "
        "or choose another program from `nntest list programs`"
    )


def test_of_versions_noted_beside_a_package_the_newest_counts(tmp_path: Path) -> None:
    package = tmp_path / "some_package"
    assert installed_version(package) == ""
    for version in ("2.9.1", "2.10.0"):
        (tmp_path / f"some_package-{version}.dist-info").mkdir()
    (tmp_path / "some_package_more-3.0.dist-info").mkdir()
    assert installed_version(package) == "2.10.0"

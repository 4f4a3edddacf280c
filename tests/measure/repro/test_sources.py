"""The C++ files compile, run, and compute bit for bit what the driver computed."""

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nntest.errors import UsageError
from nntest.measure.compiler import find_compiler
from nntest.measure.driver import UnsupportedCase
from nntest.measure.libraries import find_library
from nntest.measure.repro.onednn_source import onednn_source
from nntest.measure.repro.openblas_source import openblas_source
from nntest.model.case import Library
from nntest.model.point import Failure
from tests.measure.repro.cases import CASES, IMAGE, case
from tests.points import make_launch, make_point, make_subject
from tests.programs.build import start

MISSING = {"reshape", "resizebilinear", "layernorm"}
ONEDNN = {name: one for name, one in CASES.items() if one.species not in MISSING}
OPENBLAS = {
    name: replace(CASES[name], program=f"{CASES[name].species}-openblas-cpu", post_ops="")
    for name in ("gemm", "gemm-beta", "fullyconnected")
}
OPENBLAS["fullyconnected-one"] = replace(OPENBLAS["fullyconnected"], batch_size=1, data="relu")
QUICK = {"conv-sum-relu", "batchnorm", "concat-blocks", "gemm-beta"}


def marked(names: Any) -> list[Any]:
    return [name if name in QUICK else pytest.param(name, marks=pytest.mark.full) for name in names]


def fnv1a(data: bytes) -> str:
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def point_of(one: Any, library: str, layouts: dict[str, str] | None = None) -> Any:
    subject = make_subject(program=one.program)
    subject = replace(subject, library=replace(subject.library, name=library))
    launch = replace(make_launch(0), native_layouts=layouts or {})
    return replace(make_point(case=one), launches=(launch,), subject=subject)


def run_file(source: str, library: str, folder: Path, *options: str) -> list[str]:
    found = find_library(library)
    (folder / "repro.cpp").write_text(source)
    link = [*map(str, found.link_files), *(f"-Wl,-rpath,{file.parent}" for file in found.link_files)]
    include = [f"-isystem{path}" for path in found.include_dirs]
    warn = ["-std=c++17", "-O0", "-Wall", "-Wextra", "-Werror"]
    command = [*find_compiler().command, *warn, *options, *include, "repro.cpp", "-o", "repro", *link]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert built.returncode == 0, f"{shlex.join(command)}\n{built.stderr}"
    done = subprocess.run(
        ["./repro"], cwd=folder, capture_output=True, text=True, check=False, env={"OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def check(one: Any, library: str, make: Any, folder: Path, *options: str) -> None:
    with start(one.program) as driver:
        setup = driver.setup(1, one)
        driver.output(1, folder / "output.bin")
    data = (folder / "output.bin").read_bytes()
    printed = run_file(make(point_of(one, library, dict(setup.native_layouts))), library, folder, *options)
    about, time, output = printed
    if library == "onednn-cpu":
        assert about.endswith(f" kernel {setup.implementation}")
    assert time.startswith("time_us median ")
    words = output.split()
    assert words[:2] == ["output", "sum"]
    values = np.frombuffer(data, np.float32)
    assert np.array(words[6:], np.float32).tolist() == values[:8].tolist()
    assert words[4] == fnv1a(data)
    assert float(words[2]) == pytest.approx(values.sum(dtype=np.float64), rel=1e-6, abs=1e-5)


@pytest.mark.native
@pytest.mark.parametrize("name", marked(ONEDNN))
def test_onednn_gives_our_output(name: str, tmp_path: Path) -> None:
    one = ONEDNN[name]
    try:
        check(one, "onednn-cpu", onednn_source, tmp_path)
    except UnsupportedCase as refusal:
        pytest.skip(refusal.reason)


@pytest.mark.native
@pytest.mark.parametrize("name", marked(OPENBLAS))
def test_openblas_gives_our_output(name: str, tmp_path: Path) -> None:
    check(OPENBLAS[name], "openblas-cpu", openblas_source, tmp_path, "-DPREFIXED")


def test_the_file_says_what_was_seen() -> None:
    point = make_point(case=replace(CASES["conv-relu"], isa_max="avx2", threads=2, cache="cold_all"))
    lines = onednn_source(point).splitlines()
    assert lines[:9] == [
        "// conv 8-6-5-3-4-1-0 by oneDNN v3.2.0 (commit 1f7daf47db5dc1bf6ee4b2ec1f0ad0d8ca94c2ab)",
        "// (batch 1, float32, layout auto, fused relu, int inputs of seed 7).",
        "// Seen: 550 us a call, caches cold_all (this file: warm), kernel brgemm:avx512_core,",
        "// on AMD EPYC 9B45 128-Core Processor (Debian GNU/Linux 12 (bookworm)), g++ (Debian 12.2.0-14) 12.2.0; "
        f"nntest point {point.uid}.",
        "//",
        "// Build and run, with the folders of the library's headers and binary:",
        "//   c++ -std=c++17 -O2 repro.cpp -I$ONEDNN/include $ONEDNN/lib/libdnnl.so.3 -Wl,-rpath,$ONEDNN/lib -o repro",
        "//   OMP_NUM_THREADS=2 ONEDNN_MAX_CPU_ISA=AVX2 ./repro",
        "#include <algorithm>",
    ]
    failed = replace(point, samples=(), failure=Failure(kind="crash", reason="signal 11\nmore"))
    assert "// Seen: crash, signal 11" in onednn_source(failed).splitlines()
    untimed = replace(point, samples=(), failure=None)
    assert "// Not timed on AMD EPYC 9B45 128-Core Processor (" in onednn_source(untimed)


def test_what_is_refused() -> None:
    with pytest.raises(UsageError, match="reshape: no C\\+\\+ file is known for it; expected one of conv, "):
        onednn_source(make_point(case=CASES["reshape"]))
    library = Library(tag="openblas-cpu-1", name="openblas-cpu", version="1")
    point = replace(make_point(), subject=replace(make_subject(), library=library))
    with pytest.raises(UsageError) as refused:
        openblas_source(point)
    assert str(refused.value) == (
        f"{point.uid}: no C++ file is known for conv by openblas-cpu; expected gemm or fullyconnected by openblas-cpu; "
        "use the other forms"
    )
    image = case("fullyconnected", {**IMAGE, "CK_OUT_SHAPE_C": 3}, layout="NHWC")
    with pytest.raises(UsageError, match="a fully connected layer over an NHWC image; expected NCHW or auto;"):
        openblas_source(replace(point, case=image))

"""The C++ sources by themselves: warnings, the plain C interface, the inputs' test vectors."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from nntest.measure.build import NATIVE
from nntest.measure.compiler import find_compiler
from tests.programs.build import REPOSITORY

pytestmark = pytest.mark.native

WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wno-sign-conversion", "-Werror")


@pytest.mark.full
@pytest.mark.parametrize("source", sorted(NATIVE.glob("*.cpp")), ids=lambda path: path.name)
def test_the_driver_compiles_without_a_warning(source: Path) -> None:
    command = [*find_compiler().command, "-std=c++17", *WARNINGS, "-fsyntax-only", str(source)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert answer.stderr == ""


def test_the_operator_interface_is_plain_c(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here")
    source = tmp_path / "use.c"
    source.write_text(
        '#include "nntest_operator.h"\nconst nntest_operator_api *use(void) { return nntest_operator(); }\n'
    )
    command = [compiler, "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", f"-I{NATIVE}", "-fsyntax-only", source]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stderr == ""


def test_inputs_are_bit_for_bit_those_of_the_test_vectors(tmp_path: Path) -> None:
    vectors = json.loads((REPOSITORY / "tests" / "data" / "inputs.json").read_text())["vectors"]
    roles = {"input": 0, "weights": 1, "bias": 2, "output": 3, "input1": 4, "input2": 6, "input3": 7}
    fills = {"normal": "kNormal", "relu": "kRelu", "int": "kInt", "zeros": "kZeros"}
    lines = []
    for vector in vectors:
        activation = str(vector["role"].startswith("input")).lower()
        fill = f"nntest::fill_of({activation}, nntest::Fill::{fills[vector['data']]})"
        stream = f"nntest::InputStream({vector['seed']}ull, {roles[vector['role']]}, {fill})"
        lines.append(f"  show({stream}, {vector['first']}ull, {len(vector['values'])});")
    source = tmp_path / "vectors.cpp"
    source.write_text(
        '#include <cstdio>\n#include "inputs.h"\n'
        "void show(const nntest::InputStream& stream, std::uint64_t first, int count) {\n"
        '  for (int at = 0; at < count; ++at) std::printf("%.17g ", static_cast<double>(stream(first + at)));\n'
        '  std::printf("\\n");\n}\n'
        "int main() {\n" + "\n".join(lines) + "\n}\n"
    )
    program = tmp_path / "vectors"
    subprocess.run([*find_compiler().command, "-std=c++17", f"-I{NATIVE}", source, "-o", program], check=True)
    printed = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    for vector, line in zip(vectors, printed, strict=True):
        assert [float(value) for value in line.split()] == vector["values"], vector

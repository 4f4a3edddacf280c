"""An OpenBLAS point as one C++ file that needs nothing but OpenBLAS; for the operators that are one call of it."""

from nntest.errors import UsageError
from nntest.measure.inputs import case_tensors
from nntest.measure.repro import cpp_text
from nntest.model.case import Case
from nntest.model.point import Point
from nntest.model.species import Tensors

# The wheel scipy-openblas32 puts scipy_ before every name; other builds do not.
_COMPILE = "-I$OPENBLAS/include -L$OPENBLAS/lib -lopenblas -Wl,-rpath,$OPENBLAS/lib"

_HEAD = """\
#include <cblas.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

// The wheel scipy-openblas32 has names of its own: compile with -DPREFIXED and link its libscipy_openblas.
#ifdef PREFIXED
#define openblas_get_config scipy_openblas_get_config
#define openblas_set_num_threads scipy_openblas_set_num_threads
#define cblas_sgemm scipy_cblas_sgemm
#define cblas_sgemv scipy_cblas_sgemv
#endif
"""

_TENSORS = """\
static float as_it_is(float value) { return value; }

static std::vector<float> made(std::size_t count, std::uint64_t start, float (*fill)(float value) = as_it_is) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = fill(uniform(start, i));
  return values;
}
"""

_MAIN = """\
int main() {{
  openblas_set_num_threads({threads});
  std::printf("%s\\n", openblas_get_config());
{tensors}
  std::vector<float> output({count});
  time_calls([&] {{
{call}
  }});
  print_output(output.data(), output.size());
}}
"""


def openblas_source(point: Point) -> str:
    """Return the C++ file of a point: it prints the build, the time of a call, and sum, hash and first outputs.

    Raises
    ------
    UsageError
        The point is of another library, or its operator is more than one call of OpenBLAS.
    """
    case, library = point.case, point.subject.library
    if library.name != "openblas-cpu" or case.species not in {"gemm", "fullyconnected"}:
        raise UsageError(
            f"{point.uid}: no C++ file is known for {case.species} by {library.name}; "
            "expected gemm or fullyconnected by openblas-cpu; use the other forms"
        )
    tensors = case_tensors(case)
    if case.layout == "NHWC" and tensors["input"][2] * tensors["input"][3] != 1:
        raise UsageError(
            f"{point.uid}: no C++ file is known for a fully connected layer over an NHWC image; "
            "expected NCHW or auto; use the other forms"
        )
    call = _gemm(case, tensors) if case.species == "gemm" else _fullyconnected(tensors)
    roles = [role for role in tensors if role != "output"]
    main = _MAIN.format(
        threads=case.threads,
        tensors="\n".join(f"  const std::vector<float> {role} = {_made(case, role)};" for role in roles),
        count=cpp_text.count(case, "output"),
        call="\n".join(f"    {line}" for line in call),
    )
    return "\n".join(
        (cpp_text.heading(point, _COMPILE) + _HEAD, cpp_text.INPUTS, _TENSORS, cpp_text.TIMER, cpp_text.OUTPUT, main)
    )


def _made(case: Case, role: str) -> str:
    fill = cpp_text.fill(case, role)
    words = [str(cpp_text.count(case, role)), cpp_text.stream(case, role)]
    if fill != "value":
        words.append(f"[](float{' value' if 'value' in fill else ''}) -> float {{ return {fill}; }}")
    return f"made({', '.join(words)})"


def _gemm(case: Case, tensors: Tensors) -> list[str]:
    (rows, inner), (_, columns) = tensors["input"], tensors["weights"]
    alpha, beta = (case.parameters[f"CK_GEMM_{name}"] for name in ("ALPHA", "BETA"))
    sizes = f"{rows}, {columns}, {inner}, {alpha}, input.data(), {inner}, weights.data(), {columns}"
    return [
        *(["std::copy(input1.begin(), input1.end(), output.begin());"] if beta else []),
        f"cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, {sizes}, {beta},",
        f"            output.data(), {columns});",
    ]


def _fullyconnected(tensors: Tensors) -> list[str]:
    batch, outputs = tensors["input"][0], tensors["bias"][0]
    inner = tensors["input"][1] * tensors["input"][2] * tensors["input"][3]
    bias = f"for (int i = 0; i < {batch}; ++i) std::copy(bias.begin(), bias.end(), output.begin() + i * {outputs});"
    if batch == 1:
        return [
            bias,
            f"cblas_sgemv(CblasRowMajor, CblasNoTrans, {outputs}, {inner}, 1, weights.data(), {inner},",
            "            input.data(), 1, 1, output.data(), 1);",
        ]
    return [
        bias,
        f"cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, {batch}, {outputs}, {inner}, 1, input.data(), {inner},",
        f"            weights.data(), {inner}, 1, output.data(), {outputs});",
    ]

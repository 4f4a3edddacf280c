"""A oneDNN point as one C++ file that needs nothing but oneDNN: for a bug report, and for a look at one call."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nntest.errors import UsageError
from nntest.measure.inputs import case_tensors
from nntest.measure.repro import cpp_text
from nntest.measure.repro.benchdnn import scaled_sum
from nntest.measure.repro.layouts import measured_tag, operand_tags, plain_tag, require_onednn
from nntest.model.case import Case
from nntest.model.point import Point
from nntest.model.shape import Window
from nntest.model.species import OPERANDS, Tensors

_COMPILE = "-I$ONEDNN/include $ONEDNN/lib/libdnnl.so.{major} -Wl,-rpath,$ONEDNN/lib"

_HEAD = """\
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <unordered_map>
#include <vector>

#include "oneapi/dnnl/dnnl.hpp"

using dnnl::memory;
using Desc = memory::desc;
using Tag = memory::format_tag;
constexpr auto kFloat = memory::data_type::f32;

static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
static dnnl::stream stream(engine);
"""

_TENSORS = """\
static Desc row_major(const memory::dims& dims) {
  memory::dims strides(dims.size(), 1);
  for (std::size_t axis = dims.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * dims[axis];
  return Desc(dims, kFloat, strides);
}

static std::size_t elements(const memory::dims& dims) {
  std::size_t count = 1;
  for (const auto size : dims) count *= static_cast<std::size_t>(size);
  return count;
}

static memory in_layout(memory& from, const Desc& wanted) {
  if (from.get_desc() == wanted) return from;
  memory to(wanted, engine);
  dnnl::reorder(from, to).execute(stream, from, to);
  stream.wait();
  return to;
}

static float as_it_is(float value) { return value; }

// A tensor in the layout that is wanted, its values made in row-major order from those of a stream.
static memory made(const memory::dims& dims, const Desc& wanted, std::uint64_t start,
                   float (*fill)(float value) = as_it_is, std::size_t first = 0) {
  memory plain(row_major(dims), engine);
  auto* values = static_cast<float*>(plain.get_data_handle());
  for (std::size_t i = 0; i < elements(dims); ++i) values[i] = fill(uniform(start, first + i));
  return in_layout(plain, wanted);
}
"""

_MAIN = """\
int main() {{
{describe}
  std::printf("oneDNN %d.%d.%d kernel %s\\n", dnnl_version()->major, dnnl_version()->minor, dnnl_version()->patch,
              described.impl_info_str());
  memory output({target}, engine);
  const std::unordered_map<int, memory> arguments{{
{arguments}
      {{{result}, output}}}};
  const {primitive} primitive(described);
  // The C function, because the C++ one makes this list anew in every call.
  std::vector<dnnl_exec_arg_t> listed;
  for (const auto& [index, argument] : arguments) listed.push_back({{index, argument.get()}});
  time_calls([&] {{
    dnnl_primitive_execute(primitive.get(), stream.get(), static_cast<int>(listed.size()), listed.data());
    stream.wait();
  }});
  const memory plain = in_layout(output, row_major({dims}));
  print_output(static_cast<const float*>(plain.get_data_handle()), elements({dims}));
}}
"""


@dataclass(frozen=True, kw_only=True)
class _Argument:
    """One argument of ``execute``: its index, its tensor's role and dimensions, the layout that it needs."""

    index: str
    role: str
    dims: Sequence[int]
    layout: str
    first: int = 0  # index of its first value in the stream
    then: str = ""  # what becomes of a value, where the case's data does not say it


@dataclass(frozen=True, kw_only=True)
class _Source:
    """What differs between species: lines that make ``described``, the type of primitive, the arguments."""

    describe: Sequence[str]
    primitive: str
    arguments: Sequence[_Argument]
    dims: Sequence[int]
    result: str = "DNNL_ARG_DST"
    target: str = "described.dst_desc()"


def onednn_source(point: Point) -> str:
    """Return the C++ file of a point: it prints the kernel, the time of a call, and sum, hash and first outputs.

    Raises
    ------
    UsageError
        The point is of another library, or of a species that is not known here.
    """
    require_onednn(point, "this C++ file")
    case = point.case
    if case.species not in _SPECIES:
        known = ", ".join(_SPECIES)
        raise UsageError(f"{case.species}: no C++ file is known for it; expected one of {known}; use the other forms")
    source = _SPECIES[case.species](point, case_tensors(case))
    arguments = [f"      {{{one.index}, {_made(case, one)}}}," for one in source.arguments]
    main = _MAIN.format(
        describe="\n".join(f"  {line}" for line in source.describe),
        target=source.target,
        arguments="\n".join(arguments),
        result=source.result,
        primitive=source.primitive,
        dims="memory::dims" + cpp_text.braces(source.dims),
    )
    compiling = _COMPILE.format(major=point.subject.library.version.partition(".")[0])
    parts = (
        cpp_text.heading(point, compiling) + _HEAD,
        cpp_text.INPUTS,
        _TENSORS,
        cpp_text.TIMER,
        cpp_text.OUTPUT,
        main,
    )
    return "\n".join(parts)


def _made(case: Case, one: _Argument) -> str:
    fill = one.then or cpp_text.fill(case, one.role)
    words = [cpp_text.braces(one.dims), one.layout, cpp_text.stream(case, one.role)]
    if fill != "value" or one.first:
        value = "value" if "value" in fill else ""
        words.append(f"[](float {value}) -> float {{ return {fill}; }}".replace("float )", "float)"))
    if one.first:
        words.append(str(one.first))
    return f"made({', '.join(words)})"


def _conv(point: Point, tensors: Tensors) -> _Source:
    case = point.case
    depthwise = case.species == "depthwiseconv"
    window = Window.of(case.parameters, "CK_DEPTHWISE" if depthwise else "CK_CONV")
    groups = tensors["weights"][0] if depthwise else case.parameters["CK_CONV_GROUPS"]
    weights = tensors["weights"]
    if groups != 1:
        weights = (groups, weights[0] // groups, *weights[1:])
    operator = case.program.partition("-")[0]
    algorithm = {"directconv": "direct", "winogradconv": "winograd"}.get(operator, "auto")
    kind = "dnnl::convolution_forward"
    numbers = (window.stride, [size - 1 for size in window.dilation], window.pads[:2], window.pads[2:])
    parts = (
        *("engine", "dnnl::prop_kind::forward_inference", f"dnnl::algorithm::convolution_{algorithm}"),
        *(_asked(case, tensors["input"]), _any(weights), _plain(tensors["bias"]), _asked(case, tensors["output"])),
        *map(cpp_text.braces, numbers),
    )
    return _Source(
        describe=[
            *_attributes(case, tensors),
            *_described(kind, parts, changes=operator == "directconv"),
            *(_DIRECT if operator == "directconv" else []),
        ],
        primitive=kind,
        arguments=[
            _Argument(index="DNNL_ARG_SRC", role="input", dims=tensors["input"], layout="described.src_desc()"),
            _Argument(index="DNNL_ARG_WEIGHTS", role="weights", dims=weights, layout="described.weights_desc()"),
            _Argument(index="DNNL_ARG_BIAS", role="bias", dims=tensors["bias"], layout="described.bias_desc()"),
            *_added(case, tensors["output"]),
        ],
        dims=tensors["output"],
    )


_DIRECT = [
    "// The first kernel that unfolds nothing for a matrix product.",
    "for (std::string name = described.impl_info_str();",
    '     name.find("gemm") != std::string::npos || name.rfind("ref", 0) == 0; name = described.impl_info_str()) {',
    '  if (!described.next_impl()) return std::puts("no direct kernel for this case"), 1;',
    "}",
]


def _fullyconnected(point: Point, tensors: Tensors) -> _Source:
    case = point.case
    batch, outputs = tensors["input"][0], tensors["bias"][0]
    inputs, weights = tensors["input"], tensors["weights"]
    if case.layout != "NHWC":
        inputs, weights = (
            (batch, cpp_text.count(case, "input") // batch),
            (outputs, cpp_text.count(case, "weights") // outputs),
        )
    result = (batch, outputs)
    kind = "dnnl::inner_product_forward"
    parts = (
        *("engine", "dnnl::prop_kind::forward_inference"),
        *(_asked(case, inputs), _any(weights), _plain(tensors["bias"]), _asked(case, result)),
    )
    return _Source(
        describe=[*_attributes(case, tensors, result), *_described(kind, parts)],
        primitive=kind,
        arguments=[
            _Argument(index="DNNL_ARG_SRC", role="input", dims=inputs, layout="described.src_desc()"),
            _Argument(index="DNNL_ARG_WEIGHTS", role="weights", dims=weights, layout="described.weights_desc()"),
            _Argument(index="DNNL_ARG_BIAS", role="bias", dims=tensors["bias"], layout="described.bias_desc()"),
            *_added(case, result),
        ],
        dims=result,
    )


def _gemm(point: Point, tensors: Tensors) -> _Source:
    case = point.case
    beta = case.parameters["CK_GEMM_BETA"]
    post_ops = scaled_sum(case.parameters["CK_GEMM_ALPHA"], beta)
    lines = []
    for name in post_ops:
        scale = name.split(":")[1]
        added = f"post_ops.append_binary(dnnl::algorithm::binary_add, {_plain(tensors['output'])});"
        linear = f"post_ops.append_eltwise(dnnl::algorithm::eltwise_linear, {scale}, 0);"
        lines.append(added if name.startswith("add") else linear)
    position = next((number for number, name in enumerate(post_ops) if name.startswith("add")), 0)
    output = _plain(tensors["output"]) if beta else _asked(case, tensors["output"])
    parts = ("engine", _asked(case, tensors["input"]), _any(tensors["weights"]), output)
    operands = [
        _Argument(index="DNNL_ARG_SRC", role="input", dims=tensors["input"], layout="described.src_desc()"),
        _Argument(index="DNNL_ARG_WEIGHTS", role="weights", dims=tensors["weights"], layout="described.weights_desc()"),
    ]
    if beta:
        place = _post_op(position)
        operands.append(_Argument(index=place, role="input1", dims=tensors["output"], layout=_plain(tensors["output"])))
    return _Source(
        describe=["dnnl::post_ops post_ops;", *lines, *_WITH_POST_OPS, *_described("dnnl::matmul", parts)],
        primitive="dnnl::matmul",
        arguments=operands,
        dims=tensors["output"],
    )


def _pool(point: Point, tensors: Tensors) -> _Source:
    window = Window.of(point.case.parameters, "CK_POOL")
    excluded = point.case.parameters.get("CK_EXCLUDE_PADDING", 0)
    average = "pooling_avg_exclude_padding" if excluded else "pooling_avg_include_padding"
    algorithm = "pooling_max" if point.case.species == "maxpool" else average
    numbers = (window.stride, window.kernel, (0, 0), window.pads[:2], window.pads[2:])
    return _one_operand(point, tensors, "pooling_forward", algorithm, map(cpp_text.braces, numbers))


def _softmax(point: Point, tensors: Tensors) -> _Source:
    return _one_operand(point, tensors, "softmax_forward", "softmax_accurate", ["1"])


def _relu(point: Point, tensors: Tensors) -> _Source:
    return _one_operand(point, tensors, "eltwise_forward", "eltwise_relu", ["0.0f", "0.0f"])


def _lrn(point: Point, tensors: Tensors) -> _Source:
    of = point.case.parameters
    numbers = (
        str(of["CK_LRN_SIZE"]),
        f"{of['CK_LRN_ALPHA_PPM']} / 1e6f",
        f"{of['CK_LRN_BETA_PERCENT']} / 100.0f",
        f"{of['CK_LRN_K']}.0f",
    )
    return _one_operand(point, tensors, "lrn_forward", "lrn_across_channels", numbers)


def _batchnorm(point: Point, tensors: Tensors) -> _Source:
    case, channels = point.case, tensors["bias"]
    flags = " | ".join(f"dnnl::normalization_flags::use_{name}" for name in ("global_stats", "scale", "shift"))
    epsilon = f"{case.parameters['CK_BATCHNORM_EPSILON_PPM']} * 1e-6f"
    source = _one_operand(point, tensors, "batch_normalization_forward", "", [epsilon, flags])
    variance = "0.5f + value * value"  # the case gives the spread
    rows = [
        _Argument(index="DNNL_ARG_SCALE", role="weights", dims=channels, layout=_plain(channels)),
        _Argument(index="DNNL_ARG_MEAN", role="weights", dims=channels, layout=_plain(channels), first=channels[0]),
        _Argument(
            index="DNNL_ARG_VARIANCE", role="weights", dims=channels, layout=_plain(channels), first=2 * channels[0],
            then=variance if case.data != "int" else "0.5f + std::floor(value * 8) * std::floor(value * 8)",
        ),
        _Argument(index="DNNL_ARG_SHIFT", role="bias", dims=channels, layout=_plain(channels)),
    ]  # fmt: skip
    return _Source(
        describe=source.describe, primitive=source.primitive, arguments=[*source.arguments, *rows], dims=source.dims
    )


def _one_operand(
    point: Point, tensors: Tensors, kind: str, algorithm: str, numbers: "Sequence[str] | map[str]"
) -> _Source:
    """Return what reads one tensor, in the layout that was measured."""
    kind = f"dnnl::{kind}"
    parts = (
        *("engine", "dnnl::prop_kind::forward_inference", *([f"dnnl::algorithm::{algorithm}"] if algorithm else [])),
        *(_tagged(tensors["input"], measured_tag(point, "input", 4)), _asked(point.case, tensors["output"])),
        *numbers,
    )
    source = _Argument(index="DNNL_ARG_SRC", role="input", dims=tensors["input"], layout="described.src_desc()")
    return _Source(
        describe=[*_attributes(point.case, tensors), *_described(kind, parts)],
        primitive=kind,
        arguments=[source],
        dims=tensors["output"],
    )


def _add(point: Point, tensors: Tensors) -> _Source:
    tags = operand_tags(point, {role: len(dims) for role, dims in tensors.items()})
    operands = [_tagged(tensors["input"], tag) for tag in tags]
    parts = ("engine", "dnnl::algorithm::binary_add", *operands, _asked(point.case, tensors["output"]))
    return _Source(
        describe=[*_attributes(point.case, tensors), *_described("dnnl::binary", parts)],
        primitive="dnnl::binary",
        arguments=[
            _Argument(index=f"DNNL_ARG_SRC_{at}", role=role, dims=tensors[role], layout=f"described.src_desc({at})")
            for at, role in enumerate(("input", "input1"))
        ],
        dims=tensors["output"],
    )


def _concat(point: Point, tensors: Tensors) -> _Source:
    roles = [role for role in OPERANDS if role in tensors]
    tags = operand_tags(point, {role: len(dims) for role, dims in tensors.items()})
    parts = [_tagged(tensors[role], tag) for role, tag in zip(roles, tags, strict=True)]
    listed = f"const std::vector<Desc> parts{{{', '.join(parts)}}};"
    made = ("engine", _asked(point.case, tensors["output"]), "1", "parts")
    return _Source(
        describe=[*_attributes(point.case, tensors), listed, *_described("dnnl::concat", made)],
        primitive="dnnl::concat",
        arguments=[
            _Argument(index=f"DNNL_ARG_MULTIPLE_SRC + {at}", role=role, dims=tensors[role], layout=f"parts[{at}]")
            for at, role in enumerate(roles)
        ],
        dims=tensors["output"],
    )


def _reorder(point: Point, tensors: Tensors) -> _Source:
    """A reorder leaves its case's layout; a flattened image comes from that of a convolution."""
    dims, layout = tensors["input"], point.case.layout
    if point.case.species == "flatten":
        source, target = measured_tag(point, "input", 4), "abcd"
    elif layout == "auto":
        source, target = plain_tag(4, layout), measured_tag(point, "output", 4)
    else:
        source, target = plain_tag(4, layout), plain_tag(4, "NHWC" if layout == "NCHW" else "NCHW")
    parts = ("engine", _tagged(dims, source), "engine", _tagged(dims, target))
    return _Source(
        describe=[*_attributes(point.case, tensors), *_described("dnnl::reorder", parts)],
        primitive="dnnl::reorder",
        arguments=[_Argument(index="DNNL_ARG_FROM", role="input", dims=dims, layout="described.src_desc()")],
        dims=dims,
        result="DNNL_ARG_TO",
    )


def _described(kind: str, parts: Sequence[str], *, changes: bool = False) -> list[str]:
    head = f"{'' if changes else 'const '}{kind}::primitive_desc described("
    return [head, *(f"    {part}," for part in parts), "    attributes);"]


_WITH_POST_OPS = ["dnnl::primitive_attr attributes;", "attributes.set_post_ops(post_ops);"]


def _attributes(case: Case, tensors: Tensors, output: Sequence[int] = ()) -> list[str]:
    lines = []
    for name in filter(None, case.post_ops.split("+")):
        added = f"post_ops.append_binary(dnnl::algorithm::binary_add, {_any(output or tensors['output'])});"
        relu = "post_ops.append_eltwise(dnnl::algorithm::eltwise_relu, 0, 0);"
        lines.append(added if name == "sum" else relu)
    return (
        ["dnnl::post_ops post_ops;", *lines, *_WITH_POST_OPS] if lines else ["const dnnl::primitive_attr attributes;"]
    )


def _added(case: Case, dims: Sequence[int]) -> list[_Argument]:
    """Return what a fused sum adds, in the layout that the library has chosen for it."""
    fused = [name for name in case.post_ops.split("+") if name]
    if "sum" not in fused:
        return []
    place = _post_op(fused.index("sum"))
    layout = f"described.query_md(dnnl::query::exec_arg_md, {place})"
    return [_Argument(index=place, role="input1", dims=dims, layout=layout)]


def _post_op(position: int) -> str:
    return f"DNNL_ARG_ATTR_MULTIPLE_POST_OP({position}) | DNNL_ARG_SRC_1"


def _asked(case: Case, dims: Sequence[int]) -> str:
    """Return a tensor as the program asks for it: the library's choice, or the case's layout."""
    return _any(dims) if case.layout == "auto" else _tagged(dims, plain_tag(len(dims), case.layout))


def _any(dims: Sequence[int]) -> str:
    return _tagged(dims, "any")


def _plain(dims: Sequence[int]) -> str:
    return _tagged(dims, plain_tag(len(dims), "NCHW"))


def _tagged(dims: Sequence[int], tag: str) -> str:
    return f"Desc({cpp_text.braces(dims)}, kFloat, Tag::{tag})"


_SPECIES: Mapping[str, Callable[[Point, Tensors], _Source]] = {
    "conv": _conv,
    "depthwiseconv": _conv,
    "fullyconnected": _fullyconnected,
    "gemm": _gemm,
    "avgpool": _pool,
    "maxpool": _pool,
    "softmax": _softmax,
    "relu": _relu,
    "add": _add,
    "concat": _concat,
    "lrn": _lrn,
    "batchnorm": _batchnorm,
    "reorder": _reorder,
    "flatten": _reorder,
}

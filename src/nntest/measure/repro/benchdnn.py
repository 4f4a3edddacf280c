"""A oneDNN point as a command of benchdnn, the library's own tester, which stands in its source tree.

The words are those of oneDNN's ``tests/benchdnn/doc`` (drivers, descriptors, attributes). Two things cannot be said
there: an inference with bias is ``FWD_B``, a training, which takes the same kernels; and benchdnn 3.2 has warm caches
only.
"""

from collections.abc import Callable, Mapping

from nntest.errors import UsageError
from nntest.measure.inputs import case_tensors
from nntest.measure.libraries.isa import isa_environment
from nntest.measure.repro.layouts import measured_tag, operand_tags, plain_tag, require_onednn
from nntest.model.case import Case
from nntest.model.point import Point
from nntest.model.shape import Window
from nntest.model.species import Tensors

_ALGORITHMS = {"conv": "AUTO", "directconv": "DIRECT", "winogradconv": "WINO", "depthwiseconv": "AUTO"}
# As the program directconv-onednn-cpu leaves them out.
_NOT_DIRECT = "--skip-impl=gemm,ref"


def benchdnn_line(point: Point) -> str:
    """Return the command that times a point's case with benchdnn.

    Raises
    ------
    UsageError
        The point is of another library, or benchdnn has no driver for its species.
    """
    require_onednn(point, "benchdnn")
    case = point.case
    if case.species not in _DRIVERS:
        raise UsageError(
            f"{case.species}: benchdnn has no driver for it; expected one of {', '.join(_DRIVERS)}; use the other forms"
        )
    words = [*_environment(point), "benchdnn", "--mode=P"]
    return " ".join(filter(None, (*words, *_DRIVERS[case.species](point, case_tensors(case)))))


def _environment(point: Point) -> list[str]:
    isa = isa_environment(point.subject.library.name, point.case.isa_max)
    return [f"{key}={value}" for key, value in {"OMP_NUM_THREADS": point.case.threads, **isa, **point.case.env}.items()]


def _conv(point: Point, tensors: Tensors) -> list[str]:
    case = point.case
    prefix = "CK_DEPTHWISE" if case.species == "depthwiseconv" else "CK_CONV"
    groups = tensors["weights"][0] if case.species == "depthwiseconv" else case.parameters["CK_CONV_GROUPS"]
    window = Window.of(case.parameters, prefix)
    operator = case.program.partition("-")[0]
    return [
        "--conv",
        "--dir=FWD_B",
        f"--alg={_ALGORITHMS.get(operator, 'AUTO')}",
        _NOT_DIRECT if operator == "directconv" else "",
        *_free_tags(case, tensors),
        *_attributes(case),
        f"g{groups}"
        + _image(tensors, "ic", "oc")
        + _kernel(window)
        + f"_dh{window.dilation[0] - 1}dw{window.dilation[1] - 1}",
    ]


def _fullyconnected(point: Point, tensors: Tensors) -> list[str]:
    batch, channels, height, width = tensors["input"]
    outputs = tensors["bias"][0]
    images = point.case.layout == "NHWC"
    size = f"ic{channels}ih{height}iw{width}" if images else f"ic{channels * height * width}"
    # In rows of a matrix there is but one plain layout.
    tags = ["--stag=acdb", "--dtag=ab"] if images else [] if point.case.layout == "auto" else ["--stag=ab", "--dtag=ab"]
    return ["--ip", "--dir=FWD_B", *tags, *_attributes(point.case), f"mb{batch}{size}oc{outputs}"]


def _gemm(point: Point, tensors: Tensors) -> list[str]:
    alpha, beta = (point.case.parameters[f"CK_GEMM_{name}"] for name in ("ALPHA", "BETA"))
    free = "any" if point.case.layout == "auto" else "ab"
    fused = scaled_sum(alpha, beta)
    return [
        "--matmul",
        f"--stag={free}",
        "--wtag=any",
        f"--dtag={'ab' if beta else free}",
        "--attr-scratchpad=user",
        f"--attr-post-ops={'+'.join(fused)}" if fused else "",
        f"{_by(tensors['input'])}:{_by(tensors['weights'])}",
    ]


def scaled_sum(alpha: int, beta: int) -> list[str]:
    """As the program fuses it: beta * (alpha / beta * product + operand)."""
    if not beta:
        return [f"linear:{alpha}:0"] if alpha != 1 else []
    scale = [f"linear:{alpha / beta:.9g}:0"] if alpha != beta else []
    return [*scale, "add:f32:per_tensor:ab", *([f"linear:{beta}:0"] if beta != 1 else [])]


def _pool(point: Point, tensors: Tensors) -> list[str]:
    excluded = point.case.parameters.get("CK_EXCLUDE_PADDING", 0)
    algorithm = "max" if point.case.species == "maxpool" else "avg_np" if excluded else "avg_p"
    return [
        *("--pool", "--dir=FWD_I", f"--tag={measured_tag(point, 'input', 4)}", f"--alg={algorithm}"),
        "--attr-scratchpad=user",
        _image(tensors, "ic", "") + _kernel(Window.of(point.case.parameters, "CK_POOL")),
    ]


def _softmax(point: Point, tensors: Tensors) -> list[str]:
    tags = [f"--stag={measured_tag(point, 'input', 4)}", f"--dtag={_result_tag(point)}"]
    return ["--softmax", "--dir=FWD_I", *tags, "--axis=1", "--attr-scratchpad=user", _by(tensors["input"])]


def _relu(point: Point, tensors: Tensors) -> list[str]:
    tag = f"--tag={measured_tag(point, 'input', 4)}"
    return ["--eltwise", "--dir=FWD_I", tag, "--alg=RELU", "--attr-scratchpad=user", _by(tensors["input"])]


def _several(driver: str, *options: str) -> Callable[[Point, Tensors], list[str]]:
    def words(point: Point, tensors: Tensors) -> list[str]:
        operands = [dims for role, dims in tensors.items() if role.startswith("input")]
        tags = ":".join(operand_tags(point, {role: len(dims) for role, dims in tensors.items()}))
        shapes = ":".join(map(_by, operands))
        layouts = (f"--stag={tags}", f"--dtag={_result_tag(point)}")
        return [f"--{driver}", *layouts, *options, "--attr-scratchpad=user", shapes]

    return words


def _lrn(point: Point, tensors: Tensors) -> list[str]:
    of = point.case.parameters
    batch, channels, height, width = tensors["input"]
    numbers = f"_ls{of['CK_LRN_SIZE']}alpha{of['CK_LRN_ALPHA_PPM'] / 1e6:.9g}beta{of['CK_LRN_BETA_PERCENT'] / 100:.9g}"
    return [
        *("--lrn", "--dir=FWD_I", f"--tag={measured_tag(point, 'input', 4)}", "--alg=ACROSS", "--attr-scratchpad=user"),
        f"mb{batch}ic{channels}_ih{height}iw{width}{numbers}k{of['CK_LRN_K']}",
    ]


def _batchnorm(point: Point, tensors: Tensors) -> list[str]:
    batch, channels, height, width = tensors["input"]
    epsilon = point.case.parameters["CK_BATCHNORM_EPSILON_PPM"] / 1e6
    return [
        *("--bnorm", "--dir=FWD_I", f"--tag={measured_tag(point, 'input', 4)}", "--flags=GCH", "--inplace=false"),
        "--attr-scratchpad=user",
        f"mb{batch}ic{channels}_ih{height}iw{width}_eps{epsilon:.9g}",
    ]


def _reorder(point: Point, tensors: Tensors) -> list[str]:
    """A reorder leaves its case's layout; a flattened image comes from that of a convolution."""
    plain = plain_tag(4, point.case.layout)
    if point.case.species == "flatten":
        source, target = measured_tag(point, "input", 4), plain_tag(4, "NCHW")
    elif point.case.layout == "auto":
        source, target = plain, measured_tag(point, "output", 4)
    else:
        source, target = plain, plain_tag(4, "NHWC" if point.case.layout == "NCHW" else "NCHW")
    options = ("--sdt=f32", "--ddt=f32", f"--stag={source}", f"--dtag={target}", "--attr-scratchpad=user")
    return ["--reorder", *options, _by(tensors["input"])]


def _result_tag(point: Point) -> str:
    return "any" if point.case.layout == "auto" else plain_tag(4, point.case.layout)


def _free_tags(case: Case, tensors: Tensors) -> list[str]:
    """Nothing where the library may choose: that is benchdnn's default."""
    if case.layout == "auto":
        return []
    return [
        f"--{name}tag={plain_tag(len(tensors[role]), case.layout)}" for name, role in (("s", "input"), ("d", "output"))
    ]


def _attributes(case: Case) -> list[str]:
    fused = [{"relu": "relu", "sum": "add:f32:per_tensor"}[name] for name in case.post_ops.split("+") if name]
    return ["--attr-scratchpad=user", *([f"--attr-post-ops={'+'.join(fused)}"] if fused else [])]


def _image(tensors: Tensors, inside: str, outside: str) -> str:
    batch, channels, height, width = tensors["input"]
    _, out_channels, out_height, out_width = tensors["output"]
    # The padding at the end follows from the output's size.
    wanted = f"_{outside}{out_channels}oh{out_height}ow{out_width}" if outside else f"_oh{out_height}ow{out_width}"
    return f"mb{batch}{inside}{channels}_ih{height}iw{width}{wanted}"


def _kernel(window: Window) -> str:
    (height, width), (down, right), (top, left, *_) = window.kernel, window.stride, window.pads
    return f"_kh{height}kw{width}_sh{down}sw{right}_ph{top}pw{left}"


def _by(dims: tuple[int, ...]) -> str:
    return "x".join(map(str, dims))


_DRIVERS: Mapping[str, Callable[[Point, Tensors], list[str]]] = {
    "conv": _conv,
    "depthwiseconv": _conv,
    "fullyconnected": _fullyconnected,
    "gemm": _gemm,
    "avgpool": _pool,
    "maxpool": _pool,
    "softmax": _softmax,
    "relu": _relu,
    "add": _several("binary", "--alg=ADD"),
    "concat": _several("concat", "--axis=1"),
    "lrn": _lrn,
    "batchnorm": _batchnorm,
    "reorder": _reorder,
    "flatten": _reorder,
}

"""Edge shapes per species: small, quick, and each there for a reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nntest.model.shape import window_shorts


@dataclass(frozen=True)
class EdgeShape:
    """CK_* values of a shape and the mistake that it is there to find."""

    values: Mapping[str, int]
    reason: str


def _image(channels: int, height: int, width: int) -> dict[str, int]:
    return {"CK_IN_SHAPE_C": channels, "CK_IN_SHAPE_H": height, "CK_IN_SHAPE_W": width}


def _window(
    prefix: str, kernel: int | tuple[int, int] | None, stride: int | tuple[int, int], pads: int | tuple[int, ...]
) -> dict[str, int]:
    """CK_* values of a window; pairs are rows by columns, four pads top, left, bottom, right."""
    values: dict[str, int] = {}
    for name, value in (("KERNEL", kernel), ("STRIDE", stride), ("PAD", pads)):
        short = f"{prefix}_{name}"
        if isinstance(value, tuple):
            values |= dict(zip(window_shorts(prefix)[short], value, strict=True))
        elif value is not None:
            values[short] = value
    return values


def _conv(
    size: tuple[int, int, int],
    out_channels: int,
    kernel: int | tuple[int, int],
    reason: str,
    *,
    stride: int | tuple[int, int] = 1,
    pads: int | tuple[int, ...] = 0,
    groups: int = 1,
    dilation: int = 1,
) -> EdgeShape:
    values = _image(*size) | {"CK_OUT_SHAPE_C": out_channels} | _window("CK_CONV", kernel, stride, pads)
    if groups > 1:
        values["CK_CONV_GROUPS"] = groups
    if dilation > 1:
        values["CK_CONV_DILATION"] = dilation
    return EdgeShape(values, reason)


def _depthwise(
    size: tuple[int, int, int],
    reason: str,
    *,
    kernel: int | tuple[int, int] | None = None,
    stride: int | tuple[int, int] = 1,
    pads: int | tuple[int, ...] = 1,
    dilation: int = 1,
) -> EdgeShape:
    values = _image(*size) | _window("CK_DEPTHWISE", kernel, stride, pads)
    if dilation > 1:
        values["CK_DEPTHWISE_DILATION"] = dilation
    return EdgeShape(values, reason)


def _pool(
    size: tuple[int, int, int],
    kernel: int | tuple[int, int],
    reason: str,
    *,
    stride: int | tuple[int, int] = 1,
    pads: int | tuple[int, ...] = 0,
) -> EdgeShape:
    return EdgeShape(_image(*size) | _window("CK_POOL", kernel, stride, pads), reason)


def _gemm(k: int, m: int, n: int, reason: str, *, alpha: int = 1, beta: int = 0) -> EdgeShape:
    values = {"K": k, "M": m, "N": n, "ALPHA": alpha, "BETA": beta}
    return EdgeShape({f"CK_GEMM_{name}": value for name, value in values.items()}, reason)


def _between(inputs: tuple[int, int, int], outputs: tuple[int, int, int], reason: str) -> EdgeShape:
    """An input image and an output image."""
    sizes = zip("CHW", outputs, strict=True)
    return EdgeShape(_image(*inputs) | {f"CK_OUT_SHAPE_{axis}": size for axis, size in sizes}, reason)


def _concat(channels: Sequence[int], height: int, width: int, reason: str) -> EdgeShape:
    more = {f"CK_CONCAT_C{number}": count for number, count in enumerate(channels[1:], start=1)}
    return EdgeShape(_image(channels[0], height, width) | more, reason)


def _lrn(size: tuple[int, int, int], reason: str, **values: int) -> EdgeShape:
    return EdgeShape(_image(*size) | {f"CK_LRN_{key}": value for key, value in values.items()}, reason)


def _resized(size: tuple[int, int, int], height: int, width: int, reason: str) -> tuple[EdgeShape, EdgeShape]:
    """Both ways of placing pixels."""
    corners = _between(size, (size[0], height, width), reason)
    return corners, EdgeShape({**corners.values, "CK_HALF_PIXEL_CENTERS": 1}, f"{reason}, half-pixel centres")


def _layernorm(rows: int, columns: int, reason: str, **values: int) -> EdgeShape:
    more = {f"CK_LAYERNORM_{key}": value for key, value in values.items()}
    return EdgeShape({"CK_LAYERNORM_M": rows, "CK_LAYERNORM_N": columns, **more}, reason)


def _attention(heads: int, queries: int, keys: int, dim: int, reason: str, *, causal: bool = False) -> EdgeShape:
    sizes = {"HEADS": heads, "QUERIES": queries, "KEYS": keys, "DIM": dim, **({"CAUSAL": 1} if causal else {})}
    return EdgeShape({f"CK_ATTENTION_{name}": size for name, size in sizes.items()}, reason)


def _excluding(shape: EdgeShape) -> EdgeShape:
    return EdgeShape({**shape.values, "CK_EXCLUDE_PADDING": 1}, f"{shape.reason}, divisor without padding")


_POOL_SHAPES = (
    _pool((1, 1, 1), 1, "a single element"),
    _pool((13, 9, 9), 2, "odd size, even kernel: a row and a column stay over", stride=2),
    _pool((16, 12, 12), 3, "padding on all sides", stride=2, pads=1),
    _pool((17, 10, 10), 3, "padding at the end only", stride=2, pads=(0, 0, 1, 1)),
    _pool((8, 16, 16), 2, "stride larger than the kernel", stride=3),
    _pool((5, 7, 7), 7, "the whole image in one window"),
    _pool((3, 64, 2), (5, 1), "tall and thin", stride=(2, 1), pads=(2, 0, 2, 0)),
)

_ELEMENTWISE_SHAPES = (
    EdgeShape(_image(1, 1, 1), "a single element"),
    EdgeShape(_image(17, 5, 7), "channels no multiple of 8"),
    EdgeShape(_image(24, 14, 14), "channels a multiple of 8, not of 16"),
    EdgeShape(_image(3, 61, 1), "tall and thin"),
    EdgeShape(_image(64, 28, 28), "a multiple of every block size"),
)

SYNTHETIC: Mapping[str, Sequence[EdgeShape]] = {
    "conv": (
        _conv((1, 1, 1), 1, 1, "a single multiplication"),
        _conv((17, 1, 1), 19, 1, "one pixel, channels no multiple of 8"),
        _conv((13, 15, 17), 11, 3, "odd channels, height differs from width", pads=1),
        _conv((24, 14, 14), 40, 1, "channels a multiple of 8, not of 16"),
        _conv((3, 33, 31), 10, 3, "three channels, odd size, stride 2", stride=2, pads=1),
        _conv((8, 16, 16), 16, 1, "stride larger than the kernel", stride=3),
        _conv((6, 12, 12), 9, 3, "padding at the end only", stride=2, pads=(0, 0, 1, 1)),
        _conv((4, 10, 9), 8, 4, "even kernel, padding differs on all sides", pads=(1, 2, 2, 0)),
        _conv((3, 2, 2), 4, 3, "more padding than image", pads=2),
        _conv((12, 9, 9), 18, 3, "groups of channels no multiple of 8", pads=1, groups=3),
        _conv((32, 8, 8), 48, 1, "groups of 1x1 kernels", groups=2),
        _conv((6, 7, 7), 6, 3, "as many groups as channels", pads=1, groups=6),
        _conv((6, 7, 7), 12, 3, "two filters per channel", pads=1, groups=6),
        _conv((7, 17, 17), 9, 3, "dilation", pads=2, dilation=2),
        _conv((5, 97, 1), 7, (3, 1), "tall and thin", pads=(1, 0, 1, 0)),
        _conv((5, 1, 97), 7, (1, 3), "flat and wide", pads=(0, 1, 0, 1)),
        _conv((9, 7, 7), 10, 7, "kernel as large as the image"),
        _conv((2, 23, 23), 4, 11, "large kernel, stride 4", stride=4, pads=2),
        _conv((4, 12, 10), 8, 3, "stride differs between rows and columns", stride=(2, 1), pads=1),
        _conv((1024, 3, 3), 8, 3, "a long sum: K = 9216", pads=1),
        _conv((3, 4, 4), 1001, 1, "many outputs from few inputs"),
    ),
    "depthwiseconv": (
        _depthwise((1, 3, 3), "one window, one channel", pads=0),
        _depthwise((17, 1, 1), "one pixel inside its padding"),
        _depthwise((13, 15, 17), "odd channels, height differs from width"),
        _depthwise((24, 14, 14), "channels a multiple of 8, not of 16", stride=2),
        _depthwise((19, 12, 12), "padding at the end only", stride=2, pads=(0, 0, 1, 1)),
        _depthwise((8, 16, 16), "stride larger than the kernel", stride=4, pads=0),
        _depthwise((10, 11, 11), "5x5 kernel", kernel=5, pads=2),
        _depthwise((7, 13, 13), "dilation", pads=2, dilation=2),
        _depthwise((6, 61, 1), "tall and thin", kernel=(3, 1), pads=(1, 0, 1, 0)),
    ),
    "fullyconnected": (
        _between((1, 1, 1), (1, 1, 1), "a single multiplication"),
        _between((17, 1, 1), (19, 1, 1), "sizes no multiple of 8"),
        _between((25, 3, 5), (10, 1, 1), "an image, height differs from width"),
        _between((1024, 1, 1), (1, 1, 1), "one output: a dot product"),
        _between((1, 1, 1), (1001, 1, 1), "one input"),
        _between((25088, 1, 1), (16, 1, 1), "the longest sum of VGG: K = 25,088"),
        _between((8, 2, 2), (3, 2, 5), "an output with height and width"),
    ),
    "gemm": (
        _gemm(1, 1, 1, "a single multiplication"),
        _gemm(3, 2, 4, "tiny"),
        _gemm(17, 19, 23, "sizes no multiple of 8"),
        _gemm(64, 1, 65, "a vector times a matrix"),
        _gemm(64, 65, 1, "a matrix times a vector"),
        _gemm(1, 33, 31, "an outer product"),
        _gemm(4096, 3, 5, "a long sum: K = 4096"),
        _gemm(40, 30, 20, "scaled, and added to what was there", alpha=2, beta=-1),
    ),
    "avgpool": (*_POOL_SHAPES, *(_excluding(shape) for shape in _POOL_SHAPES[2:4])),
    "maxpool": _POOL_SHAPES,
    "softmax": (
        EdgeShape(_image(1, 1, 1), "one class: the result is 1"),
        EdgeShape(_image(2, 1, 1), "two classes"),
        EdgeShape(_image(17, 1, 1), "classes no multiple of 8"),
        EdgeShape(_image(21, 5, 7), "over the channels of an image, as segmentation does"),
        EdgeShape(_image(50257, 1, 1), "many classes"),
    ),
    "reorder": _ELEMENTWISE_SHAPES,
    "reshape": (
        _between((1, 1, 1), (1, 1, 1), "a single element"),
        _between((17, 5, 7), (595, 1, 1), "an image to a row, channels no multiple of 8"),
        _between((595, 1, 1), (17, 5, 7), "a row to an image"),
        _between((24, 14, 14), (6, 28, 28), "channels to rows and columns"),
        _between((12, 4, 6), (8, 6, 6), "all sizes change"),
        _between((1024, 1, 1), (1, 32, 32), "as MobileNet's classifier does before its softmax, the other way round"),
    ),
    "add": (*_ELEMENTWISE_SHAPES, EdgeShape(_image(4096, 1, 1), "a single row")),
    "concat": (
        _concat((1, 1), 1, 1, "two single elements"),
        _concat((17, 5), 7, 5, "channels no multiple of 8"),
        _concat((16, 32), 14, 14, "two inputs of whole blocks"),
        _concat((24, 8, 3), 9, 9, "three inputs that end inside a block"),
        _concat((64, 128, 32, 32), 8, 8, "four branches, as an inception block has them"),
        _concat((1, 30, 1, 2), 5, 3, "four branches, most of them tiny"),
    ),
    "relu": (*_ELEMENTWISE_SHAPES, EdgeShape(_image(4096, 1, 1), "a single row")),
    "lrn": (
        _lrn((1, 1, 1), "a single element", ALPHA_PPM=1_000_000),
        _lrn((3, 5, 7), "fewer channels than neighbours"),
        _lrn((17, 6, 5), "channels no multiple of 8", ALPHA_PPM=1_000_000),
        _lrn((32, 9, 9), "other constants: AlexNet's paper has k = 2", ALPHA_PPM=500, K=2),
        _lrn((24, 8, 8), "one neighbour: each channel alone", SIZE=1, ALPHA_PPM=1_000_000, BETA_PERCENT=50),
        _lrn((40, 5, 4), "many neighbours, a power of one", SIZE=9, ALPHA_PPM=2_000_000, BETA_PERCENT=100),
    ),
    "batchnorm": (
        *_ELEMENTWISE_SHAPES,
        EdgeShape(_image(120, 1, 1), "after a fully connected layer"),
        EdgeShape({**_image(19, 6, 6), "CK_BATCHNORM_EPSILON_PPM": 1000}, "a large epsilon, as TensorFlow has it"),
    ),
    "flatten": _ELEMENTWISE_SHAPES,
    "resizebilinear": (
        *_resized((1, 1, 1), 3, 2, "one pixel spreads over all"),
        *_resized((5, 7, 9), 14, 18, "twice as large"),
        *_resized((17, 13, 11), 29, 6, "taller and narrower, ratios that are no whole numbers"),
        *_resized((3, 32, 32), 8, 8, "a quarter of the size"),
        *_resized((8, 6, 5), 6, 5, "the same size: a copy"),
        *_resized((2, 65, 65), 257, 257, "far from the origin, as segmentation ends"),
        *_resized((24, 2, 9), 5, 1, "down to one column"),
    ),
    "layernorm": (
        _layernorm(1, 2, "the smallest row that varies"),
        _layernorm(19, 17, "sizes no multiple of 8"),
        _layernorm(7, 24, "rows a multiple of 8, not of 16"),
        _layernorm(1, 4096, "one long row"),
        _layernorm(33, 48, "no epsilon", EPSILON_PPM=0),
        _layernorm(12, 20, "a large epsilon", EPSILON_PPM=1000),
    ),
    "attention": (
        _attention(1, 1, 1, 1, "one key: its value is the result"),
        _attention(3, 5, 7, 9, "sizes no multiple of 8"),
        _attention(2, 17, 17, 16, "itself"),
        _attention(2, 17, 17, 16, "itself, causal", causal=True),
        _attention(4, 1, 65, 32, "one query: a decoder's step", causal=True),
        _attention(2, 3, 19, 24, "a few queries after many keys, causal", causal=True),
        _attention(1, 40, 33, 64, "more queries than keys"),
    ),
}

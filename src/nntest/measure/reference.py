"""Expected outputs, computed here in float64 and independent of every library that is measured.

Sums run in float64 over the float32 inputs, so that the reference's own error is some 2**-29 of a float32 kernel's.
Padding is 0 for convolutions and sums, minus infinity for maxima; an average divides by the kernel's size, or with
CK_EXCLUDE_PADDING=1 by the number of elements that are no padding. Memory beyond input and output is bounded: windows
and weights are unrolled a slab at a time.

The tensors of a quantised case are whole numbers (what is stored, less the zero point), so that their sums are exact in
float64 up to 2**53. A sum is then multiplied by scale(input) * scale(weights) / scale(output), rounded to the nearest
whole number (ties away from zero, as fixed-point requantisation does it), moved to the output's zero point and held
within 0 to 255: the expected output is the uint8 that should be stored. An average is rounded in the same way; softmax
is computed in float64 over the real numbers that are meant.
"""

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from nntest.errors import DataError, UsageError
from nntest.measure.inputs import case_tensors, tensor_values
from nntest.model.case import Case
from nntest.model.ids import block_id
from nntest.model.shape import Window
from nntest.model.species import OPERANDS, Tensors

# Part of every cache key: raise it when a value could change.
REFERENCE_VERSION = 1

Array = npt.NDArray[np.float64]

_SLAB = 1 << 21  # elements of one unrolled slab: 16 MB


@dataclass(frozen=True)
class Reference:
    """Expected output of a case in float64, and the identity of the question that it answers."""

    values: Array
    id: str
    method: str = "float64"

    @property
    def name(self) -> str:
        """Method, version and identity, as a point records them."""
        return f"{self.method}-v{REFERENCE_VERSION}:{self.id}"

    @cached_property
    def root_mean_square(self) -> float:
        """Of all values; 0 for none."""
        flat = self.values.reshape(-1)
        # Not np.dot: its pool of threads would spin for a tenth of a second beside the measurement that follows.
        return math.sqrt(float(np.einsum("i,i->", flat, flat)) / max(1, flat.size))


def reference_id(case: Case) -> str:
    """Hash of what the expected output depends on: not the program, its library, layout, threads or cache state."""
    quantised = {role: vars(one) for role, one in case.quantisation.items()}
    return block_id(
        {
            "version": REFERENCE_VERSION,
            "species": case.species,
            "parameters": dict(case.parameters),
            "batch_size": case.batch_size,
            "data": case.data,
            "seed": case.seed,
            "post_ops": case.post_ops,
            **({"quantisation": quantised} if quantised else {}),
        }
    )


def expected(case: Case) -> Array:
    """Compute the expected output of ``case``.

    One thread only: a pool that spins would disturb a measurement in the same session.

    Returns
    -------
    numpy.ndarray
        float64, in the logical dimensions of the output; whole numbers from 0 to 255 where the case is quantised.

    Raises
    ------
    UsageError
        No reference is known for the species or one of the post-operations.
    """
    if case.species not in _COMPUTE:
        known = ", ".join(_COMPUTE)
        raise UsageError(
            f"{case.program}: no reference is known for species {case.species}; expected one of {known}; "
            "add it to measure/reference.py or use --skip_output_validation"
        )
    if case.quantisation:
        _require_quantised(case)
    tensors = case_tensors(case)
    with threadpool_limits(limits=1):
        output = _COMPUTE[case.species](case, tensors)
    for operation in filter(None, case.post_ops.split("+")):
        output = _post_op(operation, case, tensors, output)
    return _requantised(case, output) if case.quantisation else output


def _require_quantised(case: Case) -> None:
    """Refuse what would add numbers of different scales."""
    added = "sum" in case.post_ops.split("+") or case.parameters.get("CK_GEMM_BETA", 0)
    if case.species not in _QUANTISED or added:
        what = "a sum of two scales" if added else f"species {case.species}"
        raise UsageError(
            f"{case.program}: no reference in {case.dtype} is known for {what}; expected one of "
            f"{', '.join(sorted(_QUANTISED))}, nothing added; use --skip_output_validation"
        )


def _requantised(case: Case, output: Array) -> Array:
    """Bring results in the scale of the inputs' products into the output's steps, as they are stored."""
    scales = {role: one.scale for role, one in case.quantisation.items()}
    real = 1.0 if case.species == "softmax" else scales["input"] * scales.get("weights", 1.0)
    output *= real / scales["output"]
    signs = np.sign(output)
    np.abs(output, out=output)
    output += 0.5
    np.floor(output, out=output)
    output *= signs
    output += case.quantisation["output"].zero_point
    return np.clip(output, 0.0, 255.0, out=output)


class ReferenceCache:
    """Expected outputs on disk, one ``.npy`` per question; files may be deleted at any time.

    The last one is kept, since programs are asked the same question one after the other.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._last: Reference | None = None

    def expected(self, case: Case) -> Reference:
        """Return the reference of ``case``, computed at most once per content; safe for concurrent sessions."""
        identity = reference_id(case)
        if self._last is not None and self._last.id == identity:
            return self._last
        self._last = None  # two large ones need not be there together
        path = self._path(identity)
        values = _read(path, case_tensors(case)["output"])
        if values is None:
            values = expected(case)
            _write(path, values)
        self._last = Reference(values, identity, "integer" if case.quantisation else "float64")
        return self._last

    def is_at_hand(self, case: Case) -> bool:
        """Whether the reference of ``case`` was computed before; a file that is damaged is told by `expected`."""
        identity = reference_id(case)
        return (self._last is not None and self._last.id == identity) or self._path(identity).is_file()

    def _path(self, identity: str) -> Path:
        return self.root / identity[:2] / f"{identity}.npy"


def _read(path: Path, shape: tuple[int, ...]) -> Array | None:
    """Load a cached array; a file that is absent, damaged or of another shape counts as absent."""
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return values if isinstance(values, np.ndarray) and values.shape == shape and values.dtype == np.float64 else None


def _write(path: Path, values: Array) -> None:
    """Write next to the target and rename, so that a reader never sees half a file."""
    temporary = path.parent
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # into a plain file NumPy writes by itself, and then tells of a full disk by numbers of items only
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
            temporary = Path(file.name)
            np.save(file, values, allow_pickle=False)
        temporary.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"{path}: the reference could not be written ({reason}); free disk space and resume") from error
    finally:
        if temporary != path.parent:
            temporary.unlink(missing_ok=True)


def _activations(case: Case, tensors: Tensors, role: str = "input") -> npt.NDArray[np.float32]:
    return tensor_values(case, role, tensors[role])


def _size(tensors: Tensors) -> tuple[int, int]:
    """Height and width of the output."""
    return tensors["output"][2], tensors["output"][3]


def _weight_rows(case: Case, dims: tuple[int, ...], first: int, count: int) -> Array:
    """Rows ``first`` to ``first + count`` of the weights, each flattened."""
    length = math.prod(dims[1:])
    values = tensor_values(case, "weights", dims, first=first * length, count=count * length)
    return values.astype(np.float64).reshape(count, length)


def _blocks(total: int, size: int) -> Iterator[tuple[int, int]]:
    step = max(1, size)
    for first in range(0, total, step):
        yield first, min(step, total - first)


def _padded(image: npt.NDArray[np.float32], window: Window, fill: float) -> Array:
    """One image (C, H, W) in float64 with its padding."""
    top, left, bottom, right = window.pads
    return np.pad(
        image.astype(np.float64), ((0, 0), (top, bottom), (left, right)), mode="constant", constant_values=fill
    )


def _tap(image: Array, window: Window, row: int, column: int, size: tuple[int, int]) -> Array:
    """Return what the kernel's element (row, column) sees at each output position: (C, output H, output W)."""
    top, left = row * window.dilation[0], column * window.dilation[1]
    return image[
        :,
        top : top + (size[0] - 1) * window.stride[0] + 1 : window.stride[0],
        left : left + (size[1] - 1) * window.stride[1] + 1 : window.stride[1],
    ]


def _taps(image: Array, window: Window, size: tuple[int, int]) -> Iterator[tuple[int, int, Array]]:
    for row in range(window.kernel[0]):
        for column in range(window.kernel[1]):
            yield row, column, _tap(image, window, row, column, size)


def _unrolled(image: Array, window: Window, width: int, first: int, rows: int) -> Array:
    """Windows of output rows ``first`` to ``first + rows`` as a matrix: (C * kernel, rows * width)."""
    part = image[:, first * window.stride[0] :, :]
    columns = [tap for _, _, tap in _taps(part, window, (rows, width))]
    return np.stack(columns, axis=1).reshape(-1, rows * width)


def _conv(case: Case, tensors: Tensors) -> Array:
    groups = case.parameters["CK_CONV_GROUPS"]
    return _grouped_conv(case, tensors, Window.of(case.parameters, "CK_CONV"), groups)


def _grouped_conv(case: Case, tensors: Tensors, window: Window, groups: int) -> Array:
    inputs = _activations(case, tensors)
    dims, output = tensors["weights"], np.empty(tensors["output"], dtype=np.float64)
    height, width = _size(tensors)
    depth, filters, channels = math.prod(dims[1:]), dims[0] // groups, dims[1]
    for group in range(groups):
        for first_filter, filter_count in _blocks(filters, _SLAB // depth):
            begin = group * filters + first_filter
            weights = _weight_rows(case, dims, begin, filter_count)
            for number, image in enumerate(inputs):
                padded = _padded(image[group * channels : (group + 1) * channels], window, 0.0)
                for row, rows in _blocks(height, _SLAB // (depth * width)):
                    block = weights @ _unrolled(padded, window, width, row, rows)
                    output[number, begin : begin + filter_count, row : row + rows] = block.reshape(-1, rows, width)
    return output + tensor_values(case, "bias", tensors["bias"])[:, None, None]


def _depthwiseconv(case: Case, tensors: Tensors) -> Array:
    window = Window.of(case.parameters, "CK_DEPTHWISE")
    weights = tensor_values(case, "weights", tensors["weights"]).astype(np.float64)[:, 0]
    output = np.zeros(tensors["output"], dtype=np.float64)
    for number, image in enumerate(_activations(case, tensors)):
        padded = _padded(image, window, 0.0)
        for row, column, tap in _taps(padded, window, _size(tensors)):
            output[number] += weights[:, row, column, None, None] * tap
    return output + tensor_values(case, "bias", tensors["bias"])[:, None, None]


def _fullyconnected(case: Case, tensors: Tensors) -> Array:
    inputs = _activations(case, tensors).astype(np.float64).reshape(case.batch_size, -1)
    dims = tensors["weights"]
    output = np.empty((case.batch_size, dims[0]), dtype=np.float64)
    for first, count in _blocks(dims[0], _SLAB // inputs.shape[1]):
        output[:, first : first + count] = inputs @ _weight_rows(case, dims, first, count).T
    output += tensor_values(case, "bias", tensors["bias"])
    return output.reshape(tensors["output"])


def _gemm(case: Case, tensors: Tensors) -> Array:
    inputs = _activations(case, tensors)
    output = np.zeros(tensors["output"], dtype=np.float64)
    dims = tensors["weights"]
    for first, count in _blocks(dims[0], _SLAB // dims[1]):
        output += inputs[:, first : first + count].astype(np.float64) @ _weight_rows(case, dims, first, count)
    output *= case.parameters["CK_GEMM_ALPHA"]
    beta = case.parameters["CK_GEMM_BETA"]
    return output + beta * _activations(case, tensors, "input1").astype(np.float64) if beta else output


def _avgpool(case: Case, tensors: Tensors) -> Array:
    window = Window.of(case.parameters, "CK_POOL")
    output = np.zeros(tensors["output"], dtype=np.float64)
    size = _size(tensors)
    for number, image in enumerate(_activations(case, tensors)):
        for _, _, tap in _taps(_padded(image, window, 0.0), window, size):
            output[number] += tap
    if not case.parameters["CK_EXCLUDE_PADDING"]:
        return output / math.prod(window.kernel)
    ones = _padded(np.ones((1, *tensors["input"][2:]), dtype=np.float32), window, 0.0)
    counts = np.zeros((1, *size), dtype=np.float64)
    for _, _, tap in _taps(ones, window, size):
        counts += tap
    return output / counts


def _maxpool(case: Case, tensors: Tensors) -> Array:
    window = Window.of(case.parameters, "CK_POOL")
    output = np.full(tensors["output"], -np.inf)
    for number, image in enumerate(_activations(case, tensors)):
        for _, _, tap in _taps(_padded(image, window, -np.inf), window, _size(tensors)):
            np.maximum(output[number], tap, out=output[number])
    return output


def _softmax(case: Case, tensors: Tensors) -> Array:
    values = _activations(case, tensors).astype(np.float64)
    if case.quantisation:
        values *= case.quantisation["input"].scale
    values -= values.max(axis=1, keepdims=True)
    np.exp(values, out=values)
    values /= values.sum(axis=1, keepdims=True)
    return values


def _copy(case: Case, tensors: Tensors) -> Array:
    return _activations(case, tensors).astype(np.float64).reshape(tensors["output"])


def _add(case: Case, tensors: Tensors) -> Array:
    total = _activations(case, tensors).astype(np.float64)
    total += _activations(case, tensors, "input1")
    return total


def _concat(case: Case, tensors: Tensors) -> Array:
    parts = [_activations(case, tensors, role) for role in OPERANDS if role in tensors]
    return np.concatenate(parts, axis=1, dtype=np.float64)


def _relu(case: Case, tensors: Tensors) -> Array:
    return np.maximum(_activations(case, tensors).astype(np.float64), 0.0)


def _lrn(case: Case, tensors: Tensors) -> Array:
    p = case.parameters
    values = _activations(case, tensors).astype(np.float64)
    reach, channels = p["CK_LRN_SIZE"] // 2, values.shape[1]
    sums = np.zeros_like(values)
    for shift in range(-min(reach, channels - 1), min(reach, channels - 1) + 1):
        sums[:, max(0, -shift) : channels - max(0, shift)] += values[:, max(0, shift) : channels - max(0, -shift)] ** 2
    sums *= p["CK_LRN_ALPHA_PPM"] / 1e6 / p["CK_LRN_SIZE"]
    sums += p["CK_LRN_K"]
    sums **= p["CK_LRN_BETA_PERCENT"] / 100
    values /= sums
    return values


def _batchnorm(case: Case, tensors: Tensors) -> Array:
    scale, mean, spread = tensor_values(case, "weights", tensors["weights"]).astype(np.float64)[:, :, None, None]
    factor = scale / np.sqrt(0.5 + spread**2 + case.parameters["CK_BATCHNORM_EPSILON_PPM"] / 1e6)
    output = _activations(case, tensors).astype(np.float64)
    output -= mean
    output *= factor
    output += tensor_values(case, "bias", tensors["bias"])[:, None, None]
    return output


def _layernorm(case: Case, tensors: Tensors) -> Array:
    output = _activations(case, tensors).astype(np.float64)
    output -= output.mean(axis=1, keepdims=True)
    variance = np.square(output).mean(axis=1, keepdims=True)
    output /= np.sqrt(variance + case.parameters["CK_LAYERNORM_EPSILON_PPM"] / 1e6)
    output *= tensor_values(case, "weights", tensors["weights"])
    output += tensor_values(case, "bias", tensors["bias"])
    return output


def _attention(case: Case, tensors: Tensors) -> Array:
    queries, keys, values = (_activations(case, tensors, role) for role in OPERANDS[:3])
    output = np.empty(tensors["output"], dtype=np.float64)
    first_key = tensors["input1"][2] - tensors["input"][2]
    for place in np.ndindex(tensors["input"][:2]):
        scores = queries[place].astype(np.float64) @ keys[place].T.astype(np.float64)
        scores /= math.sqrt(tensors["input"][3])
        if case.parameters["CK_ATTENTION_CAUSAL"]:
            scores[np.triu(np.ones(scores.shape, dtype=bool), first_key + 1)] = -np.inf
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        output[place] = scores @ values[place].astype(np.float64)
    return output


def _resizebilinear(case: Case, tensors: Tensors) -> Array:
    centers = bool(case.parameters["CK_HALF_PIXEL_CENTERS"])
    values = _activations(case, tensors).astype(np.float64)
    for axis in (2, 3):
        before, after, share = _between(tensors["input"][axis], tensors["output"][axis], centers)
        weights = np.moveaxis(share.reshape(-1, 1, 1, 1), 0, axis)
        values = values.take(before, axis) * (1.0 - weights) + values.take(after, axis) * weights
    return values


def _between(size: int, wanted: int, centers: bool) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Array]:
    """Neighbours of each output position along one axis, and the share of the second."""
    shift = 0.5 if centers else 0.0
    positions = np.clip((np.arange(wanted) + shift) * size / wanted - shift, 0, size - 1)
    before = np.floor(positions).astype(np.int64)
    return before, np.minimum(before + 1, size - 1), positions - before


def _post_op(operation: str, case: Case, tensors: Tensors, output: Array) -> Array:
    if operation == "relu":
        return np.maximum(output, 0.0)
    if operation == "sum":
        return output + _activations(case, tensors, "input1")
    raise UsageError(
        f"{case.program}: post_ops has {operation!r}; expected relu and sum, joined by +; correct post_ops"
    )


_QUANTISED = frozenset(
    {"conv", "depthwiseconv", "fullyconnected", "gemm", "avgpool", "maxpool", "softmax", "resizebilinear"}
    | {"reorder", "reshape", "flatten"}
)

_COMPUTE: Mapping[str, Callable[[Case, Tensors], Array]] = {
    "conv": _conv,
    "depthwiseconv": _depthwiseconv,
    "fullyconnected": _fullyconnected,
    "gemm": _gemm,
    "avgpool": _avgpool,
    "maxpool": _maxpool,
    "softmax": _softmax,
    "reorder": _copy,
    "reshape": _copy,
    "add": _add,
    "concat": _concat,
    "relu": _relu,
    "lrn": _lrn,
    "batchnorm": _batchnorm,
    "flatten": _copy,
    "resizebilinear": _resizebilinear,
    "layernorm": _layernorm,
    "attention": _attention,
}

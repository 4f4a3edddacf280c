"""Models of one layer for LiteRT, written with the schema that comes in its wheel; weights are filled in by others."""

import ctypes
import importlib
from collections.abc import Sequence
from typing import Any

_schema: Any = importlib.import_module("ai_edge_litert.schema_py_generated")
_flatbuffers: Any = importlib.import_module("flatbuffers")

_FORMAT = 3
_FILE = b"TFL3"
_FLOAT = 4


def version() -> str:
    """Return the version of the library."""
    return str(importlib.import_module("ai_edge_litert").__version__)


class Convolution:
    """A convolution with bias; channels lie innermost.

    Parameters
    ----------
    dims
        Batch, height, width and channels of the input, then of the output.
    window
        Kernel height and width, strides, dilations, padding at top, left, bottom and right.
    groups
        Of the channels; as many as those of the input: a depthwise convolution.
    relu
        Whether it is fused.

    Attributes
    ----------
    address, size
        The model's bytes.
    weights_at, bias_at
        Where in them the zeros stand that weights (as ``OHWI``) and bias are to replace.
    kernel
        The operators of one layer, joined by a plus.
    """

    def __init__(self, dims: Sequence[int], window: Sequence[int], groups: int, relu: int) -> None:
        source, target = tuple(dims[:4]), tuple(dims[4:])
        depthwise = groups > 1 and groups == source[3]
        outer, inner = (1, target[3]) if depthwise else (target[3], source[3] // groups)
        model = _Model()
        given = image = model.tensor("input", source)
        same, pads = _same_padding(source, target, window), tuple(window[6:])
        self.kernel = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        operator = self.kernel
        if any(pads) and not same:
            image = model.pad(given, source, pads)
            self.kernel = f"PAD+{operator}"  # as converters write it; the delegate may draw it into the convolution
        weights = model.tensor("weights", shape := (outer, *window[:2], inner), _zeros(shape))
        bias = model.tensor("bias", target[3:], _zeros(target[3:]))
        output = model.tensor("output", target)
        options = _schema.DepthwiseConv2DOptionsT() if depthwise else _schema.Conv2DOptionsT()
        if depthwise:
            options.depthMultiplier = target[3] // groups
        options.strideH, options.strideW, options.dilationHFactor, options.dilationWFactor = window[2:6]
        options.padding = _schema.Padding.SAME if same else _schema.Padding.VALID
        activations = _schema.ActivationFunctionType
        options.fusedActivationFunction = activations.RELU if relu else activations.NONE
        kind = "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions"
        model.operator(operator, (image, weights, bias), output, kind, options)
        self._bytes = model.finish((given,), (output,))
        self.address, self.size = _memory(self._bytes)
        self.weights_at, self.bias_at = model.position(self._bytes, weights), model.position(self._bytes, bias)


class Transposition:
    """A model that moves the channels of images inwards or outwards, and nothing else.

    Parameters
    ----------
    source, target
        Dimensions before and after.
    order
        The axis that each axis of the result was.
    """

    def __init__(self, source: Sequence[int], target: Sequence[int], order: Sequence[int]) -> None:
        model = _Model()
        tensors = (model.tensor("input", source), model.tensor("order", (4,), _integers(order), integers=True))
        output = model.tensor("output", target)
        model.operator("TRANSPOSE", tensors, output, "TransposeOptions", _schema.TransposeOptionsT())
        self._bytes = model.finish(tensors[:1], (output,))
        self.address, self.size = _memory(self._bytes)


class _Buffer(_schema.BufferT):  # type: ignore[misc]
    """Writes its bytes at once: the generated code writes them one by one."""

    def Pack(self, builder: Any) -> int:  # noqa: N802 (the generated name)
        data = builder.CreateByteVector(self.data) if self.data else None
        _schema.BufferStart(builder)
        if data is not None:
            _schema.BufferAddData(builder, data)
        return int(_schema.BufferEnd(builder))


class _Model:
    """A model with one graph, under construction."""

    def __init__(self) -> None:
        self._tensors: list[Any] = []
        self._buffers: list[Any] = [_buffer(b"")]
        self._operators: list[Any] = []
        self._codes: list[str] = []

    def tensor(self, name: str, dims: Sequence[int], data: bytes = b"", *, integers: bool = False) -> int:
        """Add a tensor with a buffer of its own and return its number."""
        tensor = _schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name, list(dims), len(self._buffers)
        tensor.type = _schema.TensorType.INT32 if integers else _schema.TensorType.FLOAT32
        self._buffers.append(_buffer(data))
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def operator(self, name: str, inputs: Sequence[int], output: int, kind: str, options: Any) -> None:
        """Add a builtin operator."""
        if name not in self._codes:
            self._codes.append(name)
        operator = _schema.OperatorT()
        operator.opcodeIndex = self._codes.index(name)
        operator.inputs, operator.outputs = list(inputs), [output]
        operator.builtinOptionsType, operator.builtinOptions = getattr(_schema.BuiltinOptions, kind), options
        self._operators.append(operator)

    def pad(self, image: int, dims: Sequence[int], pads: Sequence[int]) -> int:
        """Add zeros around an image (top, left, bottom, right) and return the number of the result."""
        top, left, bottom, right = pads
        widths = self.tensor("pads", (4, 2), _integers((0, 0, top, bottom, left, right, 0, 0)), integers=True)
        padded = self.tensor("padded", (dims[0], dims[1] + top + bottom, dims[2] + left + right, dims[3]))
        self.operator("PAD", (image, widths), padded, "PadOptions", _schema.PadOptionsT())
        return padded

    def position(self, model: bytearray, tensor: int) -> int:
        """Return where in the finished model the data of a tensor begins."""
        table = _schema.Model.GetRootAs(model, 0).Buffers(self._tensors[tensor].buffer)._tab
        return int(table.Vector(table.Offset(4)))

    def finish(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytearray:
        """Return the model's bytes."""
        graph = _schema.SubGraphT()
        graph.name, graph.tensors, graph.operators = "layer", self._tensors, self._operators
        graph.inputs, graph.outputs = list(inputs), list(outputs)
        model = _schema.ModelT()
        model.version, model.description, model.subgraphs, model.buffers = _FORMAT, "nntest", [graph], self._buffers
        model.operatorCodes = [_code(name) for name in self._codes]
        builder = _flatbuffers.Builder(1 << 12)
        builder.Finish(model.Pack(builder), _FILE)
        return bytearray(builder.Output())


def _buffer(data: bytes) -> _Buffer:
    buffer = _Buffer()
    buffer.data = data
    return buffer


def _code(name: str) -> Any:
    code = _schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = getattr(_schema.BuiltinOperator, name)
    code.version = 2 if name == "DEPTHWISE_CONV_2D" else 1  # 2: with dilations
    return code


def _same_padding(source: Sequence[int], target: Sequence[int], window: Sequence[int]) -> bool:
    """Whether the padding is the one that the format knows by a word: as many results as strides begin in the image."""
    wanted = []
    for axis in (0, 1):
        size, kernel, stride, dilation = source[axis + 1], *window[axis:6:2]
        results = -(-size // stride)
        total = max((results - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
        if target[axis + 1] != results:
            return False
        wanted.append((total // 2, total - total // 2))
    (top, bottom), (left, right) = wanted
    return (top, left, bottom, right) == tuple(window[6:])


def _memory(model: bytearray) -> tuple[int, int]:
    return ctypes.addressof(ctypes.c_char.from_buffer(model)), len(model)


def _zeros(dims: Sequence[int]) -> bytes:
    count = _FLOAT
    for dim in dims:
        count *= dim
    return bytes(count)


def _integers(values: Sequence[int]) -> bytes:
    return b"".join(value.to_bytes(4, "little", signed=True) for value in values)

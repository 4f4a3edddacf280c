"""ONNX models as bytes, written without the package onnx: a few message types of its schema are all that is needed.

Field numbers are those of ``onnx.proto`` (https://github.com/onnx/onnx), wire types those of protocol buffers:
a field begins with ``number << 3 | type``, where type 0 is a variable-length integer, 2 a length and that many bytes,
5 four bytes.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

IR_VERSION = 8
OPSET = 17

_VARINT, _BYTES, _FOUR_BYTES = 0, 2, 5
_FLOAT, _INT64 = 1, 7  # TensorProto.DataType
_TYPES = {float: 1, int: 2, str: 3, list: 7}  # AttributeProto.AttributeType; a list is one of integers


@dataclass(frozen=True, kw_only=True)
class Node:
    """One operator: its type, the names of what it reads and writes, its attributes.

    An attribute is a float, an integer, a text or a sequence of integers.
    """

    operator: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    attributes: Mapping[str, float | int | str | Sequence[int]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Value:
    """A float32 tensor by name; with ``data``, its little-endian bytes, it is a constant of the model."""

    name: str
    dims: Sequence[int]
    data: bytes | None = None
    integers: bool = False


def model_bytes(
    nodes: Sequence[Node], *, inputs: Sequence[Value], outputs: Sequence[Value], constants: Sequence[Value] = (),
    name: str = "nntest", note: str = "",
) -> bytes:  # fmt: skip
    """Return the model's file.

    Parameters
    ----------
    inputs, outputs
        What the caller gives and gets, in this order.
    constants
        Tensors with ``data``; ``integers`` says that they are int64 instead of float32.
    name, note
        Name of the graph, and the text that viewers show beside it.
    """
    graph = b"".join(
        (
            *(_field(1, _node(number, node)) for number, node in enumerate(nodes)),
            _text(2, name),
            *(_field(5, _constant(one)) for one in constants),
            *(_field(11, _declared(one)) for one in inputs),
            *(_field(12, _declared(one)) for one in outputs),
        )
    )
    opset = _number(2, OPSET)
    return b"".join((_number(1, IR_VERSION), _text(2, "nntest"), _text(6, note), _field(7, graph), _field(8, opset)))


def _node(number: int, node: Node) -> bytes:
    return b"".join(
        (
            *(_text(1, name) for name in node.inputs),
            *(_text(2, name) for name in node.outputs),
            _text(3, f"{node.operator.lower()}_{number}"),
            _text(4, node.operator),
            *(_field(5, _attribute(name, value)) for name, value in node.attributes.items()),
        )
    )


def _attribute(name: str, value: float | int | str | Sequence[int]) -> bytes:
    match value:
        case float():
            content, kind = _tag(2, _FOUR_BYTES) + struct.pack("<f", value), _TYPES[float]
        case int():
            content, kind = _number(3, value), _TYPES[int]
        case str():
            content, kind = _text(4, value), _TYPES[str]
        case _:
            content, kind = b"".join(_number(8, one) for one in value), _TYPES[list]
    return _text(1, name) + content + _number(20, kind)


def _constant(value: Value) -> bytes:
    dims = b"".join(_number(1, size) for size in value.dims)
    kind = _number(2, _INT64 if value.integers else _FLOAT)
    return dims + kind + _text(8, value.name) + _field(9, value.data or b"")


def _declared(value: Value) -> bytes:
    dims = b"".join(_field(1, _number(1, size)) for size in value.dims)
    tensor = _number(1, _FLOAT) + _field(2, dims)
    return _text(1, value.name) + _field(2, _field(1, tensor))


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _field(number: int, content: bytes) -> bytes:
    return _tag(number, _BYTES) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _tag(number, _VARINT) + _varint(value)


def _tag(number: int, wire_type: int) -> bytes:
    return _varint(number << 3 | wire_type)


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; a negative number as its 64-bit complement."""
    value &= 2**64 - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))

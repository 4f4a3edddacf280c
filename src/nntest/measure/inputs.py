"""Inputs of a case from its seed, the same bits here and in the C++ driver (``native/inputs.h``).

Value i of a tensor is f(seed, role, i) with a counter-based generator, so that any part of any tensor can be made
alone, in any order and on any machine. All arithmetic is modulo 2**64::

    mix(x):  x ^= x >> 30;  x *= 0xBF58476D1CE4E5B9;  x ^= x >> 27;  x *= 0x94D049BB133111EB;  x ^= x >> 31
    start  = mix(seed * 0x9E3779B97F4A7C15 + role number)
    bits   = mix(start + (i + 1) * 0x9E3779B97F4A7C15) >> 40
    value  = bits * 2**-23 - 1                                 a float32 in [-1, 1), exact

``mix`` is the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
OOPSLA 2014). Indices run over the logical row-major order (NCHW, OIHW), so that values do not depend on the layout.

The case's ``data`` says how activations (``input``, ``input1``, ...) are filled: ``normal`` as above, ``relu`` with
negative values replaced by 0, ``int`` as floor(8 * value), ``zeros``. Weights and bias stay ``normal``, except that
``int`` makes whole numbers of them too, so that every sum is exact.

A quantised case stores floor(steps * value) + zero point instead, with the steps and zero points of
``model.quantisation``: inputs and weights as uint8 within 0 to 255, biases as int32. Steps are powers of two, so that
this is exact.

``tests/data/inputs.json`` holds values that both implementations are tested against.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nntest.model.case import Case, Fill
from nntest.model.quantisation import STEPS
from nntest.model.species import OPERANDS, SPECIES, Tensors

# 5 is the workspace of the operator interface.
ROLE_NUMBERS = {"input": 0, "weights": 1, "bias": 2, "output": 3, "input1": 4, "input2": 6, "input3": 7}

_GOLDEN = 0x9E3779B97F4A7C15
_MULTIPLIER_1 = 0xBF58476D1CE4E5B9
_MULTIPLIER_2 = 0x94D049BB133111EB
_MASK = 2**64 - 1
# A chunk of counters and its temporaries stay in the second-level cache.
_CHUNK = 1 << 15


def stream_start(seed: int, role: str) -> int:
    """Return the start of the stream of one tensor."""
    return _mix((seed * _GOLDEN + ROLE_NUMBERS[role]) & _MASK)


def stream_values(
    seed: int, role: str, *, first: int = 0, count: int, fill: Fill = "normal"
) -> npt.NDArray[np.float32]:
    """Return ``count`` values of a tensor's stream, from index ``first`` on, as a flat float32 array."""
    out = np.zeros(count, dtype=np.float32)
    if fill == "zeros":
        return out
    start = stream_start(seed, role)
    steps = np.arange(1, min(count, _CHUNK) + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
    scratch = np.empty_like(steps)
    for begin in range(0, count, _CHUNK):
        part = out[begin : begin + _CHUNK]
        x, work = scratch[: part.size], np.empty(part.size, dtype=np.uint64)
        np.add(steps[: part.size], np.uint64((start + (first + begin) * _GOLDEN) & _MASK), out=x)
        for shift, multiplier in ((30, _MULTIPLIER_1), (27, _MULTIPLIER_2)):
            np.right_shift(x, np.uint64(shift), out=work)
            np.bitwise_xor(x, work, out=x)
            np.multiply(x, np.uint64(multiplier), out=x)
        np.right_shift(x, np.uint64(31), out=work)
        np.bitwise_xor(x, work, out=x)
        np.right_shift(x, np.uint64(40), out=x)
        part[:] = x
        part *= np.float32(2.0**-23)
        part -= np.float32(1.0)
    if fill == "relu":
        np.maximum(out, 0, out=out)
    elif fill == "int":
        np.floor(out * np.float32(8.0), out=out)
    return out


def fill_of(role: str, data: Fill) -> Fill:
    """Return how the tensor of ``role`` is filled in a case whose activations are filled as ``data``."""
    return data if role in OPERANDS or data == "int" else "normal"


def tensor_values(
    case: Case, role: str, dims: Sequence[int], *, first: int = 0, count: int | None = None
) -> npt.NDArray[np.float32]:
    """Return the tensor of ``role``, or ``count`` values of it from row-major index ``first`` on (then flat).

    Those of a quantised case are what is stored less the zero point: whole numbers, in units of the tensor's scale.
    """
    shape = dims if count is None else (count,)
    values = stream_values(case.seed, role, first=first, count=math.prod(shape), fill=fill_of(role, case.data))
    if case.quantisation:
        values = _quantised(case, role, values)
    return values.reshape(shape)


def stored_dtype(case: Case, role: str) -> "np.dtype[np.generic]":
    """Return the type in which the driver stores the tensor of ``role``."""
    return np.dtype(np.int32 if case.quantisation and role == "bias" else case.dtype)


def _quantised(case: Case, role: str, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    steps, zero = STEPS[case.data], case.quantisation[role].zero_point
    values *= np.float32(steps * steps if role == "bias" else steps)
    np.floor(values, out=values)
    return values if role == "bias" else np.clip(values, np.float32(-zero), np.float32(255 - zero), out=values)


def case_tensors(case: Case) -> Tensors:
    """Logical dimensions by role, with ``input1`` where a fused sum needs the previous content of the output."""
    tensors = SPECIES[case.species].tensors(case.parameters, case.batch_size)
    if "sum" in case.post_ops.split("+"):
        tensors["input1"] = tensors["output"]
    return tensors


def case_inputs(case: Case) -> dict[str, npt.NDArray[np.float32]]:
    """Return all tensors that the case is given, by role: logical order, float32."""
    return {role: tensor_values(case, role, dims) for role, dims in case_tensors(case).items() if role != "output"}


def _mix(x: int) -> int:
    x ^= x >> 30
    x = x * _MULTIPLIER_1 & _MASK
    x ^= x >> 27
    x = x * _MULTIPLIER_2 & _MASK
    return x ^ (x >> 31)

"""Quantised cases: which real number a stored one stands for, and how a case decides on it.

A tensor of a ``uint8`` case stores ``q`` for the real number ``scale * (q - zero_point)``; biases are int32 with a zero
point of 0. Scales are float32, as libraries take them. All follow from the case, so that anyone can recompute them:

- inputs and weights store ``min(255, max(0, floor(STEPS * v) + zero_point))`` of a value ``v`` of their stream, whose
  unit has ``STEPS[data]`` steps; their scale is one step, so that a stored number stands for ``v`` rounded down. The
  input of softmax is the exception: its scale is ``SOFTMAX_SCALE``, or all exponentials would be much alike;
- a bias stores ``floor(STEPS * STEPS * v)``, its scale is the product of those of input and weights;
- the output of a sum of K products has the scale at which four standard deviations of that sum reach the ends of the
  range: ``sqrt(K + 3) / 96`` (values of a stream have the variance 1/3, a product 1/9, and a bias adds 1/3), 64 times
  that for whole numbers, which lie 8 times as far apart;
- pooling, reshaping and scaling keep scale and zero point of their input; the output of softmax has 1/256 and 0, which
  Arm Compute Library demands.

The three zero points differ, so that a kernel which takes one for another is found.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from nntest.model.species import OPERANDS, find_species

#: Steps of inputs and weights within one unit of their stream, by the fill of the case.
STEPS: Mapping[str, int] = {"normal": 128, "relu": 128, "int": 1, "zeros": 128}

#: Scale of softmax's input; with whole numbers (``data`` int) it is 1 like any other.
SOFTMAX_SCALE = 0.125

INPUT_ZERO, WEIGHTS_ZERO, OUTPUT_ZERO = 128, 121, 117

# How far apart stream values of whole numbers lie: -8 to 7 in place of -1 to 1.
_SPREAD: Mapping[str, int] = {"normal": 1, "relu": 1, "int": 8, "zeros": 1}


@dataclass(frozen=True, kw_only=True)
class Quantisation:
    """A stored number ``q`` stands for ``scale * (q - zero_point)``."""

    scale: float
    zero_point: int


def quantisation_of(
    species: str, parameters: Mapping[str, int], *, data: str, post_ops: str = ""
) -> dict[str, Quantisation]:
    """Return scale and zero point of each tensor of a ``uint8`` case, by role."""
    entry = find_species(species)
    tensors = entry.tensors(parameters)
    step = 1.0 / STEPS[data]
    activation = Quantisation(scale=SOFTMAX_SCALE if _is_soft(species, data) else step, zero_point=INPUT_ZERO)
    given = {*tensors, *(("input1",) if "sum" in post_ops.split("+") else ())}
    found = {role: activation for role in OPERANDS if role in given}
    found["output"] = activation
    if species == "softmax":
        found["output"] = Quantisation(scale=2.0**-8, zero_point=0)
    if "weights" in tensors:
        deviations = math.sqrt(entry.reduction_length(parameters) + 3) / 96
        found["weights"] = Quantisation(scale=step, zero_point=WEIGHTS_ZERO)
        found["output"] = Quantisation(scale=_float32(deviations * _SPREAD[data] ** 2), zero_point=OUTPUT_ZERO)
    if "bias" in tensors:
        found["bias"] = Quantisation(scale=activation.scale * step, zero_point=0)
    return found


def _is_soft(species: str, data: str) -> bool:
    return species == "softmax" and data != "int"


def _float32(value: float) -> float:
    rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    return rounded

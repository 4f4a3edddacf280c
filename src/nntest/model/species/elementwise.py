"""Species whose output has as many elements as their input: softmax, sums, relu, and what only moves data."""

import math

from nntest.errors import UsageError
from nntest.model.shape import Parameters
from nntest.model.species.entry import (
    CHW,
    CHW_TO_CHW,
    INPUT,
    INPUT_FLAT,
    OUTPUT_FLAT,
    Species,
    Tensors,
    input_dims,
    plain_name,
)


def _same_tensors(parameters: Parameters, batch_size: int) -> Tensors:
    inputs = input_dims(parameters, batch_size)
    return {"input": inputs, "output": inputs}


def _add_tensors(parameters: Parameters, batch_size: int) -> Tensors:
    inputs = input_dims(parameters, batch_size)
    return {"input": inputs, "input1": inputs, "output": inputs}


def _flatten_tensors(parameters: Parameters, batch_size: int) -> Tensors:
    inputs = input_dims(parameters, batch_size)
    return {"input": inputs, "output": (batch_size, math.prod(inputs[1:]), 1, 1)}


def _one_per_element(_parameters: Parameters, tensors: Tensors) -> int:
    return math.prod(tensors["output"])


def _reshape_tensors(parameters: Parameters, batch_size: int) -> Tensors:
    outputs = tuple(parameters[f"CK_OUT_SHAPE_{axis}"] for axis in "CHW")
    return {"input": input_dims(parameters, batch_size), "output": (batch_size, *outputs)}


def _reshape_check(parameters: Parameters, where: str) -> None:
    tensors = _reshape_tensors(parameters, 1)
    counts = {role: math.prod(dims) for role, dims in tensors.items()}
    if counts["input"] != counts["output"]:
        raise UsageError(
            f"{where}: the input has {counts['input']} elements and the output {counts['output']}; "
            "expected equal numbers; correct one of them"
        )


SOFTMAX = Species(
    # Over the channels, for every image, row and column.
    name="softmax",
    uid="eb521e1a682bfca4",
    axes="C-H-W",
    fields=INPUT_FLAT,
    describe_tensors=_same_tensors,
    describe_name=plain_name(*CHW),
    count_flops=lambda _, tensors: 5 * math.prod(tensors["output"]),
    reduction=lambda parameters: parameters["CK_IN_SHAPE_C"],
)

REORDER = Species(
    # Between two memory layouts: the values stay, their places change.
    name="reorder",
    axes="C-H-W",
    fields=INPUT,
    describe_tensors=_same_tensors,
    describe_name=plain_name(*CHW),
    reduction=lambda _: 1,
)

RESHAPE = Species(
    # In NCHW order of the elements.
    name="reshape",
    uid="ebc0802419b9b77f",
    axes="in_C-in_H-in_W-out_C-out_H-out_W",
    fields=(*INPUT_FLAT, *OUTPUT_FLAT),
    check=_reshape_check,
    describe_tensors=_reshape_tensors,
    describe_name=plain_name(*CHW_TO_CHW),
    reduction=lambda _: 1,
)

ADD = Species(
    # Element by element, of two tensors of the same dimensions: the end of a residual block.
    name="add",
    axes="C-H-W",
    fields=INPUT_FLAT,
    describe_tensors=_add_tensors,
    describe_name=plain_name(*CHW),
    count_flops=_one_per_element,
    reduction=lambda _: 1,
)

RELU = Species(
    # Negative values become 0, all others stay.
    name="relu",
    axes="C-H-W",
    fields=INPUT_FLAT,
    describe_tensors=_same_tensors,
    describe_name=plain_name(*CHW),
    count_flops=_one_per_element,
    reduction=lambda _: 1,
)

FLATTEN = Species(
    # An image becomes one row of channels, in NCHW order of the elements.
    name="flatten",
    axes="C-H-W",
    fields=INPUT,
    describe_tensors=_flatten_tensors,
    describe_name=plain_name(*CHW),
    reduction=lambda _: 1,
)

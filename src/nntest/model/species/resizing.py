"""Bilinear interpolation of an image to another height and width."""

import math

from nntest.errors import UsageError
from nntest.model.shape import Field, Parameters
from nntest.model.species.entry import CHW_TO_CHW, INPUT, Species, Tensors, input_dims, names

_CENTERS = "CK_HALF_PIXEL_CENTERS"


def _channels_stay(values: dict[str, int], _where: str) -> dict[str, int]:
    """The original's files say the channels twice; once is enough."""
    if "CK_IN_SHAPE_C" in values:
        return {"CK_OUT_SHAPE_C": values["CK_IN_SHAPE_C"], **values}
    return values


def _check(parameters: Parameters, where: str) -> None:
    inside, outside = parameters["CK_IN_SHAPE_C"], parameters["CK_OUT_SHAPE_C"]
    if inside != outside:
        raise UsageError(
            f"{where}: CK_IN_SHAPE_C is {inside} and CK_OUT_SHAPE_C {outside}; "
            "expected equal, as only height and width are resized; correct one of them"
        )
    if parameters[_CENTERS] > 1:
        raise UsageError(
            f"{where}: {_CENTERS} is {parameters[_CENTERS]}; expected 0 (corners of pixels coincide at the top left) "
            "or 1 (centres of pixels are halves); correct the shape"
        )


def _tensors(parameters: Parameters, batch_size: int) -> Tensors:
    outputs = (parameters[f"CK_OUT_SHAPE_{axis}"] for axis in "CHW")
    return {"input": input_dims(parameters, batch_size), "output": (batch_size, *outputs)}


def _name(parameters: Parameters) -> str:
    return "-".join([*names(parameters, *CHW_TO_CHW), *(["h"] if parameters[_CENTERS] else [])])


def _reduction(parameters: Parameters) -> int:
    """A position is rounded in proportion to its distance from the origin, so that errors grow with the image.

    A float32 position in an image of size s is off by up to s * eps, once per axis, and neighbours differ by several
    times the result's root mean square: up to 2 * (height + width) * eps * scale, which is the limit for c = 4.
    """
    return max(4, math.ceil((parameters["CK_IN_SHAPE_H"] + parameters["CK_IN_SHAPE_W"]) / 2) ** 2)


RESIZEBILINEAR = Species(
    # Output row y lies at input row y * in_H / out_H, as in the original and TensorFlow's default, or with
    # CK_HALF_PIXEL_CENTERS=1 at (y + 1/2) * in_H / out_H - 1/2, as in oneDNN, ONNX and PyTorch. Rows beyond the edge
    # repeat it; columns alike.
    name="resizebilinear",
    uid="9fa19e0d42a99421",
    axes="in_C-in_H-in_W-out_C-out_H-out_W",
    fields=(
        *INPUT,
        *(Field(key=f"CK_OUT_SHAPE_{axis}") for axis in "CHW"),
        Field(key=_CENTERS, default=0, minimum=0, written=False),
    ),
    rewrite=_channels_stay,
    check=_check,
    describe_tensors=_tensors,
    describe_name=_name,
    count_flops=lambda _, tensors: 7 * math.prod(tensors["output"]),
    reduction=_reduction,
)

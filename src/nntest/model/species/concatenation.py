"""Concatenation along the channels: the end of a branch."""

from nntest.errors import UsageError
from nntest.model.shape import Field, Parameters
from nntest.model.species.entry import INPUT, OPERANDS, Species, Tensors, input_dims

# Channels of each input; 0 says that there is no such input.
_CHANNELS = ("CK_IN_SHAPE_C", "CK_CONCAT_C1", "CK_CONCAT_C2", "CK_CONCAT_C3")


def _channels(parameters: Parameters) -> list[int]:
    return [parameters[key] for key in _CHANNELS if parameters[key]]


def _check(parameters: Parameters, where: str) -> None:
    if parameters["CK_CONCAT_C3"] and not parameters["CK_CONCAT_C2"]:
        raise UsageError(
            f"{where}: CK_CONCAT_C3 is {parameters['CK_CONCAT_C3']} and CK_CONCAT_C2 0; "
            "expected inputs without a gap; correct one of them"
        )


def _tensors(parameters: Parameters, batch_size: int) -> Tensors:
    _, _, height, width = input_dims(parameters, batch_size)
    channels = _channels(parameters)
    inputs = {role: (batch_size, count, height, width) for role, count in zip(OPERANDS, channels, strict=False)}
    return {**inputs, "output": (batch_size, sum(channels), height, width)}


def _name(parameters: Parameters) -> str:
    channels = ".".join(map(str, _channels(parameters)))
    return f"{channels}-{parameters['CK_IN_SHAPE_H']}-{parameters['CK_IN_SHAPE_W']}"


CONCAT = Species(
    # Two to four inputs of the same height and width.
    name="concat",
    axes="C.C1.C2.C3-H-W",
    fields=(
        *INPUT,
        Field(key="CK_CONCAT_C1"),
        *(Field(key=f"CK_CONCAT_C{number}", default=0, minimum=0, written=False) for number in (2, 3)),
    ),
    check=_check,
    describe_tensors=_tensors,
    describe_name=_name,
    reduction=lambda _: 1,
)

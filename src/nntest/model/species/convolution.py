"""Convolution and depthwise convolution."""

import math

from nntest.errors import UsageError
from nntest.model.shape import Field, Parameters, Window, require_window_fits, window_fields, window_shorts
from nntest.model.species.entry import INPUT, Species, Tensors, input_dims, names, pair, sides, weighted_macs, windows


def _conv_check(parameters: Parameters, where: str) -> None:
    groups = parameters["CK_CONV_GROUPS"]
    for key in ("CK_IN_SHAPE_C", "CK_OUT_SHAPE_C"):
        if parameters[key] % groups:
            raise UsageError(
                f"{where}: CK_CONV_GROUPS is {groups} and {key} {parameters[key]}; "
                "expected groups that divide the channels; correct one of them"
            )
    require_window_fits(parameters, "CK_CONV", where=where)


def _conv_tensors(parameters: Parameters, batch_size: int) -> Tensors:
    channels = parameters["CK_OUT_SHAPE_C"]
    kernel = Window.of(parameters, "CK_CONV").kernel
    return {
        "input": input_dims(parameters, batch_size),
        "weights": (channels, parameters["CK_IN_SHAPE_C"] // parameters["CK_CONV_GROUPS"], *kernel),
        "bias": (channels,),
        "output": (batch_size, channels, *windows(parameters, "CK_CONV")),
    }


def _conv_name(parameters: Parameters) -> str:
    window = Window.of(parameters, "CK_CONV")
    parts = [
        *names(parameters, "IN_SHAPE_C", "IN_SHAPE_H", "IN_SHAPE_W"),
        pair(window.kernel),
        *names(parameters, "OUT_SHAPE_C"),
        pair(window.stride),
        sides(window.pads),
    ]
    if parameters["CK_CONV_GROUPS"] != 1:
        parts.append(f"g{parameters['CK_CONV_GROUPS']}")
    if window.dilation != (1, 1):
        parts.append(f"d{pair(window.dilation)}")
    return "-".join(parts)


def _conv_study_flops(parameters: Parameters) -> float:
    window = Window.of(parameters, "CK_CONV")
    return (
        2.0
        * parameters["CK_IN_SHAPE_C"]
        * parameters["CK_OUT_SHAPE_C"]
        * (parameters["CK_IN_SHAPE_H"] / window.stride[0])
        * (parameters["CK_IN_SHAPE_W"] / window.stride[1])
        * math.prod(window.kernel)
    )


def _depthwise_check(parameters: Parameters, where: str) -> None:
    require_window_fits(parameters, "CK_DEPTHWISE", where=where)


def _depthwise_tensors(parameters: Parameters, batch_size: int) -> Tensors:
    channels = parameters["CK_IN_SHAPE_C"]
    return {
        "input": input_dims(parameters, batch_size),
        "weights": (channels, 1, *Window.of(parameters, "CK_DEPTHWISE").kernel),
        "bias": (channels,),
        "output": (batch_size, channels, *windows(parameters, "CK_DEPTHWISE")),
    }


def _depthwise_name(parameters: Parameters) -> str:
    window = Window.of(parameters, "CK_DEPTHWISE")
    parts = [
        *names(parameters, "IN_SHAPE_C", "IN_SHAPE_H", "IN_SHAPE_W"),
        pair(window.stride),
        sides(window.pads),
    ]
    if window.kernel != (3, 3):
        parts.append(f"k{pair(window.kernel)}")
    if window.dilation != (1, 1):
        parts.append(f"d{pair(window.dilation)}")
    return "-".join(parts)


CONV = Species(
    name="conv",
    uid="bcd4643cc81b3f15",
    axes="in_C-H-W-K-out_C-stride-pad",
    fields=(
        *INPUT,
        Field(key="CK_OUT_SHAPE_C"),
        *window_fields("CK_CONV"),
        Field(key="CK_CONV_GROUPS", default=1, written=False),
    ),
    shorts=window_shorts("CK_CONV"),
    has_weights=True,
    check=_conv_check,
    describe_tensors=_conv_tensors,
    describe_name=_conv_name,
    count_macs=weighted_macs,
    count_study_flops=_conv_study_flops,
    reduction=lambda parameters: math.prod(_conv_tensors(parameters, 1)["weights"][1:]),
)

DEPTHWISECONV = Species(
    name="depthwiseconv",
    uid="921d4f43abe4669f",
    axes="C-H-W-stride-pad",
    # The original knows 3x3 windows only, so its files and names say no kernel.
    fields=(*INPUT, *window_fields("CK_DEPTHWISE", kernel=3)),
    shorts=window_shorts("CK_DEPTHWISE"),
    has_weights=True,
    check=_depthwise_check,
    describe_tensors=_depthwise_tensors,
    describe_name=_depthwise_name,
    count_macs=weighted_macs,
    reduction=lambda parameters: math.prod(Window.of(parameters, "CK_DEPTHWISE").kernel),
)

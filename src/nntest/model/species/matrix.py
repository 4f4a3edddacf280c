"""Fully connected layers and matrix products."""

import math

from nntest.model.shape import Field, Parameters
from nntest.model.species.entry import (
    CHW_TO_CHW,
    INPUT_FLAT,
    OUTPUT_FLAT,
    Species,
    Tensors,
    input_dims,
    plain_name,
    weighted_macs,
)


def _fullyconnected_tensors(parameters: Parameters, batch_size: int) -> Tensors:
    outputs = tuple(parameters[f"CK_OUT_SHAPE_{axis}"] for axis in "CHW")
    inputs = input_dims(parameters, batch_size)
    return {
        "input": inputs,
        "weights": (math.prod(outputs), *inputs[1:]),
        "bias": (math.prod(outputs),),
        "output": (batch_size, *outputs),
    }


def _fullyconnected_study_flops(parameters: Parameters) -> float:
    return 2.0 * math.prod(_fullyconnected_tensors(parameters, 1)["weights"])


def _gemm_tensors(parameters: Parameters, batch_size: int) -> Tensors:
    rows = batch_size * parameters["CK_GEMM_M"]
    inner, columns = parameters["CK_GEMM_K"], parameters["CK_GEMM_N"]
    tensors: Tensors = {"input": (rows, inner), "weights": (inner, columns)}
    if parameters["CK_GEMM_BETA"]:
        tensors["input1"] = (rows, columns)
    return {**tensors, "output": (rows, columns)}


FULLYCONNECTED = Species(
    name="fullyconnected",
    uid="20efa8bcb042939c",
    axes="in_C-in_H-in_W-out_C-out_H-out_W",
    fields=(*INPUT_FLAT, *OUTPUT_FLAT),
    has_weights=True,
    describe_tensors=_fullyconnected_tensors,
    describe_name=plain_name(*CHW_TO_CHW),
    count_macs=weighted_macs,
    count_study_flops=_fullyconnected_study_flops,
    reduction=lambda parameters: math.prod(input_dims(parameters, 1)),
)

GEMM = Species(
    # output = alpha * input (M x K) * weights (K x N) + beta * input1; a batch multiplies the rows M.
    name="gemm",
    uid="0fb1facb344688fd",
    axes="K-M-N-alpha-beta",
    fields=(
        *(Field(key=f"CK_GEMM_{axis}") for axis in "KMN"),
        Field(key="CK_GEMM_ALPHA", default=1, minimum=-1024),
        Field(key="CK_GEMM_BETA", default=0, minimum=-1024),
    ),
    has_weights=True,
    describe_tensors=_gemm_tensors,
    describe_name=plain_name("GEMM_K", "GEMM_M", "GEMM_N", "GEMM_ALPHA", "GEMM_BETA"),
    count_macs=lambda parameters, tensors: math.prod(tensors["output"]) * parameters["CK_GEMM_K"],
    reduction=lambda parameters: parameters["CK_GEMM_K"],
)

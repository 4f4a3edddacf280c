"""Local response, batch and layer normalisation, as inference computes them."""

import math

from nntest.errors import UsageError
from nntest.model.shape import Field, Parameters
from nntest.model.species.entry import CHW, INPUT, INPUT_FLAT, Species, Tensors, input_dims, names

_LRN_DEFAULTS = {"CK_LRN_SIZE": 5, "CK_LRN_ALPHA_PPM": 100, "CK_LRN_BETA_PERCENT": 75, "CK_LRN_K": 1}
_EPSILON = "CK_BATCHNORM_EPSILON_PPM"
_EPSILON_DEFAULT = 10


def _lrn_tensors(parameters: Parameters, batch_size: int) -> Tensors:
    inputs = input_dims(parameters, batch_size)
    return {"input": inputs, "output": inputs}


def _lrn_check(parameters: Parameters, where: str) -> None:
    if parameters["CK_LRN_SIZE"] % 2 == 0:
        raise UsageError(
            f"{where}: CK_LRN_SIZE is {parameters['CK_LRN_SIZE']}; expected an odd number, "
            "as many neighbours on both sides; correct the shape"
        )


def _lrn_name(parameters: Parameters) -> str:
    parts = [*names(parameters, *CHW), str(parameters["CK_LRN_SIZE"])]
    for letter, key in (("a", "CK_LRN_ALPHA_PPM"), ("b", "CK_LRN_BETA_PERCENT"), ("k", "CK_LRN_K")):
        if parameters[key] != _LRN_DEFAULTS[key]:
            parts.append(f"{letter}{parameters[key]}")
    return "-".join(parts)


def _batchnorm_tensors(parameters: Parameters, batch_size: int) -> Tensors:
    inputs = input_dims(parameters, batch_size)
    return {"input": inputs, "weights": (3, inputs[1]), "bias": (inputs[1],), "output": inputs}


def _batchnorm_name(parameters: Parameters) -> str:
    parts = names(parameters, *CHW)
    if parameters[_EPSILON] != _EPSILON_DEFAULT:
        parts.append(f"e{parameters[_EPSILON]}")
    return "-".join(parts)


def _layernorm_tensors(parameters: Parameters, batch_size: int) -> Tensors:
    rows, columns = batch_size * parameters["CK_LAYERNORM_M"], parameters["CK_LAYERNORM_N"]
    return {"input": (rows, columns), "weights": (columns,), "bias": (columns,), "output": (rows, columns)}


def _layernorm_check(parameters: Parameters, where: str) -> None:
    if parameters["CK_LAYERNORM_N"] == 1:
        raise UsageError(
            f"{where}: CK_LAYERNORM_N is 1; expected at least 2, as one number has no variance; correct the shape"
        )


def _layernorm_name(parameters: Parameters) -> str:
    parts = names(parameters, "LAYERNORM_M", "LAYERNORM_N")
    epsilon = parameters["CK_LAYERNORM_EPSILON_PPM"]
    return "-".join([*parts, *([f"e{epsilon}"] if epsilon != _EPSILON_DEFAULT else [])])


LRN = Species(
    # Across channels: x / (k + alpha / size * sum of x^2 over the size channels around it) ^ beta. Channels that do
    # not exist count as 0. A. Krizhevsky et al., 2012, section 3.3, writes alpha for alpha / size. The defaults are
    # those of Caffe's AlexNet and GoogLeNet; numbers are whole, so alpha is in millionths and beta in hundredths.
    name="lrn",
    axes="C-H-W-size",
    fields=(*INPUT, *(Field(key=key, default=value, written=False) for key, value in _LRN_DEFAULTS.items())),
    check=_lrn_check,
    describe_tensors=_lrn_tensors,
    describe_name=_lrn_name,
    count_flops=lambda parameters, tensors: (2 * parameters["CK_LRN_SIZE"] + 4) * math.prod(tensors["output"]),
    reduction=lambda parameters: parameters["CK_LRN_SIZE"],
)

BATCHNORM = Species(
    # scale * (x - mean) / sqrt(variance + epsilon) + bias, each one number per channel. The rows of the weights are
    # scale, mean and spread; variance = 1/2 + spread^2, so that it is positive whatever the numbers are.
    name="batchnorm",
    axes="C-H-W",
    fields=(*INPUT_FLAT, Field(key=_EPSILON, default=_EPSILON_DEFAULT, minimum=0, written=False)),
    has_weights=True,
    describe_tensors=_batchnorm_tensors,
    describe_name=_batchnorm_name,
    count_flops=lambda _, tensors: 2 * math.prod(tensors["output"]),
    reduction=lambda _: 2,
)

LAYERNORM = Species(
    # Each of M rows: (x - mean) / sqrt(variance + epsilon) * weights + bias, mean and variance over its N numbers; a
    # batch multiplies the rows.
    name="layernorm",
    axes="M-N",
    fields=(
        Field(key="CK_LAYERNORM_M"),
        Field(key="CK_LAYERNORM_N"),
        Field(key="CK_LAYERNORM_EPSILON_PPM", default=_EPSILON_DEFAULT, minimum=0, written=False),
    ),
    has_weights=True,
    check=_layernorm_check,
    describe_tensors=_layernorm_tensors,
    describe_name=_layernorm_name,
    count_flops=lambda _, tensors: 8 * math.prod(tensors["output"]),
    reduction=lambda parameters: parameters["CK_LAYERNORM_N"],
)

"""One small case of each species, and of what makes them odd: groups, sides, fused operations, layouts."""

from typing import Any

from nntest.model.case import Case
from nntest.model.species import SPECIES

IMAGE = {"CK_IN_SHAPE_C": 8, "CK_IN_SHAPE_H": 6, "CK_IN_SHAPE_W": 5}
CONV = {**IMAGE, "CK_OUT_SHAPE_C": 4, "CK_CONV_KERNEL": 3}
POOL = {**IMAGE, "CK_POOL_KERNEL": 3, "CK_POOL_STRIDE": 2, "CK_POOL_PAD": 1}


def case(species: str, values: dict[str, int], **other: Any) -> Case:
    parameters, batch_size = SPECIES[species].normalise(values)
    words = {"program": f"{species}-onednn-cpu", "batch_size": batch_size, **other}
    return Case(species=species, parameters=parameters, **words)


CASES = {
    "conv": case("conv", {**CONV, "CK_CONV_PAD": 1}),
    "conv-sides": case("conv", {**CONV, "CK_CONV_STRIDE": 2, "CK_CONV_PAD_T": 0, "CK_CONV_PAD_L": 1,
                                "CK_CONV_PAD_B": 2, "CK_CONV_PAD_R": 0, "CK_IN_SHAPE_N": 2}),
    "conv-groups": case("conv", {**CONV, "CK_CONV_GROUPS": 2, "CK_CONV_DILATION": 2}),
    "conv-relu": case("conv", CONV, post_ops="relu", data="int", seed=7),
    "conv-sum-relu": case("conv", CONV, post_ops="sum+relu", layout="NHWC"),
    "directconv": case("conv", {**CONV, "CK_OUT_SHAPE_C": 16}, program="directconv-onednn-cpu", layout="NHWC"),
    "depthwiseconv": case("depthwiseconv", {**IMAGE, "CK_DEPTHWISE_STRIDE": 2, "CK_DEPTHWISE_PAD": 1}),
    "fullyconnected": case("fullyconnected", {**IMAGE, "CK_OUT_SHAPE_C": 10, "CK_IN_SHAPE_N": 2}, post_ops="sum"),
    "fullyconnected-nhwc": case("fullyconnected", {**IMAGE, "CK_OUT_SHAPE_C": 10}, layout="NHWC"),
    "gemm": case("gemm", {"CK_GEMM_M": 5, "CK_GEMM_K": 7, "CK_GEMM_N": 6}),
    "gemm-beta": case("gemm", {"CK_GEMM_M": 5, "CK_GEMM_K": 7, "CK_GEMM_N": 6, "CK_GEMM_ALPHA": 3, "CK_GEMM_BETA": 2}),
    "avgpool": case("avgpool", POOL),
    "avgpool-exclude": case("avgpool", {**POOL, "CK_EXCLUDE_PADDING": 1}, layout="NCHW"),
    "maxpool": case("maxpool", {**POOL, "CK_POOL_PAD_R": 0, "CK_IN_SHAPE_N": 3}),
    "softmax": case("softmax", {"CK_IN_SHAPE_C": 10}),
    "add": case("add", IMAGE, data="relu"),
    "concat": case("concat", {**IMAGE, "CK_CONCAT_C1": 3, "CK_CONCAT_C2": 16}),
    "concat-blocks": case("concat", {**IMAGE, "CK_IN_SHAPE_C": 16, "CK_CONCAT_C1": 32}),
    "relu": case("relu", IMAGE),
    "lrn": case("lrn", {**IMAGE, "CK_LRN_ALPHA_PPM": 20000}),
    "batchnorm": case("batchnorm", IMAGE),
    "flatten": case("flatten", {**IMAGE, "CK_IN_SHAPE_N": 2}),
    "reorder": case("reorder", IMAGE),
    "reorder-nhwc": case("reorder", IMAGE, layout="NHWC"),
    "reshape": case("reshape", {**IMAGE, "CK_OUT_SHAPE_C": 24, "CK_OUT_SHAPE_H": 10}, program="reshape-armcl-neon"),
    "resizebilinear": case("resizebilinear", {**IMAGE, "CK_OUT_SHAPE_H": 9, "CK_OUT_SHAPE_W": 13},
                           program="resizebilinear-armcl-neon"),
    "resizebilinear-centres": case("resizebilinear", {**IMAGE, "CK_OUT_SHAPE_H": 9, "CK_OUT_SHAPE_W": 3,
                                                      "CK_HALF_PIXEL_CENTERS": 1}, program="resizebilinear-armcl-neon"),
    "layernorm": case("layernorm", {"CK_LAYERNORM_M": 3, "CK_LAYERNORM_N": 9}),
}  # fmt: skip

"""Quantised references against whole-number loops and plain rounding; the check by steps."""

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nntest.errors import UsageError
from nntest.measure.inputs import case_inputs
from nntest.measure.reference import Reference, ReferenceCache, expected, reference_id
from nntest.measure.verify import verify
from nntest.model.case import Case, Fill
from nntest.model.species import SPECIES

FILLS = st.sampled_from(["normal", "relu", "int", "zeros"])


def case_of(species: str, raw: Any, **options: Any) -> Case:
    parameters, batch_size = SPECIES[species].normalise(raw)
    options = {"dtype": "uint8", **options}
    return Case(program=f"{species}-x", species=species, parameters=parameters, batch_size=batch_size, **options)


def stored(exact: Fraction, zero: int) -> int:
    """Round to the nearest step, ties away from zero, and hold it in range."""
    steps = math.floor(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)
    return min(255, max(0, steps + zero))


def factor_of(case: Case) -> Fraction:
    scales = {role: Fraction(one.scale) for role, one in case.quantisation.items()}
    return scales["input"] * scales["weights"] / scales["output"]


@settings(max_examples=25)
@given(depth=st.integers(1, 60), outputs=st.integers(1, 5), data=FILLS, seed=st.integers(0, 2**40))
def test_fully_connected_layers_are_whole_sums_requantised(depth: int, outputs: int, data: Fill, seed: int) -> None:
    case = case_of("fullyconnected", {"CK_IN_SHAPE_C": depth, "CK_OUT_SHAPE_C": outputs}, data=data, seed=seed)
    tensors = {role: values.reshape(-1).astype(int).tolist() for role, values in case_inputs(case).items()}
    zero = case.quantisation["output"].zero_point
    wanted = []
    for out in range(outputs):
        row = tensors["weights"][out * depth : (out + 1) * depth]
        total = tensors["bias"][out] + sum(a * b for a, b in zip(tensors["input"], row, strict=True))
        wanted.append(stored(total * factor_of(case), zero))
    assert expected(case).reshape(-1).tolist() == wanted


@settings(max_examples=15)
@given(channels=st.integers(1, 4), size=st.integers(3, 6), stride=st.integers(1, 2), pad=st.integers(0, 2))
def test_padding_of_convolutions_is_the_zero_point(channels: int, size: int, stride: int, pad: int) -> None:
    raw = {
        "CK_IN_SHAPE_C": channels,
        "CK_IN_SHAPE_H": size,
        "CK_IN_SHAPE_W": size,
        "CK_OUT_SHAPE_C": 2,
        "CK_CONV_KERNEL": 3,
        "CK_CONV_STRIDE": stride,
        "CK_CONV_PAD": pad,
    }
    case = case_of("conv", raw)
    tensors = {role: values.astype(int) for role, values in case_inputs(case).items()}
    output = expected(case)
    for k, y, x in itertools.product(*map(range, output.shape[1:])):
        total = int(tensors["bias"][k])
        for c, i, j in itertools.product(range(channels), range(3), range(3)):
            row, column = y * stride + i - pad, x * stride + j - pad
            if 0 <= row < size and 0 <= column < size:
                total += int(tensors["input"][0, c, row, column]) * int(tensors["weights"][k, c, i, j])
        assert output[0, k, y, x] == stored(total * factor_of(case), case.quantisation["output"].zero_point)


@given(channels=st.integers(1, 300), seed=st.integers(0, 2**40))
def test_softmax_is_in_256ths_of_one(channels: int, seed: int) -> None:
    case = case_of("softmax", {"CK_IN_SHAPE_C": channels}, seed=seed)
    real = case_inputs(case)["input"].reshape(-1) * 2.0**-3
    shares = np.exp(real - real.max()) / np.exp(real - real.max()).sum()
    assert np.abs(expected(case).reshape(-1) - np.minimum(shares * 256, 255)).max() <= 0.5 + 1e-9


def test_pooling_keeps_the_input_s_numbers() -> None:
    raw = {"CK_IN_SHAPE_C": 2, "CK_IN_SHAPE_H": 4, "CK_IN_SHAPE_W": 4, "CK_POOL_KERNEL": 2, "CK_POOL_STRIDE": 2}
    for species, wanted in (("maxpool", np.max), ("avgpool", np.mean)):
        case = case_of(species, raw)
        image = case_inputs(case)["input"][0].reshape(2, 2, 2, 2, 2).transpose(0, 1, 3, 2, 4).reshape(2, 2, 2, 4)
        steps = wanted(image.astype(np.float64), axis=3)
        rounded = np.sign(steps) * np.floor(np.abs(steps) + 0.5)
        assert np.array_equal(expected(case)[0], rounded + 128)


def test_references_of_types_are_kept_apart(tmp_path: Any) -> None:
    raw = {"CK_IN_SHAPE_C": 5, "CK_OUT_SHAPE_C": 3}
    whole, floats = (case_of("fullyconnected", raw, dtype=dtype) for dtype in ("uint8", "float32"))
    cache = ReferenceCache(tmp_path)
    assert cache.expected(whole).name == f"integer-v1:{reference_id(whole)}"
    assert cache.expected(floats).name == f"float64-v1:{reference_id(floats)}"
    assert reference_id(whole) != reference_id(floats)
    assert reference_id(floats) == "f9b63ad93833d62b"
    assert np.array_equal(cache.expected(whole).values, expected(whole))


@pytest.mark.parametrize(
    ("species", "raw", "options", "what"),
    [
        ("relu", {"CK_IN_SHAPE_C": 3}, {}, "species relu"),
        ("fullyconnected", {"CK_IN_SHAPE_C": 3, "CK_OUT_SHAPE_C": 2}, {"post_ops": "sum"}, "a sum of two scales"),
        ("gemm", {"CK_GEMM_M": 2, "CK_GEMM_N": 2, "CK_GEMM_K": 2, "CK_GEMM_BETA": 1}, {}, "a sum of two scales"),
    ],
)
def test_what_has_no_quantised_reference_is_refused(species: str, raw: Any, options: Any, what: str) -> None:
    with pytest.raises(UsageError) as refused:
        expected(case_of(species, raw, **options))
    assert str(refused.value) == (
        f"{species}-x: no reference in uint8 is known for {what}; expected one of avgpool, conv, depthwiseconv, "
        "flatten, fullyconnected, gemm, maxpool, reorder, reshape, resizebilinear, softmax, nothing added; "
        "use --skip_output_validation"
    )


@given(steps=st.integers(-3, 3), at=st.integers(0, 14))
def test_one_step_is_rounding_and_two_are_wrong(steps: int, at: int) -> None:
    case = case_of("fullyconnected", {"CK_IN_SHAPE_C": 40, "CK_OUT_SHAPE_C": 15})
    reference = Reference(expected(case), reference_id(case), "integer")
    output = reference.values.astype(np.uint8)
    output[0, at] += np.uint8(steps % 256)
    checked = verify(case, output, reference, "auto")
    assert (checked.verified, checked.max_error, checked.limit) == (abs(steps) <= 1, abs(steps), 1.0)
    if abs(steps) > 1:
        right = int(reference.values[0, at, 0, 0])
        assert checked.reason == (
            f"output[0, {at}, 0, 0] is {right + steps}; expected {right}; error {abs(steps)}, limit 1 "
            "(steps of the output's scale); 1 of 15 values are wrong"
        )


def test_what_only_moves_bytes_is_equal_or_wrong() -> None:
    case = case_of("maxpool", {"CK_IN_SHAPE_C": 2, "CK_IN_SHAPE_H": 3, "CK_IN_SHAPE_W": 3, "CK_POOL_KERNEL": 2})
    reference = Reference(expected(case), reference_id(case))
    output = reference.values.astype(np.uint8)
    assert verify(case, output, reference, "pool").verified
    output[0, 0, 0, 0] -= np.uint8(1)
    assert not verify(case, output, reference, "pool").verified


def test_another_size_is_wrong() -> None:
    case = case_of("softmax", {"CK_IN_SHAPE_C": 4})
    checked = verify(case, np.zeros(3, np.uint8), Reference(expected(case), "x"), "softmax")
    assert (checked.verified, checked.reason) == (False, "output has the shape 3; expected 1x4x1x1")

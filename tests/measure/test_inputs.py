"""Inputs from a counter: equal to the definition in whole numbers, and to themselves in any order."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nntest.measure.inputs import case_inputs, case_tensors, fill_of, stream_values, tensor_values
from nntest.model.case import Case, Fill
from nntest.model.species import SPECIES

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "inputs.json").read_text())["vectors"]


def _case(**options: Any) -> Case:
    raw = {"CK_IN_SHAPE_C": 4, "CK_IN_SHAPE_H": 3, "CK_IN_SHAPE_W": 5, "CK_OUT_SHAPE_C": 6, "CK_CONV_KERNEL": 3}
    parameters, _ = SPECIES["conv"].normalise(raw)
    return Case(program="conv-x", species="conv", parameters=parameters, **options)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['role']}-{v['data']}-{v['seed']}-{v['first']}")
def test_vectors(vector: dict[str, Any]) -> None:
    fill = fill_of(vector["role"], vector["data"])
    values = stream_values(vector["seed"], vector["role"], first=vector["first"], count=8, fill=fill)
    assert values.dtype == np.float32
    assert values.tolist() == vector["values"]


@given(first=st.integers(0, 2**40), skip=st.integers(0, 70_000), count=st.integers(1, 50))
def test_any_part_can_be_made_alone(first: int, skip: int, count: int) -> None:
    whole = stream_values(7, "weights", first=first, count=skip + count)
    part = stream_values(7, "weights", first=first + skip, count=count)
    assert np.array_equal(whole[skip:], part)


def test_values_are_spread_over_minus_one_to_one() -> None:
    values = stream_values(42, "input", count=200_000).astype(np.float64)
    assert values.min() >= -1
    assert values.max() < 1
    assert abs(values.mean()) < 0.01
    assert values.var() == pytest.approx(1 / 3, rel=0.01)
    other = stream_values(42, "weights", count=200_000).astype(np.float64)
    assert abs(np.corrcoef(values, other)[0, 1]) < 0.01
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.01


def test_a_case_has_its_tensors_in_logical_order() -> None:
    case = _case(batch_size=2)
    inputs = case_inputs(case)
    assert {role: values.shape for role, values in inputs.items()} == {
        "input": (2, 4, 3, 5),
        "weights": (6, 4, 3, 3),
        "bias": (6,),
    }
    assert np.array_equal(inputs["weights"].reshape(-1), stream_values(42, "weights", count=216))
    part = tensor_values(case, "weights", (6, 4, 3, 3), first=36, count=36)
    assert np.array_equal(part, inputs["weights"][1].reshape(-1))


def test_a_fused_sum_reads_what_was_in_the_output() -> None:
    assert case_tensors(_case(post_ops="sum+relu"))["input1"] == (1, 6, 1, 3)
    assert "input1" not in case_tensors(_case(post_ops="relu"))


def test_only_activations_are_rectified_or_zero() -> None:
    relu, zeros = case_inputs(_case(data="relu")), case_inputs(_case(data="zeros"))
    assert relu["input"].min() == 0 < relu["input"].max()
    assert not zeros["input"].any()
    for role in ("weights", "bias"):
        assert np.array_equal(relu[role], zeros[role])
        assert relu[role].min() < 0
    whole = case_inputs(_case(data="int"))
    assert all(np.array_equal(values, np.floor(values)) for values in whole.values())
    assert set(whole["weights"].reshape(-1).tolist()) <= set(range(-8, 8))


@given(data=st.sampled_from(["normal", "relu", "int", "zeros"]), seed=st.integers(0, 2**63 - 1))
def test_quantised_tensors_are_the_streams_rounded_down_to_a_step_and_held_in_range(data: Fill, seed: int) -> None:
    floats, stored = case_inputs(_case(data=data, seed=seed)), case_inputs(_case(data=data, seed=seed, dtype="uint8"))
    quantisation = _case(data=data, dtype="uint8").quantisation
    for role, values in stored.items():
        whole = np.floor(floats[role].astype(np.float64) / quantisation[role].scale)
        zero = quantisation[role].zero_point
        wanted = whole if role == "bias" else np.clip(whole + zero, 0, 255) - zero
        assert np.array_equal(values, wanted), role


def test_all_bytes_are_used() -> None:
    parameters, _ = SPECIES["reshape"].normalise({"CK_IN_SHAPE_C": 64, "CK_IN_SHAPE_H": 64, "CK_OUT_SHAPE_C": 4096})
    case = Case(program="reshape-x", species="reshape", parameters=parameters, dtype="uint8")
    assert set((case_inputs(case)["input"].reshape(-1) + 128).tolist()) == set(range(256))


def test_part_of_a_quantised_tensor_is_made_alone() -> None:
    case = _case(dtype="uint8")
    part = tensor_values(case, "weights", (6, 4, 3, 3), first=36, count=36)
    assert np.array_equal(part, case_inputs(case)["weights"][1].reshape(-1))

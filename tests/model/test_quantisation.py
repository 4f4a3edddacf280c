"""Scales and zero points: by the documented rule, part of a quantised case and of no other."""

import json
import math
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nntest.model.case import Case
from nntest.model.point_json import from_json, schema, to_json
from nntest.model.quantisation import Quantisation, quantisation_of
from nntest.model.species import SPECIES
from nntest.model.zoo.synthetic import SYNTHETIC
from tests.points import make_point

CONV = {"CK_IN_SHAPE_C": 4, "CK_IN_SHAPE_H": 3, "CK_IN_SHAPE_W": 5, "CK_OUT_SHAPE_C": 6, "CK_CONV_KERNEL": 3}


def case_of(species: str, raw: Any, **options: Any) -> Case:
    parameters, batch_size = SPECIES[species].normalise(raw)
    return Case(program=f"{species}-x", species=species, parameters=parameters, batch_size=batch_size, **options)


def test_a_convolution_s_numbers() -> None:
    assert case_of("conv", CONV, dtype="uint8").block()["quantisation"] == {
        "input": {"scale": 2**-7, "zero_point": 128},
        "weights": {"scale": 2**-7, "zero_point": 121},
        "bias": {"scale": 2**-14, "zero_point": 0},
        "output": {"scale": pytest.approx(math.sqrt(4 * 3 * 3 + 3) / 96, rel=2**-24), "zero_point": 117},
    }


def test_whole_numbers_have_steps_of_one() -> None:
    found = case_of("conv", CONV, dtype="uint8", data="int").quantisation
    assert {role: found[role].scale for role in ("input", "weights", "bias")} == dict.fromkeys(
        ("input", "weights", "bias"), 1.0
    )
    assert found["output"].scale == pytest.approx(64 * math.sqrt(39) / 96, rel=2**-24)


def test_softmax_has_the_output_that_the_library_demands_and_an_input_that_is_worth_it() -> None:
    found = case_of("softmax", {"CK_IN_SHAPE_C": 9}, dtype="uint8").quantisation
    assert found == {
        "input": Quantisation(scale=2**-3, zero_point=128),
        "output": Quantisation(scale=2**-8, zero_point=0),
    }


@pytest.mark.parametrize("species", ["avgpool", "maxpool", "reshape", "resizebilinear"])
def test_what_only_moves_or_averages_keeps_the_numbers_of_its_input(species: str) -> None:
    parameters, _ = SPECIES[species].normalise(_some_shape(species))
    found = quantisation_of(species, parameters, data="normal")
    assert found == {role: Quantisation(scale=2**-7, zero_point=128) for role in ("input", "output")}


def _some_shape(species: str) -> Any:
    return SYNTHETIC[species][0].values


@given(depth=st.integers(1, 100_000), data=st.sampled_from(["normal", "relu", "int", "zeros"]))
def test_products_are_scaled_down_and_scales_are_floats_of_32_bits(depth: int, data: str) -> None:
    found = case_of("fullyconnected", {"CK_IN_SHAPE_C": depth, "CK_OUT_SHAPE_C": 3}, dtype="uint8", data=data)
    scales = {role: one.scale for role, one in found.quantisation.items()}
    assert scales["input"] * scales["weights"] == scales["bias"]
    assert 0 < scales["bias"] / scales["output"] < 1  # what fixed-point requantisation takes
    assert all(float(np.float32(scale)) == scale for scale in scales.values())


def test_other_cases_say_nothing_of_it() -> None:
    assert "quantisation" not in case_of("conv", CONV).block()
    assert case_of("conv", CONV).quantisation == {}


@pytest.mark.parametrize(
    ("species", "raw", "options", "identity"),
    [
        ("conv", CONV, {}, "d1aac5dce0411038"),
        ("conv", CONV, {"layout": "NHWC", "threads": 2, "env": {"CK_LWS_TUNER_TYPE": "NONE"}}, "3f2e28001dedf895"),
        ("softmax", {"CK_IN_SHAPE_C": 1001}, {"data": "int", "seed": 7, "post_ops": "relu"}, "b26dbd1a01aa63d6"),
    ],
)
def test_float32_cases_keep_the_ids_that_they_had_before_there_were_others(
    species: str, raw: Any, options: Any, identity: str
) -> None:
    assert case_of(species, raw, **options).id == identity


def test_a_point_keeps_the_numbers_that_it_was_measured_with() -> None:
    given_ = {"input": Quantisation(scale=0.5, zero_point=3), "output": Quantisation(scale=0.25, zero_point=7)}
    case = case_of("reshape", {**_some_shape("reshape")}, dtype="uint8", quantisation=given_)
    words = json.loads(json.dumps(to_json(make_point(case=case))))
    jsonschema.validate(words, schema())
    assert from_json(words).case == case
    assert from_json(words).case.id == case.id

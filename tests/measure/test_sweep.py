"""Shapes along a parameter."""

import pytest

from nntest.errors import UsageError
from nntest.measure.selection import Shape
from nntest.measure.sweep import parse_sweep, sweep_shapes
from nntest.model.species import SPECIES


def shape(channels: int, dataset: str = "tensor-conv-net") -> Shape:
    raw = {"CK_IN_SHAPE_C": channels, "CK_IN_SHAPE_H": 14, "CK_IN_SHAPE_W": 14, "CK_CONV_KERNEL": 1,
           "CK_CONV_STRIDE": 1, "CK_OUT_SHAPE_C": 64, "CK_CONV_PAD": 0}  # fmt: skip
    parameters, batch = SPECIES["conv"].normalise(raw)
    return Shape(species="conv", dataset=dataset, dataset_file="shape-x", parameters=parameters, batch_size=batch)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("CK_IN_SHAPE_C=96:129", tuple(range(96, 129))),
        ("CK_IN_SHAPE_C=8:33:8", (8, 16, 24, 32)),
        ("CK_IN_SHAPE_C=4,2,4", (4, 2)),
        ("CK_IN_SHAPE_C=7", (7,)),
    ],
)
def test_ranges_and_lists_are_read(text: str, values: tuple[int, ...]) -> None:
    assert parse_sweep([text]) == {"CK_IN_SHAPE_C": values}


@pytest.mark.parametrize(
    "text", ["", "CK_IN_SHAPE_C", "=1:4", "CK_IN_SHAPE_C=", "C=a:b", "C=1:2:3:4", "C=4:1", "C=1:9:0"]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"^sweep: .* was given; expected PARAMETER=START:STOP, "):
        parse_sweep([text])


def test_every_value_is_taken_all_else_being_equal() -> None:
    swept = sweep_shapes([shape(10)], {"CK_IN_SHAPE_C": (3, 4), "CK_CONV_KERNEL": (1, 3)}, named=True)
    names = [item.name for item in swept]
    assert names == ["3-14-14-1-64-1-0", "3-14-14-3-64-1-0", "4-14-14-1-64-1-0", "4-14-14-3-64-1-0"]


def test_without_a_dataset_the_middle_shape_of_real_networks_is_swept() -> None:
    shapes = [shape(10), shape(20), shape(90), shape(30, "tensor-conv-synthetic")]
    swept = sweep_shapes(shapes, {"CK_OUT_SHAPE_C": (5, 6)}, named=False)
    assert [item.name for item in swept] == ["20-14-14-1-5-1-0", "20-14-14-1-6-1-0"]


def test_equal_shapes_are_one() -> None:
    assert len(sweep_shapes([shape(10), shape(20)], {"CK_IN_SHAPE_C": (5, 6)}, named=True)) == 2


def test_unknown_parameters_and_nonsense_are_refused() -> None:
    with pytest.raises(UsageError, match=r"^sweep: CK_X is no parameter of conv; expected one of CK_IN_SHAPE_N, "):
        sweep_shapes([shape(10)], {"CK_X": (1,)}, named=True)
    with pytest.raises(UsageError, match=r"^sweep of tensor-conv-net:shape-x: CK_IN_SHAPE_C is 0; "):
        sweep_shapes([shape(10)], {"CK_IN_SHAPE_C": (0,)}, named=True)


def test_without_a_sweep_shapes_stay_as_they_are() -> None:
    assert sweep_shapes([shape(10)], {}, named=False) == [shape(10)]

"""Shapes are found again from their names."""

import pytest

from nntest.model.shape_names import parameters_of
from nntest.model.species import SPECIES
from nntest.store.entries import find_datasets

CLEAR = ("conv", "depthwiseconv", "fullyconnected", "gemm", "maxpool", "softmax", "add")


@pytest.mark.parametrize("species", CLEAR)
def test_every_shape_of_our_datasets_is_found_again(species: str) -> None:
    entry = SPECIES[species]
    seen = 0
    for dataset in find_datasets("*", f"tensor-{species}"):
        for name in dataset.dataset_files:
            parameters, _ = entry.normalise(dataset.shape_parameters(name))
            found = parameters_of(species, entry.shape_name(parameters))
            # a name that does not tell all is no name of a shape; it never becomes another shape's parameters
            assert found in (parameters, None)
            seen += found is not None
    assert seen > 5


@pytest.mark.parametrize(
    "name", ["", "3", "3-224-224-3-32-2", "3-224-224-9-32-2-0-q", "a-b-c-d-e-f-g", "0-1-1-1-1-1-0"]
)
def test_what_is_no_name_gives_nothing(name: str) -> None:
    assert parameters_of("conv", name) is None


def test_asymmetric_padding_groups_and_dilation_come_back() -> None:
    parameters = parameters_of("conv", "4-9-9-3x1-8-2x1-0.1.2.3-g2-d1x2")
    assert parameters is not None
    keys = ("CK_CONV_PAD_R", "CK_CONV_GROUPS", "CK_CONV_KERNEL_H", "CK_CONV_DILATION_W")
    assert [parameters[key] for key in keys] == [3, 2, 3, 2]

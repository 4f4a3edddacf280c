import pytest

from nntest.analyses.contract import Frames
from nntest.analyses.networks import layers_of, shapes_as_layers
from nntest.errors import UsageError
from tests.analyses.frames import network, session


def test_equal_layers_are_one_row_with_its_multiplicity() -> None:
    layers = layers_of(Frames(points=session(), networks=network()), "mobilenets-v1-1.0-224", where="x")
    heavy = layers.set_index("shape").loc["512-14-14-1-512-1-0"]
    assert heavy["multiplicity"] == 5
    assert heavy["layer"] == "layer07+layer10+layer11+layer12+layer13"
    assert layers["multiplicity"].sum() == len(network())


def test_entry_and_network_name_are_alike() -> None:
    frames = Frames(points=session(), networks=network().assign(network="network-tiny"))
    assert layers_of(frames, "tiny", where="x").equals(layers_of(frames, "network-tiny", where="x"))


def test_a_source_without_networks() -> None:
    with pytest.raises(UsageError, match=r"^x: there is no network 'tiny'; known: none$"):
        layers_of(Frames(points=session()), "tiny", where="x")


def test_shapes_count_once() -> None:
    layers = shapes_as_layers(session(disturbed=False))
    assert layers["multiplicity"].eq(1).all()
    assert layers["species"].value_counts().to_dict() == {"conv": 10, "depthwiseconv": 4, "fullyconnected": 1}

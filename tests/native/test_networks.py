"""Every layer of some networks, by the programs whose species are networks' joints, against the reference.

Networks hold batch normalisation folded and ReLU fused, and flattening is no layer there: those shapes are taken from
the layers after which they would stand.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from nntest.measure.driver import UnsupportedCase
from nntest.measure.reference import ReferenceCache
from nntest.measure.verify import verify
from nntest.model.network import Layer, load_network
from tests.programs.build import CACHE, REPOSITORY, case_of, source_of, start

pytestmark = [pytest.mark.native, pytest.mark.full]

REFERENCES = ReferenceCache(CACHE.parent / "references")
# Only two of the networks normalise over neighbouring channels.
NETWORKS = {
    "add": ("resnet-18", "resnet-20-cifar10", "resnet-50"),
    "concat": ("googlenet", "squeezenet-1.0", "squeezenet-1.1"),
    "lrn": ("alexnet", "googlenet"),
    "relu": ("resnet-18", "squeezenet-1.0", "vgg-16"),
    "batchnorm": ("resnet-18", "resnet-50", "mobilenets-v1-1.0-224"),
    "flatten": ("lenet-5", "alexnet", "vgg-16"),
}


def shapes_of(species: str, network: str) -> dict[str, Mapping[str, object]]:
    """CK_* values by name, each once."""
    layers = load_network(REPOSITORY / "dataset" / f"network-{network}" / "network.json").layers
    return {"-".join(map(str, values.values())): values for values in _values(species, layers)}


def _values(species: str, layers: tuple[Layer, ...]) -> Iterator[Mapping[str, object]]:
    species_of = {layer.name: layer.species for layer in layers}

    def is_first_product(layer: Layer) -> bool:
        return layer.species == "fullyconnected" and species_of.get(layer.inputs[0]) != "fullyconnected"

    for layer in layers:
        follows = {
            "relu": layer.post_ops == "relu",
            "batchnorm": layer.species in ("conv", "depthwiseconv"),
        }
        if layer.species == species:
            yield layer.table.ck_values(layer.parameters)
        elif follows.get(species, False):
            yield _image(layer.output)
        elif species == "flatten" and is_first_product(layer):
            yield _image(layer.table.tensors(layer.parameters)["input"])


def _image(dims: tuple[int, ...]) -> dict[str, object]:
    return {f"CK_IN_SHAPE_{axis}": size for axis, size in zip("CHW", dims[1:], strict=True)}


FUSED = [
    ("conv-onednn-cpu", "resnet-18"),
    ("conv-onednn-cpu", "resnet-20-cifar10"),
    ("conv-onednn-cpu", "squeezenet-1.1"),
    ("directconv-onednn-cpu", "resnet-18"),
    ("directconv-onednn-cpu", "resnet-20-cifar10"),
    ("conv-plain-cpu", "resnet-20-cifar10"),
    ("depthwiseconv-onednn-cpu", "mobilenets-v1-0.25-128"),
    ("depthwiseconv-plain-cpu", "mobilenets-v1-0.25-128"),
    ("fullyconnected-onednn-cpu", "lenet-5"),
    ("fullyconnected-plain-cpu", "lenet-5"),
]
CASES = [
    (f"{species}-{library}", network)
    for species, networks in NETWORKS.items()
    for network in networks
    for library in ("onednn-cpu", "plain-cpu")
]


def check_network(name: str, network: str, folder: Path, post_ops: str = "") -> int:
    """Check every shape in every layout that the program takes; return how many were done."""
    meta = source_of(name).meta["nntest"]
    done = 0
    with start(name) as driver:
        for shape, values in shapes_of(meta["species"], network).items():
            for layout in meta["layouts"]:
                case = case_of(name, values, layout=layout, post_ops=post_ops)
                try:
                    driver.setup(1, case, folder / "output.bin")
                except UnsupportedCase as refusal:
                    assert refusal.reason.startswith("oneDNN has no direct kernel for this case in NCHW")
                    continue
                output = np.fromfile(folder / "output.bin", np.float32)
                checked = verify(case, output, REFERENCES.expected(case), meta["algorithm"])
                assert checked.verified, f"{name} {network} {shape} {layout}: {checked.reason}"
                driver.drop(1)
                done += 1
    return done


@pytest.mark.parametrize(("name", "network"), CASES)
def test_every_shape_of_the_network_is_right_in_all_layouts(name: str, network: str, tmp_path: Path) -> None:
    assert check_network(name, network, tmp_path) >= 3


@pytest.mark.parametrize(("name", "network"), FUSED)
def test_every_shape_of_the_network_is_right_with_a_sum_and_relu(name: str, network: str, tmp_path: Path) -> None:
    assert check_network(name, network, tmp_path, "sum+relu") >= 3

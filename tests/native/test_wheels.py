"""Every shape of some networks, by the programs of libraries that come as optional wheels, against the reference."""

import json
from pathlib import Path

import numpy as np
import pytest

from nntest.measure.driver import DriverProcess
from nntest.measure.reference import ReferenceCache
from nntest.measure.verify import algorithm_in_force, verify
from nntest.model.species import SPECIES
from tests.programs.build import CACHE, OPTIONAL_LIBRARIES, REPOSITORY, case_of, source_of, start

pytestmark = [pytest.mark.native, pytest.mark.full]

REFERENCES = ReferenceCache(CACHE.parent / "references")
NETWORKS = {
    "conv": ("resnet-50", "googlenet", "mobilenets-v1-1.0-224"),
    "depthwiseconv": ("mobilenets-v1-1.0-224", "mobilenets-v1-0.5-160", "mobilenets-v1-0.25-128"),
    "fullyconnected": ("resnet-50", "googlenet", "lenet-5"),
    "gemm": ("bert-base", "vit-b-16", "llama-7b-decode"),
    "avgpool": ("resnet-50", "googlenet", "mobilenets-v1-1.0-224"),
    "maxpool": ("resnet-50", "googlenet", "alexnet"),
    "softmax": ("resnet-50", "alexnet", "lenet-5"),
}
PROGRAMS = sorted(
    path.name for path in (REPOSITORY / "program").glob("*-cpu") if path.name.partition("-")[2] in OPTIONAL_LIBRARIES
)
PAIRS = [(name, network) for name in PROGRAMS for network in NETWORKS[name.partition("-")[0]]]


@pytest.mark.parametrize(("name", "network"), PAIRS)
def test_the_output_is_right_for_all_shapes_of_a_network(name: str, network: str, tmp_path: Path) -> None:
    meta = source_of(name).meta["nntest"]
    shapes = sorted((REPOSITORY / "dataset" / f"tensor-{meta['species']}-{network}").glob("shape-*.json"))
    with start(name, timeout_s=300) as driver:
        for shape in shapes:
            for layout in meta["layouts"]:
                check(name, driver, shape, layout, tmp_path / "output.bin")
    assert shapes


def check(name: str, driver: DriverProcess, shape: Path, layout: str, file: Path) -> None:
    """Compute one case and hold its output against the reference."""
    case = case_of(name, json.loads(shape.read_text()), layout=layout)
    setup = driver.setup(1, case, file)
    output = np.fromfile(file, np.float32).reshape(SPECIES[case.species].output_shape(case.parameters, 1))
    algorithm = algorithm_in_force(source_of(name).meta["nntest"]["algorithm"], setup.implementation)
    checked = verify(case, output, REFERENCES.expected(case), algorithm)
    assert checked.verified, f"{name} {shape.stem} {layout}: {checked.reason}"

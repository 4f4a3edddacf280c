"""Networks: order, multiplicities, totals, and graphs that make no sense."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from nntest.errors import DataError
from nntest.model.network import Network, load_network, network_from_json
from nntest.model.zoo.mobilenet import mobilenet_v1


def _pool(name: str, size: int, *inputs: str) -> dict[str, Any]:
    """A 2x2 pooling with stride 2 of a 4-channel square image."""
    parameters = {"CK_IN_SHAPE_C": 4, "CK_IN_SHAPE_H": size, "CK_IN_SHAPE_W": size, "CK_POOL_KERNEL": 2}
    return {
        "name": name,
        "species": "maxpool",
        "parameters": {**parameters, "CK_POOL_STRIDE": 2},
        "inputs": list(inputs),
    }


def _network(*layers: dict[str, Any]) -> Network:
    return network_from_json({"name": "n", "input": [4, 8, 8], "layers": list(layers)}, where="n.json")


def _message(*layers: dict[str, Any]) -> str:
    with pytest.raises(DataError) as error:
        _network(*layers)
    return str(error.value)


def test_mobilenet_has_the_papers_work_and_size() -> None:
    network = mobilenet_v1()
    # Multiply-accumulates of convolutions over true output sizes; the paper says 569 million.
    assert network.macs() == 568_741_376
    # Weights, and one bias per output channel with the batch normalisation folded in; the paper says 4.2 million.
    assert network.parameter_count() == 4_222_057
    # As trained there is a second number per normalised channel (all but the 1001 logits): 4.23 million.
    channels = sum(layer.output[1] for layer in network.layers if layer.species in ("conv", "depthwiseconv"))
    assert network.parameter_count() + channels - 1001 == 4_233_001
    assert network.layers[0].shape == "3-224-224-3-32-2-0.0.1.1"
    assert network.layers[0].output == (1, 32, 112, 112)
    assert network.layers[-1].output == (1, 1001, 1, 1)


@pytest.mark.parametrize(
    ("width", "million_macs", "million_parameters"),
    [(1.0, 569, 4.2), (0.75, 325, 2.6), (0.5, 149, 1.3), (0.25, 41, 0.5)],
)
def test_narrower_mobilenets_match_the_papers_table(width: float, million_macs: int, million_parameters: float) -> None:
    network = mobilenet_v1(width=width)
    assert network.macs() / 1e6 == pytest.approx(million_macs, abs=0.75)
    assert network.parameter_count() / 1e6 == pytest.approx(million_parameters, abs=0.05)


@pytest.mark.parametrize(("resolution", "million_macs"), [(224, 569), (192, 418), (160, 290), (128, 186)])
def test_smaller_inputs_match_the_papers_table(resolution: int, million_macs: int) -> None:
    assert mobilenet_v1(resolution=resolution).macs() / 1e6 == pytest.approx(million_macs, abs=0.75)


def test_multiplicities_count_equal_shapes() -> None:
    counts = mobilenet_v1().multiplicities()
    assert counts["conv", "512-14-14-1-512-1-0"] == 5
    assert counts["depthwiseconv", "512-14-14-1-1"] == 5
    assert sum(counts.values()) == 30
    assert len([key for key in counts if key[0] == "conv"]) == 11


def test_a_network_survives_its_file(tmp_path: Path) -> None:
    network = mobilenet_v1(width=0.25, resolution=128)
    path = tmp_path / "network.json"
    path.write_bytes(orjson.dumps(network.to_json()))
    assert load_network(path) == network


def test_layers_are_put_in_an_order_in_which_they_can_run() -> None:
    network = _network(_pool("c", 2, "b"), _pool("a", 8, "input"), _pool("b", 4, "a"), _pool("d", 8, "input"))
    assert [layer.name for layer in network.layers] == ["a", "b", "c", "d"]


def _concat(name: str, *inputs: str, third: int = 0) -> dict[str, Any]:
    parameters = {"CK_IN_SHAPE_C": 4, "CK_CONCAT_C1": 4, "CK_IN_SHAPE_H": 4, "CK_IN_SHAPE_W": 4}
    if third:
        parameters["CK_CONCAT_C2"] = third
    return {"name": name, "species": "concat", "parameters": parameters, "inputs": list(inputs)}


def test_branches_meet_in_the_order_of_their_operands() -> None:
    branches = _pool("a", 8, "input"), _pool("b", 8, "input")
    network = _network(*branches, _concat("c", "b", "a", "b", third=4))
    assert network.layers[-1].inputs == ("b", "a", "b")
    assert network.layers[-1].output == (1, 12, 4, 4)
    assert _message(*branches, _concat("c", "a", "b", third=5)) == (
        "n.json: layer c has 2 inputs; concat expects 3; correct its inputs"
    )
    assert _message(*branches, _concat("c", "a", "b", "a", third=5)) == (
        "n.json: layer c expects 5x4x4 from a, which gives 4x4x4; expected equal; correct one of them"
    )


def test_what_follows_on_a_layers_output_survives_its_file() -> None:
    network = _network({**_pool("a", 8, "input"), "post_ops": "relu"}, _pool("b", 4, "a"))
    assert [layer.post_ops for layer in network.layers] == ["relu", ""]
    assert network_from_json(network.to_json(), where="n.json") == network
    assert "post_ops" not in network.to_json()["layers"][1]
    assert _message({**_pool("a", 8, "input"), "post_ops": "gelu"}) == (
        "n.json: layer 0 (a): post_ops is 'gelu'; expected 'relu' or none; correct or remove it"
    )


def test_a_file_that_is_absent_or_no_json(tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    with pytest.raises(DataError, match=r"network\.json: cannot be read \(No such file or directory\); expected a net"):
        load_network(path)
    path.write_text("{")
    with pytest.raises(DataError, match=r"network\.json: is no JSON \(.*\); expected a network; correct or restore"):
        load_network(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "n.json: is no JSON object; expected a network; correct or restore the file"),
        ({}, "n.json: name is missing or wrong; expected a text; correct or restore the file"),
        ({"name": "n"}, "n.json: input is missing or wrong; expected [C, H, W]; correct or restore the file"),
        (
            {"name": "n", "input": [0], "layers": []},
            "n.json: input is [0]; expected positive whole numbers; correct or restore the file",
        ),
        (
            {"name": "n", "input": [1], "layers": [{}]},
            "n.json: layer 0: is incomplete; expected name, species, parameters, inputs; correct or restore the file",
        ),
    ],
)
def test_a_damaged_file_is_refused(content: Any, message: str) -> None:
    with pytest.raises(DataError) as error:
        network_from_json(content, where="n.json")
    assert str(error.value) == message


def test_graphs_that_make_no_sense_are_refused() -> None:
    assert _message(_pool("a", 8, "b")) == (
        "n.json: layer a reads b, which does not exist; expected another layer or input; correct its inputs"
    )
    assert _message(_pool("a", 8, "b"), _pool("b", 4, "a")) == (
        "n.json: the layers a -> b -> a form a cycle; expected none; correct their inputs"
    )
    assert _message(_pool("a", 8, "input"), _pool("a", 4, "a")) == (
        "n.json: the name a occurs twice; expected one layer per name; rename one"
    )
    assert _message(_pool("a", 8, "input"), _pool("b", 8, "a")) == (
        "n.json: layer b expects 4x8x8 from a, which gives 4x4x4; expected equal; correct one of them"
    )
    assert _message(_pool("a", 8, "input", "input")) == (
        "n.json: layer a has 2 inputs; maxpool expects 1; correct its inputs"
    )
    assert _message(_pool("a", 8)) == (
        "n.json: layer 0 (a): inputs is []; expected names of layers; correct its inputs"
    )
    assert _message({**_pool("a", 8, "input"), "species": "maxpol"}).startswith(
        "n.json: layer 0 (a): 'maxpol' is no species; expected one of conv, "
    )
    assert _message({**_pool("a", 8, "input"), "shape": "4-8-8-3-2"}) == (
        "n.json: layer 0 (a): shape is 4-8-8-3-2, but its parameters say 4-8-8-2-2; expected equal; correct one of them"
    )
    assert _message(_pool("a", 1, "input")) == (
        "n.json: layer 0 (a): the kernel is 2x2, the padded input 1x1; expected a kernel that fits into the padded "
        "input; correct the kernel, the padding or the input"
    )

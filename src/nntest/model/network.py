"""Networks as graphs of layers: what runs after what, how often each shape occurs, how much work it is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import orjson

from nntest.errors import DataError, UsageError
from nntest.model.shape import Parameters
from nntest.model.species import OPERANDS, SPECIES, Species, find_species

INPUT = "input"  # the name by which layers refer to the network's own input


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One node of the graph.

    ``inputs`` names the layers (or ``input``) whose outputs it reads, in the order of its operands. ``post_ops`` is
    what follows on its output before any other layer sees it, as a case's ``post_ops`` says it: ``relu`` or nothing.
    """

    name: str
    species: str
    parameters: Parameters
    inputs: tuple[str, ...]
    post_ops: str = ""

    @property
    def table(self) -> Species:
        """The layer's entry in the species table."""
        return SPECIES[self.species]

    @property
    def shape(self) -> str:
        """Canonical name of the shape; with the species it matches points to layers."""
        return self.table.shape_name(self.parameters)

    @property
    def output(self) -> tuple[int, ...]:
        """Dimensions of the output for one image."""
        return self.table.output_shape(self.parameters)


@dataclass(frozen=True, kw_only=True)
class Network:
    """A model as it is run for inference: batch normalisation folded into the layer before it, no dropout.

    ReLU is a layer's ``post_ops``; other activations (tanh, ReLU6) are left out.

    ``input`` is the size of one input (channels, height, width); ``layers`` are in an order in which they can run.
    """

    name: str
    source: str
    input: tuple[int, ...]
    layers: tuple[Layer, ...]

    def multiplicities(self) -> dict[tuple[str, str], int]:
        """How often each (species, shape) occurs, in the order of the first occurrence."""
        return dict(Counter((layer.species, layer.shape) for layer in self.layers))

    def macs(self, batch_size: int = 1) -> int:
        """Multiply-accumulates of all layers over their true output sizes; bias, pooling and softmax count none."""
        return sum(layer.table.macs(layer.parameters, batch_size) for layer in self.layers)

    def parameter_count(self) -> int:
        """Weights and one bias per output channel (which holds the folded batch normalisation's shift)."""
        return sum(layer.table.parameter_count(layer.parameters) for layer in self.layers)

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``network.json``."""
        return {
            "name": self.name,
            "source": self.source,
            "input": list(self.input),
            "layers": [
                {
                    "name": layer.name,
                    "species": layer.species,
                    "shape": layer.shape,
                    "parameters": dict(layer.table.ck_values(layer.parameters)),
                    "inputs": list(layer.inputs),
                    **({"post_ops": layer.post_ops} if layer.post_ops else {}),
                }
                for layer in self.layers
            ],
        }


def load_network(path: Path) -> Network:
    """Read ``network.json``.

    Raises
    ------
    DataError
        The file is no JSON, lacks a key, or its graph makes no sense; the message begins with the path.
    """
    try:
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected a network; check the path") from error
    except orjson.JSONDecodeError as error:
        raise DataError(f"{path}: is no JSON ({error}); expected a network; correct or restore the file") from error
    return network_from_json(content, where=str(path))


def network_from_json(content: Any, *, where: str) -> Network:
    """Build and validate a network from the content of ``network.json``; ``where`` begins every error message."""
    name, source, size, raw_layers = _top(content, where)
    layers = [_layer(raw, where=f"{where}: layer {number}") for number, raw in enumerate(raw_layers)]
    return build_network(name=name, source=source, input_size=size, layers=layers, where=where)


def build_network(
    *, name: str, source: str, input_size: Sequence[int], layers: Sequence[Layer], where: str = ""
) -> Network:
    """Order the layers and check that every connection fits.

    Raises
    ------
    DataError
        A name occurs twice, an input is unknown, the graph has a cycle, or connected shapes differ.
    """
    where = where or name
    by_name: dict[str, Layer] = {}
    for layer in layers:
        if layer.name in by_name or layer.name == INPUT:
            raise DataError(f"{where}: the name {layer.name} occurs twice; expected one layer per name; rename one")
        by_name[layer.name] = layer
    for layer in layers:
        for source_name in layer.inputs:
            if source_name != INPUT and source_name not in by_name:
                raise DataError(
                    f"{where}: layer {layer.name} reads {source_name}, which does not exist; "
                    f"expected another layer or {INPUT}; correct its inputs"
                )
    ordered = _in_order(by_name, where)
    outputs = {INPUT: (1, *input_size)}
    for layer in ordered:
        _check_operands(layer, outputs, where)
        outputs[layer.name] = layer.output
    return Network(name=name, source=source, input=tuple(input_size), layers=tuple(ordered))


def _top(content: Any, where: str) -> tuple[str, str, list[int], list[Any]]:
    if not isinstance(content, dict):
        raise DataError(f"{where}: is no JSON object; expected a network; correct or restore the file")
    for key, kind, expected in (("name", str, "a text"), ("input", list, "[C, H, W]"), ("layers", list, "a list")):
        if not isinstance(content.get(key), kind):
            raise DataError(f"{where}: {key} is missing or wrong; expected {expected}; correct or restore the file")
    size = content["input"]
    if not all(isinstance(value, int) and value > 0 for value in size):
        raise DataError(f"{where}: input is {size}; expected positive whole numbers; correct or restore the file")
    return content["name"], str(content.get("source", "")), size, content["layers"]


def _layer(raw: Any, *, where: str) -> Layer:
    wanted = {"name": str, "species": str, "parameters": dict, "inputs": list}
    if not isinstance(raw, Mapping) or not all(isinstance(raw.get(key), kind) for key, kind in wanted.items()):
        raise DataError(f"{where}: is incomplete; expected {', '.join(wanted)}; correct or restore the file")
    where = f"{where} ({raw['name']})"
    if not raw["inputs"] or not all(isinstance(item, str) for item in raw["inputs"]):
        raise DataError(f"{where}: inputs is {raw['inputs']}; expected names of layers; correct its inputs")
    try:
        species = find_species(raw["species"], where=where)
        parameters, _ = species.normalise(raw["parameters"], where=where)
    except UsageError as error:
        raise DataError(str(error)) from error
    shape = species.shape_name(parameters)
    if raw.get("shape", shape) != shape:
        raise DataError(
            f"{where}: shape is {raw['shape']}, but its parameters say {shape}; expected equal; correct one of them"
        )
    post_ops = raw.get("post_ops", "")
    if post_ops not in ("", "relu"):
        raise DataError(f"{where}: post_ops is {post_ops!r}; expected 'relu' or none; correct or remove it")
    return Layer(
        name=raw["name"],
        species=species.name,
        parameters=parameters,
        inputs=tuple(raw["inputs"]),
        post_ops=post_ops,
    )


def _in_order(by_name: Mapping[str, Layer], where: str) -> list[Layer]:
    """Topological order; layers that may run at the same time stay in the order of the file."""
    sorter = TopologicalSorter({name: [item for item in by_name[name].inputs if item != INPUT] for name in by_name})
    try:
        sorter.prepare()
    except CycleError as error:
        cycle = " -> ".join(error.args[1])
        raise DataError(f"{where}: the layers {cycle} form a cycle; expected none; correct their inputs") from error
    position = {name: number for number, name in enumerate(by_name)}
    ordered: list[Layer] = []
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()], key=position.__getitem__)
        name = ready.pop(0)
        ordered.append(by_name[name])
        sorter.done(name)
    return ordered


def _check_operands(layer: Layer, outputs: Mapping[str, tuple[int, ...]], where: str) -> None:
    tensors = layer.table.tensors(layer.parameters)
    wanted = [tensors[role] for role in OPERANDS if role in tensors]
    if len(wanted) != len(layer.inputs):
        raise DataError(
            f"{where}: layer {layer.name} has {len(layer.inputs)} inputs; "
            f"{layer.species} expects {len(wanted)}; correct its inputs"
        )
    for source, dims in zip(layer.inputs, wanted, strict=True):
        if outputs[source] != dims:
            raise DataError(
                f"{where}: layer {layer.name} expects {_dims(dims)} from {source}, "
                f"which gives {_dims(outputs[source])}; expected equal; correct one of them"
            )


def _dims(dims: Sequence[int]) -> str:
    return "x".join(map(str, dims[1:] if len(dims) == 4 else dims))

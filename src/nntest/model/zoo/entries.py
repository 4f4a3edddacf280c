"""Dataset entries of the zoo as file contents: what ``dataset/`` must hold, byte by byte."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from nntest.model.network import Layer, Network
from nntest.model.shape import Parameters
from nntest.model.species import SPECIES
from nntest.model.zoo.mobilenet import mobilenet_v1
from nntest.model.zoo.synthetic import SYNTHETIC

DATASET_MODULE_UID = "8a7141c59cd335f5"  # of CK's own module `dataset`

_EXTRA_TAGS = {"conv": ("convolution",), "depthwiseconv": ("depthwise-convolution",)}


@dataclass(frozen=True, kw_only=True)
class ShapeFile:
    """One ``<stem>.json`` of an entry."""

    species: str
    parameters: Parameters
    description: str

    @property
    def stem(self) -> str:
        """File name without ``.json``, as ``dataset_files`` lists it."""
        return f"shape-{SPECIES[self.species].shape_name(self.parameters)}"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One dataset entry: shapes, and a network's graph where there is one."""

    name: str
    tags: tuple[str, ...]
    shapes: tuple[ShapeFile, ...] = ()
    graph: Network | None = None

    @property
    def uid(self) -> str:
        """CK UID, made from the name, so that every checkout has the same."""
        return entry_uid(self.name)

    def files(self) -> dict[str, bytes]:
        """Contents by path relative to ``dataset/``, the alias files that CK needs included."""
        folder = self.name
        files = {
            f".cm/alias-a-{self.name}": f"{self.uid}\n".encode(),
            f".cm/alias-u-{self.uid}": f"{self.name}\n".encode(),
            f"{folder}/.cm/info.json": _json(self._info()),
            f"{folder}/.cm/meta.json": _json(self._meta()),
        }
        for shape in self.shapes:
            values = SPECIES[shape.species].ck_values(shape.parameters)
            files[f"{folder}/{shape.stem}.json"] = _json(values)
        if self.graph is not None:
            files[f"{folder}/network.json"] = _json(self.graph.to_json())
        return files

    def _meta(self) -> dict[str, Any]:
        meta: dict[str, Any] = {
            "dataset_files": [shape.stem for shape in self.shapes],
            "desc_dataset_files": {
                shape.stem: {"name": shape.description, "species": shape.species} for shape in self.shapes
            },
            "tags": list(self.tags),
        }
        if self.graph is not None:
            meta["network_file"] = "network.json"
        return meta

    def _info(self) -> dict[str, Any]:
        return {
            "backup_data_uid": self.uid,
            "backup_module_uid": DATASET_MODULE_UID,
            "backup_module_uoa": "dataset",
            "control": {"engine": "CK", "iso_datetime": "2026-11-21T00:00:00", "version": ["2", "6", "4"]},
            "data_name": self.name,
        }


def entry_uid(name: str) -> str:
    """Return the CK UID of a generated dataset entry: 16 hexadecimal digits of a hash of its name."""
    return hashlib.sha256(f"dataset:{name}".encode()).hexdigest()[:16]


def all_entries() -> list[Entry]:
    """Return every dataset entry that the generator writes."""
    # The original describes the first layer with symmetric padding 0, hence an output of 111x111; the published
    # network gives 112x112. Its file stays as it is, and the network's own entry holds the true shape.
    original_first = {
        "CK_IN_SHAPE_C": 3,
        "CK_IN_SHAPE_H": 224,
        "CK_IN_SHAPE_W": 224,
        "CK_OUT_SHAPE_C": 32,
        "CK_CONV_KERNEL": 3,
        "CK_CONV_STRIDE": 2,
        "CK_CONV_PAD": 0,
    }
    return [
        *network_entries(mobilenet_v1(), tags=("mobilenets", "mobilenets-v1"), originals={"Conv2d_0": original_first}),
        *(synthetic_entry(species) for species in SYNTHETIC),
    ]


def network_entries(
    network: Network, *, tags: Sequence[str], originals: Mapping[str, Mapping[str, int]] | None = None
) -> list[Entry]:
    """Return one tensor entry per species of a network, and the entry of the network itself.

    Parameters
    ----------
    network
        The graph.
    tags
        Tags of the family, broad to narrow.
    originals
        CK_* values by layer name, where the original repository describes a layer otherwise: the tensor entry then
        holds these, and the network's own entry a file of the true shape.
    """
    originals = originals or {}
    counts = network.multiplicities()
    shapes: dict[str, dict[str, ShapeFile]] = {}
    own: dict[str, ShapeFile] = {}
    for layer in network.layers:
        true = _shape_file(network, layer, layer.parameters, counts[layer.species, layer.shape])
        chosen = true
        if layer.name in originals:
            own.setdefault(true.stem, true)
            parameters, _ = layer.table.normalise(originals[layer.name], where=f"{network.name}: {layer.name}")
            chosen = _shape_file(network, layer, parameters, 1)
        shapes.setdefault(layer.species, {}).setdefault(chosen.stem, chosen)
    _add_classifier(network, shapes)
    entries = [
        Entry(
            name=f"tensor-{species}-{network.name}",
            tags=_tags(species, *(f"tensor-{species}-{tag}" for tag in tags[:1]), *tags, network.name),
            shapes=tuple(found.values()),
        )
        for species, found in shapes.items()
    ]
    own_species = dict.fromkeys(shape.species for shape in own.values())
    graph = Entry(
        name=f"network-{network.name}",
        tags=("dataset", "nntest", "network", *(f"tensor-{species}" for species in own_species), *tags, network.name),
        shapes=tuple(own.values()),
        graph=network,
    )
    return [*entries, graph]


def synthetic_entry(species: str) -> Entry:
    """Return the entry of a species' edge shapes."""
    shapes = []
    for edge in SYNTHETIC[species]:
        parameters, _ = SPECIES[species].normalise(edge.values, where=f"synthetic {species}")
        shapes.append(ShapeFile(species=species, parameters=parameters, description=edge.reason))
    return Entry(name=f"tensor-{species}-synthetic", tags=_tags(species, "synthetic"), shapes=tuple(shapes))


def _add_classifier(network: Network, shapes: dict[str, dict[str, ShapeFile]]) -> None:
    """A 1x1 convolution of one pixel is a fully connected layer: offer it as that too."""
    if "fullyconnected" in shapes:
        return
    for layer in network.layers:
        if layer.species == "conv" and layer.output[2:] == (1, 1):
            sizes = {key: layer.parameters[key] for key in ("CK_IN_SHAPE_C", "CK_OUT_SHAPE_C")}
            parameters, _ = SPECIES["fullyconnected"].normalise(sizes, where=f"{network.name}: {layer.name}")
            description = (
                f"{network.name} {layer.name} as a fully connected layer: {_sizes('fullyconnected', parameters)}"
            )
            shape = ShapeFile(species="fullyconnected", parameters=parameters, description=description)
            shapes.setdefault("fullyconnected", {}).setdefault(shape.stem, shape)


def _shape_file(network: Network, layer: Layer, parameters: Parameters, count: int) -> ShapeFile:
    more = f" and {count - 1} more" if count > 1 else ""
    description = f"{network.name} {layer.name}{more}: {_sizes(layer.species, parameters)}"
    return ShapeFile(species=layer.species, parameters=parameters, description=description)


def _sizes(species: str, parameters: Parameters) -> str:
    tensors = SPECIES[species].tensors(parameters)
    return ", ".join(f"{role} {'x'.join(map(str, tensors[role][1:]))}" for role in ("input", "output"))


def _tags(species: str, *more: str) -> tuple[str, ...]:
    return ("dataset", "nntest", f"tensor-{species}", species, *_EXTRA_TAGS.get(species, ()), *more)


def _json(content: Mapping[str, Any]) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

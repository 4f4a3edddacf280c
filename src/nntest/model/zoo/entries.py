"""Dataset entries of the zoo as file contents: what ``dataset/`` must hold, byte by byte."""

import hashlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from nntest.model.network import Layer, Network
from nntest.model.shape import Parameters
from nntest.model.species import SPECIES
from nntest.model.zoo.branched import googlenet, squeezenet_1_0, squeezenet_1_1
from nntest.model.zoo.classics import alexnet, lenet_5, vgg_16
from nntest.model.zoo.mobilenet import RESOLUTIONS, WIDTHS, mobilenet_v1
from nntest.model.zoo.residual import resnet_18, resnet_20_cifar10, resnet_50
from nntest.model.zoo.synthetic import SYNTHETIC
from nntest.model.zoo.transformer import Transformer, bert_base, llama_7b_decode, llama_7b_prefill, vit_b_16

DATASET_MODULE_UID = "8a7141c59cd335f5"  # of CK's own module `dataset`

# Networks besides MobileNet, each with the tags of its family, broad to narrow.
NETWORKS: Sequence[tuple[Callable[[], Network], tuple[str, ...]]] = (
    (resnet_18, ("resnet",)),
    (resnet_50, ("resnet",)),
    (resnet_20_cifar10, ("resnet", "cifar10")),
    (vgg_16, ("vgg",)),
    (alexnet, ()),
    (googlenet, ("inception",)),
    (squeezenet_1_0, ("squeezenet",)),
    (squeezenet_1_1, ("squeezenet",)),
    (lenet_5, ("lenet",)),
)

TRANSFORMERS: Sequence[Callable[[], Transformer]] = (bert_base, vit_b_16, llama_7b_prefill, llama_7b_decode)

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
    """One dataset entry: shapes, a network's graph where there is one, and what ``more`` its meta says."""

    name: str
    tags: tuple[str, ...]
    shapes: tuple[ShapeFile, ...] = ()
    graph: Network | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

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
            **self.more,
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
    plain = (network_entries(network(), tags=tags) for network, tags in NETWORKS)
    return [
        *mobilenet_entries(),
        *(entry for entries in plain for entry in entries),
        *(entry for transformer in TRANSFORMERS for entry in transformer_entries(transformer())),
        *(synthetic_entry(species) for species in SYNTHETIC),
    ]


def mobilenet_entries() -> list[Entry]:
    """Return the entries of MobileNet v1 at all its settings.

    The largest has an entry per species. Of the others, convolutions have one each; what little their classifiers and
    poolings add stands in one entry per species for the whole family.
    """
    tags = ("mobilenets", "mobilenets-v1")
    entries: list[Entry] = []
    shared: dict[str, dict[str, ShapeFile]] = {}
    for width, resolution in itertools.product(WIDTHS, RESOLUTIONS):
        network = mobilenet_v1(width=width, resolution=resolution)
        found = network_entries(network, tags=tags, originals={"Conv2d_0": _original_first(network)})
        if not entries:
            entries += found
            known = {(shape.species, shape.stem) for entry in found for shape in entry.shapes}
            continue
        for entry in found:
            species = {shape.species for shape in entry.shapes}
            if species <= {"conv", "depthwiseconv"}:
                entries.append(entry)
                continue
            for shape in entry.shapes:
                if (shape.species, shape.stem) not in known:
                    shared.setdefault(shape.species, {}).setdefault(shape.stem, shape)
    family = tags[-1]
    entries += [
        Entry(
            name=f"tensor-{species}-{family}",
            tags=_tags(species, f"tensor-{species}-{tags[0]}", *tags),
            shapes=tuple(shapes.values()),
        )
        for species, shapes in shared.items()
    ]
    return entries


def _original_first(network: Network) -> dict[str, int]:
    """The original's account of the first layer: symmetric padding 0, hence an output of 111x111 for 224x224.

    The published network gives 112x112. The original's file stays as it is, and the network's own entry holds the true
    shape.
    """
    values = network.layers[0].table.ck_values(network.layers[0].parameters)
    sizes = {key: value for key, value in values.items() if not key.startswith("CK_CONV_PAD")}
    return {**sizes, "CK_CONV_PAD": 0}


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


def transformer_entries(transformer: Transformer) -> list[Entry]:
    """Return one entry per species of a transformer; its meta says how often each shape occurs in one pass."""
    totals = transformer.multiplicities()
    shapes: dict[str, dict[str, ShapeFile]] = {}
    counts: dict[str, dict[str, int]] = {}
    for product in transformer.products:
        sizes = f"{product.m}x{product.k} by {product.k}x{product.n}"
        count = totals[product.shape]
        description = f"{transformer.name} {product.name} and whatever equals it, {count} in all: {sizes}"
        shape = ShapeFile(species="gemm", parameters=product.parameters, description=description)
        shapes.setdefault("gemm", {}).setdefault(shape.stem, shape)
        counts.setdefault("gemm", {})[shape.stem] = count
    for step in transformer.steps:
        description = f"{transformer.name} {step.name}, {step.count} in all"
        shape = ShapeFile(species=step.species, parameters=step.parameters, description=description)
        shapes.setdefault(step.species, {})[shape.stem] = shape
        counts.setdefault(step.species, {})[shape.stem] = step.count
    return [
        Entry(
            name=f"tensor-{species}-{transformer.name}",
            tags=_tags(species, f"tensor-{species}-transformers", "transformers", transformer.name),
            shapes=tuple(found.values()),
            more={"source": transformer.source, "multiplicities": counts[species]},
        )
        for species, found in shapes.items()
    ]


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

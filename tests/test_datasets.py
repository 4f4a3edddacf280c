"""The committed dataset entries: as generated, as the original has them, complete, and quick to run."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from nntest.model.network import load_network
from nntest.model.species import SPECIES
from nntest.model.zoo.entries import all_entries, entry_uid
from nntest.model.zoo.mobilenet import mobilenet_v1

ROOT = Path(__file__).parents[1]
DATASET = ROOT / "dataset"
ENTRIES = {entry.name: entry for entry in all_entries()}
MOBILENET = "mobilenets-v1-1.0-224"


def _json(path: Path) -> dict[str, object]:
    content = json.loads(path.read_text())
    assert isinstance(content, dict)
    return content


def test_committed_entries_are_what_the_generator_writes() -> None:
    command = [sys.executable, str(ROOT / "script" / "generate" / "datasets.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_check_finds_what_differs_is_missing_or_left_over(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("generate_datasets", ROOT / "script" / "generate" / "datasets.py")
    assert spec is not None
    assert spec.loader is not None
    datasets = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(datasets)
    wanted = {"a/x.json": b"1", "a/y.json": b"2", ".cm/alias-a-a": b"u"}
    datasets.write(tmp_path, wanted)
    assert datasets.differences(tmp_path, wanted) == []
    (tmp_path / "a" / "x.json").write_bytes(b"3")
    (tmp_path / "a" / "y.json").unlink()
    (tmp_path / "a" / "z.json").touch()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "z.json").touch()
    assert datasets.differences(tmp_path, wanted) == ["a/x.json: differs", "a/y.json: missing", "a/z.json: left over"]
    datasets.write(tmp_path, wanted)
    assert datasets.differences(tmp_path, wanted) == []
    assert (tmp_path / "mine" / "z.json").exists()


@pytest.mark.parametrize(
    "folder", sorted(path.parent.parent for path in DATASET.glob("*/.cm/meta.json")), ids=lambda p: p.name
)
def test_every_entry_is_complete(folder: Path) -> None:
    meta = _json(folder / ".cm" / "meta.json")
    uid = (DATASET / ".cm" / f"alias-a-{folder.name}").read_text().strip()
    assert (DATASET / ".cm" / f"alias-u-{uid}").read_text().strip() == folder.name
    assert _json(folder / ".cm" / "info.json")["backup_data_uid"] == uid
    tags, files, described = meta["tags"], meta["dataset_files"], meta["desc_dataset_files"]
    assert isinstance(tags, list)
    assert isinstance(files, list)
    assert isinstance(described, dict)
    assert {"dataset", "nntest"} <= set(tags)
    assert {path.stem for path in folder.glob("shape-*.json")} == set(files) == set(described)
    for stem in files:
        species = SPECIES[described[stem]["species"]]
        parameters, batch_size = species.normalise(_json(folder / f"{stem}.json"), where=stem)
        assert stem == f"shape-{species.shape_name(parameters)}"
        assert batch_size == 1
        assert f"tensor-{species.name}" in tags
        assert described[stem]["name"]


def test_the_originals_convolutions_have_its_names_and_values() -> None:
    folder = DATASET / f"tensor-conv-{MOBILENET}"
    numbers = [
        (3, 224, 224, 3, 32, 2, 0),
        (32, 112, 112, 1, 64, 1, 0),
        (64, 56, 56, 1, 128, 1, 0),
        (128, 56, 56, 1, 128, 1, 0),
        (128, 28, 28, 1, 256, 1, 0),
        (256, 28, 28, 1, 256, 1, 0),
        (256, 14, 14, 1, 512, 1, 0),
        (512, 14, 14, 1, 512, 1, 0),
        (512, 7, 7, 1, 1024, 1, 0),
        (1024, 7, 7, 1, 1024, 1, 0),
        (1024, 1, 1, 1, 1001, 1, 0),
    ]
    stems = ["shape-" + "-".join(map(str, row)) for row in numbers]
    assert _json(folder / ".cm" / "meta.json")["dataset_files"] == stems
    for stem, (c, h, w, kernel, out, stride, pad) in zip(stems, numbers, strict=True):
        assert _json(folder / f"{stem}.json") == {
            "CK_IN_SHAPE_C": c,
            "CK_IN_SHAPE_H": h,
            "CK_IN_SHAPE_W": w,
            "CK_OUT_SHAPE_C": out,
            "CK_CONV_KERNEL": kernel,
            "CK_CONV_STRIDE": stride,
            "CK_CONV_PAD": pad,
        }


def _shapes_of(names: Iterable[str]) -> set[tuple[str, str]]:
    return {
        (shape.species, SPECIES[shape.species].shape_name(shape.parameters))
        for name in names
        for shape in ENTRIES[name].shapes
    }


def test_mobilenets_layers_stand_in_its_own_entries() -> None:
    network = load_network(DATASET / f"network-{MOBILENET}" / "network.json")
    assert network == mobilenet_v1()
    files = _shapes_of(name for name in ENTRIES if name.endswith(MOBILENET))
    assert set(network.multiplicities()) <= files
    assert files - set(network.multiplicities()) == {
        ("conv", "3-224-224-3-32-2-0"),  # the original's account of the first layer
        ("fullyconnected", "1024-1-1-1001-1-1"),  # the classifier, which is a 1x1 convolution in the graph
    }


@pytest.mark.parametrize("name", [name for name in ENTRIES if name.startswith("network-")])
def test_every_layer_of_every_network_can_be_measured(name: str) -> None:
    network = load_network(DATASET / name / "network.json")
    assert network == ENTRIES[name].graph
    family = "mobilenets-v1" if "mobilenets" in name else network.name
    own = [entry for entry in ENTRIES if entry.endswith((network.name, f"-{family}", MOBILENET))]
    assert set(network.multiplicities()) <= _shapes_of(own)


def test_an_entry_holds_shapes_of_one_species() -> None:
    for entry in ENTRIES.values():
        assert len({shape.species for shape in entry.shapes}) <= 1, entry.name
        assert len({shape.stem for shape in entry.shapes}) == len(entry.shapes), entry.name


def test_the_repository_stays_small() -> None:
    files = [content for entry in ENTRIES.values() for content in entry.files().values()]
    assert len(files) < 1500
    assert sum(map(len, files)) < 1e6


def test_uids_are_made_from_names_and_differ() -> None:
    assert entry_uid("tensor-conv-synthetic") == ENTRIES["tensor-conv-synthetic"].uid
    uids = [entry.uid for entry in ENTRIES.values()]
    assert len(set(uids)) == len(uids)
    assert all(len(uid) == 16 and int(uid, 16) >= 0 for uid in uids)


@pytest.mark.parametrize("name", [name for name in ENTRIES if name.endswith("-synthetic")])
def test_edge_shapes_are_small(name: str) -> None:
    for shape in ENTRIES[name].shapes:
        species = SPECIES[shape.species]
        assert species.macs(shape.parameters) < 1e6
        assert species.bytes_moved(shape.parameters) < 4e6

import subprocess
import sys

import orjson
import pytest

import nntest
from nntest.crawl.tables import Tables
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_platform, make_point


def test_networks_of_the_checkout():
    networks = Tables([]).networks
    mobilenet = networks[networks["network"] == "network-mobilenets-v1-1.0-224"]
    assert list(networks.columns) == ["network", "index", "layer", "species", "shape", "inputs"]
    assert mobilenet["index"].tolist() == list(range(len(mobilenet)))
    first, second = mobilenet.iloc[0], mobilenet.iloc[1]
    assert (first["layer"], first["species"], first["shape"]) == ("Conv2d_0", "conv", "3-224-224-3-32-2-0.0.1.1")
    assert (first["inputs"], second["inputs"]) == ("input", "Conv2d_0")
    assert (mobilenet["shape"] == "512-14-14-1-512-1-0").sum() == 5
    assert networks.attrs["skipped"] == []


def test_networks_of_the_source_come_too_and_damage_is_named(tmp_path):
    for name, text in (("network-mine", None), ("network-broken", "{")):
        folder = tmp_path / "dataset" / name
        (folder / ".cm").mkdir(parents=True)
        (folder / ".cm" / "meta.json").write_bytes(orjson.dumps({"tags": ["dataset", "network"]}))
        layer = {"name": "fc", "species": "softmax", "parameters": {"CK_IN_SHAPE_C": 10}, "inputs": ["input"]}
        layer["shape"] = "10-1-1"
        words = {"name": "mine", "source": "here", "input": [10, 1, 1], "layers": [layer]}
        (folder / "network.json").write_text(text or orjson.dumps(words).decode())
    networks = Tables(tmp_path).networks
    assert networks[networks["network"] == "network-mine"]["layer"].tolist() == ["fc"]
    ((where, _),) = networks.attrs["skipped"]
    assert where == str(tmp_path / "dataset" / "network-broken" / "network.json")


def test_hardware_is_one_row_per_platform(tmp_path):
    folder = open_experiment(Repository("x", tmp_path), "nntest-x", {"tags": ["nntest"]})
    save_point(folder, make_point())
    save_point(folder, make_point(platform=make_platform(model="Firefly RK3399")))
    hardware = Tables(tmp_path, tags="nntest").hardware
    assert sorted(hardware["platform"]) == ["Firefly RK3399", "KVM 1.0"]


def test_points_are_loaded_once(tmp_path):
    tables = Tables(tmp_path)
    assert tables.points is tables.points
    assert len(tables.layers) == len(tables.kernels) == 0


def test_the_package_imports_without_pandas():
    code = "import sys, nntest; assert not {'pandas', 'numpy', 'pyarrow', 'orjson'} & set(sys.modules); nntest.load"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_package_says_what_it_has():
    assert {"load", "layers", "kernels"} <= set(dir(nntest))
    with pytest.raises(AttributeError, match=r"^module 'nntest' has no attribute 'lode'$"):
        nntest.lode  # noqa: B018

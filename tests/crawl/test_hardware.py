import json
import zipfile
from pathlib import Path

import pandas as pd

from nntest.crawl.hardware import facts_of
from nntest.crawl.tables import Tables

KHZ = [102000, 1734000]


def original(**cpu: object) -> dict:
    """A point as the original writes it, with what ck found of the CPU."""
    return {
        "choices": {"data_uoa": "conv-armcl-opencl", "env": {"CK_IN_SHAPE_N": 1, "CK_IN_SHAPE_C": 2}},
        "features": {"platform": {"cpu": {"name": "x", **cpu}, "os": {"name_short": "Linux 4.4"}}},
        "characteristics_list": [{"run": {"execution_time_kernel_1": 0.001, "run_success": "yes"}}],
    }


def test_our_own_block_tells_cores_memory_and_driver() -> None:
    block = {"cores": 2, "memory_mb": 25300, "kernel": "Linux 6", "driver": ""}
    assert facts_of({"nntest": {"platform": block}}) == {"cores": 2.0, "ram_mb": 25300.0, "kernel": "Linux 6"}


def test_features_of_ck_tell_cores_and_clocks() -> None:
    facts = facts_of(original(num_proc="4", all_freqs={"0": KHZ, "1": KHZ}, max_freq={"0": 1734.0}))
    assert facts == {"cores": 4.0, "clock_low_mhz": 102.0, "clock_high_mhz": 1734.0, "kernel": "Linux 4.4"}


def test_zero_and_nonsense_are_unknown() -> None:
    assert facts_of(original(num_proc="", all_freqs={"0": "?"}, max_freq={"0": 0})) == {"kernel": "Linux 4.4"}
    assert facts_of({"features": {"platform": []}}) == {}
    assert facts_of({}) == {}


def make_entry(root: Path, **cpu: object) -> Path:
    entry = root / "experiment" / "nntest-x"
    (entry / ".cm").mkdir(parents=True)
    (entry / ".cm" / "meta.json").write_text(json.dumps({"tags": ["nntest", "conv", "armcl", "conv"]}))
    (entry / "ckp-00112233445566aa.0001.json").write_text(json.dumps(original(**cpu)))
    return root


def test_one_point_of_each_platform_is_asked_in_folders_and_in_zips(tmp_path: Path) -> None:
    folder = make_entry(tmp_path / "points", num_proc="4", max_freq={"0": 1734})
    with zipfile.ZipFile(tmp_path / "points.zip", "w") as archive:
        for path in sorted(folder.rglob("*.json")):
            archive.write(path, path.relative_to(folder).as_posix())
    for source in (folder, tmp_path / "points.zip"):
        hardware = Tables(source).hardware
        assert hardware[["platform", "cores", "clock_high_mhz"]].to_numpy().tolist() == [["x", 4.0, 1734.0]]


def test_a_point_that_went_away_leaves_its_facts_unknown(tmp_path: Path) -> None:
    tables = Tables(make_entry(tmp_path, num_proc="4"))
    assert len(tables.points) == 1
    next(tmp_path.rglob("ckp-*.json")).unlink()
    assert pd.isna(tables.hardware["cores"].iloc[0])

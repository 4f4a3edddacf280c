"""The published notebook's way of loading, in our own words and for Python 3, finds what we record.

It looks for entries by tags through ck, lists their points, loads the first sub-point's raw file and makes one row
per repetition. Three of its lines know one board and one library, Arm's; what they know comes in as `known`. For
points of Arm Compute Library on OpenCL only the board's name has to be added, for others all three change.
"""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from nntest.model.case import Library
from nntest.model.point import Point
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_platform, make_point, with_seed

LOADER = r"""
import json, os, sys
import ck.kernel as ck

def answer(words):
    reply = ck.access(words)
    if reply["return"] > 0:
        sys.exit(reply["error"])
    return reply

known = json.loads(sys.argv[1])
rows = []
here = {"repo_uoa": "local", "module_uoa": "experiment"}
found = answer({"action": "search", "data_uoa": "nntest-*", "tags": "nntest,conv", **here})
for entry in found["lst"]:
    listed = answer({"action": "list_points", "data_uoa": entry["data_uoa"], **here})
    tags = listed["dict"]["tags"]
    [library] = [tag for tag in tags if tag.startswith(known["library"])]
    [species] = [tag for tag in tags if tag in ("conv", "avgpool", "fullyconnected", "softmax")]
    for point in listed["points"]:
        with open(os.path.join(listed["path"], "ckp-%s.0001.json" % point)) as file:
            raw = json.load(file)
        model = raw["features"]["platform"]["platform"]["model"]
        platform = known["model_to_id"][model]
        env = raw["choices"]["env"]
        assert raw["choices"]["data_uoa"].endswith(known["ending"])
        operator = raw["choices"]["data_uoa"][:-len(known["ending"])]
        assert raw["choices"]["dvdt_prof"] == "no"
        for number, item in enumerate(raw["characteristics_list"]):
            run = item["run"]
            rows.append({
                "platform": platform, "library": library, "species": species, "operator": operator,
                "tensor": raw["choices"]["dataset_file"][len("shape-"):], "dataset": raw["choices"]["dataset_uoa"],
                "input": [env["CK_IN_SHAPE_" + axis] for axis in "NCHW"], "repetition": number,
                "tuner": env.get("CK_LWS_TUNER_TYPE", "NONE"),
                "success": run["run_success"], "time_us": 1e6 * float(run["execution_time_kernel_1"]),
            })
print("ROWS" + json.dumps(rows))
"""


needs_ck = pytest.mark.skipif(importlib.util.find_spec("ck") is None, reason="ck is not installed")

# What the published loader knows.
ARMCL = {"library": "arm-compute-library-", "ending": "-armcl-opencl"}
BOARDS = {"Rockchip RK3399 Firefly Board (Linux Opensource)\0": "firefly"}


def load(tmp_path: Path, **known: object) -> list[dict[str, object]]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CK_")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOADER, json.dumps(known)],
        env={**environ, "HOME": str(tmp_path)},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows: list[dict[str, object]] = json.loads(done.stdout.rsplit("ROWS", 1)[1])
    return rows


def record(tmp_path: Path, program: str, library: str, points: Iterable[Point]) -> None:
    local = Repository("local", tmp_path / "CK" / "local")
    tags = ["nntest", program, library, "2026-11-21T08:00:00", "20261121080000", "conv"]
    experiment = open_experiment(local, f"nntest-{program}-{library}-20261121080000", {"tags": tags})
    for point in points:
        save_point(experiment, point)


@needs_ck
def test_the_published_way_of_loading_finds_our_points(tmp_path):
    points = [with_seed(make_point(repetitions=3, launches=3), seed) for seed in range(2)]
    record(tmp_path, "conv-onednn-cpu", "onednn-cpu-3.2.0", points)
    rows = load(tmp_path, library="onednn-cpu-", ending="-onednn-cpu", model_to_id={"KVM 1.0": "vm"})
    assert len(rows) == 6
    assert rows[1] == {
        "platform": "vm",
        "library": "onednn-cpu-3.2.0",
        "species": "conv",
        "operator": "conv",
        "tensor": "512-14-14-1-512-1-0",
        "dataset": "tensor-conv-mobilenets-v1-1.0-224",
        "input": [1, 512, 14, 14],
        "repetition": 1,
        "tuner": "NONE",
        "success": "yes",
        "time_us": pytest.approx(200.0),
    }


@needs_ck
def test_points_of_arm_s_library_need_only_the_board_s_name(tmp_path):
    program, tag = "directconv-armcl-opencl", "arm-compute-library-opencl-20.08"
    made = make_point(repetitions=3, launches=3, platform=make_platform(model="QEMU user emulation", emulator="qemu"))
    library = Library(tag=tag, name="arm-compute-library-opencl", version="20.08")
    points = [
        replace(
            made,
            case=replace(made.case, program=program, env={"CK_LWS_TUNER_TYPE": tuner}),
            subject=replace(made.subject, program=program, library=library),
        )
        for tuner in ("NONE", "DEFAULT")
    ]
    record(tmp_path, program, tag, points)
    rows = load(tmp_path, **ARMCL, model_to_id={**BOARDS, "QEMU user emulation": "qemu"})
    assert {(row["platform"], row["library"], row["species"], row["operator"]) for row in rows} == {
        ("qemu", tag, "conv", "directconv")
    }
    assert sorted((row["tuner"], row["repetition"]) for row in rows) == [
        *(("DEFAULT", number) for number in range(3)),
        *(("NONE", number) for number in range(3)),
    ]
    assert {row["tensor"] for row in rows} == {"512-14-14-1-512-1-0"}

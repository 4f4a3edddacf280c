"""The published notebook's way of loading, in our own words and for Python 3, finds what we record.

It looks for entries by tags through ck, lists their points, loads the first sub-point's raw file and makes one row
per repetition. Three of its lines know one board and one library; they are marked.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_point, with_seed

ROOT = Path(__file__).parents[2]

LOADER = r"""
import json, os, sys
import ck.kernel as ck

def answer(words):
    reply = ck.access(words)
    if reply["return"] > 0:
        sys.exit(reply["error"])
    return reply

rows = []
here = {"repo_uoa": "local", "module_uoa": "experiment"}
found = answer({"action": "search", "data_uoa": "nntest-*", "tags": "nntest,conv", **here})
for entry in found["lst"]:
    listed = answer({"action": "list_points", "data_uoa": entry["data_uoa"], **here})
    tags = listed["dict"]["tags"]
    library = [tag for tag in tags if tag.startswith("onednn-cpu-")][0]                # changed: the library's prefix
    species = [tag for tag in tags if tag in ("conv", "softmax")][0]
    for point in listed["points"]:
        with open(os.path.join(listed["path"], "ckp-%s.0001.json" % point)) as file:
            raw = json.load(file)
        model = raw["features"]["platform"]["platform"]["model"]
        platform = {"KVM 1.0": "vm"}[model]                                             # changed: the board's name
        env = raw["choices"]["env"]
        operator = raw["choices"]["data_uoa"][:-len("-onednn-cpu")]                     # changed: the program's ending
        assert raw["choices"]["dvdt_prof"] == "no"
        for number, item in enumerate(raw["characteristics_list"]):
            run = item["run"]
            rows.append({
                "platform": platform, "library": library, "species": species, "operator": operator,
                "tensor": raw["choices"]["dataset_file"][len("shape-"):], "dataset": raw["choices"]["dataset_uoa"],
                "input": [env["CK_IN_SHAPE_" + axis] for axis in "NCHW"], "repetition": number,
                "success": run["run_success"], "time_us": 1e6 * float(run["execution_time_kernel_1"]),
            })
print("ROWS" + json.dumps(rows))
"""


@pytest.mark.skipif(importlib.util.find_spec("ck") is None, reason="ck is not installed")
def test_the_published_way_of_loading_finds_our_points(tmp_path):
    local = Repository("local", tmp_path / "CK" / "local")
    tags = ["nntest", "conv-onednn-cpu", "onednn-cpu-3.2.0", "2026-11-21T08:00:00", "20261121080000", "conv"]
    experiment = open_experiment(local, "nntest-conv-onednn-cpu-onednn-cpu-3.2.0-20261121080000", {"tags": tags})
    for seed in range(2):
        save_point(experiment, with_seed(make_point(repetitions=3, launches=3), seed))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CK_")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOADER],
        env={**environ, "HOME": str(tmp_path)},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(done.stdout.rsplit("ROWS", 1)[1])
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
        "success": "yes",
        "time_us": pytest.approx(200.0),
    }

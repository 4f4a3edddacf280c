"""How fast points become a table: against the raw limit, the original way, and with the index.

The limit is what two processes need to open, read and parse (orjson) all files, and nothing else. They know the names
beforehand; our crawl has to find them. Our crawl starts its processes within the time that is measured, and so does
the limit; ``of_limit_started`` is against processes that wait for the word, which the crawl never has. No side counts
the import of what the caller has imported already. Cold is without an index, with the files in the page cache. Sides
alternate, and a ratio is the median of the pairs' ratios.
"""

import json
import os
import pickle
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).resolve().parents[3]
TX1 = ROOT.parent / "shared" / "data" / "ck-caffe-nvidia-tx1-bvlc.zip"
POINTS = 100_000
PER_EXPERIMENT = 100
REPETITIONS = 3
SAMPLE = 1_000
PAIRS = 5

# What the original's notebooks do: look entries up through ck, list their points, one frame for each, concatenate.
CK_WAY = r"""
import json, os, sys, time
import ck.kernel as ck, pandas as pd
start = time.perf_counter()
here = {"repo_uoa": "bench", "module_uoa": "experiment"}
frames = []
for entry in ck.access({"action": "search", "data_uoa": "*", "tags": sys.argv[1], **here})["lst"]:
    listed = ck.access({"action": "list_points", "data_uoa": entry["data_uoa"], **here})
    for point in listed["points"]:
        with open(os.path.join(listed["path"], "ckp-%s.0001.json" % point)) as file:
            raw = json.load(file)
        env, tags = raw["choices"]["env"], listed["dict"]["tags"]
        rows = [
            {
                "library": tags[-1], "program": raw["choices"]["data_uoa"], "dataset": raw["choices"]["dataset_file"],
                "platform": raw["features"]["platform"]["platform"]["model"], "point": point, "repetition_id": number,
                "batch_size": env.get("CK_IN_SHAPE_N", env.get("CK_CAFFE_BATCH_SIZE")),
                "success": item["run"].get("run_success"),
                "time": item["run"].get("execution_time_kernel_1", item["run"].get("time_fw_ms")),
            }
            for number, item in enumerate(raw["characteristics_list"])
        ]
        frame = pd.DataFrame(data=rows)
        frames.append(frame.set_index(["platform", "library", "program", "dataset", "batch_size", "repetition_id"]))
table = pd.concat(frames)
print("SECONDS", time.perf_counter() - start, len(frames))
"""

# Started as our own workers are: without the search for what the caller has found already.
RAW = r"""
import sys
sys.path[:] = sys.argv[2:]
import os, orjson, pickle, gc
gc.disable()
names = pickle.load(sys.stdin.buffer)
sys.stdout.write("ready\n"); sys.stdout.flush()
os.read(int(sys.argv[1]), 1)
for name in names:
    with open(name, "rb", buffering=0) as file:
        orjson.loads(file.read())
"""

LOAD = r"""
import resource, sys, time
start = time.perf_counter()
import nntest
imported = time.perf_counter() - start
import pandas, pyarrow.parquet, nntest.crawl.collect, nntest.crawl.frame
seconds = []
for _ in range(int(sys.argv[2])):
    start = time.perf_counter()
    frame = nntest.load(sys.argv[1])
    seconds.append(time.perf_counter() - start)
assert not frame.attrs["skipped"], frame.attrs["skipped"][:3]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print("RESULT", imported, peak / 1e3, workers / 1e3, len(frame), *seconds)
"""


def run(points: int = POINTS) -> dict[str, float]:
    """Measure and return the figures; `points` shaped like ours."""
    with tempfile.TemporaryDirectory(prefix="nntest-bench-", dir=os.environ.get("NNTEST_BENCH_DIR")) as folder:
        root = Path(folder)
        make_points(root / "points", points)
        figures = _ours(root, points)
        if TX1.exists():
            figures.update(_tx1(root))
        return figures


def _ours(root: Path, points: int) -> dict[str, float]:
    limits, started, colds = [], [], []
    for _ in range(PAIRS):
        # Alternating, so that whatever else the machine does meets both.
        whole, running = raw_seconds(root / "points")
        limits.append(whole)
        started.append(running)
        shutil.rmtree(root / "cache", ignore_errors=True)
        cold = load_seconds(root / "points", root)
        colds.append(cold["seconds"][0])
    warm = min(load_seconds(root / "points", root)["seconds"][0] for _ in range(3))
    make_points(root / "points", 100, first=points, experiment="added")
    added = load_seconds(root / "points", root)["seconds"][0]
    make_points(root / "sample", SAMPLE)
    rate = SAMPLE / statistics.median(ck_seconds(root, root / "sample", "nntest") for _ in range(3))
    return {
        "points": points,
        "raw_limit_per_s": round(points / statistics.median(limits)),
        "cold_points_per_s": round(points / statistics.median(colds)),
        "of_limit": round(_median_ratio(limits, colds), 3),
        "of_limit_started": round(_median_ratio(started, colds), 3),
        "times_ck_cold": round(points / statistics.median(colds) / rate, 1),
        "warm_s": round(warm, 3),
        "incremental_s": round(added, 3),
        "peak_rss_mb": round(cold["peak_mb"]),
        "worker_rss_mb": round(cold["workers_mb"]),
        "import_s": round(statistics.median(import_seconds() for _ in range(5)), 3),
    }


def _tx1(root: Path) -> dict[str, float]:
    with zipfile.ZipFile(TX1) as archive:
        archive.extractall(root / "tx1")
    slow, colds, warms = [], [], []
    for _ in range(PAIRS):
        slow.append(ck_seconds(root, root / "tx1", "explore-batch-size-libs-models"))
        shutil.rmtree(root / "cache", ignore_errors=True)
        colds.append(load_seconds(root / "tx1", root)["seconds"][0])
        warms.append(statistics.median(load_seconds(root / "tx1", root, times=20)["seconds"][1:]))
    return {
        "tx1_times_ck_cold": round(_median_ratio(slow, colds), 1),
        "tx1_times_ck_warm": round(_median_ratio(slow, warms), 1),
    }


def _median_ratio(above: list[float], below: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(above, below, strict=True))


def make_points(root: Path, count: int, *, first: int = 0, experiment: str = "points") -> None:
    """Write points shaped like ours, `REPETITIONS` repetitions each, a hundred in an experiment."""
    sys.path.insert(0, str(ROOT))
    from nntest.model.point_json import to_json
    from nntest.store.publish import open_experiment
    from nntest.store.repository import Repository
    from tests.points import make_point, with_seed

    words: dict[str, Any] = to_json(make_point(repetitions=REPETITIONS, launches=REPETITIONS))
    block = words["nntest"]
    for start in range(first, first + count, PER_EXPERIMENT):
        name = f"nntest-conv-onednn-cpu-{experiment}-{start:08d}"
        tags = ["nntest", "conv-onednn-cpu", "onednn-cpu-3.2.0", "2026-11-21T08:00:00", f"{start:014d}", "conv"]
        folder = open_experiment(Repository("bench", root), name, {"tags": tags})
        block["session"]["id"] = f"20261121-{start:08d}"
        for number in range(start, min(start + PER_EXPERIMENT, first + count)):
            case = with_seed(make_point(repetitions=1, launches=1), number % 2_000).case
            block["case"], block["case_id"] = case.block(), case.id
            block["uid"] = uid = f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}"
            for index, item in enumerate(words["characteristics_list"]):
                seconds = 1e-4 + (number * 31 + index * 17) % 1_000 * 1.0000001e-8
                item["run"]["execution_time_kernel_1"] = seconds
                block["samples"]["seconds"][index] = seconds * block["samples"]["loops"][index]
            data = orjson.dumps(words, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
            (folder / f"ckp-{uid}.0001.json").write_bytes(data)


def raw_seconds(root: Path) -> tuple[float, float]:
    """Open, read and parse all files with two processes: seconds with their start, and from when both wait."""
    names = [str(path) for path in sorted(root.glob("experiment/*/ckp-*.json"))]
    orders = [pickle.dumps(half) for half in (names[::2], names[1::2])]
    source, sink = os.pipe()
    begun = time.perf_counter()
    processes = []
    for order in orders:
        command = [sys.executable, "-I", "-S", "-c", RAW, str(source), *filter(None, sys.path)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(source,))
        assert process.stdin is not None
        process.stdin.write(order)
        process.stdin.close()
        processes.append(process)
    os.close(source)
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    start = time.perf_counter()
    os.write(sink, b"gg")
    codes = [process.wait() for process in processes]
    end = time.perf_counter()
    os.close(sink)
    assert codes == [0, 0], codes
    return end - begun, end - start


def load_seconds(source: Path, root: Path, *, times: int = 1) -> dict[str, Any]:
    """Time `nntest.load` in a process of its own, with its own cache folder."""
    words = _answer([sys.executable, "-c", LOAD, str(source), str(times)], _environ(root), "RESULT")
    imported, peak, workers, rows, *seconds = map(float, words)
    return {"import_s": imported, "peak_mb": peak, "workers_mb": workers, "rows": rows, "seconds": seconds}


def ck_seconds(root: Path, repository: Path, tags: str) -> float:
    """Time the original way over a repository that is registered with ck as `bench`."""
    entry = root / "CK" / "local" / "repo" / "bench" / ".cm"
    shutil.rmtree(root / "CK", ignore_errors=True)
    (repository / ".ckr.json").write_text(
        json.dumps({"data_alias": "bench", "data_name": "bench", "data_uid": "0123456789abcdef", "data_uoa": "bench"})
    )
    command = [sys.executable, "-W", "ignore", "-m", "ck.kernel", "import", "repo", f"--path={repository}", "--quiet"]
    subprocess.run(command, env=_environ(root), check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert entry.is_dir()
    return float(_answer([sys.executable, "-W", "ignore", "-c", CK_WAY, tags], _environ(root), "SECONDS")[0])


def import_seconds() -> float:
    """Time `import nntest` in a fresh process, interpreter start excluded."""
    code = "import time; s = time.perf_counter(); import nntest; print('SECONDS', time.perf_counter() - s)"
    return float(_answer([sys.executable, "-c", code], dict(os.environ), "SECONDS")[0])


def _answer(command: list[str], environ: dict[str, str], word: str) -> list[str]:
    done = subprocess.run(command, env=environ, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"crawl: {command[-1]}: {done.stderr[-2000:]}")
    return done.stdout.rsplit(word, 1)[1].split()


def _environ(root: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CK_")}
    return {**kept, "HOME": str(root), "XDG_CACHE_HOME": str(root / "cache")}

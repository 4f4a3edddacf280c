"""How the crawl grows: seconds and memory from a thousand to three hundred thousand points shaped like ours."""

import os
import shutil
import statistics
import tempfile
from pathlib import Path

from benchmarks.crawl import load_seconds, make_points

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000)
TIMES = 3


def run(sizes: tuple[int, ...] = SIZES) -> dict[str, float]:
    """Measure and return the figures of each size: cold (no index), warm, one experiment added, peak memory."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="nntest-bench-", dir=os.environ.get("NNTEST_BENCH_DIR")) as folder:
        root = Path(folder)
        there = 0
        for size in sizes:
            make_points(root / "points", size - there, first=there)
            there = size
            figures.update({f"{name}_{size}": value for name, value in _one(root).items()})
    return figures


def _one(root: Path) -> dict[str, float]:
    colds = []
    for _ in range(TIMES):
        shutil.rmtree(root / "cache", ignore_errors=True)
        cold = load_seconds(root / "points", root)
        colds.append(cold["seconds"][0])
    warm = statistics.median(load_seconds(root / "points", root)["seconds"][0] for _ in range(TIMES))
    added = root / "points" / "experiment" / "nntest-conv-onednn-cpu-added-00000000"
    make_points(root / "points", 100, experiment="added")
    incremental = load_seconds(root / "points", root)["seconds"][0]
    shutil.rmtree(added)
    return {
        "cold_s": round(statistics.median(colds), 3),
        "warm_s": round(warm, 3),
        "incremental_s": round(incremental, 3),
        "peak_rss_mb": round(cold["peak_mb"]),
        "worker_rss_mb": round(cold["workers_mb"]),
        "index_mb": round(sum(path.stat().st_size for path in (root / "cache").rglob("*.parquet")) / 1e6, 1),
    }

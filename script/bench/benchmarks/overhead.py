"""What the harness itself costs.

- ``median_overhead_ms``, ``p99_overhead_ms``: time per point of 3 repetitions over the demo set that is neither
  building, nor starting processes, nor inside the operator's library (its set-up, its first run, priming, timed calls,
  and the call that ends each launch, whose output is compared), nor computing the reference. Recording is part of it.
- ``duty``: time inside the library's set-up, priming (with warm-up) and timed calls, as a share of a whole session
  over the demo set with 10 repetitions, programs already built. The calls whose output is compared do not count.
- ``first_sample_s``: from the start of a ``nntest run`` of a program that is already built to the end of its first
  sample; the median of 5.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson
from demo_set import NETWORK, measure

from nntest.measure.world import cache_root

STARTS = 5


def run() -> dict[str, float]:
    """Return the figures."""
    measure(repetitions=1)  # builds, references
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CK_LOCAL_REPO"] = folder
        try:
            short = measure(repetitions=3, no_record=False)
        finally:
            del os.environ["CK_LOCAL_REPO"]
    own_ms = sorted(1e3 * seconds for seconds in short.harness_by_point_s.values())
    account = measure(repetitions=10).account_s
    return {
        "median_overhead_ms": round(statistics.median(own_ms), 3),
        "p99_overhead_ms": round(own_ms[int(0.99 * (len(own_ms) - 1))], 3),
        "duty": round((account["set_up"] + account["prime"] + account["timed"]) / account["session"], 3),
        "first_sample_s": round(statistics.median(_first_sample_s(number) for number in range(STARTS)), 3),
    }


def _first_sample_s(number: int) -> float:
    """Start a session like a user does and read from its journal when the first sample was there."""
    name = f"bench-first-sample-{os.getpid()}-{number}"
    command = [sys.executable, "-m", "nntest.faces.cli", "run", "conv-onednn-cpu"]
    command += ["--dataset", f"tensor-conv-{NETWORK}", "--dataset-file", "shape-512-14-14-1-512-1-0"]
    command += ["--repetitions", "1", "--no-record", "--timestamp", name]
    began = time.time()
    subprocess.run(command, check=True, capture_output=True)
    [journal] = (cache_root() / "journals").glob(f"{name}.*.jsonl")
    return _ended_unix(journal) - began


def _ended_unix(journal: Path) -> float:
    records = [orjson.loads(line) for line in journal.read_bytes().splitlines()]
    journal.unlink()
    session = next(record for record in records if record["kind"] == "session")
    sample = next(record for record in records if record["kind"] == "sample")
    return float(session["started_unix"] + sample["at_s"] + sample["seconds"])

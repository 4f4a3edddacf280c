"""kill -9 at random moments: only complete points are left, and resuming does the rest once."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from nntest.measure import groups
from nntest.measure.journal import read_records
from nntest.model.point import Point
from nntest.model.point_json import from_json
from tests.measure.real_world import SHAPES, make_repository, measure

pytestmark = pytest.mark.native

REPOSITORY = Path(__file__).parents[2]
#: Moments of the full campaign; NNTEST_KILLS asks for others.
KILLS = int(os.environ.get("NNTEST_KILLS", "200"))


@pytest.fixture(scope="module")
def duration_s(tmp_path_factory: pytest.TempPathFactory) -> float:
    """Return how long the session takes when nobody kills it; also builds what it needs."""
    root = tmp_path_factory.mktemp("whole")
    make_repository(root / "repository")
    measure(root, "conv-works-cpu", files=1)
    root = tmp_path_factory.mktemp("timed")
    make_repository(root / "repository")
    began = time.monotonic()
    assert start(root).wait() == 0
    return time.monotonic() - began


@pytest.mark.parametrize("kills", [3, pytest.param(KILLS, marks=pytest.mark.full)])
def test_only_complete_points_and_a_resume_that_completes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], duration_s: float, kills: int
) -> None:
    monkeypatch.setattr(groups, "MAX_TRIALS", 2)
    moments = random.Random(kills)
    interrupted = found = number = 0
    while interrupted < kills:
        number += 1
        assert number < 10 * kills, "sessions end before they are killed"
        root = tmp_path / str(number)
        make_repository(root / "repository")
        session = start(root)
        time.sleep(moments.uniform(0.2, 1.0) * duration_s)
        session.send_signal(signal.SIGKILL)
        interrupted += session.wait() == -signal.SIGKILL
        before = points(root)
        found += len(before)
        summary = measure(root, "conv-works-cpu", resume=True)
        after = points(root)
        assert before.items() <= after.items(), "a finished point was touched"
        assert len(after) == SHAPES
        assert summary.points + summary.skipped == SHAPES
        assert all(len(point.samples) == 4 and point.failure is None for point in after.values())
        assert {point.uid for point in before.values()}.isdisjoint(point.uid for point in summary.results)
        assert finished_groups_ran_once(root)
        shutil.rmtree(root)
    figures = {"campaign": "kill_recording", "kills": kills, "ended": number - interrupted, "points_found": found}
    with capsys.disabled():
        print(f"\n{json.dumps({**figures, 'partial_points': 0, 'overwritten': 0})}")


def start(root: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", "tests.measure.real_world", str(root)], cwd=REPOSITORY)


def points(root: Path) -> dict[str, Point]:
    """Read every file that looks like a point; a half-written one would not restore."""
    paths = sorted((root / "local" / "experiment").glob("*/ckp-*.json"))
    return {path.name: from_json(json.loads(path.read_bytes())) for path in paths}


def finished_groups_ran_once(root: Path) -> bool:
    """Tell from the journals that no launch was finished twice."""
    ends = Counter(
        (path.name, record["group"], record["launch"])
        for path in (root / "cache" / "journals").iterdir()
        for record in read_records(path)
        if record["kind"] == "launch_end"
    )
    return set(ends.values()) <= {1}

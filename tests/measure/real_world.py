"""A session with real driver processes over tiny convolutions; run as a program, it is one that can be killed."""

import json
import sys
from dataclasses import replace
from pathlib import Path

from nntest.measure import groups
from nntest.measure.build import build
from nntest.measure.request import RunRequest
from nntest.measure.session import Summary, plan_session, run_session
from nntest.measure.world import World, real_world
from nntest.store.repository import Repository
from tests.programs.build import CACHE

PROGRAMS = Path(__file__).parents[1] / "programs"
SHAPES = 6


def make_repository(root: Path) -> None:
    """Make a repository of the test programs and a dataset of tiny convolutions."""
    folder = root / "dataset" / "tiny"
    (folder / ".cm").mkdir(parents=True)
    names = [f"shape-{number}" for number in range(1, SHAPES + 1)]
    meta = {"tags": ["dataset", "nntest", "tensor-conv"], "dataset_files": [f"{name}.json" for name in names]}
    (folder / ".cm" / "meta.json").write_text(json.dumps(meta))
    for number, name in enumerate(names, start=1):
        shape = {"CK_IN_SHAPE_C": number, "CK_IN_SHAPE_H": 5, "CK_IN_SHAPE_W": 4, "CK_OUT_SHAPE_C": 2}
        (folder / f"{name}.json").write_text(json.dumps({**shape, "CK_CONV_KERNEL": 3}))
    (root / "program").symlink_to(PROGRAMS)


def world_in(root: Path) -> World:
    """Return the real world with everything that it writes under ``root``, except builds."""
    return replace(
        real_world(),
        cache_root=root / "cache",
        lock_path=root / "lock",
        build=lambda one: build(one.program, one.library, flags=one.flags, cache_root=CACHE),
        repository=lambda name: Repository(name, root / name),
        repositories=[Repository("test", root / "repository")],
    )


def measure(
    root: Path, programs: str, *, resume: bool = False, timeout_s: float = 60.0, files: int = SHAPES
) -> Summary:
    """Measure tiny convolutions in groups of two."""
    world = world_in(root)
    request = RunRequest(
        programs=programs,
        dataset_uoa="tiny",
        dataset_files=tuple(f"shape-{number}" for number in range(1, files + 1)),
        timestamp="t",
        repetitions=4,
        launches=2,
        timeout_s=timeout_s,
        resume=resume,
    )
    return run_session(plan_session(request, world), world=world)


if __name__ == "__main__":
    groups.MAX_TRIALS = 2
    sys.exit(measure(Path(sys.argv[1]), "conv-works-cpu").exit_code)

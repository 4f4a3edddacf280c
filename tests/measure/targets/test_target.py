"""A target of one's own, as docs/add-a-target.md describes it."""

import re
import shutil
from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nntest.measure import build, targets
from nntest.measure.build import BuiltProgram
from nntest.measure.request import RunRequest
from nntest.measure.session import plan_session, run_session
from nntest.measure.targets import Target
from nntest.measure.world import real_world
from nntest.statistics.trust import assess
from nntest.store.repository import Repository
from tests.programs.build import CACHE, REPOSITORY

PAGE = Path(__file__).parents[3] / "docs" / "add-a-target.md"


def _build(real: Callable[..., BuiltProgram], *args: Any, **options: Any) -> BuiltProgram:
    return real(*args, **{**options, "cache_root": CACHE})


def test_the_page_tells_every_field() -> None:
    told = re.findall(r"^ +\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert told == [field.name for field in fields(Target) if field.name != "name"]


def test_a_session_on_a_target_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = shutil.which("env")
    assert runner is not None
    mine = Target(
        name="mine",
        runner=(runner,),
        env={"NNTEST_MINE": "1"},
        emulator="env 1",
        platform=lambda host: replace(host, target="mine", emulator="env 1"),
    )
    monkeypatch.setattr(targets, "find_target", lambda name, _: {"mine": mine}[name])
    monkeypatch.setattr(build, "build", partial(_build, build.build))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    world = replace(
        real_world("mine"),
        lock_path=tmp_path / "lock",
        repository=lambda name: Repository(name, tmp_path / name),
        repositories=[Repository("nntest", REPOSITORY)],
    )
    request = RunRequest(
        programs="conv-plain-cpu",
        dataset_uoa="tensor-conv-synthetic",
        dataset_files=("shape-1-1-1-1-1-1-0",),
        repetitions=1,
        target="mine",
    )
    (point,) = run_session(plan_session(request, world), world=world).results
    assert point.verification.verified
    assert (point.platform.target, point.platform.emulator) == ("mine", "env 1")
    assert assess(point)[0] == "emulated"

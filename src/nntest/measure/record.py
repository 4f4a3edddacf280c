"""Experiment entries: what a session's points are filed under, in CK's terms."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from nntest.measure.plan import SessionPlan
from nntest.measure.trial import Trial
from nntest.measure.world import World
from nntest.measure.writable import require_writable
from nntest.model.case import Platform
from nntest.model.point import Point
from nntest.store.entries import is_point_name
from nntest.store.publish import experiment_folder, open_experiment, publish_together
from nntest.store.repository import Repository

# Experiments that are opened at the same time: each waits for the disk six times.
_OPENING = 2


def experiment_uoa(program: str, library_tag: str, timestamp: str, record_uoa: str = "") -> str:
    """Return the name of the experiment of a program, a library and a session, or the one that was asked for."""
    return record_uoa or f"nntest-{program}-{library_tag}-{timestamp}"


def experiment_meta(trial: Trial, plan: SessionPlan, platform: Platform, started: datetime) -> dict[str, Any]:
    """Return tags and meta of the experiment of a trial, as CK's experiments have them."""
    program, tag = trial.case.program, trial.candidate.library.library.tag
    return {
        "tags": [
            "nntest",
            program,
            tag,
            started.isoformat(timespec="seconds"),
            f"{started:%Y%m%d%H%M%S}",
            trial.case.species,
        ],
        "meta": {
            "cmd_key": trial.case.cmd_key,
            "cpu_name": platform.cpu,
            "dataset_uoa": trial.shape.dataset,
            "os_name": platform.os,
            "plat_name": platform.model,
            "prog_uoa": program,
            "species": trial.case.species,
            "timestamp": plan.timestamp,
            "versions": {tag: trial.candidate.library.library.version},
        },
    }


@dataclass(frozen=True, kw_only=True)
class Found:
    """A point that is there: the id of the session that made it (empty where unknown), and whether it failed."""

    session: str
    failed: bool


@dataclass(frozen=True, kw_only=True)
class Made:
    """The point that a trial has become, and its bytes if it is to be recorded."""

    trial: Trial
    point: Point
    data: bytes = b""


class Recorder:
    """Publishes the points of one session; experiments are opened when their first point comes."""

    def __init__(self, plan: SessionPlan, platform: Platform, world: World, *, started: datetime) -> None:
        self._plan = plan
        self._platform = platform
        self._started = started
        self._repository: Repository = world.repository(plan.request.record_repo)
        self._opened: dict[str, Path] = {}

    def prepare(self) -> None:
        """Make the folder of the experiments, so that nothing is measured that could not be kept.

        Raises
        ------
        DataError
            It cannot be written.
        """
        require_writable(
            self._repository.path / "experiment",
            purpose="points",
            advice="see to the folder, name another repository with --record_repo, or measure with --no_record",
        )

    @property
    def experiments(self) -> Mapping[str, Path]:
        """Experiments that have taken points of this session, by name."""
        return self._opened

    def save(self, made: Sequence[Made]) -> list[Path]:
        """Publish points and return their files, in order."""
        new = {self._name(one.trial): one.trial for one in made if self._name(one.trial) not in self._opened}
        folders = {name: experiment_folder(self._repository, name) for name in new}
        points = [({**self._opened, **folders}[self._name(one.trial)], one.point.uid, one.data) for one in made]
        return publish_together(points, meanwhile=lambda: self._open_all(new))

    def _open_all(self, new: Mapping[str, Trial]) -> None:
        if not new:
            return
        with ThreadPoolExecutor(max_workers=_OPENING) as writers:
            self._opened.update(zip(new, writers.map(self._open, new, new.values()), strict=True))

    def _open(self, name: str, trial: Trial) -> Path:
        meta = experiment_meta(trial, self._plan, self._platform, self._started)
        return open_experiment(self._repository, name, meta, now=lambda: self._started)

    def find_point(self, trial: Trial, uid: str, *, session: str = "") -> Found | None:
        """Look for a point of that uid in the trial's experiment, the newest of that session or of whichever."""
        paths = self._points(self._name(trial), f"{uid}.[0-9]*")
        found = (_found(path) for path in sorted(paths, reverse=True))
        return next((one for one in found if not session or one.session == session), None)

    def count_points(self, *, session: str = "") -> int:
        """Count the cases that have a point in the session's experiments, of that session or of whichever."""
        paths = (path for name in {self._name(trial) for trial in self._plan.trials} for path in self._points(name))
        return len({path.parent / path.name.split(".")[0] for path in paths
                    if not session or _found(path).session == session})  # fmt: skip

    def _points(self, name: str, uid: str = "*") -> list[Path]:
        folder = self._repository.path / "experiment" / name
        return [path for path in folder.glob(f"ckp-{uid}.json") if is_point_name(path.name)]

    def _name(self, trial: Trial) -> str:
        tag = trial.candidate.library.library.tag
        return experiment_uoa(trial.case.program, tag, self._plan.timestamp, self._plan.request.record_uoa)


def _found(path: Path) -> Found:
    """Return what a point says of itself; a point of other tools and a damaged one say nothing."""
    try:
        block = orjson.loads(path.read_bytes())["nntest"]
        return Found(session=str(block["session"]["id"]), failed=block.get("failure") is not None)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Found(session="", failed=False)

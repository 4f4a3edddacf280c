"""What a journal says about a session that has ended: read back so that it can go on where it stopped."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nntest.measure.interrupts import INTERRUPTED
from nntest.measure.journal import journal_paths, read_records
from nntest.measure.standing import LOSSES, Loss, Standing
from nntest.model.point import Launch, Profile, Sample, Verification, WarmUp, Watch


@dataclass
class RecoveredTrial:
    """The records of one trial of a group, those of unfinished launches too."""

    launches: list[Launch] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    loops: int | None = None
    memory_bytes: int | None = None
    verification: Verification | None = None
    output_hash: str = ""
    loss: Loss | None = None
    reason: str = ""

    def restore(self, standing: Standing, launches_done: int) -> None:
        """Bring a standing to the state after ``launches_done`` launches; samples of a later one are not used."""
        standing.launches = [replace(launch, resumed=True) for launch in self.launches if launch.launch < launches_done]
        standing.samples = [sample for sample in self.samples if sample.launch < launches_done]
        if launches_done:
            standing.loops = self.loops
            standing.memory_bytes = self.memory_bytes
            standing.output_hash = self.output_hash
            standing.verification = self.verification or standing.verification
        if self.loss is not None:
            standing.give_up(self.loss, self.reason)


@dataclass
class RecoveredGroup:
    """One group: its trials' uids in the group's order, and how many launches were finished."""

    number: int
    uids: tuple[str, ...]
    trials: dict[str, RecoveredTrial] = field(default_factory=dict)
    launches_done: int = 0
    ended: bool = False


@dataclass
class Recovered:
    """One journal: its first header, and its groups by number.

    ``ended`` tells whether the session did all that it was last asked for, ``adopts`` whether points of other sessions
    counted as done then.
    """

    path: Path
    header: Mapping[str, Any]
    groups: dict[int, RecoveredGroup] = field(default_factory=dict)
    ended: bool = False
    adopts: bool = False

    @property
    def session(self) -> str:
        """Id of the session."""
        return str(self.header["session"])

    @property
    def order_seed(self) -> int:
        """Seed of the rounds' order."""
        return int(self.header["plan"]["order_seed"])

    @property
    def started_unix(self) -> float:
        """When the session began, in seconds of Unix time."""
        return float(self.header["started_unix"])

    @property
    def next_group(self) -> int:
        """First number that no group of the journal has."""
        return max(self.groups, default=-1) + 1


def recover_newest(folder: Path, name: str) -> Recovered | None:
    """Read the newest unfinished journal of the sessions called ``name``, or the newest when all are finished."""
    newest: Recovered | None = None
    for path in journal_paths(folder, name):
        recovered = recover(path)
        if recovered is not None and not recovered.ended:
            return recovered
        newest = newest or recovered
    return newest


def recover(path: Path) -> Recovered | None:
    """Read a journal; None when not even its header was written whole."""
    recovered: Recovered | None = None
    for record in read_records(path):
        if record["kind"] == "session":
            recovered = recovered or Recovered(path=path, header=record)
            recovered.ended, recovered.adopts = False, bool(record.get("adopts", False))
        elif recovered is not None and record["kind"] == "end":
            recovered.ended = record["exit_code"] != INTERRUPTED
        elif recovered is not None:
            _take(recovered, record)
    return recovered


def _take(recovered: Recovered, record: Mapping[str, Any]) -> None:
    number, kind = record.get("group"), record["kind"]
    if kind == "group":
        # a group that a resumed session goes on with is announced again
        recovered.groups.setdefault(record["group"], RecoveredGroup(record["group"], tuple(record["uids"])))
    group = recovered.groups.get(number) if isinstance(number, int) else None
    if group is None:
        return
    if kind == "launch_end":
        group.launches_done = max(group.launches_done, record["launch"] + 1)
    elif kind == "group_end":
        group.ended = True
    elif "uid" in record:
        _take_trial(group, group.trials.setdefault(record["uid"], RecoveredTrial()), record)


def _take_trial(group: RecoveredGroup, trial: RecoveredTrial, record: Mapping[str, Any]) -> None:
    kind = record["kind"]
    if kind == "set_up":
        launch = _launch(record["launch_facts"])
        # an unfinished launch is repeated: what it left behind gives way
        trial.launches = [one for one in trial.launches if one.launch != launch.launch] + [launch]
        trial.samples = [one for one in trial.samples if one.launch != launch.launch]
        if group.launches_done == 0 or trial.loops is None:
            trial.loops = record["loops"]
        trial.memory_bytes = record["memory_bytes"]
    elif kind == "checked":
        trial.verification = Verification(**record["verification"])
        trial.output_hash = record["hash"]
    elif kind == "sample":
        trial.samples.append(_sample(record))
    elif kind == "lost" and record["loss"] in LOSSES:
        trial.loss, trial.reason = record["loss"], record["reason"]


def _launch(facts: Mapping[str, Any]) -> Launch:
    warm_up = WarmUp(values_s=tuple(facts["warm_up"]["values_s"]), settled=facts["warm_up"]["settled"])
    return Launch(**{**facts, "warm_up": warm_up, "cores": tuple(facts["cores"])})


def _sample(record: Mapping[str, Any]) -> Sample:
    return Sample(
        launch=record["launch"],
        round=record["round"],
        loops=record["loops"],
        seconds=record["seconds"],
        at_s=record["at_s"],
        watch=Watch(**record["watch"]),
        profile=Profile.of(record["profile"]) if record.get("profile") else None,
    )

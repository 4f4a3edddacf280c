"""How a trial stands while its session runs: what is known of it so far, and why it was given up if it was."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from nntest.measure.trial import Trial
from nntest.model.case import Plan, Platform, Subject
from nntest.model.ids import point_uid
from nntest.model.point import Energy, Failure, FailureKind, Launch, Origin, Point, Sample, Verification
from nntest.statistics.trust import assess

if TYPE_CHECKING:
    from nntest.measure.build import BuiltProgram

Loss = Literal[FailureKind, "unsupported"]
LOSSES: tuple[Loss, ...] = (*get_args(FailureKind), "unsupported")


@dataclass(kw_only=True, eq=False)
class Standing:
    """The mutable side of a trial within one session.

    ``loops`` and ``output_hash`` are settled in the first launch; ``loss`` is the kind of failure, or
    ``unsupported``, after which the trial is not visited again.
    """

    trial: Trial
    subject: Subject
    platform: Platform
    built: "BuiltProgram | None" = None
    loops: int | None = None
    output_hash: str = ""
    verification: Verification = field(default_factory=lambda: Verification(verified=None))
    launches: list[Launch] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    memory_bytes: int | None = None
    loss: Loss | None = None
    reason: str = ""
    output_varies: bool = False
    restarted: bool = False

    @cached_property
    def uid(self) -> str:
        """Uid of the point that the trial becomes."""
        return point_uid(self.trial.case.id, self.subject.id, self.platform.id)

    @property
    def lost(self) -> bool:
        """Whether the trial was given up."""
        return self.loss is not None

    def give_up(self, loss: Loss, reason: str) -> None:
        """Remember the first reason for which the trial ends."""
        if self.loss is None:
            self.loss, self.reason = loss, reason

    def _profiler(self) -> dict[str, str]:
        """Name who kept account of the kernels."""
        profiler = self.built.profiler if self.built is not None else ""
        return {"profiler": profiler} if profiler and any(sample.profile for sample in self.samples) else {}

    def _counter(self) -> dict[str, str]:
        """Name what counted the instructions."""
        counter = self.built.counter if self.built is not None else ""
        return (
            {"counter": counter} if counter and any(one.watch.instructions is not None for one in self.samples) else {}
        )

    def point(self, plan: Plan, origin: Origin, *, shared_machine: bool, energy: Energy | None = None) -> Point:
        """Return the point that the trial has become, judged.

        Raises
        ------
        ValueError
            For an unsupported case, which makes no point.
        """
        if self.loss == "unsupported":
            raise ValueError(f"{self.trial.name}: an unsupported case makes no point")
        seen = {
            "output_varies": self.output_varies,
            "restarted": self.restarted,
            "shared_machine": shared_machine,
        }
        facts: dict[str, Any] = {
            "case": self.trial.case,
            "subject": self.subject,
            "platform": self.platform,
            "plan": plan,
            "origin": origin,
            "launches": tuple(self.launches),
            "samples": tuple(self.samples),
            "verification": self.verification,
            "failure": None if self.loss is None else Failure(kind=self.loss, reason=self.reason),
            "memory_bytes": self.memory_bytes,
            "energy": energy,
            "extra": {**{name: True for name, value in seen.items() if value}, **self._profiler(), **self._counter()},
        }
        trust, flags = assess(Point(**facts))
        return Point(**facts, trust=trust, flags=flags)


def launch_facts(launch: Launch) -> dict[str, Any]:
    """Return a launch as the journal keeps it."""
    return dict(vars(launch))

"""What this machine can show today: each program against its own twin, by the statistics of every comparison.

The twin is the same source, built once more with a macro that nothing reads. Both are measured as any two sides are;
what they seem to differ by is noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import median

from nntest.errors import MissingPartError
from nntest.measure.contest import Bout, Sides, contest
from nntest.measure.plan import SessionPlan, plan_session
from nntest.measure.request import RunRequest
from nntest.measure.world import World
from nntest.model.point import Point
from nntest.store.entries import find_programs

TWINS = Sides(kind="flags", a="", b="-DNNTEST_TWIN")

# From some microseconds to some milliseconds, bound by arithmetic and by memory, ours and a library's.
_PROGRAMS = ("softmax-plain-cpu", "conv-plain-cpu", "softmax-onednn-cpu", "conv-onednn-cpu")
_DATASETS = "tensor-softmax-mobilenets-v1-1.0-224,tensor-conv-lenet-5,tensor-conv-mobilenets-v1-1.0-224"
_FILES = (
    "shape-1001-1-1",
    "shape-1-32-32-5-6-1-0",
    "shape-16-5-5-5-120-1-0",
    "shape-3-224-224-3-32-2-0",
    "shape-512-14-14-1-512-1-0",
    "shape-1024-1-1-1-1001-1-0",
)
_REPETITIONS = 20
_LAUNCHES = 10


@dataclass(frozen=True, kw_only=True)
class Noise:
    """What twins seem to differ by; percentages of the time.

    Attributes
    ----------
    smallest_pct, worst_pct
        The slow-down that a comparison finds with probability 0.9: of the middle case, of the worst.
    bias_pct
        Median of what the twins seem to differ by, without sign; no more than noise.
    alarms
        Cases in which the twins were taken for different (false discovery rate); each is a false alarm.
    """

    bouts: tuple[Bout, ...]
    smallest_pct: float
    worst_pct: float
    bias_pct: float
    alarms: int

    @property
    def compared(self) -> int:
        """Number of cases that could be compared."""
        return sum(bout.comparison is not None and isfinite(bout.comparison.ratio) for bout in self.bouts)


def plan_noise(world: World, *, share: bool = False) -> SessionPlan:
    """Plan the session of the twins: a few cases of the programs whose libraries are there; nothing is recorded.

    Raises
    ------
    MissingPartError
        There is none of the programs.
    """
    known = {entry.uoa: entry for entry in find_programs("*", repositories=world.repositories)}
    usable = [name for name in _PROGRAMS if name in known and _has_library(known[name].library, world)]
    if not usable:
        raise MissingPartError(f"noise: none of {', '.join(_PROGRAMS)} is there; run it in a checkout of NNTest")
    request = RunRequest(
        programs=",".join(usable),
        dataset_uoa=_DATASETS,
        dataset_files=_FILES,
        flags=(TWINS.a, TWINS.b),
        repetitions=_REPETITIONS,
        launches=_LAUNCHES,
        skip_output_validation=True,
        no_record=True,
        share=share,
    )
    return plan_session(request, world)


def noise_of(points: Sequence[Point], world: World) -> Noise:
    """Compare the twins of a session.

    Raises
    ------
    MissingPartError
        None of the cases could be compared.
    """
    bouts = contest(points, TWINS, world)
    found = [bout.comparison for bout in bouts if bout.comparison is not None and isfinite(bout.comparison.ratio)]
    if not found:
        reasons = [point.failure.reason for point in points if point.failure is not None]
        raise MissingPartError(f"noise: no case could be measured; {reasons[0] if reasons else 'see `nntest doctor`'}")
    return Noise(
        bouts=tuple(bouts),
        smallest_pct=median(one.mde_pct for one in found),
        worst_pct=max(one.mde_pct for one in found),
        bias_pct=median(100 * abs(one.ratio - 1) for one in found),
        alarms=sum(one.verdict == "different" for one in found),
    )


def _has_library(name: str, world: World) -> bool:
    try:
        world.find_library(name, "")
    except MissingPartError:
        return False
    return True

"""Between two versions of a library: which one brought a slow-down, found by halving the range."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from nntest.errors import UsageError
from nntest.measure.contest import Bout, Sides, check_plan, contest, request_of
from nntest.measure.plan import SessionPlan, plan_session
from nntest.measure.request import RunRequest
from nntest.measure.world import World
from nntest.model.point import Point

Verdict = Literal["good", "bad", "undecided"]

# What could not be decided is measured once more with this many times the launches.
MORE = 2


@dataclass(frozen=True, kw_only=True)
class Step:
    """One version that was measured against the good one."""

    version: str
    verdict: Verdict
    ratio: float


@dataclass(frozen=True, kw_only=True)
class Found:
    """Where the slow-down came: after ``last_good``, in ``first_bad`` or in what lies between (``undecided``)."""

    last_good: str
    first_bad: str
    undecided: tuple[str, ...]
    steps: tuple[Step, ...]


def versions_between(offered: Sequence[str], good: str, bad: str) -> list[str]:
    """Return the versions from the good one to the bad one, both included, in order.

    Raises
    ------
    UsageError
        One of them is not offered, or they are the same.
    """
    for version in (good, bad):
        if version not in offered:
            raise UsageError(f"bisect: {version} is not offered; expected one of {', '.join(offered)}")
    if good == bad:
        raise UsageError(f"bisect: {good} was given twice; expected a good version and a bad one")
    first, last = offered.index(good), offered.index(bad)
    return list(offered[first : last + 1]) if first < last else list(reversed(offered[last : first + 1]))


def bisect(versions: Sequence[str], judge: Callable[[str], Step], seen: Callable[[Step], None]) -> Found:
    """Find the first bad version; the first of ``versions`` is good by definition, the last has to be bad.

    A version that cannot be decided is passed over for its neighbours.

    Raises
    ------
    UsageError
        The last version is not shown to be bad.
    """
    steps: dict[str, Step] = {}

    def verdict_of(version: str) -> Verdict:
        steps[version] = judge(version)
        seen(steps[version])
        return steps[version].verdict

    if verdict_of(versions[-1]) != "bad":
        last = steps[versions[-1]]
        raise UsageError(
            f"bisect: {last.version} is not shown to be slower than {versions[0]} by more than the limit "
            f"({last.verdict}, {last.ratio:.3f} of its time); choose another case, a smaller --limit or more --launches"
        )
    low, high = 0, len(versions) - 1
    while True:
        between = [number for number in range(low + 1, high) if versions[number] not in steps]
        if not between:
            break
        middle = min(between, key=lambda number: abs(2 * number - low - high))
        verdict = verdict_of(versions[middle])
        if verdict == "good":
            low = middle
        elif verdict == "bad":
            high = middle
    return Found(
        last_good=versions[low],
        first_bad=versions[high],
        undecided=tuple(versions[low + 1 : high]),
        steps=tuple(steps.values()),
    )


class Judge:
    """Measures one version of a library against the good one, in a session of its own."""

    def __init__(
        self,
        good: str,
        base: RunRequest,
        world: World,
        *,
        limit: float,
        prefix_of: Callable[[str], str],
        measure: Callable[[SessionPlan, World], Sequence[Point]],
    ) -> None:
        self._good = good
        self._base = base
        self._world = world
        self._limit = limit
        self._prefix_of = prefix_of
        self._measure = measure

    def __call__(self, version: str) -> Step:
        """Return whether a version is slower than the good one by more than the limit, in any of the cases."""
        step = self._step(version, launches=self._base.launch_count)
        if step.verdict == "undecided":
            step = self._step(version, launches=MORE * self._base.launch_count)
        return step

    def _step(self, version: str, *, launches: int) -> Step:
        sides = Sides(kind="library", a=self._prefix_of(self._good), b=self._prefix_of(version))
        samples = self._base.repetitions * launches // self._base.launch_count
        request = request_of(sides, replace(self._base, launches=launches, repetitions=samples))
        plan = plan_session(request, self._world)
        check_plan(plan, sides, self._world)
        bouts = contest(self._measure(plan, self._world), sides, self._world, limit=self._limit)
        return Step(version=version, verdict=_verdict(bouts), ratio=_worst_ratio(bouts))


def _verdict(bouts: Sequence[Bout]) -> Verdict:
    gates = {bout.gate for bout in bouts}
    if "slower" in gates:
        return "bad"
    return "good" if gates == {"passed"} else "undecided"


def _worst_ratio(bouts: Sequence[Bout]) -> float:
    return max((bout.comparison.ratio for bout in bouts if bout.comparison is not None), default=float("nan"))

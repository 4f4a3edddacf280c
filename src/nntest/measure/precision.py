"""Patience: how long a group is measured further until its intervals are narrow enough."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nntest.measure.request import RunRequest
from nntest.measure.standing import Standing

# Ten launches more than planned halve an interval about once; without a budget that must do.
EXTRA_LAUNCHES = 20


@dataclass(frozen=True, kw_only=True)
class Patience:
    """The wish of ``--until-ci`` and the limit of ``--budget``; wants nothing when neither was given."""

    half_width_pct: float | None
    ends_s: float | None
    clock: Callable[[], float]
    planned_launches: int

    @classmethod
    def of(cls, request: RunRequest, clock: Callable[[], float]) -> "Patience":
        """Take the wish of a request; its budget begins now."""
        return cls(
            half_width_pct=request.until_ci_pct,
            ends_s=None if request.budget_s is None else clock() + request.budget_s,
            clock=clock,
            planned_launches=request.launch_count,
        )

    @property
    def asks(self) -> bool:
        """Whether launches beyond those planned may be wanted."""
        return self.half_width_pct is not None

    def deadline(self, groups_left: int) -> float | None:
        """Return until when this group may go on, so that as much is left for each of the others."""
        if self.ends_s is None:
            return None
        now = self.clock()
        return now + (self.ends_s - now) / groups_left

    def wants_more(self, standings: Sequence[Standing], deadline: float | None) -> bool:
        """Tell whether some interval is still too wide, and there is time for another launch."""
        if self.half_width_pct is None:
            return False
        live = [standing for standing in standings if not standing.lost and standing.samples]
        if deadline is not None:
            if self.clock() >= deadline:
                return False
        elif any(len(standing.launches) >= self.planned_launches + EXTRA_LAUNCHES for standing in live):
            return False
        return any(half_width_pct(standing) > self.half_width_pct for standing in live)


def half_width_pct(standing: Standing) -> float:
    """Half-width of the median's interval in percent of the median; infinite while there is no interval."""
    from nntest.statistics.interval import interval
    from nntest.statistics.series import Series

    width = interval(Series.of_samples(standing.samples)).half_width_pct
    return width if width == width else float("inf")  # noqa: PLR0124 (NaN)

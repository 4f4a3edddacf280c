"""Where a session's time goes: what the programs take, and what is our own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, get_args

Category = Literal["build", "start", "set_up", "prime", "check", "timed", "reference"]
"""``set_up``, ``prime``, ``check`` and ``timed`` are time inside the operator's library (``check``: the calls whose
output is compared); whatever falls into no category is the harness's own."""

CATEGORIES: tuple[Category, ...] = get_args(Category)


class Account:
    """Sums of seconds by category, and the harness's own time by point."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()
        self._spent: dict[Category, float] = dict.fromkeys(CATEGORIES, 0.0)
        self.first_sample_s: float | None = None
        self.harness_by_point_s: dict[str, float] = {}

    def add(self, category: Category, seconds: float) -> None:
        """Book seconds that somebody else has measured."""
        self._spent[category] += seconds

    @contextmanager
    def spending(self, category: Category) -> Iterator[None]:
        """Book the time of the block; an exception is booked like success."""
        began = self._clock()
        try:
            yield
        finally:
            self._spent[category] += self._clock() - began

    @contextmanager
    def on(self, *uids: str) -> Iterator[None]:
        """Book what the block takes beyond the categories as the harness's time for these points, in equal shares.

        What a driver does before its point's turn has come is time of the point before it: sums are right, single
        shares to within that.
        """
        began, before = self._clock(), sum(self._spent.values())
        try:
            yield
        finally:
            own = self._clock() - began - (sum(self._spent.values()) - before)
            for uid in uids:
                self.harness_by_point_s[uid] = self.harness_by_point_s.get(uid, 0.0) + own / len(uids)

    def sampled(self) -> None:
        """Remember when the first sample was there."""
        if self.first_sample_s is None:
            self.first_sample_s = self._clock() - self._began

    def totals(self) -> dict[str, float]:
        """Seconds by category, with ``harness`` (the rest), ``session`` (all) and, if one came, ``first_sample``."""
        session = self._clock() - self._began
        totals: dict[str, float] = dict(self._spent.items())
        totals |= {"session": session, "harness": session - sum(self._spent.values())}
        if self.first_sample_s is not None:
            totals["first_sample"] = self.first_sample_s
        return totals

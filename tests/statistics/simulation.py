"""Nested samples with known truth: launches differ by ``between``, rounds by ``within``, some are disturbed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nntest.statistics.series import Series


@dataclass(frozen=True)
class Machine:
    launches: int = 5
    rounds: int = 2
    between: float = 0.01
    within: float = 0.01
    disturbed: float = 0.0
    drift: float = 0.0

    def logs(self, cases: int, generator: np.random.Generator) -> NDArray[np.float64]:
        shape = (cases, self.launches, self.rounds)
        logs = self.between * generator.standard_normal((*shape[:2], 1)) + self.within * generator.standard_normal(
            shape
        )
        logs += (generator.random(shape) < self.disturbed) * generator.exponential(0.2, shape)
        return logs.reshape(cases, -1)

    def series(self, cases: int, generator: np.random.Generator, time: float = 1.0) -> list[Series]:
        return [self._wrap(row) for row in time * np.exp(self.logs(cases, generator))]

    def pairs(self, cases: int, generator: np.random.Generator, ratio: float) -> list[tuple[Series, Series]]:
        """Two cases whose rounds share the machine's drift; the first takes ``ratio`` times as long."""
        shared = self.drift * generator.standard_normal((cases, self.launches * self.rounds))
        first = ratio * np.exp(self.logs(cases, generator) + shared)
        second = np.exp(self.logs(cases, generator) + shared)
        return [(self._wrap(a), self._wrap(b)) for a, b in zip(first, second, strict=True)]

    def median(self) -> float:
        """True median of a sample, by a large draw."""
        one_round = Machine(200_000, 1, self.between, self.within, self.disturbed)
        return float(np.exp(np.median(one_round.logs(1, np.random.default_rng(99)))))

    def mean(self) -> float:
        """True mean of a sample, by a large draw."""
        one_round = Machine(200_000, 1, self.between, self.within, self.disturbed)
        return float(np.mean(np.exp(one_round.logs(1, np.random.default_rng(97)))))

    def typical_minimum(self) -> float:
        """Median of the minimum that sessions of this form find."""
        return float(np.median(np.exp(self.logs(20_000, np.random.default_rng(98)).min(axis=1))))

    def _wrap(self, values: NDArray[np.float64]) -> Series:
        launches = np.repeat(np.arange(self.launches), self.rounds).tolist()
        rounds = np.tile(np.arange(self.rounds), self.launches).tolist()
        return Series.of_rounds(values, ["s"] * len(rounds), launches, rounds)

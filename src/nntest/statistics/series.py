"""The samples of one case as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nntest.model.point import Sample

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: What pairs a value with another case's: (session, launch, round).
Key = tuple[str, int, int]


@dataclass(frozen=True, eq=False)
class Series:
    """Values of one case with the launch that each came from.

    Attributes
    ----------
    values
        Times in any one unit, shape (n,).
    launches
        Launch of each value, shape (n,); any integers, equal for values of one process.
    keys
        What pairs a value with another case's: (session, launch, round). Empty when nothing pairs.
    """

    values: Floats
    launches: Ints
    keys: tuple[Key, ...] = ()

    @classmethod
    def of(cls, values: ArrayLike, launches: ArrayLike | None = None) -> "Series":
        """Wrap plain arrays; without ``launches`` each value is a process of its own (as the original ran them)."""
        array = np.asarray(values, dtype=np.float64).ravel()
        labels = np.arange(array.size) if launches is None else np.asarray(launches).ravel()
        return cls(array, np.unique(labels, return_inverse=True)[1].astype(np.int64).reshape(-1))

    @classmethod
    def of_samples(cls, samples: Sequence[Sample], *, session: str = "") -> "Series":
        """Take a point's samples; values are seconds of one call."""
        return cls.of_rounds(
            [sample.value_s for sample in samples],
            [session] * len(samples),
            [sample.launch for sample in samples],
            [sample.round for sample in samples],
        )

    @classmethod
    def of_rounds(
        cls, values: ArrayLike, sessions: Sequence[str], launches: Sequence[int], rounds: Sequence[int]
    ) -> "Series":
        """Take table rows; launches of different sessions are different launches."""
        keys = tuple((str(s), int(a), int(b)) for s, a, b in zip(sessions, launches, rounds, strict=True))
        numbers = {pair: number for number, pair in enumerate(dict.fromkeys(key[:2] for key in keys))}
        labels = np.array([numbers[key[:2]] for key in keys], dtype=np.int64)
        return cls(np.asarray(values, dtype=np.float64).ravel(), labels, keys)

    @cached_property
    def launch_count(self) -> int:
        """Number of processes behind the values."""
        return int(np.unique(self.launches).size)

    @cached_property
    def fault(self) -> str:
        """Why these values cannot be analysed; empty when they can."""
        if self.values.size == 0:
            return "no values"
        bad = int(np.count_nonzero(~(np.isfinite(self.values) & (self.values > 0))))
        return f"{bad} of {self.values.size} values are not positive numbers" if bad else ""

    @cached_property
    def logs(self) -> Floats:
        """Natural logarithms of the values."""
        return np.log(self.values)

"""Many series in one block of arrays, so that a million values take no Python object each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray

from nntest.statistics.series import Floats, Ints, Key, Series


@dataclass(frozen=True, eq=False)
class Batch(Sequence[Series]):
    """Series, one behind the other; as a sequence it gives each as a `Series`.

    Attributes
    ----------
    values
        Shape (n,), those of one series together.
    launches
        Shape (n,), 0, 1, ... within each series.
    rounds
        Shape (n,), equal where two values were taken in one round of one launch; negative pairs with nothing.
    starts
        Shape (series + 1,): where each series begins, and the end.
    names
        What each number in ``rounds`` stands for.
    """

    values: Floats
    launches: Ints
    rounds: Ints
    starts: Ints
    names: Sequence[Key] = ()

    @classmethod
    def of(cls, many: Sequence[Series]) -> "Batch":
        """Take series one by one; a batch is returned as it is."""
        if isinstance(many, Batch):
            return many
        names: dict[Key, int] = {}
        rounds = [
            np.array([names.setdefault(key, len(names)) for key in series.keys], dtype=np.int64)
            if series.keys
            else np.full(series.values.size, -1)
            for series in many
        ]
        starts = np.concatenate([[0], np.cumsum([series.values.size for series in many])]).astype(np.int64)
        return cls(
            np.concatenate([np.empty(0), *(series.values for series in many)]),
            np.concatenate([np.empty(0, dtype=np.int64), *(dense(series.launches) for series in many)]),
            np.concatenate([np.empty(0, dtype=np.int64), *rounds]),
            starts,
            tuple(names),
        )

    def __len__(self) -> int:
        """Count the series."""
        return self.starts.size - 1

    @overload
    def __getitem__(self, position: int) -> Series: ...

    @overload
    def __getitem__(self, position: slice) -> "list[Series]": ...

    def __getitem__(self, position: int | slice) -> "Series | list[Series]":
        """Return one series."""
        if isinstance(position, slice):
            return [self[number] for number in range(*position.indices(len(self)))]
        if not -len(self) <= position < len(self):
            raise IndexError(position)
        number = position % len(self)
        rows = slice(self.starts[number], self.starts[number + 1])
        numbers = self.rounds[rows].tolist()
        keys = tuple(self.names[key] for key in numbers) if numbers and min(numbers) >= 0 else ()
        return Series(self.values[rows], self.launches[rows], keys)

    def __iter__(self) -> Iterator[Series]:
        """Return them in turn."""
        return (self[number] for number in range(len(self)))

    @cached_property
    def sizes(self) -> Ints:
        """Number of values of each series."""
        return np.diff(self.starts)

    @cached_property
    def launch_counts(self) -> Ints:
        """Number of processes behind each series."""
        counts = np.zeros(len(self), dtype=np.int64)
        full = self.sizes > 0
        counts[full] = np.maximum.reduceat(self.launches, self.starts[:-1][full]) + 1 if full.any() else 0
        return counts

    @cached_property
    def faulty(self) -> Ints:
        """Number of values of each series that are not positive numbers; an empty series has none."""
        wrong = ~(np.isfinite(self.values) & (self.values > 0))
        return np.diff(np.concatenate([[0], np.cumsum(wrong)])[self.starts])

    @cached_property
    def logs(self) -> Floats:
        """Natural logarithms of the values; NaN where there is none."""
        return np.log(np.where(self.values > 0, self.values, np.nan))

    @property
    def owners(self) -> Ints:
        """Which series each value is of."""
        return np.repeat(np.arange(len(self)), self.sizes)

    def medians(self) -> Floats:
        """Return the median of each series' values, NaN for an empty one."""
        return self._each(lambda values: np.asarray(np.median(values, axis=1)))

    def minima(self) -> Floats:
        """Return the smallest of each series' values, NaN for an empty one."""
        return self._each(lambda values: np.asarray(np.min(values, axis=1)))

    def means(self) -> Floats:
        """Return the mean of each series' values, NaN for an empty one."""
        return self._each(lambda values: np.asarray(np.mean(values, axis=1)))

    def take(self, numbers: Ints) -> "Batch":
        """Return some of the series, as a batch."""
        sizes = self.sizes[numbers]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        rows = np.repeat(self.starts[:-1][numbers] - starts[:-1], sizes) + np.arange(starts[-1])
        return Batch(self.values[rows], self.launches[rows], self.rounds[rows], starts, self.names)

    def fault(self, number: int) -> str:
        """Why the values of a series cannot be analysed; empty when they can."""
        if self.sizes[number] == 0:
            return "no values"
        bad = int(self.faulty[number])
        return f"{bad} of {self.sizes[number]} values are not positive numbers" if bad else ""

    def _each(self, statistic: Callable[[Floats], Floats]) -> Floats:
        result = np.full(len(self), np.nan)
        for positions, rows, _ in forms(self.starts[:-1], self.sizes, self.launch_counts):
            if rows.shape[1]:
                result[positions] = statistic(self.values[rows])
        return result


def forms(starts: Ints, sizes: Ints, launches: Ints) -> Iterator[tuple[Ints, Ints, int]]:
    """Group runs of rows that have one form: their positions, their rows (runs, size), and their launch count."""
    order = np.lexsort((launches, sizes))
    pairs = np.stack([sizes[order], launches[order]])
    cuts = np.flatnonzero((np.diff(pairs, axis=1) != 0).any(axis=0)) + 1
    for positions in np.split(order, cuts):
        if positions.size:
            size = int(sizes[positions[0]])
            yield positions, starts[positions][:, None] + np.arange(size), int(launches[positions[0]])


@dataclass(frozen=True, eq=False)
class Pairing:
    """Rounds that two series share, for many pairs of series.

    ``first`` and ``second`` are rows of the batch, those of one pair together from ``starts`` on; ``launches`` are
    numbered anew within each pair.
    """

    first: Ints
    second: Ints
    launches: Ints
    starts: Ints

    @cached_property
    def sizes(self) -> Ints:
        """Number of shared rounds of each pair."""
        return np.diff(self.starts)

    @cached_property
    def launch_counts(self) -> Ints:
        """Number of launches that the shared rounds come from."""
        counts = np.zeros(self.sizes.size, dtype=np.int64)
        full = self.sizes > 0
        counts[full] = np.maximum.reduceat(self.launches, self.starts[:-1][full]) + 1 if full.any() else 0
        return counts


def pairing(batch: Batch, first: Ints, second: Ints) -> Pairing:
    """Find the rounds that series ``first[i]`` and ``second[i]`` share, in the order of the first's.

    A round that the second has twice counts once, the last.
    """
    sizes = batch.sizes[first]
    numbers = np.repeat(np.arange(first.size), sizes)
    offsets = np.arange(numbers.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    mine = batch.starts[:-1][first][numbers] + offsets
    theirs = batch.starts[:-1][second][numbers] + offsets
    rounds = batch.rounds[mine]
    # series of one session mostly have the same rounds in the same order; only the others are searched
    aligned = (batch.sizes[first] == batch.sizes[second])[numbers]
    aligned &= batch.rounds[np.where(aligned, theirs, 0)] == rounds if theirs.size else aligned
    whole = np.ones(first.size, dtype=bool)
    whole[numbers[~aligned]] = False
    unique = _has_unique_rounds(batch)
    whole &= unique[second]
    search = ~whole[numbers]
    if search.any():
        theirs[search] = _find(batch, second[numbers[search]], rounds[search])
    found = (rounds >= 0) & (theirs >= 0)
    mine, theirs, numbers = mine[found], theirs[found], numbers[found]
    starts = np.concatenate([[0], np.cumsum(np.bincount(numbers, minlength=first.size))]).astype(np.int64)
    return Pairing(mine, theirs, _renumbered(numbers, batch.launches[mine]), starts)


def dense(labels: Ints) -> Ints:
    """Return labels as 0, 1, ... in their order."""
    return np.unique(labels, return_inverse=True)[1].astype(np.int64).reshape(-1)


def _has_unique_rounds(batch: Batch) -> NDArray[np.bool_]:
    unique = np.ones(len(batch), dtype=bool)
    owners = batch.owners
    if np.all((np.diff(batch.rounds) > 0) | (np.diff(owners) > 0)):
        return unique
    order = np.lexsort((batch.rounds, owners))
    again = (np.diff(batch.rounds[order]) == 0) & (np.diff(owners[order]) == 0)
    unique[owners[order][1:][again]] = False
    return unique


def _find(batch: Batch, owners: Ints, rounds: Ints) -> Ints:
    """Return the last row of each owner that has the round, -1 without one."""
    width = int(batch.rounds.max(initial=0)) + 2
    known = batch.owners * width + batch.rounds + 1
    order = np.argsort(known, kind="stable")
    wanted = owners * width + rounds + 1
    place = np.searchsorted(known[order], wanted, side="right") - 1
    row = order[np.maximum(place, 0)]
    return np.where((place >= 0) & (known[row] == wanted), row, -1)


def _renumbered(numbers: Ints, launches: Ints) -> Ints:
    """Number the launches 0, 1, ... within each run of equal ``numbers``."""
    width = int(launches.max(initial=0)) + 1
    names, inverse = np.unique(numbers * width + launches, return_inverse=True)
    owner = names // width
    first = np.searchsorted(owner, owner, side="left")
    return np.asarray((np.arange(names.size) - first)[inverse.reshape(-1)], dtype=np.int64)

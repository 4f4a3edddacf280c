"""Columns of many points as numpy arrays: built from what the workers packed, joined, selected, put in order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from nntest.crawl.columns import MEASURED
from nntest.crawl.extract import NONSENSE, ROW_NUMBERS, RawBlock
from nntest.crawl.rules import UNKNOWN
from nntest.crawl.views import Keys, Part, Rule, View

Codes = npt.NDArray[np.int32]
Numbers = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]

#: Numbers of blocks, and what to take of them.
Places = Sequence[tuple[int, slice]]

_LEAST_RUN = 16

NO_RESULT = "the run left no result: a crash or a time-out"


@dataclass(frozen=True, kw_only=True)
class Block:
    """Some points and their rows.

    ``ordinals`` place the points among all files that were found; ``point`` has a code per point, ``row_codes`` and
    ``rows`` a code and a number per row. Columns that are unknown throughout are left out.
    """

    ordinals: Positions
    counts: Codes
    point: dict[str, Codes]
    row_codes: dict[str, Codes]
    rows: dict[str, Numbers]
    categories: dict[str, list[Any]]

    def take(self, positions: Positions) -> "Block":
        """Return the points at ``positions``, in that order, with their rows."""
        rows = self.rows_of(positions)
        return Block(
            ordinals=self.ordinals[positions],
            counts=self.counts[positions],
            point={name: codes[positions] for name, codes in self.point.items()},
            row_codes={name: codes[rows] for name, codes in self.row_codes.items()},
            rows={name: values[rows] for name, values in self.rows.items()},
            categories=self.categories,
        )

    def rows_of(self, positions: Positions) -> Positions:
        """Return the positions of the rows that belong to points."""
        starts = np.cumsum(self.counts, dtype=np.int64) - self.counts
        return spread_ranges(starts[positions], self.counts[positions])

    def in_order(self) -> "Block":
        """Return the points in order of their ordinals."""
        if bool(np.all(self.ordinals[1:] > self.ordinals[:-1])):
            return self
        return self.take(np.argsort(self.ordinals, kind="stable"))

    def pruned(self) -> "Block":
        """Return the block without categories that nothing has, so that a selection looks as if it were all."""
        categories = dict(self.categories)
        columns = {**self.point, **self.row_codes}
        for name, codes in columns.items():
            values = categories.get(name, [])
            used = np.bincount(codes + 1, minlength=len(values) + 1)[1:] > 0
            if not bool(used.all()):
                places = np.append(np.cumsum(used) - 1, UNKNOWN).astype(np.int32)
                columns[name] = places[codes]
                categories[name] = [value for value, kept in zip(values, used.tolist(), strict=True) if kept]
        return replace(
            self,
            point={name: columns[name] for name in self.point},
            row_codes={name: columns[name] for name in self.row_codes},
            categories=categories,
        )


def spread_ranges(starts: Positions, counts: Codes) -> Positions:
    """Return start, start + 1, ... for each range, one behind the other."""
    ends = np.cumsum(counts, dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    places: Positions = np.arange(total, dtype=np.int64) + np.repeat(starts - (ends - counts), counts)
    return places


def build_block(raw: RawBlock, view: View, part: Part = "") -> Block:
    """Turn what an extractor packed into a block, with what holds between columns applied."""
    counts = _codes(raw.counts)
    point = {name: _codes(codes) for name, codes in raw.point.items()}
    row_codes = {name: _codes(codes) for name, codes in raw.row_codes.items()}
    if view.items or part:
        rows = {name: _numbers(values) for name, values in raw.row_numbers.items()}
    else:
        row_codes = {name: np.repeat(codes, counts) for name, codes in row_codes.items()}
        rows = _ListRows(raw, counts).all(view)
    categories = {name: list(values) for name, values in raw.categories.items()}
    for name, rules in view.repetition.items():
        for rule in rules:
            if rule.na_with in rows and name in rows:
                rows[name][np.isnan(rows[rule.na_with])] = np.nan
    block = Block(
        ordinals=_codes(raw.ordinals).astype(np.int64),
        counts=counts,
        point=point,
        row_codes=row_codes,
        rows=rows,
        categories=categories,
    )
    _settle_failures(block)
    for values in rows.values():
        # A time, a size or a frequency below zero, or without bound, is a value that somebody did not know.
        values[(values < 0) | np.isinf(values)] = np.nan
    point.pop(NONSENSE, None)
    categories.pop(NONSENSE, None)
    return block


def join(blocks: Sequence[Block]) -> Block:
    """Put blocks together; categories are united and sorted, so that equal data gives equal frames.

    Runs of points without gaps between their ordinals (shares of the workers) end in order; where these are short, the
    blocks stand one behind the other.
    """
    categories, maps = _unite([block.categories for block in blocks])
    points, rows = _runs(blocks)
    sizes = [len(block.counts) for block in blocks]
    row_sizes = [int(block.counts.sum()) for block in blocks]
    return Block(
        ordinals=_concat([block.ordinals for block in blocks], points, np.int64),
        counts=_concat([block.counts for block in blocks], points, np.int32),
        point=_join_codes([block.point for block in blocks], sizes, maps, points),
        row_codes=_join_codes([block.row_codes for block in blocks], row_sizes, maps, rows),
        rows=_join_numbers([block.rows for block in blocks], row_sizes, rows),
        categories=categories,
    )


def _runs(blocks: Sequence[Block]) -> tuple[Places, Places]:
    """Return where points, and rows, are to be taken from: number of the block and range."""
    points, rows = [], []
    for number, block in enumerate(blocks):
        gaps = np.flatnonzero(np.diff(block.ordinals) != 1) + 1
        if len(gaps) * _LEAST_RUN > len(block.ordinals):
            gaps = gaps[:0]
        bounds = [0, *gaps.tolist(), len(block.ordinals)] if len(block.ordinals) else []
        ends = np.append(0, np.cumsum(block.counts, dtype=np.int64))
        for start, stop in pairwise(bounds):
            points.append((int(block.ordinals[start]), number, slice(start, stop)))
            rows.append((int(block.ordinals[start]), number, slice(int(ends[start]), int(ends[stop]))))
    first = itemgetter(0)
    return [run[1:] for run in sorted(points, key=first)], [run[1:] for run in sorted(rows, key=first)]


def _unite(parts: Sequence[dict[str, list[Any]]]) -> tuple[dict[str, list[Any]], list[dict[str, Codes | None]]]:
    """Return the united categories, and for each part by column how its codes change (None: not at all)."""
    categories: dict[str, list[Any]] = {}
    maps: list[dict[str, Codes | None]] = [{} for _ in parts]
    for name in dict.fromkeys(name for part in parts for name in part):
        lists = [part.get(name, []) for part in parts]
        united = categories[name] = sorted(set().union(*lists))
        place = {value: index for index, value in enumerate(united)}
        for part, values in zip(maps, lists, strict=True):
            # The last element serves UNKNOWN, which is -1.
            codes = np.array([*(place[value] for value in values), UNKNOWN], dtype=np.int32)
            part[name] = None if values == united[: len(values)] else codes
    return categories, maps


def _join_codes(
    parts: Sequence[dict[str, Codes]], sizes: Sequence[int], maps: Sequence[dict[str, Codes | None]], places: Places
) -> dict[str, Codes]:
    joined = {}
    for name in dict.fromkeys(name for columns in parts for name in columns):
        pieces = []
        for columns, size, changes in zip(parts, sizes, maps, strict=True):
            codes = columns.get(name)
            change = changes.get(name)
            if codes is None:
                codes = np.full(size, UNKNOWN, dtype=np.int32)
            elif change is not None:
                codes = change[codes]
            pieces.append(codes)
        joined[name] = _concat(pieces, places, np.int32)
    return joined


def _join_numbers(parts: Sequence[dict[str, Numbers]], sizes: Sequence[int], places: Places) -> dict[str, Numbers]:
    joined = {}
    for name in dict.fromkeys(name for columns in parts for name in columns):
        pieces = [
            columns[name] if name in columns else np.full(size, np.nan, dtype=np.float64)
            for columns, size in zip(parts, sizes, strict=True)
        ]
        joined[name] = _concat(pieces, places, np.float64)
    return joined


def _concat(pieces: Sequence[npt.NDArray[Any]], places: Places, dtype: type[np.generic]) -> npt.NDArray[Any]:
    if len(places) == len(pieces) == 1:
        return pieces[0]
    runs = [pieces[number][place] for number, place in places]
    return np.concatenate(runs) if runs else np.empty(0, dtype=dtype)


class _ListRows:
    """Measured columns of points that store their repetitions as lists."""

    def __init__(self, raw: RawBlock, counts: Codes) -> None:
        self._lists = {keys: _numbers(values) for keys, values in raw.lists.items()}
        self._lengths = {keys: _codes(lengths) for keys, lengths in raw.lengths.items()}
        self._counts = counts

    def all(self, view: View) -> dict[str, Numbers]:
        """Return every measured column that the view has rules for."""
        columns: dict[str, Numbers] = {}
        for name in ROW_NUMBERS:
            for rule in view.repetition.get(name, ()):
                column = self._column(rule)
                known = columns.get(name)
                columns[name] = column if known is None else np.where(np.isnan(known), column, known)
        return columns

    def _column(self, rule: Rule) -> Numbers:
        if rule.source != "path":
            constant = rule.constant if isinstance(rule.constant, int | float) else np.nan
            column = np.full(int(self._counts.sum()), float(constant), dtype=np.float64)
        else:
            column = self._looked_up(rule) if rule.at else self._per_row(rule.keys)
        with np.errstate(over="ignore", invalid="ignore"):  # a number too large for its unit is unknown
            if rule.per:
                divisors = self._per_row(rule.per)
                divisors[divisors == 0] = np.nan
                column = column / divisors
            if rule.scale != 1.0:
                column = column * rule.scale
        column[np.isinf(column)] = np.nan
        for missing in rule.na_values:
            column[column == missing] = np.nan
        return column

    def _per_row(self, keys: Keys) -> Numbers:
        """Return a list's values row by row; a single one serves all rows of its point, other lengths are unknown."""
        values, lengths = self._lists[keys], self._lengths[keys]
        if np.array_equal(lengths, self._counts):
            return values.copy()
        return self._at(keys, np.where((lengths == 1)[self._owners], 0, self._turns), lengths == self._counts)

    def _looked_up(self, rule: Rule) -> Numbers:
        """Return a list's values at the positions that another list gives for each row."""
        positions = self._per_row(rule.at)
        return self._at(rule.keys, np.where(np.isfinite(positions), positions, -1), np.bool_(True))

    def _at(self, keys: Keys, positions: npt.NDArray[Any], fits: Any) -> Numbers:
        values, lengths = self._lists[keys], self._lengths[keys]
        owners = self._owners
        starts = np.cumsum(lengths, dtype=np.int64) - lengths
        known = (positions >= 0) & (positions < lengths[owners]) & ((lengths == 1) | fits)[owners]
        places = np.where(known, starts[owners] + positions, 0).astype(np.int64)
        if not len(values):
            return np.full(len(owners), np.nan, dtype=np.float64)
        return np.where(known, values[places], np.nan)

    @cached_property
    def _owners(self) -> Positions:
        return np.repeat(np.arange(len(self._counts), dtype=np.int64), self._counts)

    @cached_property
    def _turns(self) -> Positions:
        return spread_ranges(np.zeros(len(self._counts), dtype=np.int64), self._counts)


def _settle_failures(block: Block) -> None:
    """Apply what holds between columns: nonsense fails; a failure has a reason, no times, and the verdict."""
    success = block.row_codes.get("success")
    if success is None:
        return
    failure = _code(block, "success", False)
    nonsense = block.point.get(NONSENSE)
    if nonsense is not None and bool(np.any(nonsense >= 0)):
        codes = np.array([*(_code(block, "fail_reason", text) for text in block.categories[NONSENSE]), UNKNOWN])
        reasons = np.repeat(codes[nonsense], block.counts)
        success[reasons >= 0] = failure
        block.row_codes["fail_reason"] = np.where(reasons >= 0, reasons, _reasons(block)).astype(np.int32)
    failed = success == failure
    if not bool(failed.any()):
        return
    for name in MEASURED:
        if name in block.rows:
            block.rows[name][failed] = np.nan
    reasons = _reasons(block)
    reasons[failed & (reasons < 0)] = _code(block, "fail_reason", NO_RESULT)
    block.row_codes["fail_reason"] = reasons
    _settle_trust(block, failed)


def _settle_trust(block: Block, failed: npt.NDArray[np.bool_]) -> None:
    """Give foreign points that failed the word that ours would have."""
    trust = block.point.get("trust")
    if trust is None:
        return
    starts = np.cumsum(block.counts, dtype=np.int64) - block.counts
    lost = np.logical_or.reduceat(failed, starts)
    foreign = lost & (trust == _code(block, "trust", "imported"))
    trust[foreign] = _code(block, "trust", "failed")
    if "verified" in block.row_codes:
        wrong = np.logical_or.reduceat(block.row_codes["verified"] == _code(block, "verified", False), starts)
        trust[foreign & wrong] = _code(block, "trust", "wrong")


def _reasons(block: Block) -> Codes:
    known = block.row_codes.get("fail_reason")
    return np.full(int(block.counts.sum()), UNKNOWN, dtype=np.int32) if known is None else known


def _code(block: Block, column: str, value: Any) -> int:
    values = block.categories.setdefault(column, [])
    if value not in values:
        values.append(value)
    return values.index(value)


def _codes(packed: bytearray) -> Codes:
    return np.frombuffer(packed, dtype=np.int32).copy()


def _numbers(packed: bytearray) -> Numbers:
    return np.frombuffer(packed, dtype=np.float64).copy()

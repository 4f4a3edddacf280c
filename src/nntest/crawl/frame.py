"""Blocks to data frames: one row per repetition, fixed dtypes."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from nntest.crawl.blocks import Block, spread_ranges
from nntest.crawl.columns import COLUMNS, FLOPS, Column
from nntest.crawl.rules import UNKNOWN
from nntest.crawl.sources import Folder
from nntest.model.species.entry import INTEGERS

if TYPE_CHECKING:
    from pandas.api.extensions import ExtensionArray

Flops = Literal["true", "study"]

_FEW = 500


def to_frame(
    block: Block, folders: Sequence[Folder], *, flops: Flops = "true", columns: Sequence[str] = ()
) -> pd.DataFrame:
    """Build the points table.

    Parameters
    ----------
    block
        Points in order of their ordinals, which count through the files of ``folders``.
    flops
        Count operations by the true output size, or by the published study's formula.
    columns
        Only these columns, in the table's order; by default all.
    """
    builder = _Builder(block, folders, flops)
    frame = builder.frame([column for column in COLUMNS if not columns or column.name in columns])
    frame.attrs["skipped"] = []
    return frame


def to_parts_frame(block: Block, folders: Sequence[Folder], columns: Sequence[Column]) -> pd.DataFrame:
    """Build the table of layers or kernels: the point's columns, then ``columns``."""
    builder = _Builder(block, folders, "true")
    frame = builder.frame([*(column for column in COLUMNS if not column.per_row), *columns])
    frame.attrs["skipped"] = []
    return frame


class _Builder:
    """Makes columns on demand; each point's value is spread over its rows."""

    def __init__(self, block: Block, folders: Sequence[Folder], flops: Flops) -> None:
        self._block = block
        self._folders = folders
        self._flops = FLOPS[0] if flops == "true" else FLOPS[1]
        self._rows = int(block.counts.sum())
        self._one_row_each = self._rows == len(block.counts) and bool(np.all(block.counts == 1))

    def frame(self, columns: Sequence[Column]) -> pd.DataFrame:
        return pd.DataFrame({column.name: self.column(column) for column in columns}, copy=False)

    def column(self, column: Column) -> Any:
        if column.name in ("repo", "experiment", "point"):
            return self._placed(column.name)
        if column.name == "repetition" and "repetition" not in self._block.rows:
            zeros = np.zeros(len(self._block.counts), dtype=np.int64)
            return _integers(spread_ranges(zeros, self._block.counts).astype(np.float64))
        if column.name == "gflops":
            return self._gflops()
        if column.kind == "number":
            return self._number(column.name)
        if column.kind == "integer" and column.per_row:
            return _integers(self._number(column.name))
        codes = self._block.row_codes.get(column.name) if column.per_row else self._spread(column.name)
        return decode(self._unknown() if codes is None else codes, self._block.categories.get(column.name, []), column)

    def _unknown(self) -> Any:
        return np.full(self._rows, UNKNOWN, dtype=np.int32)

    def _number(self, name: str) -> Any:
        values = self._block.rows.get(name)
        return np.full(self._rows, np.nan, dtype=np.float64) if values is None else values

    def _spread(self, name: str) -> Any:
        codes = self._block.point.get(name)
        return None if codes is None else self._repeat(codes)

    def _repeat(self, values: Any) -> Any:
        return values if self._one_row_each else np.repeat(values, self._block.counts)

    def _gflops(self) -> Any:
        codes = self._block.point.get(self._flops)
        times = self._number("time_us")
        if codes is None:
            return np.full(self._rows, np.nan, dtype=np.float64)
        operations = np.array([*self._block.categories.get(self._flops, []), np.nan], dtype=np.float64)
        with np.errstate(over="ignore"):  # a time too small to divide by gives no speed
            found = self._repeat(operations[codes]) / times * 1e-3
        found[np.isinf(found)] = np.nan
        found[self._repeat(self._counts_in_integers())] = np.nan
        return found

    def _counts_in_integers(self) -> Any:
        """Tell which points have whole numbers: their operations are none of floating point."""
        codes = self._block.point.get("dtype")
        if codes is None:
            return np.zeros(len(self._block.counts), dtype=np.bool_)
        return np.array([*(name in INTEGERS for name in self._block.categories.get("dtype", [])), False])[codes]

    def _placed(self, name: str) -> Any:
        """Return what the place of the file says."""
        sizes = [len(folder.names) for folder in self._folders]
        if name == "point":
            uids = [file[4 : file.index(".")] for folder in self._folders for file in folder.names]
            if len(uids) > len(self._block.ordinals):
                uids = [uids[ordinal] for ordinal in self._block.ordinals.tolist()]
            place = dict.fromkeys(uids, 0)
            codes = np.arange(len(uids), dtype=np.int32)
            if len(place) < len(uids):
                place = {uid: index for index, uid in enumerate(place)}
                codes = np.fromiter(map(place.__getitem__, uids), dtype=np.int32, count=len(uids))
            return _categorical(self._repeat(codes), list(place))
        values = [folder.repo if name == "repo" else folder.name for folder in self._folders]
        categories = sorted(set(values))
        place = {value: index for index, value in enumerate(categories)}
        by_folder = np.array([place[value] for value in values], dtype=np.int32)
        owners = np.repeat(by_folder, sizes)[self._block.ordinals]
        return _categorical(self._repeat(owners), categories)


def decode(codes: Any, categories: Sequence[Any], column: Column) -> Any:
    """Return codes as an array of the column's type."""
    if column.kind == "text":
        return _categorical(codes, categories)
    known = codes >= 0
    if column.kind == "flag":
        truths = np.array([*map(bool, categories), False], dtype=np.bool_)
        return pd.arrays.BooleanArray(truths[codes], ~known)
    numbers = np.array([*map(int, categories), 0], dtype=np.int64)
    return pd.arrays.IntegerArray(numbers[codes], ~known)


def _integers(values: Any) -> "ExtensionArray":
    # beyond 2^53 a float names no single integer, and beyond 2^63 the cast is undefined
    unknown = ~(np.abs(values) < 2.0**53)
    return pd.arrays.IntegerArray(np.where(unknown, 0, values).astype(np.int64), unknown)


def _categorical(codes: Any, categories: Sequence[str]) -> pd.Categorical:
    dtype = _dtype(tuple(categories)) if len(categories) < _FEW else _dtype.__wrapped__(tuple(categories))
    return pd.Categorical.from_codes(codes, dtype=dtype, validate=False)


# Making a type takes longer than making a column of a few hundred rows, and most types recur.
@lru_cache(maxsize=256)
def _dtype(categories: tuple[str, ...]) -> pd.CategoricalDtype:
    return pd.CategoricalDtype(pd.Index(categories, dtype="str"))


def restrict(block: Block, conditions: Sequence[tuple[str, Callable[[Any], bool]]]) -> Block:
    """Return the points whose values are wanted.

    Parameters
    ----------
    conditions
        A column that does not vary within a point, and what a value (None: unknown) must meet.
    """
    keep = np.ones(len(block.counts), dtype=np.bool_)
    for name, holds in conditions:
        codes = block.point.get(name)
        if codes is None:
            keep &= holds(None)
        else:
            values = [*block.categories.get(name, []), None]
            keep &= np.fromiter(map(holds, values), dtype=np.bool_, count=len(values))[codes]
    return block if bool(keep.all()) else block.take(np.flatnonzero(keep)).pruned()

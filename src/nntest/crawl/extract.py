"""From documents to columns: each point's values as codes, each repetition's as numbers.

This half runs in worker processes and needs neither numpy nor pandas; :mod:`nntest.crawl.blocks` does the rest.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

import msgspec

from nntest.crawl.columns import BY_NAME, COLUMNS, COMPUTED, FLOPS, PLACED
from nntest.crawl.rules import UNKNOWN, CodedColumn, Documents, numbers, pack_codes, pack_numbers, to_number
from nntest.crawl.views import Keys, Part, Parts, View
from nntest.errors import UsageError
from nntest.model.species import SPECIES

#: Codes of why a point's shape is nonsense; kept beside the columns until failures are settled.
NONSENSE = "nonsense"
POINT_COLUMNS = (*(c.name for c in COLUMNS if not c.per_row and c.name not in PLACED), *FLOPS, NONSENSE)
ROW_CODES = tuple(c.name for c in COLUMNS if c.per_row and c.kind in ("text", "flag"))
ROW_NUMBERS = tuple(c.name for c in COLUMNS if c.per_row and c.name not in (*ROW_CODES, *COMPUTED))

#: Measured columns of layers and kernels.
PART_NUMBERS = ("index", "time_us", "energy_mj")

_ADVICE = "remove the file or run `nntest check --repair`"


@dataclass
class RawBlock:
    """Columns of some points of one view, before they are joined with others.

    Columns are packed: 32-bit integers (ordinals, counts, codes, lengths) and doubles (the rest).

    Attributes
    ----------
    ordinals, counts
        Place of each point among all that were found, and its rows.
    point, row_codes
        Codes into ``categories``, one per point; ``row_codes`` one per row where the view's repetitions are objects.
    row_numbers
        Measured columns, one value per row, where the view's repetitions are objects.
    lists, lengths
        Values of every list that the view's measured columns draw from, and each point's share of them, where the
        view's repetitions are columns.
    """

    ordinals: bytearray = field(default_factory=bytearray)
    counts: bytearray = field(default_factory=bytearray)
    point: dict[str, bytearray] = field(default_factory=dict)
    row_codes: dict[str, bytearray] = field(default_factory=dict)
    row_numbers: dict[str, bytearray] = field(default_factory=dict)
    lists: dict[Keys, bytearray] = field(default_factory=dict)
    lengths: dict[Keys, bytearray] = field(default_factory=dict)
    categories: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Skip:
    """A file that gave no rows, and why."""

    ordinal: int
    reason: str


@dataclass(frozen=True)
class _Shape:
    """Codes of what follows from a point's parameters."""

    parameters: Any = None
    shape: int = UNKNOWN
    flops: int = UNKNOWN
    study_flops: int = UNKNOWN
    nonsense: int = UNKNOWN


class Extractor:
    """Collects documents of one view into a :class:`RawBlock`."""

    def __init__(self, view: View, part: Part = "") -> None:
        self.view = view
        self._part = view.layers if part == "layers" else view.kernels if part == "kernels" else None
        self._part_columns = {
            name: CodedColumn("text", rules) for name, rules in (self._part.rules if self._part else {}).items()
        }
        self.skips: list[Skip] = []
        self._block = RawBlock()
        self._point = {name: CodedColumn(_kind(name), view.point.get(name, ())) for name in POINT_COLUMNS}
        self._row_codes = {name: CodedColumn(BY_NAME[name].kind, view.repetition.get(name, ())) for name in ROW_CODES}
        self._by_rule = {name: column for name, column in self._point.items() if view.point.get(name)}
        self._row_numbers = {name: rules for name, rules in view.repetition.items() if name in ROW_NUMBERS}
        rules = list(chain.from_iterable(self._row_numbers.values()))
        self._even = list(dict.fromkeys(keys for rule in rules for keys in (rule.per, rule.at) if keys))
        self._lists = list(dict.fromkeys(keys for rule in rules for keys in (rule.keys, rule.per, rule.at) if keys))
        self._known_version: Any = None
        self._shapes: dict[tuple[int, int, int], _Shape] = {}

    def add(self, ordinals: Sequence[int], points: Documents) -> None:
        """Add parsed points; those that cannot be tabulated become skips."""
        problems = self._problems(points)
        if problems:
            self.skips.extend(Skip(ordinals[index], reason) for index, reason in problems.items())
            kept = [index for index in range(len(points)) if index not in problems]
            ordinals = [ordinals[index] for index in kept]
            points = points.take(kept)
        if len(points):
            self._tabulate(ordinals, points)

    def block(self) -> RawBlock:
        """Return what was collected."""
        columns = {**self._point, **(self._part_columns if self._part else self._row_codes)}
        self._block.categories = {name: list(column.categories) for name, column in columns.items()}
        return self._block

    def _problems(self, points: Documents) -> dict[int, str]:
        """Return by position why a point cannot be tabulated."""
        problems = self._foreign_versions(points)
        failed = self._failed(points)
        keys = self.view.items or self.view.columns
        rows = points.at(keys)
        if set(map(type, rows)) != {list} or not all(rows):
            for index, values in enumerate(rows):
                if not isinstance(values, list) and values is not None and not failed[index]:
                    problems.setdefault(
                        index, f"{'.'.join(keys)} is no list; expected one item per repetition; {_ADVICE}"
                    )
                elif not values and not failed[index]:
                    found = "missing" if values is None else "empty"
                    problems.setdefault(
                        index, f"{'.'.join(keys)} is {found}; expected one item per repetition; {_ADVICE}"
                    )
        if self.view.columns:
            self._find_uneven(points, failed, problems)
        return problems

    def _foreign_versions(self, points: Documents) -> dict[int, str]:
        view = self.view
        versions = points.at(view.format) if view.format else []
        problems: dict[int, str] = {}
        if versions.count(self._known_version) == len(versions):
            return problems
        for index, version in enumerate(versions):
            major = to_number(version.split(".")[0]) if isinstance(version, str) else None
            if major is None:
                problems[index] = (
                    f"{'.'.join(view.format)} is {str(version)[:40]!r}; expected a version such as {view.newest}.0.0; "
                    f"remove the file or restore it from its source"
                )
            elif major > view.newest:
                problems[index] = (
                    f"format {version} is newer than {view.newest}.x, which this nntest reads; update nntest to read it"
                )
            else:
                self._known_version = version
        return problems

    def _find_uneven(self, points: Documents, failed: list[bool], problems: dict[int, str]) -> None:
        """Find points whose columns of one value per repetition differ in length."""
        rows = points.at(self.view.columns)
        lengths = _lengths(rows)
        for keys in self._even:
            columns = points.at(keys)
            if lengths is not None and _lengths(columns) == lengths:
                continue
            for index, (values, column) in enumerate(zip(rows, columns, strict=True)):
                if failed[index] or index in problems:
                    continue
                if not isinstance(column, list) or len(column) != len(values):
                    problems[index] = (
                        f"{'.'.join(keys)} does not have {len(values)} values; expected one per repetition; {_ADVICE}"
                    )

    def _failed(self, points: Documents) -> list[bool]:
        if not self.view.failed:
            return [False] * len(points)
        return [failure is not None for failure in points.at(self.view.failed)]

    def _tabulate(self, ordinals: Sequence[int], points: Documents) -> None:
        rows = points.at(self.view.items or self.view.columns)
        failed = self._failed(points)
        counts = [1 if lost else len(values) for lost, values in zip(failed, rows, strict=True)]
        codes = {name: column.evaluate(points) for name, column in self._by_rule.items()}
        if self.view.parameters:
            self._add_shapes(points, codes)
        block = self._block
        block.ordinals += pack_codes(ordinals)
        _extend(block.point, codes)
        if self._part is not None:
            self._add_parts(self._part, points, rows)
            return
        block.counts += pack_codes(counts)
        if self.view.items:
            tags = list(chain.from_iterable(map(repeat, points.tags, counts)))
            items = points.inner(self.view.items, list(chain.from_iterable(rows)), tags)
            for name, rules in self._row_numbers.items():
                block.row_numbers.setdefault(name, bytearray()).extend(pack_numbers(numbers(rules, items)))
        else:
            items = points
            for keys in self._lists:
                self._add_list(keys, points.at(keys))
        _extend(block.row_codes, {name: column.evaluate(items) for name, column in self._row_codes.items()})

    def _add_parts(self, part: Parts, points: Documents, rows: list[Any]) -> None:
        """Add a row for each layer or kernel of each repetition."""
        counts: list[int] = []
        turns: list[int] = []
        found: list[Any] = []
        tags: list[tuple[str, ...]] = []
        layout = None
        for inner, tag in zip(self._inner(part, points, rows), points.tags, strict=True):
            first = len(found)
            layout = inner.layout.items.get(part.items) if inner.layout else None
            keys = () if self.view.columns else part.items or part.mapping
            for turn, value in enumerate(inner.at(keys)):
                parts = value or [] if layout else _parts_of(part, value)
                found.extend(parts)
                turns.extend([turn] * len(parts))
            counts.append(len(found) - first)
            tags.extend([tag] * counts[-1])
        documents = Documents(found, tags, layout)
        self._block.counts += pack_codes(counts)
        columns: dict[str, list[Any]] = {"repetition": turns}
        for name, column in self._part_columns.items():
            if name in PART_NUMBERS:
                columns[name] = numbers(part.rules[name], documents)
            else:
                _extend(self._block.row_codes, {name: column.evaluate(documents)})
        for name, values in columns.items():
            self._block.row_numbers.setdefault(name, bytearray()).extend(pack_numbers(values))

    def _inner(self, part: Parts, points: Documents, rows: list[Any]) -> Iterator[Documents]:
        """Yield each point's repetitions, or, where these are columns, what stands in the part's own column."""
        if self.view.columns:
            rows = points.at(part.items or part.mapping)
        for items, tag in zip(rows, points.tags, strict=True):
            repetitions = items if isinstance(items, list) else []
            tags = [tag] * len(repetitions)
            yield (
                Documents(repetitions, tags) if self.view.columns else points.inner(self.view.items, repetitions, tags)
            )

    def _add_list(self, keys: Keys, values: list[Any]) -> None:
        lengths = _lengths(values)
        if lengths is None:
            values = [value if isinstance(value, list) else [] if value is None else [value] for value in values]
            lengths = list(map(len, values))
        self._block.lists.setdefault(keys, bytearray()).extend(pack_numbers(list(chain.from_iterable(values))))
        self._block.lengths.setdefault(keys, bytearray()).extend(pack_codes(lengths))

    def _add_shapes(self, points: Documents, codes: dict[str, list[int]]) -> None:
        """Add shape and operations from the parameters, or why these are nonsense."""
        names = [*self._point["species"].categories, None]
        sizes = [*self._point["batch_size"].categories, None]
        unknown = [UNKNOWN] * len(points)
        found = []
        columns = [codes.get(name, unknown) for name in ("species", "batch_size", "shape")]
        given = points.at(self.view.parameters)
        if isinstance(given[0], msgspec.Raw):
            given = list(map(bytes, given))
        for parameters, *key in zip(given, *columns, strict=True):
            name, size, _ = identity = tuple(key)
            shape = self._shapes.get(identity)
            if shape is None or shape.parameters != parameters:
                shape = self._shapes[identity] = self._shape(names[name], sizes[size], parameters)
            found.append(shape)
        named = zip(found, columns[2], strict=True)
        codes["shape"] = [code if shape.shape < 0 else shape.shape for shape, code in named]
        codes["flops_true"] = [shape.flops for shape in found]
        codes["flops_study"] = [shape.study_flops for shape in found]
        codes[NONSENSE] = [shape.nonsense for shape in found]

    def _shape(self, name: str | None, batch_size: int | None, parameters: Any) -> _Shape:
        species = SPECIES.get(name or "")
        values = _decoded(parameters) if isinstance(parameters, bytes) else parameters
        if species is None or not isinstance(values, dict):
            return _Shape(parameters)
        known = {key: values[key] for key in species.keys if key in values}
        try:
            values, size = species.normalise({**known, "CK_IN_SHAPE_N": batch_size or 1})
        except UsageError as error:
            return _Shape(parameters, nonsense=self._point[NONSENSE].code_of(str(error)))
        flops, study = float(species.flops(values, size)), float(species.study_flops(values, size))
        return _Shape(
            parameters,
            shape=self._point["shape"].code_of(species.shape_name(values)),
            flops=self._point["flops_true"].code_of(flops or None),
            study_flops=self._point["flops_study"].code_of(study or None),
        )


def _kind(name: str) -> Any:
    return "number" if name in FLOPS else "text" if name == NONSENSE else BY_NAME[name].kind


def _decoded(data: bytes) -> Any:
    # The decoder that passed over this part checked its form, not its numbers or its depth.
    try:
        return json.loads(data)
    except RecursionError:
        return None


def _parts_of(part: Parts, value: Any) -> list[dict[str, Any]]:
    """Return the objects in a list, or a mapping's items as objects with ``key`` and ``value``."""
    if part.items:
        return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    return [{"key": key, "value": item} for key, item in value.items()] if isinstance(value, dict) else []


def _lengths(values: list[Any]) -> list[int] | None:
    """Return the lengths of lists, None where one of the values is no list."""
    return list(map(len, values)) if set(map(type, values)) == {list} else None


def _extend(target: dict[str, bytearray], codes: Mapping[str, list[int]]) -> None:
    for name, values in codes.items():
        target.setdefault(name, bytearray()).extend(pack_codes(values))

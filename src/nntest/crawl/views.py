"""Views: how a family of raw points maps to the table's columns, by a closed list of rules, as JSON files.

A view file is an object with

- ``name``, ``about``;
- ``matches``: rules, any of which must find a value in a point of the family;
- ``format`` (optional): ``path`` of a version and the ``newest`` major version that the view understands;
- ``parameters`` (optional): ``path`` of the CK_* values from which ``shape`` and ``gflops`` follow;
- ``point``: rules by column, evaluated once per point;
- ``failed`` (optional): ``path`` of what only a failed point has; such a point gives one row without times;
- ``repetitions``: ``items``, the path of a list with one object per repetition, or ``columns``, the path of a list
  with one value per repetition;
- ``repetition``: rules by column; their paths start at the item, or, with ``columns``, at the point;
- ``layers``, ``kernels`` (optional): the ``items`` (a list of objects) or the ``mapping`` (an object, whose items
  are seen as objects with ``key`` and ``value``) of one repetition, with rules by column; with ``columns``, the path
  of a list with one of these per repetition.

A column has a list of rules; the first that gives a value counts. A rule has one source: ``path`` (keys joined by
dots), ``tag`` (position in the entry's tags), ``tag_in`` (the first tag that is in this list), ``tag_like`` (the
first tag that this pattern finds something in), or ``constant``; and any of: ``na_values`` (what the source writes
for unknown), ``map`` (value to value; ``*`` stands for all others), ``strip`` (pattern to remove), ``scale``
(factor), ``per`` (path of a divisor), ``at`` (path of positions: the source is a list to look them up in),
``na_with`` (a column: unknown where that one is unknown).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import orjson

from nntest.crawl.columns import BY_NAME, COMPUTED, PLACED
from nntest.errors import DataError, UsageError

Keys = tuple[str, ...]
#: What a crawl looks at: the repetitions themselves, or what stands inside them.
Part = Literal["", "layers", "kernels"]

#: Views that ship with the package, in the order in which they are tried.
SHIPPED = ("nntest", "imported", "caffe", "original")

_SOURCES = ("path", "tag", "tag_in", "tag_like", "constant")
_MODIFIERS = ("na_values", "map", "strip", "scale", "per", "at", "na_with")
_PARTS = (
    "name",
    "about",
    "matches",
    "format",
    "parameters",
    "point",
    "failed",
    "repetitions",
    "repetition",
    "layers",
    "kernels",
)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One way to a column's value; see the module's text.

    Patterns are texts: most are never asked for, and to compile them all takes as long as to read a hundred points.
    """

    source: str
    keys: Keys = ()
    tag: int = 0
    tags: tuple[str, ...] = ()
    pattern: str = ""
    constant: Any = None
    na_values: tuple[Any, ...] = ()
    mapping: Mapping[str, Any] | None = None
    strip: str = ""
    scale: float = 1.0
    per: Keys = ()
    at: Keys = ()
    na_with: str = ""


Rules = tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Rules for what stands inside one repetition: its layers or its kernels."""

    items: Keys = ()
    mapping: Keys = ()
    rules: Mapping[str, Rules] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class View:
    """A family of raw points; see the module's text."""

    name: str
    matches: Rules
    format: Keys = ()
    newest: int = 0
    parameters: Keys = ()
    point: Mapping[str, Rules]
    failed: Keys = ()
    items: Keys = ()
    columns: Keys = ()
    repetition: Mapping[str, Rules]
    layers: Parts | None = None
    kernels: Parts | None = None
    sha: str = ""


def find_views(names: Sequence[str | Path] = ()) -> tuple[View, ...]:
    """Return the user's views (files), followed by the shipped ones.

    Raises
    ------
    UsageError
        A name is neither a shipped view nor a file.
    DataError
        A view file is no JSON, or uses a word that views do not have.
    """
    return tuple(_view(str(name)) for name in dict.fromkeys([*map(str, names), *SHIPPED]))


def views_sha(views: Sequence[View]) -> str:
    """Return an identity of a set of views, for the index."""
    return _sha("".join(view.sha for view in views).encode())[:16]


def parse_view(data: bytes, *, where: str, shipped: bool = False) -> View:
    """Build a view from the bytes of its file; the patterns of those that ship are known to be right.

    Raises
    ------
    DataError
        The file is no JSON object, or uses a word that views do not have.
    """
    try:
        words = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise DataError(f"{where}: not valid JSON ({error}); expected a view; correct the file") from None
    parser = _Parser(where, shipped=shipped)
    words = parser.mapping(words, "the view", _PARTS)
    repetitions = parser.mapping(words.get("repetitions", {}), "repetitions", ("items", "columns"))
    version = parser.mapping(words.get("format", {}), "format", ("path", "newest"))
    parser.require(len(repetitions) == 1, "repetitions", "exactly one of items, columns")
    parser.require(isinstance(words.get("name"), str), "name", "a text")
    return View(
        name=words["name"],
        matches=parser.rules(words.get("matches"), "matches"),
        format=parser.keys(version.get("path", ""), "format.path"),
        newest=int(version.get("newest", 0)),
        parameters=parser.path_of(words, "parameters"),
        point=parser.columns(words.get("point", {}), "point", per_row=False),
        failed=parser.path_of(words, "failed"),
        items=parser.keys(repetitions.get("items", ""), "repetitions.items"),
        columns=parser.keys(repetitions.get("columns", ""), "repetitions.columns"),
        repetition=parser.columns(words.get("repetition", {}), "repetition", per_row=True),
        layers=parser.parts(words.get("layers"), "layers", ("index", "label", "direction", "time_us", "energy_mj")),
        kernels=parser.parts(words.get("kernels"), "kernels", ("kernel", "time_us")),
        sha=_sha(data),
    )


def _sha(data: bytes) -> str:
    # A worker is sent its views, and starts sooner without this.
    import hashlib

    return hashlib.sha256(data).hexdigest()


@cache
def _view(name: str) -> View:
    if name in SHIPPED:
        data = Path(__file__).with_name("views").joinpath(f"{name}.json").read_bytes()
        return parse_view(data, where=name, shipped=True)
    try:
        data = Path(name).read_bytes()
    except OSError:
        known = ", ".join(SHIPPED)
        raise UsageError(f"{name}: no such view; expected one of {known}, or the path of a view file") from None
    return parse_view(data, where=name)


@dataclass(frozen=True)
class _Parser:
    """Turns JSON into rules; every complaint names the file and the place."""

    where: str
    shipped: bool = False

    def require(self, condition: bool, place: str, expected: str) -> None:
        if not condition:
            raise DataError(f"{self.where}: {place}: expected {expected}; correct the view")

    def mapping(self, words: Any, place: str, known: Sequence[str]) -> dict[str, Any]:
        self.require(isinstance(words, dict), place, "a JSON object")
        for key in words:
            self.require(key in known, f"{place}.{key}", f"one of {', '.join(known)}")
        checked: dict[str, Any] = words
        return checked

    def keys(self, path: Any, place: str) -> Keys:
        self.require(isinstance(path, str), place, "a path: keys joined by dots")
        return tuple(path.split(".")) if path else ()

    def path_of(self, words: Mapping[str, Any], part: str) -> Keys:
        return self.keys(self.mapping(words.get(part, {}), part, ("path",)).get("path", ""), f"{part}.path")

    def columns(self, words: Any, place: str, *, per_row: bool) -> dict[str, Rules]:
        known = [
            name
            for name, column in BY_NAME.items()
            if column.per_row == per_row and name not in COMPUTED and name not in PLACED
        ]
        named = self.mapping(words, place, known)
        return {name: self.rules(rules, f"{place}.{name}") for name, rules in named.items()}

    def parts(self, words: Any, place: str, known: Sequence[str]) -> Parts | None:
        if words is None:
            return None
        named = self.mapping(words, place, ("items", "mapping", *known))
        self.require(("items" in named) != ("mapping" in named), place, "exactly one of items, mapping")
        return Parts(
            items=self.keys(named.get("items", ""), f"{place}.items"),
            mapping=self.keys(named.get("mapping", ""), f"{place}.mapping"),
            rules={name: self.rules(rules, f"{place}.{name}") for name, rules in named.items() if name in known},
        )

    def rules(self, words: Any, place: str) -> Rules:
        self.require(isinstance(words, list), place, "a list of rules")
        return tuple(self.rule(rule, place) for rule in words)

    def rule(self, words: Any, place: str) -> Rule:
        words = self.mapping(words, place, (*_SOURCES, *_MODIFIERS))
        sources = [source for source in _SOURCES if source in words]
        self.require(len(sources) == 1, place, f"exactly one of {', '.join(_SOURCES)}")
        mapping = words.get("map")
        self.require(mapping is None or isinstance(mapping, dict), f"{place}.map", "a JSON object")
        for name in ("na_values", "tag_in"):
            self.require(isinstance(words.get(name, []), list), f"{place}.{name}", "a list")
        self.require(isinstance(words.get("tag", 0), int), f"{place}.tag", "a position, from 0, or -1 for the last")
        self.require(isinstance(words.get("scale", 1), int | float), f"{place}.scale", "a number")
        self.require(words.get("na_with", "time_us") in BY_NAME, f"{place}.na_with", "a column")
        return Rule(
            source=sources[0],
            keys=self.keys(words.get("path", ""), f"{place}.path"),
            tag=words.get("tag", 0),
            tags=tuple(words.get("tag_in", ())),
            pattern=self.pattern(words.get("tag_like"), f"{place}.tag_like"),
            constant=words.get("constant"),
            na_values=tuple(words.get("na_values", ())),
            mapping=mapping,
            strip=self.pattern(words.get("strip"), f"{place}.strip"),
            scale=float(words.get("scale", 1)),
            per=self.keys(words.get("per", ""), f"{place}.per"),
            at=self.keys(words.get("at", ""), f"{place}.at"),
            na_with=words.get("na_with", ""),
        )

    def pattern(self, text: Any, place: str) -> str:
        if text is None:
            return ""
        self.require(isinstance(text, str), place, "a regular expression")
        try:
            _ = self.shipped or re.compile(text)
        except re.error:
            raise DataError(f"{self.where}: {place}: expected a regular expression; correct the view") from None
        checked: str = text
        return checked

"""Evaluation of a view's rules over many documents at a time.

A rule is applied to each distinct raw value once: the values of a column are codes into its list of final values.
All loops over documents run inside ``map``, which is what makes a hundred thousand points a matter of a second.
"""

import math
import re
import struct
from collections.abc import Hashable, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any

from msgspec.structs import astuple

from nntest.crawl.columns import Kind
from nntest.crawl.layouts import Layout
from nntest.crawl.views import Keys, Rule, Rules

NAN = math.nan
UNKNOWN = -1
_NUMBERS = {float, type(None)}
_TRUTHS = {"yes": True, "true": True, "no": False, "false": False}


class Documents:
    """Parsed points (or repetitions) with the tags of the entries that they come from.

    All are JSON objects, or all are of the type of ``layout``.
    """

    def __init__(self, documents: list[Any], tags: list[tuple[str, ...]], layout: Layout | None = None) -> None:
        self.tags = tags
        self.layout = layout
        self._values: dict[Keys, list[Any]] = {(): documents}

    def __len__(self) -> int:
        return len(self.tags)

    def take(self, positions: Sequence[int]) -> "Documents":
        """Return some of the documents."""
        documents = self._values[()]
        tags = [self.tags[index] for index in positions]
        return Documents([documents[index] for index in positions], tags, self.layout)

    def inner(self, keys: Keys, documents: list[Any], tags: list[tuple[str, ...]]) -> "Documents":
        """Return what the lists at a path hold, as documents of their own."""
        return Documents(documents, tags, self.layout.items.get(keys) if self.layout else None)

    def at(self, keys: Keys) -> list[Any]:
        """Return the value at a path for each document, None where there is none."""
        found = self._values.get(keys)
        if found is None:
            parents = self.at(keys[:-1])
            fields = self.layout.fields.get(keys[:-1], ()) if self.layout and parents else ()
            if keys in fields:
                # All values of an object at once take a third of the time that they take one by one.
                self._values.update(zip(fields, map(list, zip(*map(astuple, parents), strict=True)), strict=True))
                return self._values[keys]
            found = self._values[keys] = _get(parents, keys[-1])
        return found


def _get(parents: list[Any], key: str) -> list[Any]:
    try:
        return list(map(dict.get, parents, repeat(key)))
    except TypeError:
        return [parent.get(key) if type(parent) is dict else None for parent in parents]


class Coder(dict[Hashable, int]):
    """Raw value to code; a value that was not seen before is put through the rule once."""

    def __init__(self, rule: Rule, kind: Kind, categories: dict[Any, int]) -> None:
        super().__init__()
        self.rule = rule
        self._kind = kind
        self._categories = categories

    def __missing__(self, raw: Any) -> int:
        value = _convert(self._final(raw), self._kind)
        # True, 1 and 1.0 are equal keys; a column holds values of one kind, so that they cannot meet.
        code = UNKNOWN if value is None else self._categories.setdefault(value, len(self._categories))
        self[raw] = code
        return code

    def _final(self, raw: Any) -> Any:
        rule = self.rule
        value = _tag(rule, raw) if rule.source.startswith("tag") else raw
        if value is None or value in rule.na_values:
            return None
        if rule.mapping is not None:
            value = rule.mapping.get(_key(value), rule.mapping.get("*"))
        if rule.strip and isinstance(value, str):
            value = re.sub(rule.strip, "", value)
        if rule.scale != 1.0:
            number = to_number(value)
            value = None if number is None else number * rule.scale
        return value


class CodedColumn:
    """A column as codes into the list of its distinct values."""

    def __init__(self, kind: Kind, rules: Rules) -> None:
        self.categories: dict[Any, int] = {}
        self._coders = [Coder(rule, kind, self.categories) for rule in rules]

    def code_of(self, value: Any) -> int:
        """Return the code of a final value, adding it where it is new; None is unknown."""
        return UNKNOWN if value is None else self.categories.setdefault(value, len(self.categories))

    def evaluate(self, documents: Documents) -> list[int]:
        """Return the codes of the documents."""
        codes: list[int] = []
        for coder in self._coders:
            if not codes:
                codes = _codes(coder, documents)
            else:
                others = _codes(coder, documents)
                codes = [other if code < 0 else code for code, other in zip(codes, others, strict=True)]
            if UNKNOWN not in codes:
                break
        return codes or [UNKNOWN] * len(documents)


def _codes(coder: Coder, documents: Documents) -> list[int]:
    if coder.rule.source == "constant":
        return [coder[coder.rule.constant]] * len(documents)
    values = documents.at(coder.rule.keys) if coder.rule.source == "path" else documents.tags
    try:
        # Most values are those of the whole session; comparing them is quicker than looking each of them up.
        if values and values[0] == values[-1] and values.count(values[0]) == len(values):
            return [coder[values[0]]] * len(values)
        return list(map(coder.__getitem__, values))
    except TypeError:
        return [_code(coder, value) for value in values]


def _code(coder: Coder, value: Any) -> int:
    """Code a value that may be a list (its texts are joined) or an object (unknown)."""
    if isinstance(value, list):
        value = tuple(value)
    try:
        return coder[value]
    except TypeError:
        return UNKNOWN


def numbers(rules: Rules, documents: Documents) -> list[Any]:
    """Return a measured column of repetitions that are objects; None where unknown."""
    column: list[Any] | None = None
    for rule in rules:
        found = _numbers(rule, documents)
        if column is not None:
            found = [other if value is None else value for value, other in zip(column, found, strict=True)]
        column = found
    return [None] * len(documents) if column is None else column


def _numbers(rule: Rule, documents: Documents) -> list[Any]:
    if rule.source == "constant":
        values: list[Any] = [rule.constant] * len(documents)
    else:
        values = found_by(rule, documents)
    if not set(map(type, values)) <= _NUMBERS:
        values = [to_number(value) for value in values]
    if rule.na_values:
        values = [None if value in rule.na_values else value for value in values]
    if rule.scale != 1.0:
        values = [None if value is None else value * rule.scale for value in values]
    return values


def found_by(rule: Rule, documents: Documents) -> list[Any]:
    """Return what a path or tag rule finds in each document, None where nothing."""
    return documents.at(rule.keys) if rule.source == "path" else [_tag(rule, tags) for tags in documents.tags]


def pack_codes(codes: Sequence[int]) -> bytes:
    """Return integers as 32-bit words of this machine."""
    return _struct(len(codes), "i").pack(*codes)


def pack_numbers(values: list[Any]) -> bytes:
    """Return numbers (also those written as text) as doubles, NaN for everything else."""
    try:
        return _struct(len(values), "d").pack(*values)
    except (struct.error, OverflowError):
        return _struct(len(values), "d").pack(
            *(NAN if (number := to_number(value)) is None else number for value in values)
        )


# Packing is twice as fast as array.array, which parses its arguments one by one.
@lru_cache(maxsize=1024)
def _struct(count: int, kind: str) -> struct.Struct:
    return struct.Struct(f"{count}{kind}")


def to_number(value: Any) -> float | None:
    """Return a finite number, also from its text; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def to_text(value: Any) -> str | None:
    """Return a text without the NULs and blanks that old tools left around it; None where nothing remains."""
    if isinstance(value, tuple):
        value = "+".join(sorted(str(item) for item in value))
    elif isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, float) and not math.isfinite(value):
        return None
    elif not isinstance(value, str):
        value = str(value)
    # Half a surrogate pair is legal in JSON and in no other encoding.
    text: str = value.replace("\0", "").strip().encode("utf-8", "replace").decode("utf-8")
    return text or None


def _convert(value: Any, kind: Kind) -> Any:
    """Return a value of the column's kind, None for what cannot be one."""
    if value is None:
        return None
    if kind == "text":
        return to_text(value)
    if kind == "flag":
        return value if isinstance(value, bool) else _TRUTHS.get(value) if isinstance(value, str) else None
    number = to_number(value)
    if number is None or kind == "number":
        return number
    return int(number) if number.is_integer() and abs(number) < 2**53 else None


def _key(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _tag(rule: Rule, tags: tuple[str, ...]) -> str | None:
    if rule.source == "tag":
        return tags[rule.tag] if -len(tags) <= rule.tag < len(tags) else None
    if rule.source == "tag_in":
        return next((tag for tag in tags if tag in rule.tags), None)
    return next((tag for tag in tags if re.search(rule.pattern, tag)), None)

"""Types that hold what a view asks of a point, and nothing else, so that the decoder passes over the rest.

A view names some fifty paths; a point has several hundred values, one with layers tens of thousands. Decoding into
such a type takes half the time of decoding everything, and getting at a value takes less, too. Documents that do not
fit a type (an object where a list was expected, NaN) are decoded without types.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from nntest.crawl.columns import BY_NAME
from nntest.crawl.views import Keys, Part, Rules, View

#: What decoding may raise; the document is then decoded without types, which tells what is wrong.
MISFITS = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)

# Values that are looked up in dictionaries: what JSON calls an array must be hashable.
_CODED: Any = None | bool | int | float | str | tuple[Any, ...] | dict[str, Any]
_PART_TEXTS = ("label", "direction", "kernel")
_NOTHING = msgspec.Raw(b"null")


@dataclass(frozen=True)
class Layout:
    """One view's type: ``decode`` bytes, then get at the objects' values; ``items`` serves those of inner lists.

    ``fields`` are the paths of what an object holds, in the order of its type, by the path of the object.
    """

    type: Any
    decode: Callable[[bytes], Any]
    fields: Mapping[Keys, tuple[Keys, ...]]
    items: Mapping[Keys, "Layout"]


@dataclass
class _Node:
    """A place in a document: an object with fields, a list of such objects, or (without fields) a value."""

    kind: Any = None
    fields: dict[str, "_Node"] = field(default_factory=dict)
    items: "_Node | None" = None

    def ask(self, keys: Keys, kind: Any) -> None:
        """Ask for the value at a path; what is below a value that is asked for is part of that value."""
        node = self
        for key in keys:
            if node.kind is not None:
                node.kind = Any
                return
            node = node.fields.setdefault(key, _Node())
        node.kind = kind if not node.fields and node.kind in (None, kind) else Any
        node.fields.clear()

    def list_at(self, keys: Keys) -> "_Node":
        """Ask for a list of objects at a path, and return what these are asked for."""
        node = self
        for key in keys:
            node = node.fields.setdefault(key, _Node())
        node.items = node.items or _Node()
        return node.items


def layout_of(views: tuple[View, ...], part: Part) -> Layout:
    """Return the type of the last view's points, which also holds what tells that they are no earlier view's."""
    view = views[-1]
    root = _Node()
    for other in views:
        _ask(root, other.matches, _CODED)
    for rules in view.point.values():
        _ask(root, rules, _CODED)
    if view.parameters:
        root.ask(view.parameters, msgspec.Raw)
    for keys in (view.format, view.failed, view.columns):
        if keys:
            root.ask(keys, Any)
    repetition = root.list_at(view.items) if view.items else root
    if view.columns or not part:
        for name, rules in view.repetition.items():
            _ask(repetition, rules, _CODED if BY_NAME[name].kind in ("text", "flag") else Any)
    _ask_parts(view, part, repetition)
    return _build(root)


def _ask(node: _Node, rules: Rules, kind: Any) -> None:
    for rule in rules:
        for keys in (rule.keys, rule.per, rule.at):
            if keys:
                node.ask(keys, kind)


def _ask_parts(view: View, part: Part, repetition: _Node) -> None:
    parts = getattr(view, part) if part else None
    if parts is None:
        return
    if view.columns:
        repetition.ask(parts.items or parts.mapping, Any)
        return
    if parts.mapping:
        repetition.ask(parts.mapping, Any)
        return
    inner = repetition.list_at(parts.items)
    for name, rules in parts.rules.items():
        _ask(inner, rules, _CODED if name in _PART_TEXTS else Any)


def _build(root: _Node) -> Layout:
    numbers = itertools.count()
    fields: dict[Keys, tuple[Keys, ...]] = {}
    items: dict[Keys, Layout] = {}
    made = _struct(root, (), numbers, fields, items)
    return Layout(made, msgspec.json.Decoder(made).decode, fields, items)


def _struct(
    node: _Node, keys: Keys, numbers: "itertools.count[int]", known: dict[Keys, Any], items: dict[Keys, Layout]
) -> Any:
    """Return a struct type; its fields stand in the order of the keys in our files, where the decoder looks first."""
    fields: list[Any] = []
    for key, inner in sorted(node.fields.items()):
        name, place = f"f{len(fields)}", (*keys, key)
        kind, default = _field(inner, place, numbers, known, items)
        fields.append((name, kind, msgspec.field(default=default, name=key)))
    known[keys] = tuple((*keys, key) for key in sorted(node.fields))
    return msgspec.defstruct(f"Point{next(numbers)}", fields, frozen=True, gc=False)


def _field(
    node: _Node, keys: Keys, numbers: "itertools.count[int]", known: dict[Keys, Any], items: dict[Keys, Layout]
) -> tuple[Any, Any]:
    """Return a field's type and what stands for a missing one."""
    if node.items is not None and not node.fields and node.kind is None:
        items[keys] = _build(node.items)
        inner: Any = items[keys].type
        return list[inner], None
    if node.fields and node.items is None:
        made = _struct(node, keys, numbers, known, items)
        return made, made()
    if node.kind is msgspec.Raw:
        return msgspec.Raw, _NOTHING
    return (Any if node.items is not None else node.kind), None

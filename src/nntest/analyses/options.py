"""Options of an analysis: declared in its meta.json, written as text, used as typed values."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from nntest.analyses.columns import nearest
from nntest.errors import DataError, UsageError

_YES = {"yes", "true", "on", "1"}
_NO = {"no", "false", "off", "0", ""}

#: Options that every analysis has.
COMMON: Mapping[str, Mapping[str, Any]] = {
    "where": {
        "type": "list",
        "default": "",
        "help": "only rows where COLUMN=VALUE, COLUMN!=VALUE, COLUMN<VALUE, ... (comma list; * in a value matches any)",
    },
    "include": {
        "type": "list",
        "default": "",
        "choices": ["failed", "wrong", "unverified", "emulated", "simulated", "profiled"],
        "help": "kinds of rows to use although rankings leave them out (failed rows never have a time)",
    },
}


class Options(Mapping[str, Any]):
    """Typed values by name; also readable as attributes (``options.baseline``)."""

    def __init__(self, values: Mapping[str, Any], *, given: Collection[str] = ()) -> None:
        self._values = dict(values)
        self._given = frozenset(given)

    def was_given(self, name: str) -> bool:
        """Tell whether somebody asked for an option's value, be it the default."""
        return name in self._given

    def mapped(self, change: Callable[[Any], Any]) -> "Options":
        """Return options with each value changed; what was asked for stays known."""
        return Options({name: change(value) for name, value in self._values.items()}, given=self._given)

    def __getitem__(self, name: str) -> Any:
        """Return a value."""
        return self._values[name]

    def __getattr__(self, name: str) -> Any:
        """Return a value."""
        if name.startswith("_") or name not in self._values:
            raise AttributeError(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._values)

    def __len__(self) -> int:
        """Count the options."""
        return len(self._values)

    def __repr__(self) -> str:
        """Show the values."""
        return f"Options({self._values!r})"


def parse_options(declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any], *, where: str) -> Options:
    """Give every declared option its value: the given one, else its default.

    Parameters
    ----------
    declared
        ``{name: {"type", "default", "help", "choices"}}``; types are text, integer, number, switch, list (comma
        list of texts) and pairs (comma list of ``column:value``). The common options are added.
    given
        Texts, or values that already have their type. Dashes and underscores in names are alike.

    Raises
    ------
    UsageError
        An option is unknown (the nearest is named) or its value does not fit.
    """
    known = {**COMMON, **declared}
    values = {name.replace("-", "_"): value for name, value in given.items()}
    for name in values:
        if name not in known:
            raise UsageError(f"{where}: there is no option {name!r}; {nearest(name, known)}")
    return Options({name: _value(name, known[name], values, where=where) for name in known}, given=values)


def _value(name: str, rule: Mapping[str, Any], given: Mapping[str, Any], *, where: str) -> Any:
    kind = rule.get("type", "text")
    if kind not in _PARSERS:
        raise DataError(f"{where}: option {name} is declared as {kind!r}; expected one of {', '.join(_PARSERS)}")
    raw = given.get(name, rule.get("default"))
    if raw is None or (raw == "" and kind in ("integer", "number")):
        return None
    try:
        value = _PARSERS[kind](raw)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{where}: {name} is {raw!r}; expected {_EXPECTED[kind]}") from error
    choices = rule.get("choices")
    for item in value if kind == "list" else [value]:
        if choices and item not in choices:
            raise UsageError(f"{where}: {name} is {str(item)!r}; expected one of {', '.join(map(str, choices))}")
    return value


def _switch(raw: Any) -> bool:
    word = str(raw).lower()
    if word not in _YES | _NO:
        raise ValueError(raw)
    return word in _YES


def _list(raw: Any) -> tuple[str, ...]:
    items = raw.split(",") if isinstance(raw, str) else raw
    return tuple(str(item).strip() for item in items if str(item).strip())


def _pairs(raw: Any) -> dict[str, str]:
    if isinstance(raw, Mapping):
        return {str(column): str(value) for column, value in raw.items()}
    pairs = {}
    for item in _list(raw):
        column, colon, value = item.partition(":")
        if not (colon and column.strip() and value.strip()):
            raise ValueError(item)
        pairs[column.strip()] = value.strip()
    return pairs


_PARSERS: Mapping[str, Callable[[Any], Any]] = {
    "text": str,
    "integer": int,
    "number": float,
    "switch": _switch,
    "list": _list,
    "pairs": _pairs,
}
_EXPECTED = {
    "text": "a text",
    "integer": "a whole number",
    "number": "a number",
    "switch": "yes or no",
    "list": "a comma list",
    "pairs": "column:value, several separated by commas, such as program:conv-onednn-cpu,threads:1",
}

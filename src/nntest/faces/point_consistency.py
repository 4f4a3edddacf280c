"""Whether the points of a repository are whole: schema, identities, times, and none of them twice."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nntest.errors import DataError, UsageError
from nntest.store.entries import is_point_name
from nntest.store.files import locked

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

    from nntest.model.point import Point

DAMAGED_SUFFIX = ".damaged"

_RESTORE = "it was changed after it was published; restore it from its source"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is wrong at a path and what to do; ``repair`` does it, where that loses nothing."""

    path: Path
    text: str
    repair: Callable[[], object] | None = None

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


@dataclass
class Census:
    """How much was looked at; ``seen`` tells the first file of each content from its copies."""

    entries: int = 0
    points: int = 0
    seen: dict[bytes, Path] = field(default_factory=dict)


def experiment_problems(folder: Path, census: Census) -> Iterator[Problem]:
    """Yield what is wrong with the points of an experiment."""
    for path in sorted(folder.glob("ckp-*.json")):
        if is_point_name(path.name):
            census.points += 1
            yield from _point(path, census)


def json_object(path: Path) -> dict[str, Any] | None:
    """Return a JSON object, None where there is none."""
    try:
        return _object(path.read_bytes())
    except OSError:
        return None


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        words = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return words if isinstance(words, dict) else None


def _point(path: Path, census: Census) -> Iterator[Problem]:
    """Check a point: JSON with one item per repetition; if it is ours, all that it says of itself."""
    aside = partial(_set_aside, path)
    advice = "remove the file or run `nntest check --repair`, which sets it aside"
    try:
        data = path.read_bytes()
    except OSError as error:
        yield Problem(path=path, text=f"it cannot be read ({error.strerror}); see to its permissions")
        return
    words = _object(data)
    if words is None:
        yield Problem(path=path, text=f"no JSON object was found; {advice}", repair=aside)
        return
    if not isinstance(words.get("characteristics_list"), list):
        text = f"characteristics_list is missing; expected one item per repetition; {advice}"
        yield Problem(path=path, text=text, repair=aside)
        return
    first = census.seen.setdefault(sha256(data).digest(), path)
    if first != path:
        text = f"it holds the same bytes as {first}, so that its repetitions count twice; remove one of them"
        yield Problem(path=path, text=text)
    if "nntest" in words:  # of another tool's points nothing more can be said
        yield from _own_point(path, words, aside)


def _own_point(path: Path, words: Mapping[str, Any], aside: Callable[[], object]) -> Iterator[Problem]:
    from nntest.model.point_json import from_json, migrate

    try:
        words = migrate(words, where=path.name)
    except DataError as error:
        # What a newer nntest wrote is no damage.
        yield Problem(path=path, text=str(error).removeprefix(f"{path.name}: "))
        return
    for fault in _validator().iter_errors(words):
        place = ".".join(map(str, fault.absolute_path)) or "the point"
        yield Problem(path=path, text=f"{place}: {_brief(fault.message)}, against docs/point.schema.json; {_RESTORE}")
    try:
        point = from_json(words, where=path.name)
    except (DataError, UsageError) as error:
        yield Problem(path=path, text=str(error).removeprefix(f"{path.name}: "), repair=aside)
        return
    uid = path.name.split(".")[0].removeprefix("ckp-")
    if point.uid != uid:
        yield Problem(path=path, text=f"its content has the uid {point.uid}; {_RESTORE}")
    for text in _contradictions(point, words, uid):
        yield Problem(path=path, text=f"{text}; {_RESTORE}")


def _contradictions(point: "Point", words: Mapping[str, Any], uid: str) -> Iterator[str]:
    """Yield where stated identities, and what CK's tools read, differ from the blocks that are hashed and loaded."""
    block, choices = words["nntest"], words.get("choices")
    if block.get("uid") not in {uid, point.uid}:
        yield f"nntest.uid is {block.get('uid')!r}; its content has {point.uid}"
    for part in (point.case, point.subject, point.platform):
        key = f"{type(part).__name__.lower()}_id"
        if block.get(key) != part.id:
            yield f"nntest.{key} is {block.get(key)!r}; its content has {part.id}"
    program = choices.get("data_uoa") if isinstance(choices, dict) else None
    if program != point.case.program:
        yield f"choices.data_uoa is {program!r}; nntest.case.program is {point.case.program}"
    values: list[float] = [sample.value_s for sample in point.samples]
    expected = values if point.failure is None else [None]
    found = words["characteristics_list"]
    if len(found) != len(expected):
        yield f"characteristics_list has {len(found)} repetitions; nntest.samples has {len(expected)}"
        return
    for number, (item, value) in enumerate(zip(found, expected, strict=True)):
        run = item.get("run") if isinstance(item, dict) else None
        if not isinstance(run, dict) or not _agrees(run, value):
            yield f"characteristics_list.{number} is not what the nntest block says"
            return


def _agrees(run: Mapping[str, Any], value_s: float | None) -> bool:
    """Tell whether a repetition succeeded in that time, or, without one, failed."""
    if value_s is None:
        return run.get("run_success") == "no"
    time = run.get("execution_time_kernel_1")
    return run.get("run_success") == "yes" and isinstance(time, float | int) and math.isclose(time, value_s)


def _brief(message: str) -> str:
    """Return a message without all of the value that it is about."""
    return message if len(message) <= 120 else f"{message[:50]} ... {message[-60:]}"


@cache
def _validator() -> "Draft202012Validator":
    from jsonschema import Draft202012Validator

    from nntest.model.point_json import schema

    return Draft202012Validator(schema())


def _set_aside(path: Path) -> None:
    """Give a file a name that nobody loads, and never that of one which was set aside before."""
    with locked(path.parent):
        names = (path.with_name(f"{path.name}{DAMAGED_SUFFIX}{suffix}") for suffix in _suffixes())
        path.rename(next(name for name in names if not name.exists()))


def _suffixes() -> Iterator[str]:
    yield ""
    yield from (f"-{number}" for number in count(2))

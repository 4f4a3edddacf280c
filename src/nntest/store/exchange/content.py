"""What may stand in the files that come in."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

import orjson

from nntest.model.ids import block_id, point_uid
from nntest.model.point_json import FORMAT
from nntest.store.exchange.limits import RefusedError
from nntest.store.exchange.names import Place, is_uid, point_number

_BLOCKS = ("case", "subject", "platform")


def check(name: str, place: Place, data: bytes) -> None:
    """Check the bytes of one file by what it is.

    Raises
    ------
    RefusedError
        It is not what its name says: no JSON, no table, a point whose identities are not those of its blocks.
    """
    if place.kind in {"alias", "module alias"}:
        alias_of(name, data)
    elif place.file.lower().endswith(".csv"):
        _check_table(name, data)
    elif place.kind in {"meta", "data"}:
        words = parse_json(name, data)
        if place.kind == "meta" and not isinstance(words, dict):
            raise RefusedError(name, "is no JSON object")
        found = point_number(place.file) if place.module == "experiment" else None
        if found is not None:
            _check_point(name, found[0], words)


def parse_json(name: str, data: bytes) -> Any:
    """Parse JSON as lenient as the archives of Python 2 need it: NaN, Infinity and halves of surrogate pairs pass.

    Raises
    ------
    RefusedError
        It is no JSON, or nested too deeply to be data.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        try:
            return json.loads(data.decode("utf-8"))
        except UnicodeDecodeError:
            reason = "not UTF-8"
        except RecursionError:
            reason = "nested too deeply"
        except ValueError:
            reason = str(error)
    raise RefusedError(name, f"is no valid JSON ({reason})")


def alias_of(name: str, data: bytes) -> str:
    """Return what an alias file says: a UID in ``alias-a-NAME``, a name in ``alias-u-UID``.

    Raises
    ------
    RefusedError
        It says something else.
    """
    try:
        text = data.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise RefusedError(name, "is no alias file; expected one line of UTF-8") from None
    file = name.rsplit("/", 1)[-1]
    if file.startswith("alias-a-") and not is_uid(text):
        raise RefusedError(name, "is no alias file; expected a UID of 16 hexadecimal digits")
    if not text or len(text) > 255 or not text.isprintable() or "/" in text:
        raise RefusedError(name, "is no alias file; expected one name")
    return text


def _check_table(name: str, data: bytes) -> None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise RefusedError(name, "is no table; expected text in UTF-8")


def _check_point(name: str, uid: str, words: Any) -> None:
    """Refuse a point of ours that claims to be another one; merging goes by these identities."""
    if not isinstance(words, dict):
        raise RefusedError(name, "is no point; expected a JSON object")
    block = words.get("nntest")
    if not isinstance(block, dict) or not _is_ours(block.get("format")):
        return
    ids = {}
    for part in _BLOCKS:
        ids[part] = _hash(name, part, block.get(part))
        if block.get(f"{part}_id") != ids[part]:
            _lie(name, f"{part}_id", block.get(f"{part}_id"), ids[part])
    found = point_uid(ids["case"], ids["subject"], ids["platform"])
    if uid != found:
        _lie(name, "uid", uid, found)


def _is_ours(version: Any) -> bool:
    """Tell whether the point's format is one whose identities are hashed as they are here."""
    return isinstance(version, str) and version.split(".")[0] == FORMAT.split(".")[0]


def _hash(name: str, part: str, block: Any) -> str:
    if not isinstance(block, Mapping):
        raise RefusedError(name, f"has no block nntest.{part}")
    try:
        return block_id(block)
    except (ValueError, TypeError, RecursionError) as error:
        raise RefusedError(name, f"has a block nntest.{part} without canonical form ({error})") from None


def _lie(name: str, key: str, stated: Any, found: str) -> NoReturn:
    raise RefusedError(name, f"states {key} {stated!r}, but its blocks hash to {found}")

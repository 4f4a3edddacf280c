"""Publishing points: a CK experiment entry, and sub-points that are never replaced."""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from nntest.errors import DataError, UsageError
from nntest.model.point import Point
from nntest.model.point_json import to_bytes
from nntest.store.entries import MODULE_UIDS
from nntest.store.files import (
    link_new,
    locked,
    replace,
    sync_folder,
    write_error,
    write_new,
    written_together,
)
from nntest.store.repository import Repository, ensure_local_repository, read_json

_INDENTED = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
# Names reach ck as patterns, folders and alias files; what is left out here means something to one of them.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+=@~-]{0,199}")
# Files that wait for the disk together share its flushes; more threads would only wait for each other.
_WAITING = 8
# Files that are open at the same time.
_TOGETHER = 64
_UID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Published:
    """Where a point's bytes are, and whether they had to be added (False: equal bytes were there already)."""

    path: Path
    added: bool


def save_point(experiment: Path, point: Point) -> Path:
    """Publish a point as the next sub-point of its uid; equal bytes that are there already are kept as they are.

    Parameters
    ----------
    experiment
        Folder of an experiment entry, from :func:`open_experiment`.

    Returns
    -------
    Path
        The sub-point's file, ``ckp-<uid>.<number>.json``.

    Raises
    ------
    DataError
        It could not be written; nothing partial is visible then.
    """
    return publish(experiment, point.uid, to_bytes(point)).path


def publish_together(
    points: Sequence[tuple[Path, str, bytes]], *, meanwhile: Callable[[], object] = lambda: None
) -> list[Path]:
    """Publish points, each given as (experiment, uid, bytes), and return their files in order; see :func:`save_point`.

    All is on disk on return.

    Parameters
    ----------
    meanwhile
        Done while the points wait for the disk, before any of them is visible.
    """
    paths = []
    with ThreadPoolExecutor(max_workers=_WAITING + 1) as waiting:
        other = waiting.submit(meanwhile)
        try:
            for start in range(0, len(points), _TOGETHER):
                some = points[start : start + _TOGETHER]
                files = [(_first_path(experiment, uid), data) for experiment, uid, data in some]
                with written_together(files, waiting.map) as temporaries:
                    other.result()
                    paths += [_place(*one, temporary) for one, temporary in zip(some, temporaries, strict=True)]
        finally:
            other.result()
        list(waiting.map(_sync, {experiment for experiment, _, _ in points}))
    return paths


def publish(experiment: Path, uid: str, data: bytes) -> Published:
    """Publish the bytes of a point; see :func:`save_point`."""
    for path in _paths(experiment, uid):
        if not path.exists() and write_new(path, data):
            return Published(path, added=True)
        if _holds(path, data):
            return Published(path, added=False)
    raise AssertionError("there is no last number")


def experiment_folder(repository: Repository, uoa: str) -> Path:
    """Make the folder of an experiment, in which nothing is visible until it is opened, and return it.

    Raises
    ------
    UsageError
        The name is not one that CK can keep.
    DataError
        It could not be made.
    """
    if not _NAME.fullmatch(uoa) or _UID.fullmatch(uoa):
        raise UsageError(
            f"{uoa}: not a name for an experiment; expected up to 200 letters, digits and . _ + = @ ~ -, "
            f"beginning with a letter, digit or _, and not 16 hexadecimal digits; choose another name"
        )
    folder = repository.path / "experiment" / uoa
    try:
        (folder / ".cm").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from None
    return folder


def open_experiment(
    repository: Repository,
    uoa: str,
    meta: Mapping[str, Any],
    *,
    now: Callable[[], datetime] = datetime.now,
) -> Path:
    """Create an experiment entry, or open the one of that name; safe for concurrent writers.

    Parameters
    ----------
    repository
        Where to record; ck's ``local`` is created where it does not exist yet.
    uoa
        The entry's name.
    meta
        ``tags`` and ``meta`` as CK's experiments have them. An entry that exists keeps its own meta and gains the
        tags that it lacks.

    Raises
    ------
    UsageError
        The name is not one that CK can keep.
    DataError
        The entry could not be written.
    """
    folder = experiment_folder(repository, uoa)
    module = folder.parent
    try:
        ensure_local_repository(repository)
        (module / ".cm").mkdir(exist_ok=True)
        (repository.path / ".cm").mkdir(exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from None
    _write_once(folder / ".cm" / "info.json", orjson.dumps(_info(uoa, now()), option=_INDENTED), sync_name=False)
    _merge_meta(folder, meta)
    _write_once(repository.path / ".cm" / "alias-a-experiment", _line(MODULE_UIDS["experiment"]))
    _write_once(repository.path / ".cm" / f"alias-u-{MODULE_UIDS['experiment']}", _line("experiment"))
    # The alias by name comes last: with it ck finds the entry, which is complete by then.
    uid = _uid_of(folder)
    _write_once(module / ".cm" / f"alias-u-{uid}", _line(uoa), sync_name=False)
    _write_once(module / ".cm" / f"alias-a-{uoa}", _line(uid))
    return folder


def _paths(experiment: Path, uid: str) -> Iterator[Path]:
    """Yield the names of a case's sub-points."""
    return (experiment / f"ckp-{uid}.{number:04d}.json" for number in count(1))


def _first_path(experiment: Path, uid: str) -> Path:
    return next(_paths(experiment, uid))


def _place(experiment: Path, uid: str, data: bytes, temporary: Path) -> Path:
    """Give a written point the next name, unless equal bytes are there already."""
    for path in _paths(experiment, uid):
        if not path.exists() and link_new(temporary, path):
            return path
        if _holds(path, data):
            return path
    raise AssertionError("there is no last number")


def _sync(folder: Path) -> None:
    try:
        sync_folder(folder)
    except OSError as error:
        raise write_error(folder, error) from None


def _info(uoa: str, now: datetime) -> dict[str, Any]:
    """Return what CK keeps about an entry's making; the first writer's UID is the entry's."""
    return {
        "backup_data_uid": secrets.token_hex(8),
        "backup_module_uid": MODULE_UIDS["experiment"],
        "backup_module_uoa": "experiment",
        "control": {"engine": "CK", "iso_datetime": now.isoformat(), "version": ["2", "6", "4"]},
        "data_name": uoa,
    }


def _uid_of(folder: Path) -> str:
    """Return the entry's UID: the one that its alias tells, else the one of its making."""
    alias = folder.parent / ".cm" / f"alias-a-{folder.name}"
    uid = alias.read_text(encoding="utf-8").strip() if alias.is_file() else ""
    uid = uid or read_json(folder / ".cm" / "info.json").get("backup_data_uid", "")
    if not isinstance(uid, str) or not _UID.fullmatch(uid):
        raise DataError(
            f"{folder}/.cm/info.json: backup_data_uid is {uid!r}; expected 16 hexadecimal digits; "
            f"restore the file or record under another name with --record_uoa"
        )
    return uid


def _merge_meta(folder: Path, meta: Mapping[str, Any]) -> None:
    path = folder / ".cm" / "meta.json"
    try:
        with locked(folder):
            known = read_json(path)
            merged = {**meta, **known, "tags": _united(known.get("tags"), meta.get("tags"))}
            if merged != known:
                replace(path, orjson.dumps(merged, option=_INDENTED))
    except OSError as error:
        raise write_error(path, error) from None


def _united(known: Any, added: Any) -> list[str]:
    lists: Sequence[Any] = [known, added]
    tags = [tag for tags in lists if isinstance(tags, list | tuple) for tag in tags if isinstance(tag, str)]
    return list(dict.fromkeys(tags))


def _write_once(path: Path, data: bytes, *, sync_name: bool = True) -> None:
    if not path.exists():
        write_new(path, data, sync_name=sync_name)


def _line(text: str) -> bytes:
    return f"{text}\n".encode()


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False

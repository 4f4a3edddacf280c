"""Points by what people call them: a uid or its beginning, a file, an experiment."""

import re
from pathlib import Path

from nntest.errors import UsageError
from nntest.store.entries import find_experiments, is_point_name

TRASH = ".trash"

_UID = re.compile(r"[0-9a-f]{4,16}")


def find_point_files(name: str, *, trashed: bool = False) -> list[Path]:
    """Return the files that a name means, in order: all sub-points of a uid, all points of an experiment.

    Parameters
    ----------
    name
        A uid or at least four digits of its beginning, the path of a point or of an experiment, or the name or
        pattern of experiments.
    trashed
        Look for points in the trash instead.

    Raises
    ------
    UsageError
        Nothing of that name is there, or the beginning of a uid fits several.
    """
    path = Path(name).expanduser()
    if path.is_file() and is_point_name(path.name):
        return [path]
    if path.is_dir() and (found := _points(path, trashed=trashed)):
        return found
    if _UID.fullmatch(name) and (found := _by_uid(name, trashed=trashed)):
        return found
    folders = [entry.path for entry in find_experiments(name)]
    if found := [file for folder in folders for file in _points(folder, trashed=trashed)]:
        return found
    what = "trashed point" if trashed else "point or experiment"
    where = "`nntest list notes`" if trashed else "`nntest list points`"
    raise UsageError(f"{name}: no {what} of that name was found; {where} shows what there is")


def uid_of(path: Path) -> str:
    """Return the uid in the name of a point's file."""
    return path.name.removeprefix("ckp-").partition(".")[0]


def experiment_of(path: Path) -> Path:
    """Return the folder of the experiment of a point, also of a trashed one."""
    return path.parent.parent if path.parent.name == TRASH else path.parent


def _by_uid(name: str, *, trashed: bool) -> list[Path]:
    found = [
        file for entry in find_experiments() for file in _points(entry.path, f"{name}*", trashed=trashed)
    ]  # fmt: skip
    uids = sorted({uid_of(file) for file in found})
    if len(uids) > 1:
        raise UsageError(f"{name}: {len(uids)} points begin so ({', '.join(uids[:5])}); give more of the uid")
    return found


def _points(folder: Path, uid: str = "*", *, trashed: bool) -> list[Path]:
    place = folder / TRASH if trashed else folder
    return sorted(path for path in place.glob(f"ckp-{uid}.*.json") if is_point_name(path.name))

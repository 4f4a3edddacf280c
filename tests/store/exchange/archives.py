"""Repositories and archives for the tests of sharing."""

import io
import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import orjson

from nntest.model.point import Point
from nntest.model.point_json import to_bytes
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_point, with_seed

META = {"tags": ["nntest", "conv-onednn-cpu", "conv"], "meta": {"species": "conv", "user": "ada@example.org"}}
FIRST, SECOND = "nntest-conv-onednn-cpu-first", "nntest-conv-onednn-cpu-second"


def make_repository(path: Path, experiments: Mapping[str, int] | None = None, *, name: str = "theirs") -> Repository:
    """Return a repository with experiments of so many points each."""
    repository = Repository(name, path)
    for number, (uoa, points) in enumerate((experiments or {FIRST: 3, SECOND: 2}).items()):
        folder = open_experiment(repository, uoa, META, now=lambda: datetime(2026, 11, 21))
        for seed in range(points):
            save_point(folder, point(100 * number + seed))
    return repository


def point(seed: int, *, session: str = "20261121-ab12") -> Point:
    return with_seed(make_point(session=session), seed)


def entry(uoa: str = "demo", *, points: int = 1, uid: str = "0123456789abcdef") -> dict[str, bytes]:
    """Return the files of a small archive of one experiment, by name."""
    files = {
        ".cm/alias-a-experiment": b"bc0409fb61f0aa82\n",
        ".cm/alias-u-bc0409fb61f0aa82": b"experiment\n",
        f"experiment/.cm/alias-a-{uoa}": f"{uid}\n".encode(),
        f"experiment/.cm/alias-u-{uid}": f"{uoa}\n".encode(),
        f"experiment/{uoa}/.cm/meta.json": orjson.dumps(META),
        f"experiment/{uoa}/.cm/info.json": orjson.dumps({"backup_data_uid": uid, "data_name": uoa}),
    }
    for seed in range(points):
        one = point(seed)
        files[f"experiment/{uoa}/ckp-{one.uid}.0001.json"] = to_bytes(one)
    return files


def zipped(files: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            info.external_attr = (0o40755 if name.endswith("/") else 0o100644) << 16
            archive.writestr(info, data)
    return buffer.getvalue()


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, hidden ones too."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

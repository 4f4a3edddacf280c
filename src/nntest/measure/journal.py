"""The session's journal: JSON lines, written as things happen, from which an ended session can be continued.

Each record is one ``write`` on a descriptor opened with O_APPEND: a killed session leaves whole lines and at most
one torn one, which readers skip. Kinds of records, in the order in which they appear:

========== ==================================================================================================
session    format, session, timestamp, record_uoa, record_repo, order_seed, started_unix, plan, platform, request,
           adopts: points of other sessions count as done
group      group, uids
set_up     group, launch, uid, launch_facts (a Launch), loops, memory_bytes
checked    group, uid, verification, hash
sample     group, uid and the fields of a Sample
lost       group, uid, loss, reason: loss is a FailureKind, or "unsupported"
launch_end group, launch: every case of the group that is not lost has all its samples of this launch
published  group, uid, path
group_end  group
end        account, exit_code
========== ==================================================================================================
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from nntest.errors import DataError

FORMAT = "1.3.0"  # 1.3.0: instructions of samples; 1.2.0: energies of launches and samples; 1.1.0: adopts; 1.0.0: first


class Journal:
    """Append records to one file; a context manager."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        torn = _ends_torn(path)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        if torn:
            os.write(self._descriptor, b"\n")

    def write(self, kind: str, **fields: Any) -> None:
        """Append one record in one system call.

        Raises
        ------
        DataError
            The line could not be written whole (a full disk).
        """
        line = orjson.dumps({"kind": kind, **fields}) + b"\n"
        try:
            written = os.write(self._descriptor, line)
        except OSError as error:
            raise DataError(f"{self.path}: a record could not be written ({error.strerror}); free some disk") from error
        if written < len(line):
            raise DataError(f"{self.path}: a record was cut after {written} of {len(line)} bytes; free some disk")

    def close(self) -> None:
        """Close the file; the records are with the operating system already."""
        os.close(self._descriptor)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_records(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the whole records of a journal; torn lines are skipped."""
    for line in path.read_bytes().split(b"\n"):
        if not line:
            continue
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(record, dict) and isinstance(record.get("kind"), str):
            yield record


def new_journal_path(folder: Path, name: str) -> Path:
    """Return the first free path for a session called ``name``: ``<name>.0001.jsonl``, ``<name>.0002.jsonl``, ..."""
    return folder / f"{name}.{_last_number(folder, name) + 1:04d}.jsonl"


def journal_paths(folder: Path, name: str) -> list[Path]:
    """Return the journals of the sessions called ``name``, the newest first."""
    paths = [path for path in folder.glob("*.jsonl") if _is_of(path, name)]
    return sorted(paths, key=lambda path: _number(path, name), reverse=True)


def _last_number(folder: Path, name: str) -> int:
    return max((_number(path, name) for path in journal_paths(folder, name)), default=0)


def _number(path: Path, name: str) -> int:
    return int(path.name[len(name) + 1 : -len(".jsonl")])


def _is_of(path: Path, name: str) -> bool:
    number = path.name[len(name) + 1 : -len(".jsonl")]
    return path.name.startswith(f"{name}.") and len(number) >= 4 and number.isdigit()


def _ends_torn(path: Path) -> bool:
    """Tell whether the last line lacks its end; a writer that follows must not glue its record to it."""
    if not path.exists() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"

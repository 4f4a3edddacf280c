"""Boards that this user's sessions have measured on. Their addresses stand in the journals, and in no point."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from nntest.measure.targets.connection import PREFIX


@dataclass(frozen=True, kw_only=True)
class UsedBoard:
    """A board: its address as ``--target`` takes it, its model, and when the last session on it began."""

    target: str
    model: str
    used: datetime


def used_boards(cache_root: Path) -> list[UsedBoard]:
    """Return the boards of all sessions whose journals are there, the one used last first.

    Parameters
    ----------
    cache_root
        Folder of all caches; journals are in it.
    """
    boards: dict[str, UsedBoard] = {}
    for record in _sessions(cache_root / "journals"):
        try:
            target = str(record["request"]["target"])
            used = datetime.fromtimestamp(record["started_unix"])
            board = UsedBoard(target=target, model=str(record["platform"]["model"]), used=used)
        except (KeyError, TypeError, ValueError, OverflowError, OSError):
            continue  # of another format, or damaged
        known = boards.get(target)
        if target.startswith(PREFIX) and (known is None or known.used < used):
            boards[target] = board
    return sorted(boards.values(), key=lambda board: (board.used, board.target), reverse=True)


def _sessions(folder: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the first record of each journal: what the session is, and on what."""
    for path in sorted(folder.glob("*.jsonl")):
        try:
            with path.open("rb") as file:
                record = orjson.loads(file.readline())
        except (OSError, orjson.JSONDecodeError):
            continue
        if isinstance(record, dict) and record.get("kind") == "session":
            yield record

"""The index: what crawls have read, kept so that the next one reads only what changed.

Files are the truth: an index is believed for a file only while its folder, name, size, time of change and the tags
of its entry are those that were read. It lies in the cache folder as Parquet and may be deleted at any time.

One index belongs to one root (a repository, a folder, a zip), one set of views and one kind of table. It consists
of segments, each with the points of some folders; a folder that changed goes into a new segment as a whole, and when
there are many segments they are written anew as one.
"""

import hashlib
import os
import secrets
import struct
import time
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from nntest import __version__
from nntest.crawl.blocks import Block, Positions
from nntest.crawl.sources import Folder, Listing
from nntest.crawl.views import Part, View, views_sha

#: Raised whenever the files of an index change their meaning; other indexes are then passed over.
FORMAT = 3
#: Below this many bytes of points, reading them again is as quick as an index.
WORTH_AN_INDEX = 1_000_000

_MANIFEST = "index.json"
_KINDS = ("folders", "points", "rows")
_PIECE = 1 << 20
_MAX_SEGMENTS = 8
_ORPHANED_S = 3_600
_FOLDERS = pa.schema(
    [
        ("container", pa.string()),
        ("path", pa.string()),
        ("tags", pa.string()),
        ("names", pa.string()),
        ("sizes", pa.binary()),
        ("times", pa.binary()),
        ("start", pa.int64()),
        ("stop", pa.int64()),
        ("skips", pa.string()),
    ]
)
#: What a damaged or foreign file in the cache folder may raise.
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, pa.ArrowException)


@dataclass(frozen=True)
class Known:
    """A folder as the index knows it; ``skips`` has a reason for each file (by position) that gave no rows."""

    segment: str
    names: str
    sizes: bytes
    times: bytes
    tags: str
    start: int
    stop: int
    skips: Mapping[int, str]

    def holds(self, folder: Folder) -> bool:
        """Tell whether the folder is as it was when it was read."""
        return (
            self.names == "\n".join(folder.names)
            and self.sizes == _packed(folder.sizes)
            and self.times == _packed(folder.times)
            and self.tags == _joined(folder.tags)
        )

    def unchanged(self, folder: Folder) -> dict[int, int]:
        """Return the files that are as they were: position now to position then."""
        if self.tags != _joined(folder.tags):
            return {}
        names = self.names.split("\n") if self.names else []
        then = {
            key: position
            for position, key in enumerate(zip(names, _unpacked(self.sizes), _unpacked(self.times), strict=True))
        }
        now = enumerate(zip(folder.names, folder.sizes, folder.times, strict=True))
        return {position: then[key] for position, key in now if key in then}


@dataclass(frozen=True)
class Segment:
    """Points of some folders; ``files`` are their positions within their folders."""

    files: Positions
    block: Block


@dataclass
class Index:
    """The index of one root; see the module's text."""

    folder: Path
    identity: str
    known: dict[tuple[str, str], Known] = field(default_factory=dict)
    segments: dict[str, Segment] = field(default_factory=dict)
    checksums: dict[str, int] = field(default_factory=dict)

    @classmethod
    def open(cls, listing: Listing, views: Sequence[View], part: Part) -> "Index":
        """Open the index of a root; a missing, damaged or older one is empty."""
        identity = f"{FORMAT} {__version__} {views_sha(views)} {part}"
        key = hashlib.sha256(f"{listing.root}\0{identity}".encode()).hexdigest()[:16]
        index = cls(cache_folder() / key, identity)
        with suppress(*_UNREADABLE):
            index._read()
        return index

    def save(self, block: Block, changed: Sequence[tuple[Folder, int, Mapping[int, str]]], live: set[Any]) -> None:
        """Keep what was read: ``changed`` folders with the ordinal of their first file and their skips.

        ``live`` are the folders that this crawl saw; where nothing else is known, many segments become one.
        """
        with suppress(*_UNREADABLE):
            self._save(block, changed, live)

    def _read(self) -> None:
        manifest = orjson.loads((self.folder / _MANIFEST).read_bytes())
        if manifest["identity"] != self.identity:
            return
        known: dict[tuple[str, str], Known] = {}
        segments: dict[str, Segment] = {}
        for name, checksum in manifest["segments"].items():
            folders, segments[name] = _read_segment(self.folder, name, checksum)
            known.update(folders)
        self.known, self.segments, self.checksums = known, segments, manifest["segments"]

    def _save(self, block: Block, changed: Sequence[tuple[Folder, int, Mapping[int, str]]], live: set[Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        name = secrets.token_hex(8)
        rows = []
        pieces = []
        start = 0
        for folder, first, skips in changed:
            low, high = np.searchsorted(block.ordinals, [first, first + len(folder.names)])
            positions = np.arange(low, high, dtype=np.int64)
            pieces.append((positions, block.ordinals[low:high] - first))
            rows.append(_folder_row(folder, start, start + len(positions), skips))
            start += len(positions)
        positions = np.concatenate([piece[0] for piece in pieces])
        files = np.concatenate([piece[1] for piece in pieces])
        whole = len(positions) == len(block.counts)
        _write_segment(self.folder, name, files, block if whole else block.take(positions))
        pq.write_table(
            pa.Table.from_pylist(rows, schema=_FOLDERS), self.folder / f"{name}.folders.parquet", compression="none"
        )
        alone = set(self.known) <= live and len(rows) == len(live)
        self._publish({**({} if alone else self.checksums), name: _checksum(self.folder, name)})

    def _publish(self, segments: Mapping[str, int]) -> None:
        """Put the manifest in place at once; what no manifest has named for an hour is removed."""
        manifest = orjson.dumps({"identity": self.identity, "segments": segments})
        temporary = self.folder / f"{secrets.token_hex(8)}.tmp"
        temporary.write_bytes(manifest)
        temporary.replace(self.folder / _MANIFEST)
        for path in self.folder.iterdir():
            used = path.name == _MANIFEST or path.name.split(".")[0] in segments
            if not used and time.time() - path.stat().st_mtime > _ORPHANED_S:
                path.unlink(missing_ok=True)

    @property
    def crowded(self) -> bool:
        """Whether there are so many segments that they should be written anew as one."""
        return len(self.segments) >= _MAX_SEGMENTS


def cache_folder() -> Path:
    """Return the folder of all indexes."""
    cache = os.environ.get("XDG_CACHE_HOME", "").strip()
    return (Path(cache) if cache else Path("~/.cache").expanduser()) / "nntest" / "index"


def _folder_row(folder: Folder, start: int, stop: int, skips: Mapping[int, str]) -> dict[str, Any]:
    return {
        "container": folder.container,
        "path": folder.path,
        "tags": _joined(folder.tags),
        "names": "\n".join(folder.names),
        "sizes": _packed(folder.sizes),
        "times": _packed(folder.times),
        "start": start,
        "stop": stop,
        "skips": orjson.dumps({str(position): reason for position, reason in skips.items()}).decode(),
    }


def _write_segment(folder: Path, name: str, files: Positions, block: Block) -> None:
    points = {"file": files, "count": block.counts, **{f"p.{key}": codes for key, codes in block.point.items()}}
    rows = {
        **{f"c.{key}": codes for key, codes in block.row_codes.items()},
        **{f"n.{key}": values for key, values in block.rows.items()},
    }
    for kind, columns in (("points", points), ("rows", rows)):
        table = pa.table(columns)
        if kind == "points":
            table = table.replace_schema_metadata({"categories": orjson.dumps(block.categories)})
        pq.write_table(
            table,
            folder / f"{name}.{kind}.parquet",
            compression="none",
            row_group_size=max(1, table.num_rows),
            write_statistics=False,
        )


def _checksum(folder: Path, name: str) -> int:
    """Return the checksum of a segment's files: a bit that has changed would be a wrong number, and nothing else."""
    checksum = 0
    for kind in _KINDS:
        with (folder / f"{name}.{kind}.parquet").open("rb") as file:
            while piece := file.read(_PIECE):
                checksum = zlib.crc32(piece, checksum)
    return checksum


# Segments never change once they are written, so that a second crawl of the same process need not read them again.
@lru_cache(maxsize=16)
def _read_segment(folder: Path, name: str, checksum: int) -> tuple[dict[tuple[str, str], Known], Segment]:
    if _checksum(folder, name) != checksum:
        raise ValueError(f"{name} is not as it was written")
    return _read_folders(folder, name), _read_points(folder, name)


def _read_folders(folder: Path, name: str) -> dict[tuple[str, str], Known]:
    known = {}
    for row in pq.read_table(folder / f"{name}.folders.parquet").to_pylist():
        known[row["container"], row["path"]] = Known(
            segment=name,
            names=row["names"],
            sizes=row["sizes"],
            times=row["times"],
            tags=row["tags"],
            start=row["start"],
            stop=row["stop"],
            skips={int(position): reason for position, reason in orjson.loads(row["skips"]).items()},
        )
    return known


def _read_points(folder: Path, name: str) -> Segment:
    points = pq.read_table(folder / f"{name}.points.parquet", memory_map=True)
    rows = pq.read_table(folder / f"{name}.rows.parquet", memory_map=True)
    columns = {key: points[key].to_numpy() for key in points.column_names}
    values = {key: rows[key].to_numpy() for key in rows.column_names}
    counts = columns["count"]
    block = Block(
        ordinals=columns["file"],
        counts=counts,
        point={key[2:]: codes for key, codes in columns.items() if key.startswith("p.")},
        row_codes={key[2:]: codes for key, codes in values.items() if key.startswith("c.")},
        rows={key[2:]: numbers for key, numbers in values.items() if key.startswith("n.")},
        categories=orjson.loads((points.schema.metadata or {})[b"categories"]),
    )
    if any(len(column) != int(counts.sum()) for column in values.values()):
        raise ValueError("rows do not fit the points")
    return Segment(files=columns["file"], block=block)


def _packed(values: Sequence[int]) -> bytes:
    return struct.pack(f"{len(values)}q", *values)


def _unpacked(values: bytes) -> tuple[int, ...]:
    return struct.unpack(f"{len(values) // 8}q", values)


def _joined(tags: Sequence[str]) -> str:
    return "\n".join(tags)

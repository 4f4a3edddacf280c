"""Reading points: bytes to documents to extractors, one file after the other, whatever the files hold."""

import gc
import json
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from nntest.crawl.extract import Extractor, RawBlock, Skip
from nntest.crawl.layouts import MISFITS, fits
from nntest.crawl.rules import Documents, found_by
from nntest.crawl.views import Part, View

#: A point of a thousand repetitions has about 0.5 MB; the largest published ones (per layer) 0.25 MB.
MAX_POINT_BYTES = 64_000_000

# What is kept at a time: more amortises the cost per column, less stays in the processor's cache.
_AT_A_TIME = 256
_BYTES_AT_A_TIME = 2_000_000
_FIRST_READ = 16_384
_QUIETLY = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_ADVICE = "remove the file or restore it from its source"

Tags = tuple[str, ...]


@dataclass(frozen=True)
class Work:
    """Files of one experiment to read; ``ordinals`` are their places among all files."""

    path: str
    tags: Tags
    names: Sequence[str]
    ordinals: Sequence[int]
    container: str = ""


@dataclass(frozen=True)
class Harvest:
    """What reading gave: a block for each view that knew points, and the files that gave none."""

    blocks: list[tuple[str, RawBlock]]
    skips: list[Skip]


class UnreadableError(Exception):
    """Says why a file gives no document."""


def read(work: Sequence[Work], views: Sequence[View], part: Part = "") -> Harvest:
    """Read files and extract their columns."""
    reader = Reader(views, part)
    with no_collector():
        for item in work:
            reader.add(item)
    return reader.harvest()


@contextmanager
def no_collector() -> Iterator[None]:
    """Suspend the search for cycles: parsed documents hold none, and looking takes a tenth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def parse(data: bytes) -> dict[str, Any]:
    """Return the JSON object of a point's file; NaN and Infinity of Python 2 times are understood.

    Raises
    ------
    UnreadableError
        It is no JSON, or no object.
    """
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        document = _parse_lenient(data, str(error))
    if type(document) is not dict:
        raise UnreadableError(f"holds no JSON object; expected a point; {_ADVICE}")
    return document


def _parse_lenient(data: bytes, reason: str) -> Any:
    # What the fast parser refuses may be what Python's own writer makes of NaN, Infinity or half a surrogate pair.
    with suppress(ValueError, RecursionError):
        return json.loads(data)
    if not data.strip():
        raise UnreadableError(f"is empty; expected a point; {_ADVICE}")
    raise UnreadableError(f"is no valid JSON ({reason}); expected a point; {_ADVICE}")


def read_file(folder: int, name: str) -> bytes:
    """Return the content of a file in an open folder: a name is found in half the time of a path.

    Raises
    ------
    UnreadableError
        It cannot be opened, is no regular file, or is larger than any point.
    """
    try:
        descriptor = os.open(name, _QUIETLY, dir_fd=folder)
        try:
            data = os.read(descriptor, _FIRST_READ)
            if len(data) == _FIRST_READ:
                status = os.fstat(descriptor)
                _check_size(status.st_size)
                if not stat.S_ISREG(status.st_mode):
                    raise UnreadableError(f"is no regular file; {_ADVICE}")
                pieces = [data]
                while piece := os.read(descriptor, 1 << 20):
                    pieces.append(piece)
                data = b"".join(pieces)
            return data
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _refused(error) from None


def _refused(error: OSError) -> UnreadableError:
    return UnreadableError(f"cannot be read ({os.strerror(error.errno or 0)}); see to its permissions")


def _check_size(size: int) -> None:
    if size > MAX_POINT_BYTES:
        raise UnreadableError(f"has {size} bytes; expected at most {MAX_POINT_BYTES}; {_ADVICE}")


@dataclass
class _Batch:
    """Files that wait for extraction, column by column."""

    ordinals: list[int] = field(default_factory=list)
    tags: list[Tags] = field(default_factory=list)
    documents: list[Any] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, ordinal: int, tags: Tags, document: Any, content: bytes) -> None:
        self.ordinals.append(ordinal)
        self.tags.append(tags)
        self.documents.append(document)
        self.contents.append(content)
        self.size += len(content)

    @property
    def full(self) -> bool:
        return len(self.documents) >= _AT_A_TIME or self.size >= _BYTES_AT_A_TIME

    def take(self, positions: Sequence[int]) -> "_Batch":
        columns = (self.ordinals, self.tags, self.documents, self.contents)
        return _Batch(*([column[index] for index in positions] for column in columns))  # type: ignore[arg-type]


class Reader:
    """Gathers documents until there are enough, and hands them to the extractor of the view that knows them.

    Files are decoded into the type of the view that knew the last ones; what that view does not know, or what does
    not fit its type, is decoded again.
    """

    def __init__(self, views: Sequence[View], part: Part = "") -> None:
        self._part = part
        self._extractors = [Extractor(view, part) for view in views]
        self._layouts = fits(views, part)
        self._usual = 0
        self._skips: list[Skip] = []
        self._batch = _Batch()
        self._plain = _Batch()
        self._archives = _Archives()

    def add(self, work: Work) -> None:
        """Read the files of one experiment."""
        with _opened(work, self._archives) as fetch:
            for ordinal, name in zip(work.ordinals, work.names, strict=True):
                try:
                    data = fetch(name)
                except UnreadableError as error:
                    self._skips.append(Skip(ordinal, str(error)))
                    continue
                self._decode(self._usual, self._batch, ordinal, work.tags, data)
                if self._batch.full:
                    self._flush()

    def harvest(self) -> Harvest:
        """Return what all files gave."""
        self._archives.close()
        self._flush()
        self._flush_plain()
        blocks = []
        for extractor in self._extractors:
            block = extractor.block()
            self._skips.extend(extractor.skips)
            if block.ordinals and (not self._part or getattr(extractor.view, self._part) is not None):
                blocks.append((extractor.view.name, block))
        return Harvest(blocks, self._skips)

    def _flush(self) -> None:
        batch, self._batch = self._batch, _Batch()
        batch = self._extract(self._usual, batch)
        for index in range(len(self._layouts)):
            if not batch.documents:
                return
            rest = self._extract(index, self._decoded_again(index, batch))
            if len(rest.documents) < len(batch.documents):
                self._usual = index
            batch = rest
        for ordinal, tags, data in zip(batch.ordinals, batch.tags, batch.contents, strict=True):
            self._add_plain(ordinal, tags, data)

    def _extract(self, index: int, batch: _Batch) -> _Batch:
        """Extract the documents of one view, and return those that it does not know or an earlier one does."""
        views = [extractor.view for extractor in self._extractors[: index + 1]]
        documents = Documents(batch.documents, batch.tags, self._layouts[index])
        mine = known_to(views[-1], documents)
        for view in views[:-1]:
            mine = [one and not other for one, other in zip(mine, known_to(view, documents), strict=True)]
        if all(mine):
            if mine:
                self._extractors[index].add(batch.ordinals, documents)
            return _Batch()
        taken = [position for position, one in enumerate(mine) if one]
        if taken:
            ordinals = [batch.ordinals[position] for position in taken]
            self._extractors[index].add(ordinals, documents.take(taken))
        return batch.take([position for position, one in enumerate(mine) if not one])

    def _decoded_again(self, index: int, batch: _Batch) -> _Batch:
        decoded = _Batch()
        for ordinal, tags, data in zip(batch.ordinals, batch.tags, batch.contents, strict=True):
            self._decode(index, decoded, ordinal, tags, data)
        return decoded

    def _decode(self, index: int, batch: _Batch, ordinal: int, tags: Tags, data: bytes) -> None:
        try:
            # What a type passes over is checked for its form alone.
            _ = data.isascii() or data.decode()
            batch.add(ordinal, tags, self._layouts[index].decode(data), data)
        except MISFITS:
            self._add_plain(ordinal, tags, data)

    def _add_plain(self, ordinal: int, tags: Tags, data: bytes) -> None:
        """Decode a file without types, so that it can be said what is wrong with it, or that nothing is."""
        try:
            self._plain.add(ordinal, tags, parse(data), b"")
        except UnreadableError as error:
            self._skips.append(Skip(ordinal, str(error)))
        if self._plain.full:
            self._flush_plain()

    def _flush_plain(self) -> None:
        batch, self._plain = self._plain, _Batch()
        rest = list(range(len(batch.documents)))
        documents = Documents(batch.documents, batch.tags)
        for extractor in self._extractors:
            known = known_to(extractor.view, documents)
            taken = [index for index in rest if known[index]]
            rest = [index for index in rest if not known[index]]
            if taken:
                extractor.add([batch.ordinals[index] for index in taken], documents.take(taken))
        names = ", ".join(extractor.view.name for extractor in self._extractors)
        reason = f"no view ({names}) knows such a point; name a view file of its family, or remove the file"
        self._skips.extend(Skip(batch.ordinals[index], reason) for index in rest)


def known_to(view: View, documents: Documents) -> list[bool]:
    """Tell which documents belong to a view's family."""
    known = [False] * len(documents)
    for rule in view.matches:
        values = [rule.constant] * len(documents) if rule.source == "constant" else found_by(rule, documents)
        known = [one or value is not None for one, value in zip(known, values, strict=True)]
    return known


@contextmanager
def _opened(work: Work, archives: "_Archives") -> Iterator[Callable[[str], bytes]]:
    """Give the function that returns a file's content, from its folder or its zip.

    What was listed a moment ago may have gone since; that is then said for each of its files.
    """
    if work.container:
        try:
            archive = archives.open(work.container)
        except (zipfile.BadZipFile, OSError, ValueError):
            yield partial(_raise, f"cannot be read (it was in the zip a moment ago); {_ADVICE}")
            return
        yield partial(_read_member, archive, f"{work.path}/" if work.path else "")
        return
    try:
        folder = os.open(work.path, _QUIETLY | os.O_DIRECTORY)
    except OSError as error:
        yield partial(_raise, str(_refused(error)))
        return
    try:
        yield partial(read_file, folder)
    finally:
        os.close(folder)


class _Archives:
    """Keeps a zip open from one of its folders to the next: reading its directory takes as long as many points."""

    def __init__(self) -> None:
        self._path = ""
        self._archive: zipfile.ZipFile | None = None

    def open(self, path: str) -> zipfile.ZipFile:
        if self._archive is None or self._path != path:
            self.close()
            self._archive, self._path = zipfile.ZipFile(path), path
        return self._archive

    def close(self) -> None:
        if self._archive is not None:
            self._archive.close()
            self._archive = None


def _raise(reason: str, _: str) -> bytes:
    raise UnreadableError(reason)


def _read_member(archive: zipfile.ZipFile, folder: str, name: str) -> bytes:
    try:
        member = archive.getinfo(folder + name)
        _check_size(member.file_size)
        with archive.open(member) as file:
            data = file.read(MAX_POINT_BYTES + 1)
    except _ZIP_ERRORS as error:
        raise UnreadableError(f"cannot be read ({error}); {_ADVICE}") from None
    # The directory of a zip may lie about sizes.
    _check_size(len(data))
    return data


_ZIP_ERRORS = (
    zipfile.BadZipFile,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    KeyError,
    zlib.error,
)

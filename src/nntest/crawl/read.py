"""Reading points: bytes to documents to extractors, one file after the other, whatever the files hold."""

import gc
import json
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from nntest.crawl.extract import Extractor, RawBlock, Skip
from nntest.crawl.rules import Documents, found_by
from nntest.crawl.views import Part, View

#: A point of a thousand repetitions has about 0.5 MB; the largest published ones (per layer) 0.25 MB.
MAX_POINT_BYTES = 64_000_000

# What is kept at a time: more amortises the cost per column, less stays in the processor's cache.
_AT_A_TIME = 64
_BYTES_AT_A_TIME = 400_000
_FIRST_READ = 16_384
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


def read_file(path: str) -> bytes:
    """Return a file's content.

    Raises
    ------
    UnreadableError
        It cannot be opened, is no regular file, or is larger than any point.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
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
        raise UnreadableError(f"cannot be read ({os.strerror(error.errno or 0)}); see to its permissions") from None


def _check_size(size: int) -> None:
    if size > MAX_POINT_BYTES:
        raise UnreadableError(f"has {size} bytes; expected at most {MAX_POINT_BYTES}; {_ADVICE}")


class Reader:
    """Gathers documents until there are enough, and hands them to the extractor of the view that knows them."""

    def __init__(self, views: Sequence[View], part: Part = "") -> None:
        self._part = part
        self._extractors = [Extractor(view, part) for view in views]
        self._skips: list[Skip] = []
        self._ordinals: list[int] = []
        self._documents: list[Any] = []
        self._tags: list[Tags] = []
        self._bytes = 0

    def add(self, work: Work) -> None:
        """Read the files of one experiment."""
        with _opened(work) as fetch:
            for ordinal, name in zip(work.ordinals, work.names, strict=True):
                try:
                    data = fetch(f"{work.path}/{name}" if work.path else name)
                    document = parse(data)
                except UnreadableError as error:
                    self._skips.append(Skip(ordinal, str(error)))
                    continue
                self._ordinals.append(ordinal)
                self._documents.append(document)
                self._tags.append(work.tags)
                self._bytes += len(data)
                if len(self._documents) >= _AT_A_TIME or self._bytes >= _BYTES_AT_A_TIME:
                    self._flush()

    def harvest(self) -> Harvest:
        """Return what all files gave."""
        self._flush()
        blocks = []
        for extractor in self._extractors:
            block = extractor.block()
            self._skips.extend(extractor.skips)
            if block.ordinals and (not self._part or getattr(extractor.view, self._part) is not None):
                blocks.append((extractor.view.name, block))
        return Harvest(blocks, self._skips)

    def _flush(self) -> None:
        rest = list(range(len(self._documents)))
        documents = Documents(self._documents, self._tags)
        for extractor in self._extractors:
            if not rest:
                break
            known = known_to(extractor.view, documents)
            if len(rest) == len(documents) and all(known):
                extractor.add(self._ordinals, documents)
                rest = []
                break
            taken = [index for index in rest if known[index]]
            rest = [index for index in rest if not known[index]]
            if taken:
                extractor.add([self._ordinals[index] for index in taken], documents.take(taken))
        names = ", ".join(extractor.view.name for extractor in self._extractors)
        reason = f"no view ({names}) knows such a point; name a view file of its family, or remove the file"
        self._skips.extend(Skip(self._ordinals[index], reason) for index in rest)
        self._ordinals, self._documents, self._tags, self._bytes = [], [], [], 0


def known_to(view: View, documents: Documents) -> list[bool]:
    """Tell which documents belong to a view's family."""
    known = [False] * len(documents)
    for rule in view.matches:
        values = [rule.constant] * len(documents) if rule.source == "constant" else found_by(rule, documents)
        known = [one or value is not None for one, value in zip(known, values, strict=True)]
    return known


@contextmanager
def _opened(work: Work) -> Iterator[Callable[[str], bytes]]:
    """Give the function that returns a file's content, from its folder or its zip."""
    if not work.container:
        yield read_file
        return
    try:
        archive = zipfile.ZipFile(work.container)
    except (zipfile.BadZipFile, OSError, ValueError):
        # It was listed a moment ago; whatever became of it since is said for each of its files.
        yield _vanished
        return
    with archive:
        yield partial(_read_member, archive)


def _vanished(name: str) -> bytes:
    raise UnreadableError(f"cannot be read ({name} was in the zip a moment ago); {_ADVICE}")


def _read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        member = archive.getinfo(name)
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

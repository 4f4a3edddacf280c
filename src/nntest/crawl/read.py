"""Reading points: bytes to documents to extractors, one file after the other, whatever the files hold."""

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from nntest.crawl.content import QUIETLY, UnreadableError, parse, read_file, refused
from nntest.crawl.extract import Extractor, RawBlock, Skip
from nntest.crawl.layouts import MISFITS, Layout, layout_of
from nntest.crawl.rules import Documents, found_by
from nntest.crawl.views import Part, View

if TYPE_CHECKING:
    from nntest.crawl.archives import Archives

# What is kept at a time: more amortises the cost per column, less stays in the processor's cache.
_AT_A_TIME = 256
_BYTES_AT_A_TIME = 2_000_000
_LARGE = 32_768

Tags = tuple[str, ...]
#: Gives the content of a file by its name and size.
Fetch = Callable[[str, int], bytes]


@dataclass(frozen=True)
class Work:
    """Files of one experiment to read; ``ordinals`` are their places among all files."""

    path: str
    tags: Tags
    names: Sequence[str]
    sizes: Sequence[int]
    ordinals: Sequence[int]
    container: str = ""

    def between(self, start: int, stop: int | None) -> "Work":
        """Return some of the files."""
        piece = slice(start, stop)
        return replace(self, names=self.names[piece], sizes=self.sizes[piece], ordinals=self.ordinals[piece])


@dataclass(frozen=True)
class Harvest:
    """What reading gave: a block for each view that knew points, and the files that gave none."""

    blocks: list[tuple[str, RawBlock]]
    skips: list[Skip]


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


@dataclass
class _Batch:
    """Files that wait for extraction, column by column."""

    ordinals: list[int] = field(default_factory=list)
    tags: list[Tags] = field(default_factory=list)
    documents: list[Any] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, ordinal: int, tags: Tags, document: Any, content: bytes) -> None:
        self.documents.append(document)
        self.ordinals.append(ordinal)
        self.tags.append(tags)
        self.contents.append(content)
        self.size += len(content)

    def holds(self, enough: int) -> bool:
        return self.size >= _BYTES_AT_A_TIME or len(self.documents) >= enough

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
        self._views = tuple(views)
        self._layouts: dict[int, Layout] = {}
        self._usual = -1
        self._skips: list[Skip] = []
        self._batch = _Batch()
        self._plain = _Batch()
        self._archives: Archives | None = None

    def add(self, work: Work) -> None:
        """Read the files of one experiment."""
        with self._opened(work) as fetch:
            for ordinal, name, size in zip(work.ordinals, work.names, work.sizes, strict=True):
                try:
                    data = fetch(name, size)
                except UnreadableError as error:
                    self._skips.append(Skip(ordinal, str(error)))
                    continue
                if self._usual < 0:
                    self._usual = self._view_of(data, work.tags)
                self._decode(self._usual, self._batch, ordinal, work.tags, data)
                if self._batch.holds(_AT_A_TIME):
                    self._flush()

    def harvest(self) -> Harvest:
        """Return what all files gave."""
        if self._archives is not None:
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

    @contextmanager
    def _opened(self, work: Work) -> Iterator[Fetch]:
        """Give the function that returns a file's content, from its folder or its zip.

        What was listed a moment ago may have gone since; that is then said for each of its files.
        """
        if work.container:
            # Most crawls meet no zip, and most workers wait for nothing but their imports.
            from nntest.crawl.archives import Archives

            self._archives = self._archives or Archives()
            yield self._archives.reader(work.container, f"{work.path}/" if work.path else "")
            return
        try:
            folder = os.open(work.path, QUIETLY | os.O_DIRECTORY)
        except OSError as error:
            yield partial(_raise, refused(error))
            return
        try:
            yield partial(read_file, folder)
        finally:
            os.close(folder)

    def _view_of(self, data: bytes, tags: Tags) -> int:
        """Return the view that knows a file, which will know most of the others, too; the first where none does."""
        try:
            documents = Documents([parse(data)], [tags])
        except UnreadableError:
            return 0
        return next((index for index, view in enumerate(self._views) if known_to(view, documents)[0]), 0)

    def _flush(self) -> None:
        batch, self._batch = self._batch, _Batch()
        if not batch.documents:
            return
        usual = self._usual
        batch = self._extract(usual, batch)
        for index in range(len(self._extractors)):
            if not batch.documents:
                return
            if index == usual:
                continue
            rest = self._extract(index, self._decoded_again(index, batch))
            if len(rest.documents) < len(batch.documents):
                self._usual = index
            batch = rest
        for ordinal, tags, data in zip(batch.ordinals, batch.tags, batch.contents, strict=True):
            self._add_plain(ordinal, tags, data)

    def _extract(self, index: int, batch: _Batch) -> _Batch:
        """Extract the documents of one view, and return those that it does not know or an earlier one does."""
        documents = Documents(batch.documents, batch.tags, self._layout(index))
        mine = self._mine(index, documents)
        if all(mine):
            if mine:
                self._extractors[index].add(batch.ordinals, documents)
            return _Batch()
        taken = [position for position, one in enumerate(mine) if one]
        if taken:
            ordinals = [batch.ordinals[position] for position in taken]
            self._extractors[index].add(ordinals, documents.take(taken))
        return batch.take([position for position, one in enumerate(mine) if not one])

    def _mine(self, index: int, documents: Documents) -> list[bool]:
        """Tell which documents one view knows and no earlier one."""
        mine = known_to(self._views[index], documents)
        for view in self._views[:index]:
            mine = [one and not other for one, other in zip(mine, known_to(view, documents), strict=True)]
        return mine

    def _decoded_again(self, index: int, batch: _Batch) -> _Batch:
        decoded = _Batch()
        for ordinal, tags, data in zip(batch.ordinals, batch.tags, batch.contents, strict=True):
            self._decode(index, decoded, ordinal, tags, data)
        return decoded

    def _decode(self, index: int, batch: _Batch, ordinal: int, tags: Tags, data: bytes) -> None:
        try:
            # What a type passes over is checked for its form alone.
            _ = data.isascii() or data.decode()
            layout = self._layout(index)
            document = layout.decode(data)
        except MISFITS:
            self._add_plain(ordinal, tags, data)
            return
        # Kept for a view that would know it; what is large goes at once, because fresh memory is slow.
        if len(data) >= _LARGE and self._mine(index, Documents([document], [tags], layout))[0]:
            data = b""
        batch.add(ordinal, tags, document, data)

    def _layout(self, index: int) -> Layout:
        """Return the type of a view's points; making one takes as long as reading a hundred."""
        layout = self._layouts.get(index)
        if layout is None:
            layout = self._layouts[index] = layout_of(self._views[: index + 1], self._part)
        return layout

    def _add_plain(self, ordinal: int, tags: Tags, data: bytes) -> None:
        """Decode a file without types, so that it can be said what is wrong with it, or that nothing is."""
        try:
            self._plain.add(ordinal, tags, parse(data), b"")
        except UnreadableError as error:
            self._skips.append(Skip(ordinal, str(error)))
        if self._plain.holds(_AT_A_TIME):
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


def _raise(error: UnreadableError, *_: object) -> bytes:
    raise error

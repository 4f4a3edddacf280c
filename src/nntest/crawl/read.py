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
    """Files that wait for extraction: place, tags, document, content of each."""

    files: list[tuple[int, Tags, Any, bytes]] = field(default_factory=list)
    size: int = 0

    @property
    def full(self) -> bool:
        return len(self.files) >= _AT_A_TIME or self.size >= _BYTES_AT_A_TIME

    def documents(self, layout: Layout | None = None) -> Documents:
        _, tags, documents, _ = zip(*self.files, strict=True)
        return Documents(list(documents), list(tags), layout)

    def ordinals(self) -> list[int]:
        return [file[0] for file in self.files]

    def take(self, positions: Sequence[int]) -> "_Batch":
        return _Batch([self.files[index] for index in positions])


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
        tags = work.tags
        with self._opened(work) as fetch:
            for ordinal, name, size in zip(work.ordinals, work.names, work.sizes, strict=True):
                try:
                    data = fetch(name, size)
                except UnreadableError as error:
                    self._skips.append(Skip(ordinal, str(error)))
                    continue
                if self._usual < 0:
                    self._usual = self._view_of(data, tags)
                self._decode(self._usual, self._batch, ordinal, tags, data)
                if self._batch.full:
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
        if not batch.files:
            return
        usual = self._usual
        batch = self._extract(usual, batch)
        for index in range(len(self._extractors)):
            if not batch.files:
                return
            if index == usual:
                continue
            rest = self._extract(index, self._decoded_again(index, batch))
            if len(rest.files) < len(batch.files):
                self._usual = index
            batch = rest
        for ordinal, tags, _, data in batch.files:
            self._add_plain(ordinal, tags, data)

    def _extract(self, index: int, batch: _Batch) -> _Batch:
        """Extract the documents of one view, and return those that it does not know or an earlier one does."""
        if not batch.files:
            return batch
        documents = batch.documents(self._layout(index))
        mine = self._mine(index, documents)
        if all(mine):
            self._extractors[index].add(batch.ordinals(), documents)
            return _Batch()
        taken = [position for position, one in enumerate(mine) if one]
        if taken:
            self._extractors[index].add(batch.take(taken).ordinals(), documents.take(taken))
        return batch.take([position for position, one in enumerate(mine) if not one])

    def _mine(self, index: int, documents: Documents) -> list[bool]:
        """Tell which documents one view knows and no earlier one."""
        mine = known_to(self._views[index], documents)
        for view in self._views[:index]:
            mine = [one and not other for one, other in zip(mine, known_to(view, documents), strict=True)]
        return mine

    def _decoded_again(self, index: int, batch: _Batch) -> _Batch:
        decoded = _Batch()
        for ordinal, tags, _, data in batch.files:
            self._decode(index, decoded, ordinal, tags, data)
        return decoded

    def _decode(self, index: int, batch: _Batch, ordinal: int, tags: Tags, data: bytes) -> None:
        try:
            # What a type passes over is checked for its form alone.
            _ = data.isascii() or data.decode()
            layout = self._layouts.get(index) or self._layout(index)
            document = layout.decode(data)
        except MISFITS:
            self._add_plain(ordinal, tags, data)
            return
        # Kept for a view that would know it; what is large goes at once, because fresh memory is slow.
        if len(data) >= _LARGE and self._mine(index, Documents([document], [tags], layout))[0]:
            data = b""
        batch.files.append((ordinal, tags, document, data))
        batch.size += len(data)

    def _layout(self, index: int) -> Layout:
        """Return the type of a view's points; making one takes as long as reading a hundred."""
        layout = self._layouts.get(index)
        if layout is None:
            layout = self._layouts[index] = layout_of(self._views[: index + 1], self._part)
        return layout

    def _add_plain(self, ordinal: int, tags: Tags, data: bytes) -> None:
        """Decode a file without types, so that it can be said what is wrong with it, or that nothing is."""
        try:
            self._plain.files.append((ordinal, tags, parse(data), b""))
        except UnreadableError as error:
            self._skips.append(Skip(ordinal, str(error)))
        if self._plain.full:
            self._flush_plain()

    def _flush_plain(self) -> None:
        batch, self._plain = self._plain, _Batch()
        if not batch.files:
            return
        rest = list(range(len(batch.files)))
        ordinals, documents = batch.ordinals(), batch.documents()
        for extractor in self._extractors:
            known = known_to(extractor.view, documents)
            taken = [index for index in rest if known[index]]
            rest = [index for index in rest if not known[index]]
            if taken:
                extractor.add([ordinals[index] for index in taken], documents.take(taken))
        names = ", ".join(extractor.view.name for extractor in self._extractors)
        reason = f"no view ({names}) knows such a point; name a view file of its family, or remove the file"
        self._skips.extend(Skip(ordinals[index], reason) for index in rest)


def known_to(view: View, documents: Documents) -> list[bool]:
    """Tell which documents belong to a view's family."""
    known = [False] * len(documents)
    for rule in view.matches:
        values = [rule.constant] * len(documents) if rule.source == "constant" else found_by(rule, documents)
        known = [one or value is not None for one, value in zip(known, values, strict=True)]
    return known


def _raise(error: UnreadableError, *_: object) -> bytes:
    raise error

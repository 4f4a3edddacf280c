"""Collecting points: from the index where files are as they were, from the files where they are not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Thread

import numpy as np

from nntest.crawl.blocks import Block, build_block, join
from nntest.crawl.extract import Skip
from nntest.crawl.index import WORTH_AN_INDEX, Index, Known, Segment
from nntest.crawl.pool import Pool
from nntest.crawl.read import Work
from nntest.crawl.sources import Folder, Listing
from nntest.crawl.views import Part, View


@dataclass
class Collected:
    """All points of some listings, in the order of their files, and the files that gave none.

    ``read`` counts the files that were read. The index is written meanwhile; ``wait`` for it before leaving.
    """

    block: Block
    skips: list[Skip]
    read: int = 0
    keeper: Thread | None = None

    def wait(self) -> None:
        """Wait until the index is written."""
        if self.keeper is not None:
            self.keeper.join()


@dataclass
class _Plan:
    """What to take from the index and what was handed to the readers, for all folders of all listings."""

    pool: Pool
    blocks: list[Block] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    changed: list[tuple[Index, Folder, int]] = field(default_factory=list)


def collect(
    listings: Sequence[Listing],
    views: Sequence[View],
    part: Part = "",
    *,
    use_index: bool = True,
    workers: int | None = None,
) -> Collected:
    """Collect the points of listings; what was not found yet is found and read at the same time.

    Parameters
    ----------
    part
        Tabulate the repetitions themselves, or the layers or kernels inside them.
    use_index
        Believe the index where files are unchanged, and keep what was read for the next time.
    workers
        Number of processes that read; by default chosen by how much there is to read.
    """
    with Pool(views, part, workers=workers) as pool:
        plan = _Plan(pool)
        first = 0
        for listing in listings:
            index = Index.open(listing, views, part) if use_index else None
            first = _plan_listing(plan, listing, index, first)
        harvests = pool.harvest()
    by_name = {view.name: view for view in views}
    blocks = [build_block(raw, by_name[name], part) for harvest in harvests for name, raw in harvest.blocks]
    # What comes from one segment of the index alone is united and sorted already.
    block = plan.blocks[0] if len(plan.blocks) == 1 and not blocks else join([*plan.blocks, *blocks])
    block = block.in_order()
    skips = [*plan.skips, *(skip for harvest in harvests for skip in harvest.skips)]
    skips.sort(key=lambda skip: skip.ordinal)
    collected = Collected(block, skips, read=pool.files)
    if plan.changed:
        collected.keeper = Thread(target=_keep, args=(plan, listings, block, skips), name="nntest-index")
        collected.keeper.start()
    return collected


def _plan_listing(plan: _Plan, listing: Listing, index: Index | None, first: int) -> int:
    """Divide a listing's files between index and reading; return the ordinal behind its last file."""
    taken: dict[str, list[tuple[Known, int, Mapping[int, int] | None]]] = {}
    changed: list[tuple[Folder, int]] = []
    size = 0
    for folder in listing.walk():
        known = index.known.get((folder.container, folder.path)) if index is not None else None
        if known is not None and known.holds(folder):
            taken.setdefault(known.segment, []).append((known, first, None))
        else:
            kept = {} if known is None else known.unchanged(folder)
            if known is not None and kept:
                taken.setdefault(known.segment, []).append((known, first, kept))
            changed.append((folder, first))
            _add_work(plan.pool, folder, first, kept)
        first += len(folder.names)
        size += sum(folder.sizes)
    if index is not None:
        _take_from(plan, index, taken)
        if index.crowded and len(index.known) <= len(listing.folders):
            changed = _with_ordinals(listing.folders, first)
        if size >= WORTH_AN_INDEX:
            plan.changed.extend((index, folder, start) for folder, start in changed)
    return first


def _with_ordinals(folders: Sequence[Folder], end: int) -> list[tuple[Folder, int]]:
    start = end - sum(len(folder.names) for folder in folders)
    placed = []
    for folder in folders:
        placed.append((folder, start))
        start += len(folder.names)
    return placed


def _add_work(pool: Pool, folder: Folder, first: int, kept: Mapping[int, int]) -> None:
    ordinals = range(first, first + len(folder.names))
    work = Work(folder.path, folder.tags, folder.names, folder.sizes, ordinals, folder.container)
    positions = [position for position in range(len(folder.names)) if position not in kept] if kept else None
    if positions is None:
        pool.add(work)
    elif positions:
        names = [folder.names[position] for position in positions]
        sizes = [folder.sizes[position] for position in positions]
        ordinals_left = [first + position for position in positions]
        pool.add(replace(work, names=names, sizes=sizes, ordinals=ordinals_left))


def _take_from(
    plan: _Plan, index: Index, taken: Mapping[str, list[tuple[Known, int, Mapping[int, int] | None]]]
) -> None:
    """Add blocks and skips from the index."""
    plan.blocks.extend(_select(index.segments[name], parts) for name, parts in taken.items())
    for parts in taken.values():
        for known, first, kept in parts:
            now = dict(zip(known.skips, known.skips, strict=True)) if kept is None else _inverse(kept)
            plan.skips.extend(Skip(first + now[then], reason) for then, reason in known.skips.items() if then in now)


def _inverse(kept: Mapping[int, int]) -> dict[int, int]:
    return {then: now for now, then in kept.items()}


def _select(segment: Segment, parts: Sequence[tuple[Known, int, Mapping[int, int] | None]]) -> Block:
    """Return the wanted points of a segment with their ordinals of today."""
    positions, ordinals = [], []
    for known, first, kept in parts:
        files = segment.files[known.start : known.stop]
        places = np.arange(known.start, known.stop, dtype=np.int64)
        if kept is not None:
            now = np.full(int(files.max(initial=-1)) + 1, -1, dtype=np.int64)
            for position, then in kept.items():
                if then < len(now):
                    now[then] = position
            wanted = now[files] >= 0
            places, files = places[wanted], now[files[wanted]]
        positions.append(places)
        ordinals.append(files + first)
    selected = np.concatenate(positions)
    everything = len(selected) == len(segment.files) and bool(np.all(selected == np.arange(len(selected))))
    block = segment.block if everything else segment.block.take(selected).pruned()
    return replace(block, ordinals=np.concatenate(ordinals))


def _keep(plan: _Plan, listings: Sequence[Listing], block: Block, skips: Sequence[Skip]) -> None:
    """Write what was read into the indexes."""
    live = {(folder.container, folder.path) for listing in listings for folder in listing.folders}
    reasons = {skip.ordinal: skip.reason for skip in skips}
    by_index: dict[int, list[tuple[Index, Folder, int]]] = {}
    for item in plan.changed:
        by_index.setdefault(id(item[0]), []).append(item)
    for items in by_index.values():
        changed: list[tuple[Folder, int, Mapping[int, str]]] = [
            (folder, first, _reasons_of(reasons, first, len(folder.names))) for _, folder, first in items
        ]
        items[0][0].save(block, changed, live)


def _reasons_of(reasons: Mapping[int, str], first: int, count: int) -> dict[int, str]:
    if not reasons:
        return {}
    return {position: reasons[first + position] for position in range(count) if first + position in reasons}

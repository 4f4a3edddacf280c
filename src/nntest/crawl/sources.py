"""Where points come from: repositories, folders and zips, listed without opening a single point."""

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from nntest.crawl.content import QUIETLY
from nntest.errors import UsageError
from nntest.store.entries import is_point_name, split_tags
from nntest.store.repository import REPOSITORY_FILE, repository_name, resolve_repository

Source = str | Path
#: Paths that cannot be used, with reasons.
Damaged = list[tuple[str, str]]
_MAX_DEPTH = 6
_META = "/.cm/meta.json"
# What `is_point_name` says, once more because a hundred thousand names are asked about.
_POINT_NAME = re.compile(r"ckp-[^.]*\.[0-9]+\.json").fullmatch


@dataclass(frozen=True, kw_only=True)
class Folder:
    """Points that lie together: one experiment.

    ``sizes`` and ``times`` (nanoseconds; a checksum inside a zip) tell whether a file has changed. ``path`` is
    absolute, or inside ``container``, a zip, relative to its root.
    """

    repo: str
    name: str
    path: str
    tags: tuple[str, ...]
    names: list[str]
    sizes: list[int]
    times: list[int]
    container: str = ""

    def file(self, index: int) -> str:
        """Return the path of a file as messages name it."""
        return "/".join(part for part in (self.container, self.path, self.names[index]) if part)


@dataclass(kw_only=True)
class Listing:
    """What is found under one root, which is what an index belongs to.

    ``folders`` and ``damaged`` grow while somebody walks.
    """

    root: Path
    folders: list[Folder] = field(default_factory=list)
    damaged: list[tuple[str, str]] = field(default_factory=list)
    found: Iterator[Folder] = field(default_factory=lambda: iter(()))

    def walk(self) -> Iterator[Folder]:
        """Yield all folders, those that were not asked for before as they are found.

        Raises
        ------
        UsageError
            The source is a file, but no readable zip.
        """
        yield from tuple(self.folders)
        for folder in self.found:
            self.folders.append(folder)
            yield folder


def list_sources(source: Source | Sequence[Source], tags: str | Sequence[str] = "") -> list[Listing]:
    """List the points of repositories, folders and zips; see :func:`open_sources`."""
    listings = open_sources(source, tags)
    for listing in listings:
        for _ in listing.walk():
            pass
    return listings


def open_sources(source: Source | Sequence[Source], tags: str | Sequence[str] = "") -> list[Listing]:
    """Return listings of repositories (by name), folders and zips; what they hold is found by walking them in order.

    Parameters
    ----------
    source
        One or several of: a name that ck knows, a folder (repository, experiment, or any with points below it), a
        zip. A folder that is given twice (an experiment, and its repository) counts once.
    tags
        Only experiments that carry all of these.

    Raises
    ------
    UsageError
        A name is neither a repository nor a folder nor a zip.
    """
    sources = [source] if isinstance(source, str | Path) else list(source)
    wanted = set(split_tags(tags))
    seen: set[tuple[str, str]] = set()
    listings: dict[Path, Listing] = {}
    for item in sources:
        path = Path(item).expanduser()
        if path.is_file():
            listing = Listing(root=path.resolve())
            found = _in_zip(listing.damaged, path, wanted)
        else:
            repository = resolve_repository(item)
            listing = Listing(root=repository.path.resolve())
            found = _in_folder(listing.damaged, listing.root, repository.name, wanted)
        listing.found = _unseen(found, seen)
        listings.setdefault(listing.root, listing)
    return list(listings.values())


def _unseen(folders: Iterator[Folder], seen: set[tuple[str, str]]) -> Iterator[Folder]:
    for folder in folders:
        place = (folder.container, folder.path)
        if place not in seen:
            seen.add(place)
            yield folder


def _in_folder(damaged: Damaged, root: Path, name: str, wanted: set[str]) -> Iterator[Folder]:
    experiments = root / "experiment"
    if experiments.is_dir():
        for entry in _subfolders(str(experiments)):
            folder, _ = _experiment(damaged, entry, name, wanted)
            if folder is not None:
                yield folder
    else:
        name = next((repository_name(up) for up in root.parents if (up / REPOSITORY_FILE).is_file()), name)
        yield from _walk(damaged, str(root), name, wanted, _MAX_DEPTH)


def _walk(damaged: Damaged, path: str, repo: str, wanted: set[str], depth: int) -> Iterator[Folder]:
    """Yield every folder with points below ``path``; folders of points have none below themselves."""
    folder, ends_here = _experiment(damaged, path, repo, wanted)
    if folder is not None:
        yield folder
    if not ends_here and depth:
        for entry in _subfolders(path):
            inner = Path(entry)
            name = repository_name(inner) if (inner / REPOSITORY_FILE).is_file() else repo
            yield from _walk(damaged, entry, name, wanted, depth - 1)


def _subfolders(path: str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return sorted(entry.path for entry in entries if not entry.name.startswith(".") and entry.is_dir())
    except OSError:
        return []


def _experiment(damaged: Damaged, path: str, repo: str, wanted: set[str]) -> tuple[Folder | None, bool]:
    """Return a folder's points where they are wanted; tell whether it is a folder of points."""
    tags = _tags_of(damaged, path)
    if tags is not None and not wanted <= set(tags):
        return None, True
    try:
        names, statuses = _point_files(path)
    except OSError as error:
        damaged.append((path, f"cannot be listed ({os.strerror(error.errno or 0)}); see to its permissions"))
        return None, True
    if not names or (tags is None and wanted):
        return None, bool(names) or tags is not None
    folder = Folder(
        repo=repo,
        name=os.path.basename(path),  # noqa: PTH119 - paths are plain texts here, for speed
        path=path,
        tags=tags or (),
        names=names,
        sizes=[status.st_size for status in statuses],
        times=[status.st_mtime_ns for status in statuses],
    )
    return folder, True


def _point_files(path: str) -> tuple[list[str], list[os.stat_result]]:
    """Return the names of a folder's points in order, with their statuses; only regular files count."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        names = sorted(filter(_POINT_NAME, os.listdir(descriptor)))  # noqa: PTH208 - a descriptor, not a path
        try:
            statuses = [os.stat(name, dir_fd=descriptor) for name in names]
        except OSError:
            names = [name for name in names if _exists(name, descriptor)]
            statuses = [os.stat(name, dir_fd=descriptor) for name in names]
    finally:
        os.close(descriptor)
    if not all(map(stat.S_ISREG, {status.st_mode for status in statuses})):
        pairs = [pair for pair in zip(names, statuses, strict=True) if stat.S_ISREG(pair[1].st_mode)]
        return [name for name, _ in pairs], [status for _, status in pairs]
    return names, statuses


def _exists(name: str, descriptor: int) -> bool:
    """Tell whether a file is there: a link may lead nowhere, a file may have gone meanwhile."""
    try:
        os.stat(name, dir_fd=descriptor)
    except OSError:
        return False
    return True


def _tags_of(damaged: Damaged, path: str) -> tuple[str, ...] | None:
    """Return an entry's tags, empty where its meta is damaged, None where the folder is no entry."""
    meta = f"{path}/.cm/meta.json"
    try:
        descriptor = os.open(meta, QUIETLY)
        try:
            data = os.read(descriptor, os.fstat(descriptor).st_size + 1)
        finally:
            os.close(descriptor)
    except OSError:
        return None
    tags = _parse_tags(data)
    if tags is None:
        damaged.append((meta, "is no JSON object; expected the entry's meta; restore the file"))
    return tags or ()


def _parse_tags(data: bytes) -> tuple[str, ...] | None:
    try:
        words: Any = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(words, dict):
        return None
    tags = words.get("tags")
    return tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()


def _in_zip(damaged: Damaged, path: Path, wanted: set[str]) -> Iterator[Folder]:
    try:
        folders = _zip_folders(damaged, path, wanted)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, ValueError, zlib.error) as error:
        raise UsageError(f"{path}: not a readable zip ({error}); expected a repository, a folder or a zip") from None
    yield from folders


def _zip_folders(damaged: Damaged, path: Path, wanted: set[str]) -> list[Folder]:
    folders = []
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        metas = {member.filename.removesuffix(_META): member for member in members if member.filename.endswith(_META)}
        repo = _zip_repository(archive, members) or path.stem
        by_folder: dict[str, list[zipfile.ZipInfo]] = {}
        for member in members:
            inside, _, name = member.filename.rpartition("/")
            if is_point_name(name):
                by_folder.setdefault(inside, []).append(member)
        for inside, points in sorted(by_folder.items()):
            tags = _zip_tags(damaged, archive, path, metas.get(inside))
            if wanted <= set(tags):
                folders.append(_zip_folder(path, repo, inside, tags, points))
    return folders


def _zip_repository(archive: zipfile.ZipFile, members: Iterable[zipfile.ZipInfo]) -> str:
    """Return the name that a ``.ckr.json`` at the root, or under one top folder, gives the archive."""
    for member in members:
        if member.filename.endswith(REPOSITORY_FILE) and len(PurePosixPath(member.filename).parts) <= 2:
            words = _read_member(archive, member)
            name = orjson.loads(words).get("data_alias") if words and _parse_tags(words) is not None else None
            return name if isinstance(name, str) else ""
    return ""


def _zip_tags(
    damaged: Damaged, archive: zipfile.ZipFile, path: Path, member: zipfile.ZipInfo | None
) -> tuple[str, ...]:
    if member is None:
        return ()
    tags = _parse_tags(_read_member(archive, member) or b"")
    if tags is None:
        damaged.append((f"{path}/{member.filename}", "is no JSON object; expected the entry's meta; restore the file"))
    return tags or ()


def _zip_folder(path: Path, repo: str, folder: str, tags: tuple[str, ...], points: list[zipfile.ZipInfo]) -> Folder:
    points.sort(key=lambda member: member.filename)
    return Folder(
        repo=repo,
        name=folder.rpartition("/")[2],
        path=folder,
        tags=tags,
        names=[member.filename.rpartition("/")[2] for member in points],
        sizes=[member.file_size for member in points],
        times=[member.CRC for member in points],
        container=str(path),
    )


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes | None:
    """Return a small member's content, None where it cannot be read."""
    if member.file_size > 1_000_000:
        return None
    try:
        return archive.read(member)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, ValueError, EOFError, zlib.error):
        return None

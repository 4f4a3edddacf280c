"""Import: points and datasets from a zip, a folder or an https address, all of them or none."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from nntest.errors import DataError, NNTestError, UsageError
from nntest.store.exchange import content, manifest
from nntest.store.exchange.archive import Member, open_archive, opened
from nntest.store.exchange.download import downloaded, is_url
from nntest.store.exchange.folder import open_folder
from nntest.store.exchange.limits import Limits, RefusedError, Tally
from nntest.store.exchange.merging import Merged, check_datasets, merge
from nntest.store.exchange.names import CRATE, MANIFEST, Place, Spellings, classify, is_uid, split_name, top_folder
from nntest.store.exchange.staging import Staging, derived_uid, left_behind, new_staging
from nntest.store.files import locked
from nntest.store.repository import Repository, ensure_local_repository, read_json


@dataclass(frozen=True, kw_only=True)
class Intake:
    """What an import did.

    Attributes
    ----------
    recovered
        Number of earlier imports that had been interrupted while they were published, and were brought to their end.
    verified
        Whether the source had a manifest, which was held against its files.
    """

    repository: Repository
    merged: Merged
    recovered: int = 0
    verified: bool = False


@dataclass
class _Contents:
    """Files of a source that were read: names of entries, what their aliases state, hashes for the manifest."""

    entries: set[tuple[str, str]] = field(default_factory=set)
    described: set[tuple[str, str]] = field(default_factory=set)
    uids: dict[tuple[str, str], str] = field(default_factory=dict)
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    manifest: dict[str, str] | None = None


def import_entries(source: str | Path, repository: Repository, *, limits: Limits | None = None) -> Intake:
    """Import the experiments and datasets of a source into a repository.

    Parameters
    ----------
    source
        A zip, a folder (a repository or an unpacked archive), or the https address of a zip.
    repository
        Where they go; ck's ``local`` is created where it does not exist yet.
    limits
        What is taken at most.

    Returns
    -------
    Intake
        What is new, what was there already, and what stands beside something different of the same name.

    Raises
    ------
    UsageError
        There is no such source.
    DataError
        A member may not come in (the message names it and the reason), or the repository could not be written.
        Nothing was imported then.
    """
    limits = limits or Limits()
    try:
        ensure_local_repository(repository)
        recovered = finish_interrupted(repository)
        with ExitStack() as stack:
            members = stack.enter_context(_opened(source, limits))
            staging = stack.enter_context(new_staging(repository.path))
            verified = _fill(staging, members, limits)
            check_datasets(staging, repository)
            staging.complete()
            with locked(repository.path):
                merged = _merge(staging, repository)
    except UsageError:
        raise
    except NNTestError as error:
        raise DataError(f"{source}: {error}; nothing was imported") from None
    except OSError as error:
        reason = error.strerror or error
        raise DataError(
            f"{repository.path}: could not be written ({reason}); nothing was imported; "
            f"see to the folder, or choose another repository with --repo"
        ) from None
    return Intake(repository=repository, merged=merged, recovered=recovered, verified=verified)


def finish_interrupted(repository: Repository) -> int:
    """Clear up after imports that were killed; return how many had to be brought to their end.

    What had not been checked to its last member is removed, what had been is published.
    """
    with locked(repository.path), left_behind(repository.path) as completed:
        for staging in completed:
            merge(staging, repository)
        return len(completed)


def _merge(staging: Staging, repository: Repository) -> Merged:
    try:
        return merge(staging, repository)
    except BaseException:
        # Taken back by merge; the next import shall not bring it in behind the user's back.
        staging.remove()
        raise


@contextmanager
def _opened(source: str | Path, limits: Limits) -> Iterator[Sequence[Member]]:
    tally = Tally(limits)
    with ExitStack() as stack:
        if isinstance(source, str) and is_url(source):
            file = stack.enter_context(downloaded(source, limits))
            yield stack.enter_context(open_archive(file, limits, tally))
            return
        path = Path(source).expanduser()
        if path.is_dir():
            yield stack.enter_context(open_folder(path, limits, tally))
        elif path.is_file():
            file = stack.enter_context(opened(path, limits))
            yield stack.enter_context(open_archive(file, limits, tally))
        else:
            raise UsageError(f"{source}: no such file or folder; expected a zip, a folder, or an https address")


def _fill(staging: Staging, members: Sequence[Member], limits: Limits) -> bool:
    """Check every member and put what belongs to entries into the staging; tell whether a manifest was verified."""
    contents = _Contents()
    # All names are checked before the first file is read.
    for member, place in _placed(members, limits):
        _take(staging, contents, member, place)
    _check_entries(contents)
    for module, entry in contents.entries:
        stated = contents.uids.get((module, entry)) or contents.names.get((module, entry), "")
        info = read_json(staging.path / module / entry / ".cm" / "info.json").get("backup_data_uid")
        stated = stated or (info if isinstance(info, str) and is_uid(info) else "")
        staging.uids[module, entry] = stated or derived_uid(module, entry)
    if contents.manifest is not None:
        manifest.verify(contents.manifest, contents.hashes)
    return contents.manifest is not None


def _placed(members: Sequence[Member], limits: Limits) -> list[tuple[Member, Place]]:
    spellings = Spellings()
    split = [(member, split_name(member.name, limits)) for member in members]
    for member, parts in split:
        spellings.add(member.name, parts, folder=member.folder)
    top = top_folder(parts for _, parts in split)
    placed = []
    for member, parts in split:
        inside = parts[1:] if top else parts
        if member.folder:
            _check_folder(member.name, inside)
        else:
            placed.append((member, classify(member.name, inside)))
    return placed


def _check_folder(name: str, parts: tuple[str, ...]) -> None:
    """Refuse a folder in which no file could come in."""
    if parts and parts != (".cm",):
        classify(name, (*parts, "x.json") if len(parts) == 2 and parts[1] != ".cm" else (*_probe(parts),))


def _probe(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the name of a file that may stand in a folder, if any may."""
    inside = {1: ("name", "x.json"), 2: ("alias-a-name",), 3: ("meta.json",)}
    return (*parts, *inside.get(len(parts), ("x.json",)))


def _take(staging: Staging, contents: _Contents, member: Member, place: Place) -> None:
    name = place.file if place.kind in {"document", "manifest", "module alias"} else ""
    if place.kind == "document" and name != CRATE:
        return
    data = member.read()
    if place.kind == "manifest":
        contents.manifest = manifest.parse(data)
        return
    content.check(member.name, place, data)
    contents.hashes[_inside(place)] = manifest.sha256(data)
    if place.kind == "alias":
        _note_alias(contents, member.name, place, data)
    elif place.kind in {"meta", "data"}:
        contents.entries.add((place.module, place.entry))
        if place.file == ".cm/meta.json":
            contents.described.add((place.module, place.entry))
        staging.write(place.module, place.entry, place.file, data)


def _inside(place: Place) -> str:
    """Return a file's name as the manifest has it."""
    if place.kind == "module alias":
        return f".cm/{place.file}"
    if place.kind == "alias":
        return f"{place.module}/.cm/{place.file}"
    return f"{place.module}/{place.entry}/{place.file}" if place.module else place.file


def _note_alias(contents: _Contents, name: str, place: Place, data: bytes) -> None:
    text = content.alias_of(name, data)
    if place.file.startswith("alias-a-"):
        contents.uids[place.module, place.file.removeprefix("alias-a-")] = text
    else:
        contents.names[place.module, text] = place.file.removeprefix("alias-u-")


def _check_entries(contents: _Contents) -> None:
    if not contents.entries:
        raise DataError("no experiment or dataset entry was found; expected experiment/NAME/.cm/meta.json and points")
    for module, entry in sorted(contents.entries - contents.described):
        raise RefusedError(f"{module}/{entry}", "has no .cm/meta.json, so it is no entry")


__all__ = ["MANIFEST", "Intake", "finish_interrupted", "import_entries"]

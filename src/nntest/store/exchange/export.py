"""Export: experiments and datasets as a zip that says what it holds; the same bytes for the same entries."""

import os
import secrets
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from nntest.errors import DataError, UsageError
from nntest.store.entries import MODULE_UIDS, Entry, find_entries, find_experiments
from nntest.store.exchange import crate, manifest
from nntest.store.exchange.content import check, parse_json
from nntest.store.exchange.crate import Credit, Survey
from nntest.store.exchange.limits import Limits, RefusedError
from nntest.store.exchange.names import CRATE, DATA_MODULES, MANIFEST, META_FILES, classify, is_uid, point_number
from nntest.store.exchange.names import split_name as check_name
from nntest.store.exchange.privacy import scrub_bytes

#: Files of the original stack that stay at home: 47 KB for each entry, full of the machine's paths, read by nobody.
LEFT_OUT = frozenset({"pipeline.json"})

# Files of an entry that say what its points are about, where they do not say so themselves.
_SURVEYED = frozenset({".cm/meta.json", ".cm/info.json"})
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16
_SUFFIXES: Mapping[str, tuple[str, ...]] = {"experiment": (".json",), "dataset": (".json", ".csv")}


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written: ``left_out`` names files that are no data, ``scrubbed`` those that were changed."""

    path: Path
    entries: int
    points: int
    files: int
    scrubbed: int
    left_out: tuple[str, ...] = ()


@dataclass
class _Package:
    """What goes into the archive, by name: a file to read, or bytes of our own; and what was learnt on the way."""

    sources: dict[str, Path | bytes] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    survey: Survey = field(default_factory=Survey)
    scrubbed: int = 0
    left_out: list[str] = field(default_factory=list)


def find_exported(patterns: Sequence[str], tags: str = "") -> list[Entry]:
    """Return the experiments that patterns name, or datasets where a pattern says so (``dataset:NAME``).

    Raises
    ------
    UsageError
        A pattern matches nothing, names another kind of entry, or matches one name in two repositories.
    """
    found: dict[Path, Entry] = {}
    for pattern in (part.strip() for text in patterns for part in text.split(",") if part.strip()):
        words = pattern.split(":")
        module = words[-2] if len(words) > 1 and words[-2] in MODULE_UIDS else "experiment"
        if module not in DATA_MODULES:
            raise UsageError(f"{pattern}: export gives data only; expected experiment:NAME or dataset:NAME")
        matches: Sequence[Entry] = (
            find_experiments(pattern, tags) if module == "experiment" else find_entries(module, pattern, tags)
        )
        if not matches:
            raise UsageError(f"{pattern}: no {module} matches; `nntest list {module}s` shows what there is")
        found.update((entry.path, entry) for entry in matches)
    names: dict[tuple[str, str], Entry] = {}
    for entry in found.values():
        other = names.setdefault((entry.path.parent.name, entry.path.name), entry)
        if other is not entry:
            raise UsageError(
                f"{entry.uoa}: both {other.repository} and {entry.repository} have it; name one of them, such as "
                f"{other.repository}:{entry.path.parent.name}:{entry.uoa}"
            )
    return [names[key] for key in sorted(names)]


def export_zip(
    entries: Sequence[Entry],
    out: Path,
    *,
    with_host: bool = False,
    authors: Sequence[str] = (),
    licence: str = "",
) -> Exported:
    """Write entries into a zip with a manifest and a description.

    Parameters
    ----------
    entries
        From :func:`find_exported`.
    out
        The zip; one that is there already is replaced when the new one is complete.
    with_host
        Keep paths, and names of users and machines.
    authors, licence
        Instead of those in the CITATION.cff of the entries' repositories.

    Raises
    ------
    DataError
        A file of an entry is damaged, or the zip could not be written.
    """
    package = _Package()
    for entry in entries:
        _collect(package, entry)
    places = [(entry.path.parent.name, entry.path.name) for entry in entries]
    credit = _credit(entries, authors, licence)
    with written(out) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        # One file at a time, so that a hundred thousand points need no memory.
        for name in sorted(package.sources):
            _add(archive, package, name, _content(package, name, with_host=with_host))
        description = crate.to_bytes(places, package.survey, credit)
        package.hashes[CRATE] = manifest.sha256(description)
        _add(archive, package, MANIFEST, manifest.to_bytes(package.hashes))
        _add(archive, package, CRATE, description)
    return Exported(
        path=out,
        entries=len(entries),
        points=package.survey.points,
        files=len(package.hashes),
        scrubbed=package.scrubbed,
        left_out=tuple(package.left_out),
    )


@contextmanager
def written(out: Path) -> Iterator[IO[bytes]]:
    """Give a file to write, which becomes ``out`` when all of it is on disk.

    Raises
    ------
    DataError
        It could not be written; a former ``out`` stays as it was.
    """
    temporary = out.with_name(f".{out.name}.{secrets.token_hex(4)}.tmp")
    try:
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(out)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{out}: could not be written ({reason}); nothing was left; choose another --out") from None


def _collect(package: _Package, entry: Entry) -> None:
    module, folder = entry.path.parent.name, entry.path.name
    sources = package.sources
    sources[f".cm/alias-a-{module}"] = _line(MODULE_UIDS[module])
    sources[f".cm/alias-u-{MODULE_UIDS[module]}"] = _line(module)
    if entry.uid and not is_uid(folder):
        sources[f"{module}/.cm/alias-a-{folder}"] = _line(entry.uid)
        sources[f"{module}/.cm/alias-u-{entry.uid}"] = _line(folder)
    for path in _data_files(package, entry):
        sources[f"{module}/{folder}/{path.relative_to(entry.path).as_posix()}"] = path


def _content(package: _Package, name: str, *, with_host: bool) -> bytes:
    """Check a file as import will, and return what of it may leave."""
    source = package.sources[name]
    if isinstance(source, bytes):
        return source
    try:
        place = classify(name, check_name(name, Limits()))
        data = source.read_bytes()
        check(name, place, data)
        clean = data if with_host or name.endswith(".csv") else scrub_bytes(name, data)
        words = parse_json(name, clean) if place.file in _SURVEYED or point_number(place.file) else {}
    except RefusedError as error:
        raise DataError(f"{source}: {str(error).removeprefix(f'{name}: ')}; nothing was written") from None
    except OSError as error:
        raise DataError(f"{source}: could not be read ({error.strerror}); nothing was written") from None
    package.scrubbed += clean is not data
    if place.module == "experiment" and isinstance(words, dict):
        if place.kind == "meta":
            package.survey.add_entry(words)
        elif point_number(place.file):
            package.survey.add(words)
    return clean


def _add(archive: zipfile.ZipFile, package: _Package, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system, info.external_attr, info.compress_type = 3, _MODE, zipfile.ZIP_DEFLATED
    archive.writestr(info, data)
    package.hashes.setdefault(name, manifest.sha256(data))


def _data_files(package: _Package, entry: Entry) -> Iterable[Path]:
    """Return the files of an entry that are data, in order; note the others."""
    kept = [entry.path / ".cm" / name for name in META_FILES if (entry.path / ".cm" / name).is_file()]
    suffixes = _SUFFIXES[entry.path.parent.name]
    for path in sorted(entry.path.iterdir()):
        if path.name.startswith("."):
            continue
        if path.suffix in suffixes and path.name not in LEFT_OUT and path.is_file() and not path.is_symlink():
            kept.append(path)
        else:
            package.left_out.append(f"{entry.path.parent.name}/{entry.path.name}/{path.name}")
    return kept


def _credit(entries: Sequence[Entry], authors: Sequence[str], licence: str) -> Credit:
    stated = [crate.read_credit(root) for root in dict.fromkeys(entry.path.parents[1] for entry in entries)]
    known = tuple(dict.fromkeys(author for credit in stated for author in credit.authors))
    # Of two repositories with two licences, neither holds for the whole.
    licences = {credit.licence for credit in stated}
    credit = Credit(authors=known, licence=licences.pop() if len(licences) == 1 else "")
    if authors:
        credit = replace(credit, authors=tuple((name, "") for name in authors))
    return replace(credit, licence=licence) if licence else credit


def _line(text: str) -> bytes:
    return f"{text}\n".encode()

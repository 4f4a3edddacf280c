"""CK entries: programs, datasets, analyses and experiments, found by name pattern and tags."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

from nntest.errors import DataError, UsageError
from nntest.store.entry_files import file_names, file_of
from nntest.store.repository import Repository, known_repositories, read_json, resolve_repository

#: UIDs under which ck 2.6.4 knows the modules that our entries belong to.
MODULE_UIDS = {
    "program": "b0ac08fe1d3c2615",
    "dataset": "8a7141c59cd335f5",
    "experiment": "bc0409fb61f0aa82",
    "module": "032630d041b4fd8a",
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry as it stands on disk.

    ``problems`` says what ck would stumble over (an alias file is missing or tells another story); the entry is
    usable here all the same.
    """

    uoa: str
    uid: str
    path: Path
    meta: Mapping[str, Any]
    tags: tuple[str, ...]
    repository: str
    problems: tuple[str, ...] = ()

    def has_tags(self, tags: Sequence[str]) -> bool:
        """Tell whether the entry carries every one of ``tags``."""
        return set(tags) <= set(self.tags)


@dataclass(frozen=True, kw_only=True)
class ProgramEntry(Entry):
    """One operator of one library on one kind of target."""

    @property
    def species(self) -> str:
        """What is computed: conv, softmax, ..."""
        return _text(self, "species")

    @property
    def operator(self) -> str:
        """The species computed one way: conv, directconv, ..."""
        return _text(self, "operator")

    @property
    def library(self) -> str:
        """Name of the library, without its version: ``onednn-cpu``."""
        return _text(self, "library")

    @property
    def target_kind(self) -> str:
        """Kind of target: ``cpu``, ``opencl``."""
        return _text(self, "target_kind")

    @property
    def algorithm(self) -> str:
        """Family of the computation, which selects the tolerance: auto, direct, gemm, winograd, ..."""
        return _text(self, "algorithm", "auto")

    @property
    def dtypes(self) -> tuple[str, ...]:
        """Element types that the program accepts."""
        return _texts(self, "dtypes", ("float32",))

    @property
    def layouts(self) -> tuple[str, ...]:
        """Memory layouts that the program accepts."""
        return _texts(self, "layouts", ("auto",))

    @property
    def source_files(self) -> tuple[Path, ...]:
        """Absolute paths of the sources, in the meta's order.

        Raises
        ------
        DataError
            They are no list of names, or a name leads out of the entry.
        """
        names = file_names(self.path, self.meta, "source_files")
        return tuple(file_of(self.path, "source_files", name) for name in names)

    @property
    def dataset_tags(self) -> tuple[str, ...]:
        """Tags that a dataset must carry to fit the program."""
        commands = self.meta.get("run_cmds")
        default = commands.get("default") if isinstance(commands, dict) else None
        return _strings(default.get("dataset_tags")) if isinstance(default, dict) else ()


@dataclass(frozen=True, kw_only=True)
class DatasetEntry(Entry):
    """A set of tensor shapes, a network, or small tables."""

    @property
    def dataset_files(self) -> tuple[str, ...]:
        """Names of the shape files, as ``--dataset_file`` takes them (without ``.json``)."""
        return tuple(name.removesuffix(".json") for name in _strings(self.meta.get("dataset_files")))

    def shape_path(self, dataset_file: str) -> Path:
        """Return the path of one shape file.

        Raises
        ------
        DataError
            The name leads out of the entry, or no file can have it.
        """
        path = file_of(self.path, "dataset_files", dataset_file)
        return path.with_name(f"{path.name.removesuffix('.json')}.json")

    def shape_parameters(self, dataset_file: str) -> dict[str, Any]:
        """Return the CK_* values of one shape file, as they are written there.

        Raises
        ------
        DataError
            The file is missing or holds no JSON object, or its name leads out of the entry.
        """
        path = self.shape_path(dataset_file)
        words = read_json(path)
        if not words:
            raise DataError(
                f"{path}: no JSON object with CK_* values was found; restore the file or take its name out of the "
                f"entry's meta (dataset_files)"
            )
        return words

    @property
    def network_path(self) -> Path:
        """Path of the network's graph; exists for entries tagged ``network``."""
        return self.path / "network.json"


@dataclass(frozen=True, kw_only=True)
class AnalysisEntry(Entry):
    """An analysis: its options stand in the meta, its two functions in ``analysis.py``."""

    @property
    def options(self) -> Mapping[str, Mapping[str, Any]]:
        """Options by name: type, default, help, choices."""
        options = self.meta.get("options")
        return options if isinstance(options, dict) else {}

    @property
    def source(self) -> Path:
        """Path of the analysis' code."""
        return self.path / "analysis.py"


@dataclass(frozen=True, kw_only=True)
class ExperimentEntry(Entry):
    """The points of one program x library x timestamp."""

    def point_paths(self) -> list[Path]:
        """Return the points' files in order of name; derived files of ck are left out."""
        return sorted(path for path in self.path.glob("ckp-*.json") if is_point_name(path.name))


_KINDS: Mapping[str, type[Entry]] = {
    "program": ProgramEntry,
    "dataset": DatasetEntry,
    "analysis": AnalysisEntry,
    "experiment": ExperimentEntry,
}

EntryT = TypeVar("EntryT", bound=Entry)


def is_point_name(name: str) -> bool:
    """Tell whether a file name is that of a sub-point: ``ckp-<16 hex>.<number>.json``, but not ``.flat.json``."""
    parts = name.split(".")
    return len(parts) == 3 and parts[0].startswith("ckp-") and parts[1].isdecimal() and parts[2] == "json"


def split_tags(tags: str | Sequence[str]) -> tuple[str, ...]:
    """Return the tags of ``a,b`` or ``["a", "b"]``, without blanks."""
    parts = tags.split(",") if isinstance(tags, str) else tags
    return tuple(part.strip() for part in parts if part.strip())


def find_entries(
    module: str,
    pattern: str = "*",
    tags: str | Sequence[str] = "",
    *,
    repositories: Sequence[Repository] | None = None,
) -> list[Entry]:
    """Return the entries of a module whose name matches, in order of repository and name.

    Parameters
    ----------
    module
        ``program``, ``dataset``, ``analysis``, ``experiment``, or any other folder of entries.
    pattern
        Name pattern (``*``, ``?``, ``[...]``), UID, or a comma list of these; ``repository:pattern`` and
        ``repository:module:pattern`` as in ck.
    tags
        Tags that an entry must carry, all of them.
    repositories
        Where to look; by default all that are known. An entry of an earlier repository hides one of the same name
        in a later one.
    """
    wanted = split_tags(tags)
    found: dict[str, Entry] = {}
    for part in pattern.split(","):
        places, name = _split_pattern(module, part.strip(), repositories)
        for place in places:
            for entry in _entries_of(place, module):
                matches = fnmatchcase(entry.uoa, name) or entry.uid == name
                if matches and entry.has_tags(wanted):
                    found.setdefault(entry.uoa, entry)
    return list(found.values())


def find_programs(
    pattern: str = "*", tags: str | Sequence[str] = "", *, repositories: Sequence[Repository] | None = None
) -> list[ProgramEntry]:
    """Return the programs whose name matches; see :func:`find_entries`."""
    return _of_class(find_entries("program", pattern, tags, repositories=repositories), ProgramEntry)


def find_datasets(
    pattern: str = "*", tags: str | Sequence[str] = "", *, repositories: Sequence[Repository] | None = None
) -> list[DatasetEntry]:
    """Return the datasets whose name matches; see :func:`find_entries`."""
    return _of_class(find_entries("dataset", pattern, tags, repositories=repositories), DatasetEntry)


def find_analyses(
    pattern: str = "*", tags: str | Sequence[str] = "", *, repositories: Sequence[Repository] | None = None
) -> list[AnalysisEntry]:
    """Return the analyses whose name matches; see :func:`find_entries`."""
    return _of_class(find_entries("analysis", pattern, tags, repositories=repositories), AnalysisEntry)


def find_experiments(
    pattern: str = "*", tags: str | Sequence[str] = "", *, repositories: Sequence[Repository] | None = None
) -> list[ExperimentEntry]:
    """Return the experiments whose name matches; see :func:`find_entries`.

    Unlike programs, experiments of one name in two repositories are both returned: they are different data.
    """
    wanted = split_tags(tags)
    found: dict[Path, Entry] = {}
    for part in pattern.split(","):
        places, name = _split_pattern("experiment", part.strip(), repositories)
        for place in places:
            for entry in _entries_of(place, "experiment"):
                if (fnmatchcase(entry.uoa, name) or entry.uid == name) and entry.has_tags(wanted):
                    found.setdefault(entry.path, entry)
    return _of_class(list(found.values()), ExperimentEntry)


def get_entry(module: str, name: str, *, repositories: Sequence[Repository] | None = None) -> Entry:
    """Return the one entry of that name or UID.

    Raises
    ------
    UsageError
        There is no such entry; the message names the nearest.
    """
    found = find_entries(module, name, repositories=repositories)
    if found:
        return found[0]
    names = [entry.uoa for entry in find_entries(module, "*", repositories=repositories)]
    near = nearest_name(name, names)
    hint = f"did you mean `{near}`?" if near else f"`nntest list {module}s` shows what there is"
    raise UsageError(f"{name}: no {module} of that name was found; {hint}")


def nearest_name(name: str, names: Iterable[str]) -> str:
    """Return the name that was probably meant, or nothing: one that holds all words of it, else one spelt alike."""
    known = sorted(set(names))
    words = [word for word in re.split(r"[^0-9A-Za-z.]+", name.lower()) if word]
    holding = [one for one in known if words and all(word in one.lower() for word in words)]
    near = difflib.get_close_matches(name, holding or known, n=1, cutoff=0.0 if holding else 0.6)
    return near[0] if near else ""


def read_entry(repository: Repository, module: str, folder: Path) -> Entry | None:
    """Read one entry from its folder, or None where the folder is no entry (it has no ``.cm``)."""
    meta_path = folder / ".cm" / "meta.json"
    if not folder.joinpath(".cm").is_dir():
        return None
    meta = read_json(meta_path)
    uoa, uid, problems = _identify(folder)
    if not meta:
        problems.append(f"{meta_path}: no JSON object was found; restore the file")
    return _KINDS.get(module, Entry)(
        uoa=uoa,
        uid=uid,
        path=folder,
        meta=meta,
        tags=_strings(meta.get("tags")),
        repository=repository.name,
        problems=tuple(problems),
    )


def _entries_of(repository: Repository, module: str) -> Iterator[Entry]:
    try:
        folders = sorted((repository.path / module).iterdir())
    except OSError:
        return
    for folder in folders:
        if not folder.name.startswith("."):
            entry = read_entry(repository, module, folder)
            if entry is not None:
                yield entry


def _identify(folder: Path) -> tuple[str, str, list[str]]:
    """Return name and UID of an entry by its alias files, with what is wrong about them."""
    aliases = folder.parent / ".cm"
    name, problems = folder.name, []
    uid = _first_line(aliases / f"alias-a-{name}")
    if not uid:
        by_uid = _first_line(aliases / f"alias-u-{name}")
        if by_uid:
            return by_uid, name, []
        problems.append(f"{aliases}/alias-a-{name}: missing, so ck does not find the entry; write its UID there")
        backup = read_json(folder / ".cm" / "info.json").get("backup_data_uid")
        uid = backup if isinstance(backup, str) else ""
    if uid and _first_line(aliases / f"alias-u-{uid}") != name:
        problems.append(f"{aliases}/alias-u-{uid}: missing or not {name}; write {name} there")
    return name, uid, problems


def _split_pattern(
    module: str, pattern: str, repositories: Sequence[Repository] | None
) -> tuple[Sequence[Repository], str]:
    """Split ``repository:module:pattern``; the repository named there replaces ``repositories``."""
    parts = pattern.split(":")
    known = known_repositories() if repositories is None else repositories
    if parts[0] in (module, "") and len(parts) == 2:
        return known, parts[1] or "*"
    if len(parts) == 1:
        return known, parts[0] or "*"
    if len(parts) > 3 or (len(parts) == 3 and parts[1] not in (module, "")):
        raise UsageError(f"{pattern}: expected NAME, REPOSITORY:NAME or REPOSITORY:{module}:NAME")
    named = [repository for repository in known if repository.name == parts[0]]
    return named or [resolve_repository(parts[0])], parts[-1] or "*"


def _of_class(entries: Sequence[Entry], kind: type[EntryT]) -> list[EntryT]:
    return [entry for entry in entries if isinstance(entry, kind)]


def _text(entry: Entry, key: str, default: str = "") -> str:
    """Return a text of the meta's ``nntest`` part."""
    words = entry.meta.get("nntest")
    value = words.get(key, default) if isinstance(words, dict) else default
    return value if isinstance(value, str) else default


def _texts(entry: Entry, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    words = entry.meta.get("nntest")
    return (_strings(words.get(key)) or default) if isinstance(words, dict) else default


def _strings(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""

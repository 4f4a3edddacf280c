"""Whether the entries and points of a repository are whole: every damage is found before any is reported."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from nntest.errors import DataError, UsageError
from nntest.faces.aliases import write_alias
from nntest.faces.point_consistency import Census, Problem, experiment_problems, json_object
from nntest.store.entries import (
    MODULE_UIDS,
    AnalysisEntry,
    DatasetEntry,
    Entry,
    ProgramEntry,
    find_datasets,
    read_entry,
)
from nntest.store.entry_files import file_names
from nntest.store.repository import Repository, repository_name

ANALYSIS_UID = "3a1c0f7be5d24e96"
KNOWN_MODULES: Mapping[str, str] = {**MODULE_UIDS, "analysis": ANALYSIS_UID}

_UID = re.compile(r"[0-9a-f]{16}")


def problems(root: Path, census: Census) -> Iterator[Problem]:
    """Yield what is wrong below ``root``: a repository, or a folder of entries as in a zip."""
    yield from _description(root)
    repository = Repository(repository_name(root), root)
    for module in sorted(KNOWN_MODULES):
        folder = root / module
        if folder.is_dir():
            yield from _alias(root, module, KNOWN_MODULES[module])
            yield from _module(repository, module, folder, census)
    yield from _theory(repository)


def _description(root: Path) -> Iterator[Problem]:
    path = root / ".ckr.json"
    if not path.is_file():
        return
    words = json_object(path)
    if words is None:
        yield Problem(path=path, text="no JSON object was found; restore the file")
        return
    if not _UID.fullmatch(str(words.get("data_uid"))):
        yield Problem(path=path, text=f"data_uid is {words.get('data_uid')!r}; expected 16 hexadecimal digits")
    if not words.get("data_uoa"):
        yield Problem(path=path, text="data_uoa is missing; expected the repository's name")


def _alias(folder: Path, name: str, uid: str) -> Iterator[Problem]:
    for path, content in (
        (folder / ".cm" / f"alias-a-{name}", uid),
        (folder / ".cm" / f"alias-u-{uid}", name),
    ):
        found = path.read_text(encoding="utf-8").strip() if path.is_file() else None
        if found is None:
            text = f"missing, so ck does not find {name}; write {content} there, or run `nntest check --repair`"
            yield Problem(path=path, text=text, repair=partial(write_alias, folder, name, uid))
        elif found != content:
            yield Problem(path=path, text=f"{found} was found; expected {content}; correct it by hand")


def _module(repository: Repository, module: str, folder: Path, census: Census) -> Iterator[Problem]:
    """Check a folder of entries, and that no alias leads to nothing."""
    uids: dict[str, str] = {}
    for path in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))):
        entry = read_entry(repository, module, path)
        if entry is None:
            yield Problem(path=path, text="it has no .cm, so it is no entry; remove it, or add .cm/meta.json")
            continue
        census.entries += 1
        yield from _entry(entry, uids)
        yield from _CHECKS.get(module, _nothing)(entry, census)
    for alias in sorted(folder.glob(".cm/alias-a-*")):
        name = alias.name.removeprefix("alias-a-")
        if not (folder / name).is_dir():
            yield Problem(path=alias, text=f"there is no entry {name}; remove the alias files, or restore the entry")


def _entry(entry: Entry, uids: dict[str, str]) -> Iterator[Problem]:
    folder, name = entry.path.parent, entry.path.name
    if not _UID.fullmatch(entry.uid):
        text = f"it has no UID (16 hexadecimal digits) in .cm/alias-a-{name} or its own .cm/info.json; give it one"
        yield Problem(path=entry.path, text=text)
    elif name != entry.uid:
        yield from _alias(folder, name, entry.uid)
        first = uids.setdefault(entry.uid, name)
        if first != name:
            yield Problem(path=entry.path, text=f"its UID {entry.uid} is that of {first} too; give one of them another")
    for file in ("meta", "info"):
        path = entry.path / ".cm" / f"{file}.json"
        if path.exists() and json_object(path) is None:
            yield Problem(path=path, text="no JSON object was found; restore the file")
    if not (entry.path / ".cm" / "meta.json").exists():
        yield Problem(path=entry.path / ".cm" / "meta.json", text="missing; restore the file")
    backup = (json_object(entry.path / ".cm" / "info.json") or {}).get("backup_data_uid", entry.uid)
    if backup != entry.uid and _UID.fullmatch(entry.uid):
        path = entry.path / ".cm" / "info.json"
        yield Problem(path=path, text=f"backup_data_uid is {backup}; expected {entry.uid}, as in the alias files")


def _program(entry: Entry, census: Census) -> Iterator[Problem]:
    del census
    from nntest.model.species import find_species

    assert isinstance(entry, ProgramEntry)
    meta = entry.path / ".cm" / "meta.json"
    for key in ("species", "operator", "library", "target_kind"):
        if not getattr(entry, key):
            yield Problem(path=meta, text=f"nntest.{key} is missing; docs/concepts.md says what it holds")
    if entry.species:
        yield from _refused(meta, lambda: find_species(entry.species, where="nntest.species"))
    yield from (Problem(path=meta, text=text) for text in _unknown_words(entry))
    if entry.operator and not entry.uoa.startswith(f"{entry.operator}-"):
        yield Problem(path=meta, text=f"nntest.operator is {entry.operator}; the entry's name does not begin with it")
    for tag in ("nntest", entry.species, entry.library):
        if tag and tag not in entry.tags:
            yield Problem(path=meta, text=f"the tag {tag} is missing, so that nobody finds the program by it; add it")
    yield from _sources(entry, meta)


def _sources(entry: ProgramEntry, meta: Path) -> Iterator[Problem]:
    astray = list(_refused(meta, lambda: entry.source_files))
    yield from astray
    sources = () if astray else entry.source_files
    if not astray and not sources:
        yield Problem(path=meta, text="source_files is missing or empty; name the program's sources")
    for source in sources:
        if not source.is_file():
            yield Problem(path=source, text="missing; restore it or take it out of source_files")


def _unknown_words(entry: ProgramEntry) -> Iterator[str]:
    from nntest.measure.libraries import LIBRARY_NAMES
    from nntest.measure.request import LAYOUTS
    from nntest.model.species.entry import DTYPE_BYTES

    for key, words, known in (
        ("library", filter(None, [entry.library]), LIBRARY_NAMES),
        ("layouts", entry.layouts, LAYOUTS),
        ("dtypes", entry.dtypes, tuple(DTYPE_BYTES)),
    ):
        for word in words:
            if word not in known:
                yield f"nntest.{key}: {word!r} is not known; expected one of {', '.join(known)}; correct it"


def _dataset(entry: Entry, census: Census) -> Iterator[Problem]:
    del census
    from nntest.model.network import load_network
    from nntest.model.species import find_species

    assert isinstance(entry, DatasetEntry)
    meta = entry.path / ".cm" / "meta.json"
    species = [tag.removeprefix("tensor-") for tag in entry.tags if tag.startswith("tensor-")]
    known = [name for name in species if not list(_refused(meta, partial(find_species, name)))]
    if "nntest" not in entry.tags:
        yield Problem(path=meta, text="the tag nntest is missing, so that no program finds the dataset; add it")
    if "network" in entry.tags:
        yield from _refused(entry.network_path, lambda: load_network(entry.network_path))
    yield from _refused(meta, lambda: file_names(entry.path, entry.meta, "dataset_files"))
    if entry.dataset_files and not known:
        yield Problem(path=meta, text="no tag tensor-<species> was found; the shapes belong to no operator; add one")
    listed = set()
    for name in entry.dataset_files:
        astray = list(_refused(meta, partial(entry.shape_path, name)))
        if astray:
            yield from astray
            continue
        path = entry.shape_path(name)
        listed.add(path)
        # in the words of a run, which reads the same
        read = partial(_read_shape, entry, name, known[0]) if known else partial(entry.shape_parameters, name)
        yield from _refused(path, read)
    for path in sorted(entry.path.glob("shape-*.json")):
        if path not in listed:
            yield Problem(path=path, text="it is not in dataset_files of the entry's meta; add it there or remove it")


def _theory(repository: Repository) -> Iterator[Problem]:
    """Check the tables of devices and networks: readable, and of one mind about each device and network."""
    from nntest.store.theory import find_hardware, find_names, find_workloads
    from nntest.store.theory.contradictions import hardware_contradictions, workload_contradictions
    from nntest.store.theory.hardware import TAG as HARDWARE
    from nntest.store.theory.workloads import TAG as NETWORKS

    folder = repository.path / "dataset"
    if not find_datasets("*", HARDWARE, repositories=[repository]) + find_datasets(
        "*", NETWORKS, repositories=[repository]
    ):
        return
    try:
        names = find_names()
        # what a machine measured of itself changes from day to day
        devices = [row for row in find_hardware(names, repositories=[repository]) if not row.machine]
        networks = find_workloads(names, repositories=[repository])
    except DataError as error:
        yield Problem(path=folder, text=str(error))
        return
    for item in [*hardware_contradictions(devices), *workload_contradictions(networks)]:
        yield Problem(path=folder, text=str(item))


def _read_shape(entry: DatasetEntry, name: str, species: str) -> object:
    from nntest.model.species import find_species

    return find_species(species).normalise(entry.shape_parameters(name), where="shape")


def _analysis(entry: Entry, census: Census) -> Iterator[Problem]:
    del census
    assert isinstance(entry, AnalysisEntry)
    meta = entry.path / ".cm" / "meta.json"
    if not entry.source.is_file():
        yield Problem(path=entry.source, text="missing; restore it")
        return
    try:
        tree = ast.parse(entry.source.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        yield Problem(path=entry.source, text=f"it is no Python ({error}); correct it")
        return
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    imported = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    for name in ("table", "chart"):
        if name not in functions | imported:
            yield Problem(path=entry.source, text=f"the function {name} is missing; docs/add-an-analysis.md shows both")
    for name, words in entry.options.items():
        missing = [key for key in ("type", "help", "default") if not isinstance(words, dict) or key not in words]
        if missing:
            yield Problem(path=meta, text=f"options.{name} lacks {', '.join(missing)}; add it")


def _experiment(entry: Entry, census: Census) -> Iterator[Problem]:
    yield from experiment_problems(entry.path, census)


def _refused(path: Path, read: Callable[[], object]) -> Iterator[Problem]:
    try:
        read()
    except (DataError, UsageError) as error:
        yield Problem(path=path, text=str(error).removeprefix(f"{path}: "))


def _nothing(entry: Entry, census: Census) -> Iterator[Problem]:
    del entry, census
    yield from ()


_CHECKS: Mapping[str, Callable[[Entry, Census], Iterator[Problem]]] = {
    "program": _program,
    "dataset": _dataset,
    "analysis": _analysis,
    "experiment": _experiment,
}

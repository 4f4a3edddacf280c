"""Which programs and which shapes a request means, found by names, patterns and tags."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from nntest.errors import UsageError
from nntest.measure.request import LAYOUTS, RunRequest
from nntest.model.species import find_species
from nntest.store.entries import (
    DatasetEntry,
    ProgramEntry,
    find_datasets,
    find_programs,
    nearest_name,
    split_tags,
)
from nntest.store.entry_files import file_names
from nntest.store.repository import Repository

_SEED_KEY = "CK_SEED"
# The original's name of the tensors' layout.
_LAYOUT_KEY = "CK_DATA_LAYOUT"


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One file of a dataset, in the normalised values of its species."""

    species: str
    dataset: str
    dataset_file: str
    parameters: Mapping[str, int]
    batch_size: int

    @property
    def name(self) -> str:
        """Canonical name, the same for equal values."""
        return find_species(self.species).shape_name(self.parameters)

    @property
    def key(self) -> tuple[str, str, int]:
        """What makes two shapes one: species, values and batch size."""
        return self.species, self.name, self.batch_size


def select_programs(request: RunRequest, repositories: Sequence[Repository] | None) -> list[ProgramEntry]:
    """Return the programs whose name matches and that carry the tags and the species.

    Besides an entry's own tags, its target (``cpu``), operator, species and library count as tags.

    Raises
    ------
    UsageError
        A name is unknown (the nearest is named), or no program is left.
    """
    everything = find_programs("*", repositories=repositories)
    found: dict[str, ProgramEntry] = {}
    for pattern in program_patterns(request):
        matches = [entry for entry in everything if fnmatchcase(entry.uoa, pattern) or entry.uid == pattern]
        if not matches:
            raise UsageError(_unknown("program", pattern, [entry.uoa for entry in everything]))
        found.update({entry.uoa: entry for entry in matches})
    tags, species = split_tags(request.tags), split_tags(request.species)
    for name in species:
        find_species(name)
    kept = [
        entry for entry in found.values() if set(tags) <= _all_tags(entry) and (not species or entry.species in species)
    ]
    if not kept:
        wanted = ", ".join([*(f"tag {tag}" for tag in tags), *(f"species {name}" for name in species)])
        raise UsageError(f"{request.programs}: no program carries {wanted}; see `nntest list programs`")
    for entry in kept:
        _check_program(entry)
    return kept


def _check_program(entry: ProgramEntry) -> None:
    """Refuse an entry that is damaged, by its file: nothing of it could be built."""
    meta = entry.path / ".cm" / "meta.json"
    if not entry.meta:
        raise UsageError(f"{meta}: no JSON object was found; restore the file, or name other programs")
    find_species(entry.species, where=f"{meta}: nntest.species")
    for source in entry.source_files:
        if not source.is_file():
            raise UsageError(
                f"{meta}: source_files names {source.name}, which is not there; correct the name or add the file"
            )


def program_patterns(request: RunRequest) -> list[str]:
    """Names and patterns of programs, without ck's module in front (``nntest:conv-*``)."""
    words = request.programs.replace(",", " ").split() or ["*"]
    return [word.removeprefix("nntest:").removeprefix("program:") or "*" for word in words]


def select_shapes(
    request: RunRequest, programs: Sequence[ProgramEntry], repositories: Sequence[Repository] | None
) -> list[Shape]:
    """Return the shapes of the datasets that the request names, or of all that fit the programs.

    Raises
    ------
    UsageError
        An unknown dataset or file, or values that make no sense.
    DataError
        A dataset's meta lists no files of its entry.
    """
    datasets = _select_datasets(request, programs, repositories)
    wanted = _wanted_files(request, datasets)
    shapes = []
    for dataset in datasets:
        fitting = {program.species: program for program in programs if dataset.has_tags(_dataset_tags(program))}
        for name in dataset.dataset_files:
            if wanted is None or name in wanted:
                for species in fitting:
                    shapes.extend(_read_shapes(request, dataset, name, species))
    return shapes


def seed_of(request: RunRequest) -> int:
    """Seed of the inputs: CK_SEED of the environment, else the option."""
    text = request.env.get(_SEED_KEY)
    if text is None:
        return request.seed
    if not text.isdecimal():
        raise UsageError(f"env.{_SEED_KEY}: {text!r} was given; expected an integer from 0")
    return int(text)


def layouts_of(request: RunRequest) -> tuple[str, ...]:
    """Layouts to measure: CK_DATA_LAYOUT of the environment, else the option.

    Raises
    ------
    UsageError
        It is none that NNTest knows.
    """
    text = request.env.get(_LAYOUT_KEY)
    if text is None:
        return request.layout
    if text not in LAYOUTS:
        raise UsageError(f"env.{_LAYOUT_KEY}: {text!r} was given; expected one of {', '.join(LAYOUTS)}")
    return (text,)


def program_env(request: RunRequest, species: Iterable[str]) -> dict[str, str]:
    """Return what of the environment reaches the programs: neither the seed nor values of the shapes."""
    ours = {_SEED_KEY, _LAYOUT_KEY, *(key for name in species for key in find_species(name).keys)}
    return {key: value for key, value in request.env.items() if key not in ours}


def check_env(request: RunRequest, species: Iterable[str]) -> None:
    """Refuse a key that is a misspelt parameter of the species: it would change nothing, and seem to.

    Raises
    ------
    UsageError
        The nearest parameter is named.
    """
    known = {_SEED_KEY, _LAYOUT_KEY, *(key for name in species for key in find_species(name).keys)}
    for key in request.env:
        near = [] if key in known else difflib.get_close_matches(key, sorted(known), n=1, cutoff=0.9)
        if near:
            raise UsageError(f"env.{key}: no parameter of that name is known; did you mean env.{near[0]}?")


def _select_datasets(
    request: RunRequest, programs: Sequence[ProgramEntry], repositories: Sequence[Repository] | None
) -> list[DatasetEntry]:
    entries = find_datasets("*", repositories=repositories)
    everything = [entry for entry in entries if entry.dataset_files]
    if not request.dataset_uoa:
        return [entry for entry in everything if any(entry.has_tags(_dataset_tags(program)) for program in programs)]
    found: dict[str, DatasetEntry] = {}
    for part in request.dataset_uoa.split(","):
        pattern = part.strip().removeprefix("dataset:")
        matches = [entry for entry in everything if fnmatchcase(entry.uoa, pattern) or entry.uid == pattern]
        if not matches:
            for entry in entries:
                if entry.uoa == pattern:
                    raise UsageError(_without_files(entry))
            raise UsageError(_unknown("dataset", pattern, [entry.uoa for entry in everything]))
        found.update({entry.uoa: entry for entry in matches})
    return list(found.values())


def _without_files(entry: DatasetEntry) -> str:
    meta = entry.path / ".cm" / "meta.json"
    if not entry.meta:
        return f"{meta}: no JSON object was found; restore the file"
    file_names(entry.path, entry.meta, "dataset_files")
    found = "missing" if entry.meta.get("dataset_files") is None else "empty"
    return f"{meta}: dataset_files is {found}; expected a list of files with shapes; choose another dataset"


def _wanted_files(request: RunRequest, datasets: Sequence[DatasetEntry]) -> set[str] | None:
    """Return the names of the files that are asked for, or None for all."""
    if not request.dataset_files:
        return None
    known = sorted({name for dataset in datasets for name in dataset.dataset_files})
    wanted: set[str] = set()
    for item in request.dataset_files:
        pattern = item.strip().removesuffix(".json")
        matches = [name for name in known if fnmatchcase(name, pattern)]
        if not matches:
            raise UsageError(_unknown("dataset_file", pattern, known))
        wanted.update(matches)
    return wanted


def _read_shapes(request: RunRequest, dataset: DatasetEntry, name: str, species: str) -> list[Shape]:
    """Read one file, with what the environment changes about it; one shape per batch size."""
    entry = find_species(species)
    raw = dataset.shape_parameters(name)
    changed = {key: value for key, value in request.env.items() if key in entry.keys}
    where = f"{dataset.uoa}:{name}"
    parameters, batch_size = entry.normalise({**raw, **changed}, where=where)
    batches = request.batches if request.batch_sizes or request.iterations else (batch_size,)
    for batch in batches:
        entry.normalise({**parameters, "CK_IN_SHAPE_N": batch}, where=where)
    return [
        Shape(species=species, dataset=dataset.uoa, dataset_file=name, parameters=parameters, batch_size=batch)
        for batch in batches
    ]


def _dataset_tags(program: ProgramEntry) -> tuple[str, ...]:
    return program.dataset_tags or ("dataset", f"tensor-{program.species}")


def _all_tags(program: ProgramEntry) -> set[str]:
    return {*program.tags, program.target_kind, program.operator, program.species, program.library}


def _unknown(kind: str, name: str, known: Sequence[str]) -> str:
    nearest = nearest_name(name, known)
    option = "`nntest list datasets`" if kind.startswith("dataset") else f"`nntest list {kind}s`"
    hint = f"did you mean {nearest}?" if nearest else f"see {option}"
    return f"{name}: no {kind} of that name was found; {hint}"

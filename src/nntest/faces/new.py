"""``nntest new``: a program, dataset or analysis that works, to be changed into one's own."""

import json
import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer

from nntest.errors import UsageError
from nntest.faces.aliases import write_alias
from nntest.faces.consistency import KNOWN_MODULES
from nntest.faces.output import say
from nntest.store.entries import DatasetEntry, find_programs, get_entry

_NAME = re.compile(r"[a-z][a-z0-9._-]*[a-z0-9]")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("new")(new)


def new(
    kind: Annotated[str, typer.Argument(metavar="program|dataset|analysis", help="What to make.")],
    name: Annotated[str, typer.Argument(help="Its name, such as conv-mylib-cpu.")],
    like: Annotated[str, typer.Option(help="Program to start from; else the plain one of the same species.")] = "",
    species: Annotated[str, typer.Option(help="Species of a dataset's shapes.")] = "conv",
    into: Annotated[Path | None, typer.Option(help="Repository to make it in; else this checkout.")] = None,
) -> int:
    """Make a program, dataset or analysis that passes `nntest check` and runs at once."""
    if kind not in _MAKERS:
        near = get_close_matches(kind, _MAKERS, n=1)
        raise UsageError(f"nntest new: {kind!r} was given; {f'did you mean {near[0]}?' if near else _kinds()}")
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name}: not a name for an entry; expected lower-case letters, digits, dots and dashes")
    folder = _repository(into) / kind / name
    if folder.exists():
        raise UsageError(f"{folder}: it exists already; choose another name, or change what is there")
    for path in _MAKERS[kind](folder, like, species):
        say(path)
    return 0


def _repository(into: Path | None) -> Path:
    from nntest.faces.install import checkout

    if into is None:
        return checkout()
    if not (into / ".ckr.json").is_file():
        raise UsageError(f"{into}: it has no .ckr.json, so it is no CK repository; name one, or leave --into out")
    return into


def _program(folder: Path, like: str, species: str) -> list[Path]:
    del species  # the model's
    operator, dash, _ = folder.name.partition("-")
    if not dash:
        raise UsageError(
            f"{folder.name}: not a name for a program; expected OPERATOR-LIBRARY-TARGET, such as conv-{folder.name}-cpu"
        )
    model = _model_program(folder.name, like)
    shutil.copytree(model.path, folder, ignore=shutil.ignore_patterns(".cm", "tmp*", "__pycache__"))
    meta = {key: value for key, value in model.meta.items() if not key.startswith("backup_")}
    tags = [tag for tag in model.tags if tag != model.uoa]
    # another way to compute what the model computes; what is new about it is the author's to say
    ours = {**meta["nntest"], "operator": operator}
    return _finish(folder, meta | {"nntest": ours, "tags": tags}, [folder / path.name for path in model.source_files])


def _model_program(name: str, like: str) -> Any:
    if like:
        return get_entry("program", like)
    plain = {entry.operator: entry for entry in find_programs("*-plain-cpu")}
    return plain.get(name.partition("-")[0]) or get_entry("program", "conv-plain-cpu")


def _dataset(folder: Path, like: str, species: str) -> list[Path]:
    from nntest.model.species import find_species

    _refuse_like(like)
    find_species(species, where="species")
    model = get_entry("dataset", f"tensor-{species}-synthetic")
    assert isinstance(model, DatasetEntry)
    stem = model.dataset_files[0]
    folder.mkdir(parents=True)
    shutil.copy(model.shape_path(stem), folder / f"{stem}.json")
    meta = {
        "dataset_files": [stem],
        "desc_dataset_files": {stem: {"name": "a first shape", "species": species}},
        "tags": ["dataset", "nntest", f"tensor-{species}", species],
    }
    return _finish(folder, meta, [folder / f"{stem}.json"])


def _analysis(folder: Path, like: str, species: str) -> list[Path]:
    del species
    _refuse_like(like)
    folder.mkdir(parents=True)
    file = folder / "analysis.py"
    file.write_text(_ANALYSIS.format(name=folder.name), encoding="utf-8")
    options = {"statistic": {"type": "text", "default": "median", "choices": ["median", "min"], "help": "of the times"}}
    return _finish(
        folder,
        {
            "title": folder.name,
            "desc": "The typical time of every program.",
            "options": options,
            "tags": ["analysis", "nntest"],
        },
        [file],
    )


_ANALYSIS = '''"""The typical time of every program on every shape: a first version, to be changed."""

import seaborn as sns

from nntest.analyses.selection import select

NAME = "{name}"


def table(source, options):
    """Return the chosen statistic of the times that may be ranked, one row per program and shape."""
    ranked = select(source.points, options, where=NAME).ranked
    times = ranked.groupby(["species", "shape", "program", "library"], observed=True)["time_us"]
    return {{NAME: times.agg(options.statistic).reset_index()}}


def chart(tables, options):
    """Draw one bar per program, shape by shape."""
    main = tables[NAME].astype({{"shape": "str", "program": "str"}})
    grid = sns.catplot(main, x="time_us", y="shape", hue="program", kind="bar")
    grid.set_axis_labels(f"{{options.statistic}} time, us", "shape")
    return grid.figure
'''


def _refuse_like(like: str) -> None:
    if like:
        raise UsageError("like: it was given for something that is no program; leave it out")


def _finish(folder: Path, meta: Mapping[str, Any], files: list[Path]) -> list[Path]:
    """Write what makes a folder an entry, the alias last: with it ck finds the entry, which is complete by then."""
    module, uid = folder.parent.name, secrets.token_hex(8)
    module_uid = KNOWN_MODULES[module]
    info = {
        "backup_data_uid": uid,
        "backup_module_uid": module_uid,
        "backup_module_uoa": module,
        "data_name": folder.name,
    }
    (folder / ".cm").mkdir()
    for name, words in (("meta", meta), ("info", info)):
        path = folder / ".cm" / f"{name}.json"
        path.write_text(json.dumps(words, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    write_alias(folder.parent.parent, module, module_uid)
    write_alias(folder.parent, folder.name, uid)
    return [*files, folder / ".cm" / "meta.json"]


def _kinds() -> str:
    return f"expected one of {', '.join(_MAKERS)}"


_MAKERS: Mapping[str, Callable[[Path, str, str], list[Path]]] = {
    "program": _program,
    "dataset": _dataset,
    "analysis": _analysis,
}

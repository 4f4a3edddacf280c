"""Where entries live: this checkout, and the repositories that ``ck`` has registered.

ck's registration is read from its files. Importing ck instead would create folders in the user's home, and asking
it for an unknown module would try the network; the files say the same and need no ck at all.
"""

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from nntest.errors import UsageError

LOCAL = "local"
REPOSITORY_FILE = ".ckr.json"
#: ck gives every local repository this UID.
_LOCAL_UID = "9a3280b14a4285c9"
# The checkout, where this is one.
_HERE = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Repository:
    """A folder of entries under the name by which ck and the command line know it."""

    name: str
    path: Path


def known_repositories(environ: Mapping[str, str] | None = None) -> list[Repository]:
    """Return the repositories that names may refer to: this checkout first, then ``local``, then ck's others.

    Parameters
    ----------
    environ
        Environment to read CK_REPOS, CK_LOCAL_REPO and HOME from; by default the process's own.

    Returns
    -------
    list of Repository
        Each folder once, under the name that ck has for it. Registered folders that no longer exist are left out.
    """
    environ = os.environ if environ is None else environ
    local = local_path(environ)
    registered = list(_registered(local))
    places = {repository.path.resolve(): repository for repository in registered}
    found: dict[Path, Repository] = {}
    # It is resolved already, as __file__ was.
    checkout = checkout_path()
    if checkout is not None:
        name = places[checkout].name if checkout in places else repository_name(checkout)
        found[checkout] = Repository(name, checkout)
    if local.is_dir():
        found.setdefault(local.resolve(), Repository(LOCAL, local))
    for place, repository in places.items():
        found.setdefault(place, repository)
    return list(found.values())


def damaged_registrations(environ: Mapping[str, str] | None = None) -> list[str]:
    """Say, one line each, which of ck's registrations are damaged, so that their repositories are left out.

    Parameters
    ----------
    environ
        As for `known_repositories`.
    """
    local = local_path(os.environ if environ is None else environ)
    return [
        f"{meta}: no JSON object with a path was found, so that the repository {name} is left out; "
        'write {"path": "/the/repository\'s/folder"} there'
        for name, meta, words in _registrations(local)
        # what ck only reaches over the network has no path
        if not _path_of(words) and words.get("remote") != "yes"
    ]


def checkout_path() -> Path | None:
    """Return the checkout that this package runs from, or None when it was installed from a wheel."""
    return _HERE if (_HERE / "program").is_dir() and (_HERE / "dataset").is_dir() else None


def local_path(environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder of ck's ``local`` repository, which need not exist yet."""
    environ = os.environ if environ is None else environ
    if named := environ.get("CK_LOCAL_REPO", "").strip():
        return Path(named)
    if repositories := environ.get("CK_REPOS", "").strip():
        return Path(repositories) / LOCAL
    home = environ.get("HOME", "").strip()
    return (Path(home) if home else Path("~").expanduser()) / "CK" / LOCAL


def resolve_repository(name: str | Path, environ: Mapping[str, str] | None = None) -> Repository:
    """Find a repository by its name or by its folder.

    Raises
    ------
    UsageError
        Nothing is known under that name and no such folder exists.
    """
    known = known_repositories(environ)
    if isinstance(name, str):
        for repository in known:
            if repository.name == name:
                return repository
        if name == LOCAL:
            return Repository(LOCAL, local_path(environ))
    path = Path(name).expanduser()
    if path.is_dir():
        place = path.resolve()
        for repository in known:
            if repository.path.resolve() == place:
                return repository
        return Repository(repository_name(path), path)
    near = difflib.get_close_matches(str(name), [repository.name for repository in known], n=1)
    hint = f"did you mean `{near[0]}`?" if near else "register one with `ck import repo --path=DIR --quiet`"
    listed = ", ".join(repository.name for repository in known) or "none"
    raise UsageError(f"{name}: no such repository or folder (known repositories: {listed}); {hint}")


def ensure_local_repository(repository: Repository) -> Repository:
    """Create the folder of ck's ``local`` repository, with ck's own description, where ck has not done it yet."""
    description = repository.path / REPOSITORY_FILE
    if repository.name == LOCAL and not description.exists():
        repository.path.mkdir(parents=True, exist_ok=True)
        words = {"data_alias": LOCAL, "data_name": LOCAL, "data_uid": _LOCAL_UID, "data_uoa": LOCAL}
        description.write_bytes(orjson.dumps(words, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return repository


def repository_name(path: Path) -> str:
    """Return the name that a repository's ``.ckr.json`` gives it, or its folder's name."""
    words = read_json(path / REPOSITORY_FILE)
    for key in ("data_alias", "data_uoa", "data_name"):
        name = words.get(key)
        if isinstance(name, str) and name:
            return name
    return path.resolve().name


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object from a file, empty where the file is missing, unreadable or holds something else."""
    try:
        words = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return words if isinstance(words, dict) else {}


def _registered(local: Path) -> Iterator[Repository]:
    """Yield the repositories that ck has registered and that are there."""
    for name, _, words in _registrations(local):
        path = _path_of(words)
        if path and Path(path).is_dir():
            yield Repository(name, Path(path))


def _registrations(local: Path) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """Yield what ck keeps under local/repo, an entry for each repository: its name, its meta's file and content."""
    folder = local / "repo"
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if not entry.name.startswith(".") and (entry / ".cm").is_dir():
            meta = entry / ".cm" / "meta.json"
            yield _alias_of(folder, entry.name), meta, read_json(meta)


def _path_of(words: Mapping[str, Any]) -> str:
    path = words.get("path")
    return path if isinstance(path, str) else ""


def _alias_of(folder: Path, name: str) -> str:
    """Return the alias of an entry that may be stored under its UID."""
    try:
        return (folder / ".cm" / f"alias-u-{name}").read_text(encoding="utf-8").strip() or name
    except (OSError, UnicodeDecodeError):
        return name

"""What set-up leaves with ``ck``: the registration of this checkout, and the face in the local repository.

``ck`` looks for a module in its local repository, then in its own default one, then in all others; it bundles a
module nntest, so that only a copy in the local repository comes before it.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from nntest.errors import MissingPartError, NNTestError
from nntest.faces.aliases import write_alias
from nntest.store.repository import LOCAL, Repository, ensure_local_repository, local_path

MODULE_OF_MODULES = "032630d041b4fd8a"
FACE_UID = "38b4f1dcda465782"
REPOSITORY = "nntest"


class CkError(NNTestError):
    """``ck`` answered with an error of its own."""


@dataclass(frozen=True, kw_only=True)
class Registration:
    """Where ``ck`` believes the repository nntest to be; None when it knows none."""

    path: Path | None


def kernel() -> Any:
    """Return ck's kernel, initialised: its local repository exists afterwards.

    Raises
    ------
    MissingPartError
        ck is not installed for this Python.
    """
    # ck makes its own default local repository, but stumbles over one that $CK_LOCAL_REPO names and is not there yet
    ensure_local_repository(Repository(LOCAL, local_path()))
    said = StringIO()
    try:
        with redirect_stdout(said):
            import ck.kernel

            _checked(ck.kernel.init({}))
    except ImportError:
        raise MissingPartError(
            f"ck: it is not installed for {sys.executable}; run `sh script/setup/run.sh` in the checkout"
        ) from None
    except SystemExit:  # its way to say that it cannot start
        raise CkError(f"ck: {' '.join(said.getvalue().split())}; its local repository is {local_path()}") from None
    return ck.kernel


def checkout() -> Path:
    """Return the checkout that this package is installed from.

    Raises
    ------
    MissingPartError
        The package stands alone (a wheel), without the entries of a checkout.
    """
    root = Path(__file__).resolve().parents[3]
    if not (root / ".ckr.json").is_file():
        raise MissingPartError(
            f"{root}: this nntest is a bare package; ck needs the entries of a checkout; "
            "clone the repository and run `sh script/setup/run.sh` there"
        )
    return root


def local_repository() -> Path:
    """Return ck's local repository ($CK_LOCAL_REPO, else local under $CK_REPOS, else ~/CK/local)."""
    return Path(kernel().work["dir_local_repo"])


def registration() -> Registration:
    """Ask ck where the repository nntest is."""
    answer = kernel().access({"action": "load", "module_uoa": "repo", "data_uoa": REPOSITORY})
    found = answer["return"] == 0 and answer["dict"].get("path")
    return Registration(path=Path(found) if found else None)


def in_cache() -> bool:
    """Whether ck's cache of repositories knows nntest; without it ck finds none of the checkout's entries."""
    return bool(kernel().load_repo_info_from_cache({"repo_uoa": REPOSITORY})["return"] == 0)


def register(root: Path) -> Path | None:
    """Register ``root`` with ck as the repository nntest.

    Returns
    -------
    Path | None
        The other checkout that was registered until now, if there was one.
    """
    before = registration().path
    if before is not None and before.resolve() == root.resolve():
        if not in_cache():
            _checked(kernel().access({"action": "recache", "module_uoa": "repo"}))
        return None
    unregister()
    _checked(kernel().access({"action": "import", "module_uoa": "repo", "path": str(root), "quiet": "yes"}))
    return before


def unregister() -> None:
    """Make ck forget the repository nntest; its files stay."""
    if registration().path is not None:
        _checked(kernel().access({"action": "rm", "module_uoa": "repo", "data_uoa": REPOSITORY, "force": "yes"}))


def face_files(local: Path) -> Iterator[Path]:
    """Yield the files and folders that ``install_face`` makes in ck's local repository."""
    yield local / "module" / "nntest"
    yield local / "module" / ".cm" / "alias-a-nntest"
    yield local / "module" / ".cm" / f"alias-u-{FACE_UID}"


def face_meta(local: Path) -> dict[str, Any] | None:
    """Return the meta of the module nntest in ck's local repository, None where there is none."""
    path = local / "module" / "nntest" / ".cm" / "meta.json"
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise CkError(f"{path}: it is not JSON ({error}); remove {path.parents[1]} and run set-up again") from None
    return meta if isinstance(meta, dict) else {}


def install_face(root: Path, local: Path) -> None:
    """Copy the checkout's module nntest to where ck looks first.

    Raises
    ------
    CkError
        A module nntest that is not ours stands there.
    """
    meta = face_meta(local)
    target = local / "module" / "nntest"
    if target.exists() and (meta or {}).get("face") != REPOSITORY:
        raise CkError(f"{target}: a module nntest of your own stands there; move it away and run set-up again")
    source = root / "module" / "nntest"
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    with_checkout = json.loads((source / ".cm" / "meta.json").read_text(encoding="utf-8")) | {"checkout": str(root)}
    (target / ".cm" / "meta.json").write_text(json.dumps(with_checkout, indent=2, sort_keys=True) + "\n")
    write_alias(local, "module", MODULE_OF_MODULES)
    write_alias(local / "module", "nntest", FACE_UID)


def remove_face(local: Path) -> list[Path]:
    """Remove the face from ck's local repository and return what was removed; a foreign module stays."""
    if (face_meta(local) or {}).get("face") != REPOSITORY:
        return []
    removed = [path for path in face_files(local) if path.exists()]
    for path in removed:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return removed


def main() -> int:
    """Register the checkout and install the face; set-up calls this with ``python -m nntest.faces.install``."""
    try:
        root = checkout()
        before = register(root)
        install_face(root, local_repository())
    except NNTestError as error:
        sys.stderr.write(f"nntest: {error}\n")
        return error.exit_code
    except OSError as error:
        sys.stderr.write(f"nntest: {error.filename}: {error.strerror}; ck keeps its registrations there\n")
        return 1
    if before is not None:
        sys.stdout.write(f"ck knew the repository nntest at {before}; it is now {root}\n")
    return 0


def _checked(answer: dict[str, Any]) -> None:
    if answer["return"] > 0:
        raise CkError(f"ck: {answer['error']}")


if __name__ == "__main__":
    sys.exit(main())

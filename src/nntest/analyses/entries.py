"""Loading an analysis: its code runs only when it is named, and only from repositories that the user trusts."""

import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from nntest.analyses.contract import Analysis
from nntest.errors import DataError, UsageError
from nntest.store.entries import AnalysisEntry, get_entry
from nntest.store.repository import Repository, checkout_path


def load_analysis(name: str, *, repositories: Sequence[Repository] | None = None) -> Analysis:
    """Find the analysis ``name`` and load its code.

    Raises
    ------
    UsageError
        There is no such analysis, or its repository was not allowed.
    DataError
        The code lacks one of its two functions.
    """
    entry = get_entry("analysis", name, repositories=repositories)
    if not isinstance(entry, AnalysisEntry):
        raise UsageError(f"{name}: is no analysis; `nntest list analyses` shows what there is")
    if not is_allowed(entry.path):
        raise UsageError(
            f"{entry.path}: the code of this repository was not allowed to run; read it, then "
            f"`nntest allow {entry.path.parents[1]}`"
        )
    module = _import(entry)
    functions = {word: getattr(module, word, None) for word in ("table", "chart")}
    for word, function in functions.items():
        if not callable(function):
            raise DataError(f"{entry.source}: the function {word} is missing; docs/add-an-analysis.md shows both")
    return Analysis(
        name=entry.uoa,
        title=str(entry.meta.get("title") or entry.uoa),
        declared=entry.options,
        table=module.table,
        chart=module.chart,
        finding=getattr(module, "finding", _no_finding),
    )


def allowed_file(environ: Mapping[str, str] | None = None) -> Path:
    """Return the file that lists the repositories whose code may run, one path per line."""
    environ = os.environ if environ is None else environ
    base = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME") or "~").expanduser() / ".config")
    return Path(base) / "nntest" / "allowed"


def allow(repository: Path, environ: Mapping[str, str] | None = None) -> None:
    """Let the analyses of a repository run from now on."""
    path = allowed_file(environ)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = _allowed(path)
    path.write_text("".join(f"{line}\n" for line in sorted({*lines, str(repository.resolve())})), encoding="utf-8")


def is_allowed(entry: Path, environ: Mapping[str, str] | None = None) -> bool:
    """Tell whether the code of an entry may run: it is in this checkout, or in a repository that was allowed."""
    repository = entry.resolve().parents[1]
    checkout = checkout_path()
    return (checkout is not None and repository == checkout.resolve()) or str(repository) in _allowed(
        allowed_file(environ)
    )


def _allowed(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _import(entry: AnalysisEntry) -> ModuleType:
    # the UID keeps entries of one name in two repositories apart
    name = f"nntest_analysis_{entry.uid or entry.uoa}".replace("-", "_")
    spec = importlib.util.spec_from_file_location(name, entry.source)
    if spec is None or spec.loader is None or not entry.source.is_file():
        raise DataError(f"{entry.source}: is missing; expected the code of the analysis; restore it")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _no_finding(_tables: Any, _options: Any) -> str:
    return ""

"""The house's shape, held: who may import whom, how long a module may be, and what nobody below the faces does."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import nntest

PACKAGE = Path(nntest.__file__).parent
ROOT = PACKAGE.parents[1]
MODULES = sorted(PACKAGE.rglob("*.py"))

# Each layer imports only what stands left of it (and itself).
ORDER = ("units", "errors", "model", "statistics", "store", "measure", "crawl", "analyses", "report", "faces")
# Neither of the first two needs the other.
LEFT_OF = {layer: set(ORDER[:index]) for index, layer in enumerate(ORDER)} | {"units": set(), "errors": set()}

TABLES = {"pandas", "statsmodels", "seaborn", "matplotlib", "altair", "duckdb", "pyarrow"}
MAY_IMPORT_TABLES = {"__init__", "crawl", "analyses", "report", "statistics", "faces"}

LONGEST_MODULE = 600
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc"}


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports_of(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    """Yield the dotted names that a module imports, those for type checkers left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in _walk(tree, top_level_only):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import; write the full name"
            yield node.module or ""
            # `from nntest import errors` imports a module too
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "nntest")


def _walk(node: ast.AST, top_level_only: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        if top_level_only and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        yield child
        yield from _walk(child, top_level_only)


def named(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", [path for path in MODULES if layer_of(path) != "__init__"], ids=named)
def test_imports_go_one_way(path: Path) -> None:
    layer = layer_of(path)
    allowed = LEFT_OF[layer] | {layer}
    wrong = [
        name
        for name in imports_of(path)
        if name.startswith("nntest.") and name.split(".")[1] not in allowed and name.split(".")[1] in ORDER
    ]
    assert wrong == [], f"{layer} may import {sorted(allowed)}"


@pytest.mark.parametrize("path", [path for path in MODULES if layer_of(path) not in MAY_IMPORT_TABLES], ids=named)
def test_measuring_never_imports_tables(path: Path) -> None:
    assert [name for name in imports_of(path) if name.split(".")[0] in TABLES] == []


def test_the_front_door_and_the_command_line_are_light() -> None:
    heavy = TABLES | {"numpy", "scipy", "ck", "cpuinfo"}
    for module in ("nntest", "nntest.faces.cli", "nntest.measure.request"):
        code = f"import sys, {module}; print(*sorted(set(sys.modules) & {heavy!r}))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.split() == [], f"import {module} pulls these in"


@pytest.mark.parametrize("path", [path for path in MODULES if layer_of(path) != "faces"], ids=named)
def test_nothing_below_the_faces_prints_or_exits(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [f"line {node.lineno}" for node in ast.walk(tree) if isinstance(node, ast.Call) and _speaks(node.func)] == []


def _speaks(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id in {"print", "exit", "quit", "input"}
    dotted = ast.unparse(function)
    return dotted in {"sys.exit", "os._exit", "sys.stdout.write", "sys.stderr.write"}


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_says_one_thing(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_MODULE, "at 600 lines it is two modules"
    assert path.stem not in NAMES_THAT_SAY_NOTHING


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_no_exception_is_caught_blindly(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    blind = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
        and not any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
    ]
    assert blind == [], "name the exceptions, or raise again"


@pytest.mark.parametrize("path", sorted(ROOT.glob("module/*/module.py")), ids=lambda path: path.parent.name)
def test_a_ck_face_holds_no_logic(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 14, f"{node.name}: ten lines of mapping per action"
    assert {name.split(".")[0] for name in imports_of(path)} <= {"sys", "nntest"}

"""``nntest repro``: a point as others can run it, for a bug report."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nntest.errors import UsageError
from nntest.faces.output import say

if TYPE_CHECKING:
    from nntest.model.point import Point


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("repro")(repro)


def repro(
    point: Annotated[str, typer.Argument(help="Uid (or its beginning) or file of a point.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the files.")] = Path(),
) -> int:
    """Write a point as a C++ file and an ONNX model, and print it as a command of benchdnn, where there are such."""
    from nntest.store.lookup import find_point_files
    from nntest.store.read import read_point

    found = find_point_files(point)
    # Sub-points of one uid are the same case: the last was measured last.
    read = {one.uid: one for one in map(read_point, found)}
    if len(read) > 1:
        raise UsageError(f"{point}: {len(read)} points were found; expected one; `nntest show {point}` lists them")
    (one,) = read.values()
    shown = list(forms(one, out))
    for line in shown:
        say(line)
    return 0


def forms(point: "Point", folder: Path) -> Iterator[str]:
    """Write the forms that a point has into a folder and yield one line for each; those that it lacks say why."""
    from nntest.measure.repro.benchdnn import benchdnn_line
    from nntest.measure.repro.onednn_source import onednn_source
    from nntest.measure.repro.onnx_case import onnx_model
    from nntest.measure.repro.openblas_source import openblas_source

    onednn = point.subject.library.name == "onednn-cpu"
    source = onednn_source if onednn else openblas_source
    wanted: tuple[tuple[str, Callable[[], bytes | str]], ...] = (
        ("benchdnn", lambda: benchdnn_line(point)),
        ("c++", lambda: source(point).encode()),
        ("onnx", lambda: onnx_model(point.case)),
    )
    suffixes = {"c++": ".cpp", "onnx": ".onnx"}
    for name, make in wanted:
        try:
            content = make()
        except UsageError as error:
            yield f"{name}: none; {error}"
            continue
        if isinstance(content, str):
            yield f"{name}: {content}"
            continue
        path = folder / f"repro-{point.uid}{suffixes[name]}"
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        yield f"{name}: {path}"

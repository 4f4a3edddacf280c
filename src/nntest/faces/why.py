"""``nntest why``: why a point has its verdict, flag by flag, and what to do about it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nntest.faces.output import say

if TYPE_CHECKING:
    from nntest.model.point import Point


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("why")(why)


def why(
    point: Annotated[
        str, typer.Argument(help="Uid (or its beginning) or file of a point; an experiment for all its points.")
    ],
) -> int:
    """Say why a point is trusted or not: the verdict, the evidence for every flag, and what to do."""
    from nntest.store.lookup import find_point_files
    from nntest.store.read import read_point

    for path in find_point_files(point):
        for line in reasons(path, read_point(path)):
            say(line)
    return 0


def reasons(path: Path, point: "Point") -> Iterator[str]:
    """Yield the verdict of a point, its evidence, and what was said of it."""
    from nntest.model.species import find_species
    from nntest.statistics.findings import explain, verdict_reason
    from nntest.store.notes import remarks_of

    verdict, findings = explain(point)
    shape = find_species(point.case.species).shape_name(point.case.parameters)
    held_back = f" isa {point.case.isa_max}" if point.case.isa_max else ""
    yield f"{point.uid}  {point.case.program} {point.subject.library.tag} {shape}{held_back}"
    reason = verdict_reason(point, verdict)
    decisive = ", ".join(one.flag for one in findings if one.decisive)
    because = reason or f"because of {decisive}"
    yield f"  {verdict}: {because}"
    for one in findings:
        mark = "" if one.decisive else " (does not count against it)"
        yield f"  {one.flag}{mark}"
        yield f"    seen   {one.evidence}"
        yield f"    to do  {one.advice}"
    said = remarks_of(path)
    if said.tags:
        yield f"  tags: {', '.join(said.tags)}"
    yield from (f"  note of {one.at[:10]}: {one.text}" for one in said.remarks if one.kind == "note")

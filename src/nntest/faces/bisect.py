"""``nntest bisect``: which version of a library brought a slow-down."""

import math
from typing import TYPE_CHECKING, Annotated

import typer

from nntest.errors import UsageError
from nntest.faces.columns import count_of
from nntest.faces.output import say

if TYPE_CHECKING:
    from nntest.measure.bisection import Step


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("bisect")(bisect)


def bisect(  # noqa: PLR0917 - typer reads the options off the signature
    library: Annotated[str, typer.Argument(help="Library, such as onednn-cpu.")],
    good: Annotated[str, typer.Argument(help="Version of its wheels that is fast enough.")],
    bad: Annotated[str, typer.Argument(help="Version of its wheels that is slower.")],
    program: Annotated[str, typer.Option("--program", help="Program to measure with.")],
    dataset: Annotated[str, typer.Option("--dataset", "--dataset-uoa", help="Dataset of shapes.")],
    dataset_file: Annotated[
        str, typer.Option("--dataset-file", "--dataset-files", help="Only these files of the dataset (comma list).")
    ] = "",
    limit: Annotated[str, typer.Option("--limit", help="Slow-down that counts.")] = "5%",
    threads: Annotated[str, typer.Option("--threads", help="Numbers of threads (comma list).")] = "1",
    repetitions: Annotated[int, typer.Option("--repetitions", help="Samples of each case.")] = 20,
    launches: Annotated[
        int | None, typer.Option("--launches", help="Fresh processes over which they are spread; 10 without it.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Fetch the versions; without it, only say which.")] = False,
) -> int:
    """Fetch versions between two, measure each against the good one, and name the one that brought a slow-down."""
    from nntest.faces.ab import measure
    from nntest.faces.options import numbers, percentage, words
    from nntest.measure import bisection
    from nntest.measure.libraries import needs_of, wheels, wheels_of
    from nntest.measure.request import RunRequest
    from nntest.measure.world import real_world

    packages = wheels_of(library)
    if not packages:
        raise UsageError(f"{library}: it comes with NNTest, there are no versions to choose from")
    versions = bisection.versions_between(wheels.offered(packages[-1]), good, bad)
    if not yes:
        most = 1 + math.ceil(math.log2(max(1, len(versions) - 1)))
        say(f"{count_of(len(versions), 'version')} from {good} to {bad}: {', '.join(versions)}")
        say(f"would fetch and measure about {most} of them against {good}; add --yes to do so")
        return 0
    base = RunRequest(
        programs=program,
        dataset_uoa=dataset,
        dataset_files=words(dataset_file),
        threads=numbers("threads", threads),
        repetitions=repetitions,
        launches=launches or min(repetitions, 10),
        no_record=True,
    )
    judge = bisection.Judge(
        good,
        base,
        real_world(),
        limit=percentage("limit", limit),
        prefix_of=lambda version: str(wheels.install(library, wheels.resolve(packages, version, needs_of(library)))),
        measure=lambda plan, world: measure(plan, world).results,
    )
    found = bisection.bisect(versions, judge, _say)
    if found.undecided:
        say(f"the slow-down came after {found.last_good}, in one of {', '.join(found.undecided)}, {found.first_bad}")
        return 4
    say(f"the slow-down came with {found.first_bad}; {found.last_good} does not have it")
    return 0


def _say(step: "Step") -> None:
    say(f"{step.version}: {step.verdict}, {step.ratio:.3f} of the good version's time")

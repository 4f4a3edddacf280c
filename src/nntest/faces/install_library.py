"""``nntest install``: another version of a library, beside those that are there."""

from typing import Annotated

import typer

from nntest.errors import UsageError
from nntest.faces.output import say


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("install")(install)


def install(
    library: Annotated[str, typer.Argument(help="Library, such as onednn-cpu.")],
    version: Annotated[
        str, typer.Argument(help="Version of its wheels, as --versions lists them; the newest without it.")
    ] = "",
    versions: Annotated[bool, typer.Option("--versions", help="List the versions that pip offers, and stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Fetch; without it, only say what would be fetched.")] = False,
) -> int:
    """Fetch a version of a library beside the others, for --library to choose; says source and size first."""
    from nntest.measure.libraries import needs_of, wheels, wheels_of
    from nntest.measure.libraries.places import installed_root

    packages = wheels_of(library)
    if not packages:
        raise UsageError(f"{library}: it comes with NNTest, there is nothing to install")
    if versions:
        for one in wheels.offered(packages[-1]):
            say(one)
        return 0
    wanted = wheels.resolve(packages, version, needs_of(library))
    title = "fetching" if yes else "would be fetched by `nntest install --yes`"
    say(f"{title}, into {installed_root()}:")
    for wheel in wanted:
        size = "size unknown" if wheel.size_mb is None else f"{wheel.size_mb:.1f} MB"
        say(f"  {wheel.package} {wheel.version}, {size}, {wheel.url}")
    if yes:
        say(f"found: {_found_in(library, str(wheels.install(library, wanted)))}")
    return 0


def _found_in(library: str, prefix: str) -> str:
    from nntest.measure.libraries import find_library

    found = find_library(library, prefix)
    return f"{found.library.tag} ({found.library.description}); choose it with --library={found.library.tag}"

"""``nntest target``: where else than natively programs can be built and run, and how that is installed."""

import shutil
from difflib import get_close_matches
from typing import Annotated

import typer

from nntest.errors import UsageError
from nntest.faces.columns import columns
from nntest.faces.output import say

_ACTIONS = ("list", "install", "remove")
_ANY_BOARD = "ssh:user@board[:port]"


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("target")(target)


def target(
    action: Annotated[str, typer.Argument(metavar="list|install|remove", help="What to do.")],
    name: Annotated[str, typer.Argument(help="Target to install or remove, such as linux-arm64-qemu.")] = "",
    mirror: Annotated[
        str, typer.Option("--mirror", help="Address of Debian's packages; Debian's own without it.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how much would be installed, and stop.")] = False,
) -> int:
    """List, install or remove targets; `nntest run --target=NAME` measures on one."""
    if action not in _ACTIONS:
        near = get_close_matches(action, _ACTIONS, n=1)
        guess = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(_ACTIONS)}"
        raise UsageError(f"nntest target: {action!r} was given; {guess}")
    if action == "list":
        _list()
        return 0

    from nntest.measure.targets import install, qemu
    from nntest.measure.targets.packages import MIRROR
    from nntest.measure.world import cache_root

    if name != qemu.NAME:
        raise UsageError(f"nntest target {action}: {name or 'no name'} was given; expected {qemu.NAME}")
    if action == "install":
        install.install(cache_root(), say=say, mirror=mirror or MIRROR, dry_run=dry_run)
    else:
        install.remove(cache_root(), say=say)
    return 0


def _list() -> None:
    from nntest.measure.targets import qemu
    from nntest.measure.targets.boards import used_boards
    from nntest.measure.world import NATIVE_TARGET, cache_root

    manifest = qemu.read_manifest(qemu.rooms(cache_root()))
    found = "not installed" if manifest is None else f"installed: {manifest['emulator']}, {manifest['os']}"
    advice = f"; run `{qemu.INSTALL}`" if manifest is None else ""
    rows = [
        (NATIVE_TARGET, "this machine", "ready"),
        (qemu.NAME, "64-bit Arm, emulated", f"{found}{advice}"),
    ]
    boards = [(board.target, board.model, f"last used on {board.used:%Y-%m-%d}") for board in used_boards(cache_root())]
    ready = "ready" if shutil.which("ssh") else "ssh was not found; install it with `apt install openssh-client`"
    rows += [(_ANY_BOARD, "a board over ssh", ready if boards else f"{ready}; none used yet"), *boards]
    for line in columns(("target", "what", "state"), rows):
        say(line)

"""The command line ``nntest``: one app for people and for ``ck``, one line per error, one meaning per exit code.

Exit codes: 0 done, 1 a check failed, 2 wrong usage or a missing part, 3 some points failed, 4 undecided,
130 interrupted, 141 the reader of the output went away.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import typer

from nntest import __version__
from nntest.errors import NNTestError
from nntest.faces import (
    ab,
    allow,
    analyse,
    bisect,
    check,
    convert,
    doctor,
    history,
    install_library,
    lists,
    new,
    notes,
    peak,
    report,
    repro,
    rerun,
    run,
    share,
    show,
    sql,
    target,
    uninstall,
    why,
)
from nntest.faces.arguments import Syntax, normalise
from nntest.faces.output import say
from nntest.units import printable

INTERRUPTED = 130
READER_GONE = 141
_INTERRUPTED_LINE = "interrupted; what was finished is on disk"

# typer re-exports only this one of its usage errors; the others share its base, in every version.
_WrongUsage: type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="nntest",
    help="Measure, check and compare the operators of neural-network libraries.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": lambda token: token.replace("_", "-"),
    },
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a command ended: its exit code, and the one line that explains a code above 0 (may be empty)."""

    code: int
    message: str = ""


@app.callback(invoke_without_command=True)
def version_or_help(version: bool = typer.Option(False, "--version", help="Print the version and stop.")) -> None:
    """Measure, check and compare the operators of neural-network libraries."""
    if version:
        say(f"nntest {__version__}")
        raise typer.Exit(0)


for _module in (
    run, ab, analyse, report, lists, show, share, convert, peak, check, new, allow, doctor, sql, install_library,
    bisect, rerun, history, notes, why, repro, uninstall,
):  # fmt: skip
    _module.register(app)
target.register(app)


def syntax_of(name: str) -> Syntax:
    """Return the options of one command."""
    command: Any = typer.main.get_command(app)
    return Syntax.of(command.commands[name])


def perform(arguments: Sequence[str]) -> Outcome:
    """Run one command line and say how it ended; only defects of NNTest itself are raised.

    Both faces end here: ``main`` prints the message, the CK module hands it to ``ck``.
    """
    command: Any = typer.main.get_command(app)
    try:
        known = normalise(arguments or ["--help"], {name: Syntax.of(one) for name, one in command.commands.items()})
        code = command.main(known, prog_name="nntest", standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except SystemExit as stop:
        # typer's own way with a broken pipe
        code = READER_GONE if isinstance(stop.__context__, BrokenPipeError) else int(stop.code or 0)
    except (_WrongUsage, typer.Abort, NNTestError, ModuleNotFoundError, OSError) as error:
        return _outcome(error)
    # typer turns Ctrl-C into an exit code of its own accord
    return Outcome(code=code or 0, message=_INTERRUPTED_LINE if code == INTERRUPTED else "")


def _outcome(error: Exception) -> Outcome:
    """Say in one line how a command failed; a defect of NNTest itself is raised again."""
    match error:
        case NNTestError():
            return Outcome(code=error.exit_code, message=_one_line(str(error)))
        case typer.Abort():
            return Outcome(code=INTERRUPTED, message=_INTERRUPTED_LINE)
        case BrokenPipeError():
            # The interpreter flushes stdout once more when it ends; give it somewhere to go.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return Outcome(code=READER_GONE)
        case ModuleNotFoundError() if not str(error.name).startswith("nntest"):
            advice = "the environment is older than the checkout; run `sh script/setup/run.sh`"
            return Outcome(code=2, message=f"package {error.name} is missing: {advice}")
        case OSError():
            return Outcome(code=1, message=_one_line(f"{error.filename or 'system'}: {error.strerror or error}"))
        case _WrongUsage():
            return Outcome(code=2, message=_usage_line(error))
    raise error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line of this process and return its exit code."""
    outcome = perform(sys.argv[1:] if arguments is None else arguments)
    if outcome.message:
        say(f"{'' if outcome.message.startswith('nntest') else 'nntest: '}{outcome.message}", err=True)
    return outcome.code


def _usage_line(error: Any) -> str:
    """Say what is wrong with an option, and which one was probably meant."""
    context: Any = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "nntest"
    unknown = getattr(error, "option_name", None)
    if unknown is None:
        return _one_line(f"{path}: {error.format_message().rstrip('.')}; see `{path} --help`")
    options = [name for parameter in context.command.params for name in parameter.opts if name.startswith("--")]
    near = get_close_matches(unknown.replace("_", "-"), options, n=1, cutoff=0.5)
    guess = f"did you mean {near[0]}? " if near else ""
    return f"{path}: there is no option {unknown}; {guess}`{path} --help` lists them"


def _one_line(text: str) -> str:
    return printable(" ".join(text.split()))


if __name__ == "__main__":
    sys.exit(main())

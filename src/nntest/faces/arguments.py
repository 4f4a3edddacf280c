"""From what people and ``ck`` write to what the option parser understands.

``--env.CK_SEED=7`` becomes ``--env CK_SEED=7``; a switch may be written ``--dry_run=yes``; the options that an
analysis brings along become ``--set NAME=VALUE``. Dashes and underscores are alike everywhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from nntest.errors import UsageError

_YES = frozenset({"yes", "true", "on", "1"})
_NO = frozenset({"no", "false", "off", "0", ""})


@dataclass(frozen=True, kw_only=True)
class Syntax:
    """The options of one command: ``switches`` take no value, ``valued`` take one; ``open_ended`` takes others too."""

    switches: frozenset[str]
    valued: frozenset[str]
    open_ended: bool

    @classmethod
    def of(cls, command: Any) -> "Syntax":
        """Read the options off a command of the parser."""
        named = [(name, bool(parameter.is_flag)) for parameter in command.params for name in parameter.opts
                 if name.startswith("--")]  # fmt: skip
        valued = frozenset(name for name, switch in named if not switch)
        switches = frozenset(name for name, switch in named if switch) | {"--help"}
        return cls(switches=switches, valued=valued, open_ended="--set" in valued)


def normalise(arguments: Sequence[str], commands: Mapping[str, Syntax]) -> list[str]:
    """Return the arguments with every shorthand written out.

    Raises
    ------
    UsageError
        The command is unknown, or a switch has a value that is neither yes nor no.
    """
    command, *rest = arguments
    if command.startswith("-"):
        return list(arguments)
    command = command.replace("_", "-")
    if command not in commands:
        near = get_close_matches(command, commands, n=1)
        guess = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"nntest: there is no command {command!r}; {guess}`nntest --help` lists them")
    return [command, *_options(rest, commands[command])]


def _options(arguments: Sequence[str], syntax: Syntax) -> Iterator[str]:
    queue = list(arguments)
    while queue:
        token = queue.pop(0)
        if token == "--":
            yield from (token, *queue)
            return
        if not token.startswith("--"):
            yield token
            continue
        name, equals, value = token.partition("=")
        option = name.replace("_", "-")
        if name.startswith("--env."):
            yield from ("--env", f"{name[6:]}={value if equals or not queue else queue.pop(0)}")
        elif option in syntax.switches:
            yield from _switch(option, value if equals else "yes")
        elif option in syntax.valued or not syntax.open_ended:
            yield option + equals + value
            # the value that stands apart may look like an option (a negative number, a list of flags)
            if option in syntax.valued and not equals and queue:
                yield queue.pop(0)
        else:
            if not equals:
                value = queue.pop(0) if queue and not queue[0].startswith("--") else "yes"
            yield f"--set={option[2:].replace('-', '_')}={value}"


def _switch(option: str, value: str) -> Iterator[str]:
    if value.lower() in _YES:
        yield option
    elif value.lower() not in _NO:
        raise UsageError(f"{option}: {value!r} was given; expected yes or no, or the option alone")

"""What a driver is asked: requests as lines, and those that are sent before they are asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote

from nntest.measure.inputs import case_tensors
from nntest.model.case import Case


class WarmUpRules(TypedDict):
    """When a warm-up ends, and how long a block is to be; seconds."""

    max_s: float
    tolerance: float
    block_min_s: float


@dataclass(frozen=True, kw_only=True)
class SetUp:
    """A case to make ready; its first output goes to the file ``output``, where one is named, unless it is known."""

    case: Case
    output: Path | None = None
    unless: str = ""


@dataclass(frozen=True, kw_only=True)
class HandOver:
    """What a driver that is done writes to the next one, in the session's place: ``lines`` to the pipe ``path``.

    ``inode`` is that pipe's: once it is closed, its path may stand for another file.
    """

    path: str
    inode: int
    lines: str


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """What will be asked of a case, in this order; ``output`` is a file and a known hash.

    What is ``quiet`` wakes nobody when it is done: more is sent behind it, and that is waited for. When the last of it
    is well, and the case has given no output since its set-up but that of the hash ``known``, ``then`` is written.
    """

    key: int
    set_up: SetUp | None = None
    warm_up: WarmUpRules | None = None
    block: bool = False
    loops: int | None = None
    output: tuple[Path, str] | None = None
    quiet: bool = False
    then: HandOver | None = None
    known: str = ""


@dataclass(frozen=True)
class SentLine:
    """A request as it will be asked, and as it is sent: with what only matters where it is sent ahead."""

    asked: bytes
    sent: bytes


def sent_lines(ahead: Ahead) -> list[SentLine]:
    """Return the requests of what is sent ahead, in order."""
    key = ahead.key
    asked = []
    if ahead.set_up is not None:
        wish = ahead.set_up
        asked.append(request_line("setup", set_up_values(key, wish.case, wish.output, wish.unless)))
    if ahead.warm_up is not None:
        asked.append(request_line("warm_up", warm_up_values(key, **ahead.warm_up)))
    if ahead.block:
        asked.append(request_line("block", block_values(key, ahead.loops)))
    if ahead.output is not None:
        asked.append(request_line("output", output_values(key, *ahead.output)))
    return [SentLine(line, _as_sent(line, ahead, last=line is asked[-1])) for line in asked]


def _as_sent(line: bytes, ahead: Ahead, *, last: bool) -> bytes:
    # a block and the output after it are looked at together
    if ahead.quiet or (not last and line.startswith(b"block ")):
        return _with(line, quiet=1)
    if not last or ahead.then is None:
        return line
    then = ahead.then
    return _with(line, then=then.path, inode=then.inode, lines=then.lines, known=ahead.known)


def request_line(verb: str, values: Mapping[str, object]) -> bytes:
    """Return a request as the driver reads it: ``verb key=value key=value``, values percent-encoded."""
    return " ".join([verb, *_words(values)]).encode() + b"\n"


def _with(line: bytes, **values: object) -> bytes:
    return line[:-1] + " ".join(["", *_words(values)]).encode() + b"\n"


def _words(values: Mapping[str, object]) -> list[str]:
    return [f"{key}={quote(str(value), safe='/,:')}" for key, value in values.items()]


def set_up_values(key: int, case: Case, output: Path | None, unless: str) -> dict[str, object]:
    """Return what is told of a case that is to be made ready."""
    wish = {} if output is None else {"path": output, "unless": unless}
    return {"key": key, **_case_values(case), **wish}


def warm_up_values(key: int, *, max_s: float, tolerance: float, block_min_s: float) -> dict[str, object]:
    """Return what is told of a warm-up (`WarmUpRules`)."""
    return {"key": key, "max_s": max_s, "tolerance": tolerance, "block_min_s": block_min_s}


def block_values(key: int, loops: int | None) -> dict[str, object]:
    """Return what is told of a block; None stands for the loops that the warm-up has calibrated."""
    return {"key": key, "loops": "calibrated" if loops is None else loops}


def output_values(key: int, path: Path, unless: str) -> dict[str, object]:
    """Return what is told of an output that goes to a file, unless its hash is known."""
    return {"key": key, "path": path, "unless": unless}


def _case_values(case: Case) -> dict[str, object]:
    return {
        "species": case.species,
        **{f"tensor.{role}": ",".join(map(str, dims)) for role, dims in case_tensors(case).items()},
        **{f"parameter.{name}": value for name, value in case.parameters.items()},
        **{f"scale.{role}": one.scale for role, one in case.quantisation.items()},
        **{f"zero_point.{role}": one.zero_point for role, one in case.quantisation.items()},
        "dtype": case.dtype,
        "layout": case.layout,
        "threads": case.threads,
        "cache": case.cache,
        "post_ops": case.post_ops,
        "data": case.data,
        "seed": case.seed,
    }

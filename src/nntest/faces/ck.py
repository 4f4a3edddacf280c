"""The CK faces: from the flat dictionary of ``ck`` to the same command line, and from its outcome to ck's answer.

``ck run nntest:conv-onednn-cpu --env.CK_SEED=7`` arrives as ``{"action": "run", "data_uoa": "conv-onednn-cpu",
"env.CK_SEED": "7", ...}``, every value a string, misspelt keys included; the parser of ``nntest`` refuses those.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any

from nntest.faces.cli import READER_GONE, perform, syntax_of

# What ck itself puts into the dictionary; none of it is an option of ours.
_OF_KERNEL = ("action", "cid", "cids", "xcids", "module_uoa", "data_uoa", "repo_uoa")
_OF_OUTPUT = ("out", "out_file", "con_encoding", "ck_profile", "quiet", "web")
_OF_CK = frozenset((*_OF_KERNEL, *_OF_OUTPUT))


def run(request: Mapping[str, Any]) -> dict[str, Any]:
    """``ck run nntest:<programs>``: measure."""
    return _answer(["run", *_names(request)], request)


def list_entries(request: Mapping[str, Any]) -> dict[str, Any]:
    """``ck list nntest:programs|datasets|libraries|experiments|analyses``."""
    return _answer(["list", *(_names(request) or ["programs"])], request)


def show(request: Mapping[str, Any]) -> dict[str, Any]:
    """``ck show nntest:<point or experiment>``."""
    return _answer(["show", *_names(request)], request)


def analyse(request: Mapping[str, Any]) -> dict[str, Any]:
    """``ck run analysis:<name> --source=<repo|folder|zip> --out_dir=<folder>``."""
    return _answer(["analyse", *_names(request)], request)


def _answer(command: Sequence[str], request: Mapping[str, Any]) -> dict[str, Any]:
    if request.get("repo_uoa"):
        return {"return": 2, "error": f"{request['repo_uoa']}: a repository was given before the name; leave it out"}
    valueless = _valueless(command[0], request)
    if valueless:
        return {"return": 2, "error": valueless}
    # `--out=json` prints ck's answer on stdout; ours then goes out of its way
    with redirect_stdout(sys.stderr if str(request.get("out", "")).startswith("json") else sys.stdout):
        outcome = perform([*command, *_options(request)])
    if outcome.code == 0:
        return {"return": 0}
    if outcome.code == READER_GONE:
        # ck prints a line of its own about every code above 0; without a reader that would end in a traceback
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return {"return": outcome.code, "error": outcome.message or _MEANINGS.get(outcome.code, "it did not succeed")}


_MEANINGS = {
    1: "a check failed",
    3: "some points failed, see the summary",
    4: "undecided",
    130: "interrupted",
    READER_GONE: "the reader is gone",
}


def _valueless(command: str, request: Mapping[str, Any]) -> str:
    """Say which option lacks its value: ck makes `yes` of it, and a further name of a value behind a blank."""
    valued = syntax_of(command).valued
    for key, value in request.items():
        if key not in _OF_CK and value == "yes" and f"--{key.replace('_', '-')}" in valued:
            stray = [str(word) for word in request.get("cids", ()) if ":" not in str(word)]
            return (
                f"ck {command}: --{key} has no value, of which ck makes yes; it does not take one behind a blank: "
                f"write --{key}={stray[0] if stray else 'VALUE'}"
            )
    return ""


def _names(request: Mapping[str, Any]) -> list[str]:
    """Names from ``nntest:NAME`` and further ``nntest:NAME`` or ``NAME`` words."""
    further = [str(word).rpartition(":")[2] for word in request.get("cids", ())]
    return [name for name in (str(request.get("data_uoa", "")), *further) if name]


def _options(request: Mapping[str, Any]) -> Iterator[str]:
    for key, value in request.items():
        # a caller in Python says None where nothing is meant
        if key in _OF_CK or value is None:
            continue
        if key == "env" and isinstance(value, Mapping):
            yield from (f"--env.{name}={text}" for name, text in value.items())
        elif isinstance(value, list | tuple):
            yield f"--{key}={','.join(str(item) for item in value)}"
        else:
            yield f"--{key}={value}"

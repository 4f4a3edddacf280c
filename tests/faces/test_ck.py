"""ck's flat dictionary becomes a command line, and the outcome ck's answer."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import typer

from nntest.faces import ck, cli
from nntest.faces.arguments import Syntax, normalise
from nntest.faces.cli import Outcome

# What ck 2.6.4 hands over for `ck run "nntest:*conv-*" nntest:softmax-* --env.CK_SEED=1 --dry_run`.
REQUEST = {
    "action": "run",
    "cid": "nntest:*conv-*",
    "cids": ["nntest:softmax-*"],
    "xcids": [{"return": 0, "repo_uoa": "", "module_uoa": "nntest", "data_uoa": "softmax-*"}],
    "module_uoa": "nntest",
    "data_uoa": "*conv-*",
    "out": "con",
    "env.CK_SEED": "1",
    "dry_run": "yes",
}


@pytest.fixture
def performed(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    commands: list[list[str]] = []

    def perform(arguments: Sequence[str]) -> Outcome:
        commands.append(list(arguments))
        return Outcome(code=0)

    monkeypatch.setattr(ck, "perform", perform)
    return commands


def test_run(performed: list[list[str]]) -> None:
    assert ck.run(REQUEST) == {"return": 0}
    assert performed == [["run", "*conv-*", "softmax-*", "--env.CK_SEED=1", "--dry_run=yes"]]


def test_a_dictionary_from_python_may_be_nested(performed: list[list[str]]) -> None:
    ck.run({"data_uoa": "conv-*", "env": {"CK_SEED": 7}, "batch_sizes": [1, 2]})
    assert performed == [["run", "conv-*", "--env.CK_SEED=7", "--batch_sizes=1,2"]]


def test_switches_reach_every_command_as_ck_writes_them() -> None:
    """For every switch of every command: ck's yes and no are understood, and neither is taken for a lacking value."""
    commands: Any = typer.main.get_command(cli.app)
    for name, command in commands.commands.items():
        syntax = {name: Syntax.of(command)}
        for switch in syntax[name].switches - {"--help"}:
            key = switch[2:].replace("-", "_")
            assert ck._valueless(name, {key: "yes"}) == ""
            assert normalise([name, *ck._options({key: "yes"})], syntax) == [name, switch]
            assert normalise([name, *ck._options({key: True})], syntax) == [name, switch]
            for off in ("no", "off", False, None):
                assert normalise([name, *ck._options({key: off})], syntax) == [name]


def test_list_and_show(performed: list[list[str]]) -> None:
    ck.list_entries({"module_uoa": "nntest"})
    ck.list_entries({"data_uoa": "datasets", "tags": "conv"})
    ck.show({"data_uoa": "0123456789abcdef"})
    assert performed == [["list", "programs"], ["list", "datasets", "--tags=conv"], ["show", "0123456789abcdef"]]


def test_analyse(performed: list[list[str]]) -> None:
    ck.analyse({"data_uoa": "speedup", "source": "local", "baseline": "program:x", "out_dir": "o", "out": "con"})
    assert performed == [["analyse", "speedup", "--source=local", "--baseline=program:x", "--out_dir=o"]]


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (Outcome(code=2, message="conv: no"), {"return": 2, "error": "conv: no"}),
        (Outcome(code=3), {"return": 3, "error": "some points failed, see the summary"}),
    ],
)
def test_what_ck_is_told(outcome: Outcome, answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ck, "perform", lambda arguments: outcome)
    assert ck.run(REQUEST) == answer


def test_ck_can_print_its_line_when_the_reader_is_gone() -> None:
    program = (
        "from nntest.faces import ck\n"
        "answer = ck.list_entries({'data_uoa': 'programs'})\n"
        "print(answer, flush=True)\n"
        "raise SystemExit(answer['return'])\n"
    )
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_misspelt_option_is_refused() -> None:
    answer = ck.run({"data_uoa": "conv-*", "repetitons": "3"})
    assert answer["return"] == 2
    assert answer["error"] == (
        "nntest run: there is no option --repetitons; did you mean --repetitions? `nntest run --help` lists them"
    )


@pytest.mark.parametrize(
    ("action", "request_", "error"),
    [
        # `ck run nntest:conv-x --timestamp sp`
        (
            ck.run,
            {"data_uoa": "conv-x", "cids": ["sp"], "timestamp": "yes"},
            "ck run: --timestamp has no value, of which ck makes yes; it does not take one behind a blank: "
            "write --timestamp=sp",
        ),
        (
            ck.run,
            {"data_uoa": "conv-x", "cids": ["nntest:conv-y"], "dataset_uoa": "yes"},
            "ck run: --dataset_uoa has no value, of which ck makes yes; it does not take one behind a blank: "
            "write --dataset_uoa=VALUE",
        ),
        (
            ck.analyse,
            {"data_uoa": "speedup", "cids": ["local"], "source": "yes"},
            "ck analyse: --source has no value, of which ck makes yes; it does not take one behind a blank: "
            "write --source=local",
        ),
    ],
)
def test_an_option_without_its_value_is_named(
    action: Callable[[Any], dict[str, Any]], request_: dict[str, Any], error: str, performed: list[list[str]]
) -> None:
    assert action(request_) == {"return": 2, "error": error}
    assert performed == []


def test_a_switch_needs_no_value(performed: list[list[str]]) -> None:
    assert ck.run({"data_uoa": "conv-x", "resume": "yes", "timestamp": "sp", "env.A": "yes"}) == {"return": 0}
    assert performed == [["run", "conv-x", "--resume=yes", "--timestamp=sp", "--env.A=yes"]]


def test_a_repository_before_the_name_is_refused() -> None:
    assert ck.run({"data_uoa": "conv-*", "repo_uoa": "local"}) == {
        "return": 2,
        "error": "local: a repository was given before the name; leave it out",
    }

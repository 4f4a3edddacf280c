"""The command line: exit codes, one line per error, and what it costs to start."""

import os
import subprocess
import sys

import pytest
import typer

from nntest import __version__
from nntest.errors import BuildError
from nntest.faces import cli


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"nntest {__version__}\n"


def test_without_arguments_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    assert "Usage: nntest" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["run", "--repetition=3"],
            "nntest run: there is no option --repetition; did you mean --repetitions? `nntest run --help` lists them",
        ),
        (
            ["run", "--data_set_uoa=x"],
            "nntest run: there is no option --data-set-uoa; did you mean --dataset-uoa? `nntest run --help` lists them",
        ),
        (
            ["run", "--repetitions=3"],
            "nntest: run: no program was named; expected names or patterns such as conv-onednn-cpu or '*conv-*'; "
            "`nntest list programs` shows them, '*' takes them all",
        ),
        (
            ["run", " ,", "--species=conv"],
            "nntest: run: no program was named; expected names or patterns such as conv-onednn-cpu or '*conv-*'; "
            "`nntest list programs` shows them, '*' takes them all",
        ),
        (["run", "--zzzzz"], "nntest run: there is no option --zzzzz; `nntest run --help` lists them"),
        (["rnu"], "nntest: there is no command 'rnu'; did you mean run? `nntest --help` lists them"),
        (["list", "programms"], "nntest list: 'programms' was given; did you mean programs?"),
        (
            ["list", "zzz"],
            "nntest list: 'zzz' was given; "
            "expected one of programs, datasets, libraries, experiments, analyses, notes, points",
        ),
        (["run", "--threads=one"], "nntest: threads: 'one' was given; expected integers such as 1,2,4"),
        (["run", "--env.CK-SEED=1"], "nntest: env: 'CK-SEED' was given; expected env.KEY=VALUE with KEY like CK_SEED"),
        (
            ["run", "--timeout=5lightyears"],
            "nntest: timeout: '5lightyears' was given; expected a duration such as 60s, 2min or 1h",
        ),
        (["run", "--until-ci=small"], "nntest: until_ci: 'small' was given; expected a percentage such as 1%"),
        (["run", "--repetitions=0"], "nntest: repetitions: 0 was given; expected a positive integer"),
        (["new", "progrm", "x-y"], "nntest new: 'progrm' was given; did you mean program?"),
        (
            ["new", "dataset", "No Name"],
            "nntest: No Name: not a name for an entry; expected lower-case letters, digits, dots and dashes",
        ),
        (
            ["analyse", "speedup"],
            "nntest analyse speedup: no source was given; expected a repository, folder or zip, such as local",
        ),
        (["analyse", "speedup", "x", "--set=baseline"], "nntest: set: 'baseline' was given; expected NAME=VALUE"),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    assert capsys.readouterr().err == f"{message}\n"


def test_a_number_that_is_none_names_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "--repetitions=many"]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "repetitions" in line
    assert "nntest run --help" in line


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (BuildError("conv-x:\n  no such header"), 3, "conv-x: no such header"),
        (KeyboardInterrupt(), 130, "interrupted; what was finished is on disk"),
        (typer.Abort(), 130, "interrupted; what was finished is on disk"),
        (OSError(28, "No space left on device", "/full/file"), 1, "/full/file: No space left on device"),
        (
            ModuleNotFoundError("No module named 'newcomer'", name="newcomer"),
            2,
            "package newcomer is missing: the environment is older than the checkout; run `sh script/setup/run.sh`",
        ),
        (typer.Exit(4), 4, ""),
    ],
)
def test_how_a_command_may_end(error: BaseException, code: int, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise error

    app = typer.Typer()
    app.command("one")(fails)
    app.command("two")(fails)
    monkeypatch.setattr(cli, "app", app)
    assert cli.perform(["one"]) == cli.Outcome(code=code, message=message)


def test_a_defect_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise ZeroDivisionError

    app = typer.Typer(pretty_exceptions_enable=False)
    app.command("one")(fails)
    app.command("two")(fails)
    monkeypatch.setattr(cli, "app", app)
    with pytest.raises(ZeroDivisionError):
        cli.perform(["one"])


def test_a_reader_that_goes_away_is_no_error_message() -> None:
    read_one_line = f"{sys.executable} -m nntest.faces.cli run --help | head -n 1"
    done = subprocess.run(["sh", "-c", read_one_line], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_a_reader_that_has_gone_away_has_an_exit_code_of_its_own() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "nntest.faces.cli", "run", "--help"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")

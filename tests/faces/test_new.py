"""What `nntest new` makes is whole, and a program of it builds and answers."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nntest.faces import cli
from nntest.faces.consistency import Census, problems
from tests.programs.build import built


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".ckr.json").write_text(
        json.dumps({"data_uoa": "mine", "data_uid": "00112233445566aa", "data_name": "mine"})
    )
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        (["program", "conv-mine-cpu"], {"conv.cpp"}),
        (["program", "softmax-mine-cpu", "--like=softmax-onednn-cpu"], {"softmax.cpp"}),
        (["program", "fftconv-mine-cpu"], {"conv.cpp"}),
        (["program", "fastsoftmax-mine-cpu", "--like=softmax-onednn-cpu"], {"softmax.cpp"}),
        (["dataset", "tensor-conv-mine"], {"shape-1-1-1-1-1-1-0.json"}),
        (["dataset", "tensor-softmax-mine", "--species=softmax"], None),
        (["analysis", "mine"], {"analysis.py"}),
    ],
)
def test_a_new_entry_is_whole(repository: Path, arguments: list[str], files: set[str] | None) -> None:
    assert cli.main(["new", *arguments, f"--into={repository}"]) == 0
    assert [str(problem) for problem in problems(repository, Census())] == []
    made = repository / arguments[0] / arguments[1]
    if files is not None:
        assert files <= {path.name for path in made.iterdir()}


def test_a_new_entry_has_a_uid_of_its_own(repository: Path) -> None:
    for name in ("a-x", "a-y"):
        cli.main(["new", "dataset", name, f"--into={repository}"])
    uids = {(repository / "dataset" / ".cm" / f"alias-a-{name}").read_text() for name in ("a-x", "a-y")}
    assert len(uids) == 2


def test_what_exists_is_not_overwritten(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["new", "dataset", "mine", f"--into={repository}"])
    capsys.readouterr()
    assert cli.main(["new", "dataset", "mine", f"--into={repository}"]) == 2
    message = f"nntest: {repository}/dataset/mine: it exists already; choose another name, or change what is there\n"
    assert capsys.readouterr().err == message


def test_a_program_is_named_after_its_operator(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["new", "program", "mine", f"--into={repository}"]) == 2
    message = "mine: not a name for a program; expected OPERATOR-LIBRARY-TARGET, such as conv-mine-cpu"
    assert capsys.readouterr().err == f"nntest: {message}\n"
    assert not (repository / "program").exists()


def test_a_folder_that_is_no_repository_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["new", "dataset", "mine", f"--into={tmp_path}"]) == 2
    assert "it has no .ckr.json, so it is no CK repository" in capsys.readouterr().err


@pytest.mark.native
def test_a_new_program_measures_correctly_at_once(repository: Path) -> None:
    cli.main(["new", "program", "conv-mine-cpu", f"--into={repository}"])
    local = repository / "home" / "CK" / "local"
    registered = local / "repo" / "mine" / ".cm"
    registered.mkdir(parents=True)
    (registered / "meta.json").write_text(json.dumps({"path": str(repository)}))
    command = ["run", "conv-mine-cpu", "--dataset=tensor-conv-synthetic", "--dataset_file=shape-3-33-31-3-10-2-1"]
    if shutil.which("c++") is None and "CXX" not in os.environ:
        pytest.skip("no C++ compiler")
    cache = repository / "home" / ".cache"
    # the driver is of no entry, and other tests have built it
    driver = built("conv-plain-cpu").driver.parent
    (cache / "nntest" / "builds").mkdir(parents=True)
    (cache / "nntest" / "builds" / driver.name).symlink_to(driver)
    places = {
        "HOME": str(repository / "home"),
        "XDG_CACHE_HOME": str(cache),
        "CK_REPOS": "",
        "CK_LOCAL_REPO": str(local),
    }
    done = subprocess.run(
        [sys.executable, "-m", "nntest.faces.cli", *command, "--repetitions=1", "--no_record", "--share"],
        env={**os.environ, **places},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(list((cache / "nntest" / "builds").glob("conv-mine-cpu-*"))) == 1
    assert "conv-mine-cpu" in done.stdout

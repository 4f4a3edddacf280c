"""The face in ck's local repository, seen by a real ck in a home of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

pytest.importorskip("ck", reason="ck is not installed")

BIN = Path(sys.executable).parent
CHECKOUT = Path(__file__).parents[2]


class Home:
    """A home folder; commands run in it as a newcomer's would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.local = folder / "CK" / "local"

    def run(self, *command: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("CK_", "XDG_"))}
        return subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            env={**kept, "HOME": str(self.folder), **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
        )

    def install(self, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return self.run("python", "-m", "nntest.faces.install", env=env)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_the_face_comes_before_the_module_that_ck_bundles(home: Home) -> None:
    assert home.install().returncode == 0
    refused = home.run("ck", "run", "nntest:conv-onednn-cpu", "--repetitons=3")
    assert refused.returncode == 2
    assert "there is no option --repetitons; did you mean --repetitions?" in refused.stdout


def test_installing_twice_changes_nothing(home: Home) -> None:
    home.install()
    before = sorted((path, path.stat().st_mtime_ns) for path in home.local.rglob("alias-*"))
    again = home.install()
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert [path for path, _ in before] == sorted(home.local.rglob("alias-*"))


def test_the_places_that_ck_is_told_are_respected(home: Home) -> None:
    home.install(env={"CK_REPOS": str(home.folder / "elsewhere")})
    assert (home.folder / "elsewhere" / "local" / "module" / "nntest" / "module.py").is_file()
    home.install(env={"CK_LOCAL_REPO": str(home.folder / "mine")})
    assert (home.folder / "mine" / "module" / "nntest" / "module.py").is_file()
    assert not home.local.exists()


def test_a_module_of_the_users_own_is_left_alone(home: Home) -> None:
    home.install()
    module = home.local / "module" / "nntest"
    (module / ".cm" / "meta.json").write_text('{"actions": {}}')
    refused = home.install()
    assert refused.returncode == 2
    assert refused.stderr == (
        f"nntest: {module}: a module nntest of your own stands there; move it away and run set-up again\n"
    )


def test_a_home_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = Home(tmp_path).install(env={"CK_REPOS": str(tmp_path / "file" / "below")})
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert str(tmp_path / "file") in refused.stderr


def test_a_ck_without_the_package_says_which_one_to_use(home: Home) -> None:
    home.install()
    # an empty package before the real one stands for a Python that has none
    (home.folder / "empty" / "nntest").mkdir(parents=True)
    (home.folder / "empty" / "nntest" / "__init__.py").write_text("")
    refused = home.run("ck", "run", "nntest:conv-onednn-cpu", env={"PYTHONPATH": str(home.folder / "empty")})
    assert refused.returncode == 2
    assert "which cannot import the package nntest" in refused.stdout
    assert f"use {CHECKOUT}/.venv/bin/ck, or install it there" in refused.stdout


def test_ck_finds_the_entries_of_the_checkout(home: Home) -> None:
    home.install()
    for kind in ("program", "dataset", "analysis"):
        listed = home.run("ck", "list", f"nntest:{kind}:*").stdout.split()
        expected = [path.name for path in (CHECKOUT / kind).iterdir() if (path / ".cm").is_dir()]
        assert sorted(listed) == sorted(expected)


def test_doctor_tells_whether_the_face_is_in_force(home: Home) -> None:
    home.install()
    assert "in force" in _line(home.run("nntest", "doctor").stdout, "ck face")
    (home.local / "module" / "nntest" / ".cm" / "meta.json").write_text(json.dumps({"actions": {}}))
    said = home.run("nntest", "doctor")
    assert said.returncode == 1
    assert "not in force" in _line(said.stdout, "ck face")
    assert "run `sh script/setup/run.sh`" in _line(said.stdout, "ck face")


def test_a_cache_that_ck_has_lost_is_told_and_made_again(home: Home) -> None:
    home.install()
    for cache in home.local.glob(".ck.cache_*"):
        cache.unlink()
    said = home.run("nntest", "doctor")
    assert said.returncode == 1
    line = f"nntest is {CHECKOUT}, but ck's cache has lost it; run `sh script/setup/run.sh`"
    assert line in _line(said.stdout, "ck repository")
    assert home.install().returncode == 0
    assert f"nntest is {CHECKOUT}\n" in home.run("nntest", "doctor").stdout


# The real command would remove the environment that runs this test; a checkout of straw stands in.
UNINSTALL = """
import pathlib, sys
from nntest.faces import cli, uninstall
uninstall.checkout_path = lambda: pathlib.Path(sys.argv[1])
sys.exit(cli.main(["uninstall", *sys.argv[2:]]))
"""


def test_uninstall_lists_first_and_removes_when_told(home: Home) -> None:
    home.install()
    checkout = home.folder / "checkout"
    (checkout / ".venv").mkdir(parents=True)
    (checkout / ".venv" / "nntest-set-up").write_text("")
    made = [home.local / "module" / "nntest", home.local / "repo" / "nntest", checkout / ".venv"]
    listed = home.run("python", "-c", UNINSTALL, str(checkout))
    assert "would be removed" in listed.stdout
    for path in made:
        assert str(path) in listed.stdout
        assert path.is_dir()
    removed = home.run("python", "-c", UNINSTALL, str(checkout), "--yes")
    assert removed.returncode == 0, removed.stderr
    assert not any(path.exists() for path in made)
    assert checkout.is_dir()
    assert home.run("ck", "list", "nntest:program:*").returncode != 0
    assert "nothing of NNTest's set-up was found" in home.run("python", "-c", UNINSTALL, str(checkout)).stdout


def test_an_environment_that_set_up_did_not_make_stays(home: Home) -> None:
    checkout = home.folder / "checkout"
    (checkout / ".venv").mkdir(parents=True)
    home.run("python", "-c", UNINSTALL, str(checkout), "--yes")
    assert (checkout / ".venv").is_dir()


def _line(text: str, subject: str) -> str:
    return next(line for line in text.splitlines() if subject in line)

"""ck and NNTest take each other's archives; ck runs in a home of its own."""

import importlib.util
import os
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path

import pytest

import nntest
from nntest.store.entries import find_experiments
from nntest.store.exchange.export import export_zip
from nntest.store.exchange.intake import import_entries
from nntest.store.repository import Repository, resolve_repository
from tests.store.exchange.archives import FIRST, SECOND, make_repository

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ck") is None, reason="ck is not installed")
SHARED = Path(__file__).parents[4] / "shared" / "data"
_KERNEL = (
    "import sys, ck.kernel as ck; reply = ck.access(sys.argv[1:]); sys.exit(reply.get('error') and str(reply['error']))"
)


class Ck:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "HOME": str(home), "CK_REPOS": str(home / "CK"), "PYTHONWARNINGS": "ignore"}
        self.environment.pop("CK_LOCAL_REPO", None)
        (home / "CK").mkdir(parents=True)

    def __call__(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", _KERNEL, *words],
            cwd=self.home,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def repository(self, name: str) -> Repository:
        return resolve_repository(name, self.environment)


@pytest.fixture(scope="module")
def ck(tmp_path_factory: pytest.TempPathFactory) -> Ck:
    return Ck(tmp_path_factory.mktemp("home"))


def frames_agree(*places: Path) -> bool:
    """Tell whether tables, types included, are the same but for the column repo."""
    for load in (partial(nntest.load, index=False), nntest.layers, nntest.kernels):
        frames = [load(place).drop(columns="repo") for place in places]
        assert all(frame.attrs == {"skipped": []} for frame in frames)
        if not all(frames[0].equals(other) for other in frames[1:]):
            return False
    return True


def test_ck_adds_our_zip_and_we_import_its(ck: Ck, tmp_path: Path) -> None:
    theirs = make_repository(tmp_path / "theirs")
    export_zip(find_experiments(repositories=[theirs]), tmp_path / "points.zip")
    ck("add", "repo:added", f"--zip={tmp_path}/points.zip", "--quiet")
    assert sorted(ck("search", "added:experiment:*", "--tags=nntest,conv", "--out=con").split()) == [
        f"added:experiment:{FIRST}", f"added:experiment:{SECOND}"
    ]  # fmt: skip
    assert frames_agree(theirs.path, ck.repository("added").path)

    ck("zip", "added:experiment:nntest-*", f"--archive_name={tmp_path}/back.zip", "--overwrite")
    ours = Repository("ours", tmp_path / "ours")
    ours.path.mkdir()
    assert import_entries(tmp_path / "back.zip", ours).merged.added == 5
    assert frames_agree(theirs.path, ours.path)


def test_ck_pulls_a_git_repository_that_took_an_import(ck: Ck, tmp_path: Path) -> None:
    theirs = make_repository(tmp_path / "theirs")
    export_zip(find_experiments(repositories=[theirs]), tmp_path / "points.zip")
    shared = Repository("shared-points", tmp_path / "shared-points")
    shared.path.mkdir()
    (shared.path / ".ckr.json").write_text(
        '{"data_uoa": "shared-points", "data_alias": "shared-points", "data_uid": "00112233445566aa",'
        ' "data_name": "shared-points", "dict": {"shared": "git"}}'
    )
    import_entries(tmp_path / "points.zip", shared)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main"]
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "points"]):
        subprocess.run([*git, *words], cwd=shared.path, check=True)
    ck("pull", "repo", f"--url={shared.path}")
    assert frames_agree(theirs.path, ck.repository("shared-points").path)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not here")
@pytest.mark.parametrize(
    "name", [pytest.param("ck-caffe-nvidia-tx1-bvlc", marks=pytest.mark.full), "ck-nntest-original-sample"]
)
def test_published_archives_go_through_ck_and_through_us(ck: Ck, name: str, tmp_path: Path) -> None:
    source, back, out = SHARED / f"{name}.zip", tmp_path / "back.zip", tmp_path / "out.zip"
    ck("add", f"repo:{name}", f"--zip={source}", "--quiet")
    ck("zip", f"{name}:experiment:*", f"--archive_name={back}", "--overwrite")
    ck("add", f"repo:{name}-again", f"--zip={back}", "--quiet")
    ours = Repository("ours", tmp_path / "ours")
    ours.path.mkdir()
    import_entries(back, ours)
    export_zip(find_experiments(repositories=[ours]), out)
    ck("add", f"repo:{name}-ours", f"--zip={out}", "--quiet")
    theirs = [ck.repository(f"{name}{end}").path for end in ("", "-again", "-ours")]
    assert not nntest.load(source).empty
    assert frames_agree(source, back, out, ours.path, *theirs)


def test_what_import_writes_is_found_in_the_local_repository(ck: Ck, tmp_path: Path) -> None:
    theirs = make_repository(tmp_path / "theirs")
    export_zip(find_experiments(repositories=[theirs]), tmp_path / "points.zip")
    import_entries(tmp_path / "points.zip", ck.repository("local"))
    assert FIRST in ck("list", "local:experiment:nntest-*", "--out=con").split()
    listed = ck("list_points", f"local:experiment:{FIRST}", "--out=con").split()
    assert len(listed) == 3


def test_a_zip_that_ck_would_follow_out_of_its_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr(".ckr.json", '{"dict": {"repo_deps": [{"cmd": "touch evil"}]}}')
        archive.writestr("../outside.json", "{}")
    ours = Repository("ours", tmp_path / "ours")
    ours.path.mkdir()
    with pytest.raises(nntest.errors.DataError, match=r"\.\./outside\.json: leaves its folder"):
        import_entries(tmp_path / "evil.zip", ours)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.zip", "ours"]

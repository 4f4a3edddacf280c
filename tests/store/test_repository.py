import orjson
import pytest

from nntest.errors import UsageError
from nntest.store.repository import (
    Repository,
    checkout_path,
    damaged_registrations,
    ensure_local_repository,
    known_repositories,
    local_path,
    resolve_repository,
)


@pytest.fixture
def home(tmp_path):
    """A CK folder as ck 2.6.4 leaves it after `ck import repo --path=.../other --quiet`."""
    other = tmp_path / "other"
    other.mkdir()
    entry = tmp_path / "CK" / "local" / "repo" / "renamed" / ".cm"
    entry.mkdir(parents=True)
    entry.joinpath("meta.json").write_bytes(orjson.dumps({"path": str(other)}))
    gone = tmp_path / "CK" / "local" / "repo" / "gone" / ".cm"
    gone.mkdir(parents=True)
    gone.joinpath("meta.json").write_bytes(orjson.dumps({"path": str(tmp_path / "vanished")}))
    remote = tmp_path / "CK" / "local" / "repo" / "remote-ck" / ".cm"
    remote.mkdir(parents=True)
    remote.joinpath("meta.json").write_bytes(b'{"remote": "yes"}')
    return {"HOME": str(tmp_path)}


def test_the_checkout_comes_first_then_local_then_the_others(home, tmp_path):
    known = known_repositories(home)
    assert [repository.path for repository in known] == [
        checkout_path(),
        tmp_path / "CK" / "local",
        tmp_path / "other",
    ]
    assert [repository.name for repository in known[1:]] == ["local", "renamed"]


def test_a_folder_counts_once_under_the_name_that_ck_has_for_it(home, tmp_path):
    entry = tmp_path / "CK" / "local" / "repo" / "mine" / ".cm"
    entry.mkdir(parents=True)
    entry.joinpath("meta.json").write_bytes(orjson.dumps({"path": str(checkout_path())}))
    known = known_repositories(home)
    assert [repository.name for repository in known] == ["mine", "local", "renamed"]


def test_nothing_is_created_where_ck_was_never_used(tmp_path):
    assert [repository.path for repository in known_repositories({"HOME": str(tmp_path)})] == [checkout_path()]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [None, b'{"pa', b"[]", b"{}", b'{"path": 3}', b'{"path": ""}'])
def test_a_damaged_registration_is_told(home, tmp_path, content):
    assert damaged_registrations(home) == []
    meta = tmp_path / "CK" / "local" / "repo" / "renamed" / ".cm" / "meta.json"
    meta.unlink()
    if content is not None:
        meta.write_bytes(content)
    assert [repository.name for repository in known_repositories(home)[1:]] == ["local"]
    assert damaged_registrations(home) == [
        f"{meta}: no JSON object with a path was found, so that the repository renamed is left out; "
        'write {"path": "/the/repository\'s/folder"} there'
    ]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HOME": "/h"}, "/h/CK/local"),
        ({"HOME": "/h", "CK_REPOS": "/r"}, "/r/local"),
        ({"HOME": "/h", "CK_REPOS": "/r", "CK_LOCAL_REPO": "/l"}, "/l"),
    ],
)
def test_where_the_local_repository_is(environ, expected):
    assert str(local_path(environ)) == expected


def test_a_repository_is_found_by_name_and_by_folder(home, tmp_path):
    assert resolve_repository("renamed", home) == Repository("renamed", tmp_path / "other")
    assert resolve_repository(tmp_path / "other", home).name == "renamed"
    assert resolve_repository("local", {"HOME": str(tmp_path / "new")}).path == tmp_path / "new" / "CK" / "local"


def test_an_unregistered_folder_is_called_as_it_says(home, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    assert resolve_repository(folder, home).name == "folder"
    folder.joinpath(".ckr.json").write_bytes(b'{"data_alias": "published-points"}')
    assert resolve_repository(str(folder), home).name == "published-points"


def test_an_unknown_name_is_refused_with_the_nearest(home):
    with pytest.raises(UsageError, match=r"^renamd: no such repository or folder .*; did you mean `renamed`\?$"):
        resolve_repository("renamd", home)


def test_the_local_repository_is_described_as_ck_does_it(tmp_path):
    ensure_local_repository(Repository("local", tmp_path / "local"))
    words = orjson.loads((tmp_path / "local" / ".ckr.json").read_bytes())
    assert words == {
        "data_alias": "local",
        "data_name": "local",
        "data_uid": "9a3280b14a4285c9",
        "data_uoa": "local",
    }

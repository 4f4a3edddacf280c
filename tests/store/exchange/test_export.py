"""Exporting: the same bytes for the same entries, a description, and what comes back is what went out."""

import json
import zipfile
from pathlib import Path
from typing import Any

import orjson
import pytest

import nntest
from nntest.errors import DataError, UsageError
from nntest.store.entries import find_datasets, find_experiments
from nntest.store.exchange.export import export_zip, find_exported
from nntest.store.exchange.intake import import_entries
from nntest.store.repository import Repository
from tests.store.exchange.archives import FIRST, SECOND, make_repository, tree

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture
def theirs(tmp_path: Path) -> Repository:
    return make_repository(tmp_path / "theirs")


def export(repository: Repository, out: Path, **options: Any) -> dict[str, bytes]:
    export_zip(find_experiments(repositories=[repository]), out, **options)
    with zipfile.ZipFile(out) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_same_bytes_for_the_same_entries(theirs: Repository, tmp_path: Path) -> None:
    export(theirs, tmp_path / "a.zip")
    copy = make_repository(tmp_path / "ours", name="ours")
    import_entries(tmp_path / "a.zip", copy)
    assert tree(copy.path)
    for path in theirs.path.rglob("*"):
        path.touch()
    export(theirs, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    infos = zipfile.ZipFile(tmp_path / "a.zip").infolist()
    assert {(info.date_time, info.external_attr >> 16) for info in infos} == {((1980, 1, 1, 0, 0, 0), 0o100644)}
    names = [info.filename for info in infos]
    assert names == sorted(names)


def test_what_comes_back_is_what_went_out(theirs: Repository, tmp_path: Path) -> None:
    export(theirs, tmp_path / "a.zip", with_host=True)
    ours = Repository("ours", tmp_path / "ours")
    ours.path.mkdir()
    intake = import_entries(tmp_path / "a.zip", ours)
    assert intake.verified
    assert tree(ours.path) == tree(theirs.path)
    frames = [nntest.load(source, index=False) for source in (theirs.path, tmp_path / "a.zip", ours.path)]
    for other in frames[1:]:
        assert frames[0].drop(columns="repo").equals(other.drop(columns="repo"))
    export(ours, tmp_path / "b.zip", with_host=True)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_users_and_paths_stay_at_home(theirs: Repository, tmp_path: Path) -> None:
    other = theirs.path / "experiment" / FIRST / "ckp-0123456789abcdef.0001.json"
    other.write_bytes(
        b'{"choices": {"env": {"MODEL": "/home/ada/m/net.prototxt"}}, "characteristics_list": [{"run": {}}]}'
    )
    files = export(theirs, tmp_path / "a.zip")
    everything = b"".join(files.values())
    assert b"ada@example.org" not in everything
    assert b"/home" not in everything
    words = orjson.loads(files[f"experiment/{FIRST}/{other.name}"])
    assert words["choices"]["env"] == {"MODEL": "net.prototxt"}
    kept = export(theirs, tmp_path / "b.zip", with_host=True)
    assert kept[f"experiment/{FIRST}/{other.name}"] == other.read_bytes()


def test_what_is_no_data_is_left_out_and_named(theirs: Repository, tmp_path: Path) -> None:
    folder = theirs.path / "experiment" / FIRST
    for name in ("pipeline.json", "run.sh", "x.json.damaged"):
        (folder / name).write_bytes(b"{}")
    (folder / "link.json").symlink_to("/etc/hostname")
    done = export_zip(find_experiments(repositories=[theirs]), tmp_path / "a.zip")
    assert done.left_out == tuple(
        f"experiment/{FIRST}/{name}" for name in ("link.json", "pipeline.json", "run.sh", "x.json.damaged")
    )
    assert (done.entries, done.points) == (2, 5)


def test_a_damaged_point_stops_the_export(theirs: Repository, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"former")
    path = next((theirs.path / "experiment" / SECOND).glob("ckp-*"))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError) as damaged:
        export(theirs, tmp_path / "a.zip")
    assert str(damaged.value).startswith(f"{path}: is no valid JSON (")
    assert str(damaged.value).endswith("; nothing was written")
    assert {name.name for name in tmp_path.iterdir()} == {"theirs", "a.zip"}
    assert (tmp_path / "a.zip").read_bytes() == b"former"


def test_a_file_that_cannot_be_written(theirs: Repository, tmp_path: Path) -> None:
    with pytest.raises(DataError) as failed:
        export(theirs, tmp_path / "no" / "a.zip")
    assert str(failed.value) == (
        f"{tmp_path}/no/a.zip: could not be written (No such file or directory); nothing was left; choose another --out"
    )


CITATION = """
cff-version: 1.2.0
authors:
  - given-names: Ada
    family-names: Lovelace
    orcid: https://orcid.org/0000-0001-2345-6789
  - name: The Analytical Society
license: CC-BY-4.0
"""


def crate_of(files: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    words = json.loads(files["ro-crate-metadata.json"])
    assert words["@context"] == "https://w3id.org/ro/crate/1.1/context"
    graph = {item["@id"]: item for item in words["@graph"]}
    assert len(graph) == len(words["@graph"]), "an identifier stands for two things"
    return graph


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        if set(value) == {"@id"}:
            return [value["@id"]]
        return [name for item in value.values() for name in references(item)]
    return [name for item in value for name in references(item)] if isinstance(value, list) else []


def test_the_description_says_who_where_and_what(theirs: Repository, tmp_path: Path) -> None:
    (theirs.path / "CITATION.cff").write_text(CITATION)
    graph = crate_of(export(theirs, tmp_path / "a.zip"))
    root = graph["./"]
    assert graph["ro-crate-metadata.json"] == {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }
    assert root["datePublished"] == "2026-11-21"
    assert root["description"] == (
        "5 points in 2 experiments; programs: conv-onednn-cpu; species: conv; "
        "machines: AMD EPYC 9B45 128-Core Processor"
    )
    assert [graph[item["@id"]]["name"] for item in root["author"]] == ["Ada Lovelace", "The Analytical Society"]
    assert root["author"][0] == {"@id": "https://orcid.org/0000-0001-2345-6789"}
    assert root["license"] == {"@id": "https://spdx.org/licenses/CC-BY-4.0"}
    instruments = [graph[item["@id"]] for item in graph["#measurement"]["instrument"]]
    assert [item["name"] for item in instruments] == ["AMD EPYC 9B45 128-Core Processor", "onednn-cpu"]
    allowed = {"https://w3id.org/ro/crate/1.1"}
    dangling = {name for item in graph.values() for name in references(list(item.values()))} - set(graph) - allowed
    assert dangling == set()


def test_authors_and_licence_can_be_given(theirs: Repository, tmp_path: Path) -> None:
    (theirs.path / "CITATION.cff").write_text(CITATION)
    files = export(theirs, tmp_path / "a.zip", authors=["Charles Babbage"], licence="CC0-1.0")
    graph = crate_of(files)
    assert [graph[item["@id"]]["name"] for item in graph["./"]["author"]] == ["Charles Babbage"]
    assert graph["./"]["license"] == {"@id": "https://spdx.org/licenses/CC0-1.0"}


def test_a_citation_that_cannot_be_read(theirs: Repository, tmp_path: Path) -> None:
    (theirs.path / "CITATION.cff").write_text("authors: [")
    with pytest.raises(DataError, match=r"CITATION\.cff: could not be read \(.*\); correct it, or give --author"):
        export(theirs, tmp_path / "a.zip")


def test_datasets_travel_too(tmp_path: Path) -> None:
    checkout = Repository("nntest", ROOT)
    names = "tensor-conv-mobilenets-v1-1.0-224,network-mobilenets-v1-1.0-224"
    entries = find_datasets(names, repositories=[checkout])
    assert len(entries) == 2
    export_zip(entries, tmp_path / "d.zip")
    ours = Repository("ours", tmp_path / "ours")
    ours.path.mkdir()
    assert import_entries(tmp_path / "d.zip", ours).merged.entries == sorted(
        f"dataset/{entry.uoa}" for entry in entries
    )
    for entry in entries:
        there = {name: data for name, data in tree(entry.path).items() if name.endswith((".json", ".csv"))}
        assert tree(ours.path / "dataset" / entry.uoa) == there


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("program:conv-*", "program:conv-*: export gives data only; expected experiment:NAME or dataset:NAME"),
        ("no-such-*", "no-such-*: no experiment matches; `nntest list experiments` shows what there is"),
    ],
)
def test_patterns_that_name_nothing(
    pattern: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CK_REPOS", str(tmp_path))
    with pytest.raises(UsageError) as unknown:
        find_exported([pattern])
    assert str(unknown.value) == message


def test_one_name_in_two_repositories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CK_REPOS", str(tmp_path))
    for name in ("local", "other"):
        make_repository(tmp_path / name, {FIRST: 1}, name=name)
    registered = tmp_path / "local" / "repo" / "other" / ".cm"
    registered.mkdir(parents=True)
    (registered / "meta.json").write_bytes(orjson.dumps({"path": str(tmp_path / "other")}))
    with pytest.raises(UsageError) as both:
        find_exported([FIRST])
    assert str(both.value) == (
        f"{FIRST}: both local and other have it; name one of them, such as local:experiment:{FIRST}"
    )
    assert [entry.repository for entry in find_exported([f"other:{FIRST}"])] == ["other"]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not here")
@pytest.mark.parametrize(
    "name", [pytest.param("ck-caffe-nvidia-tx1-bvlc", marks=pytest.mark.full), "ck-nntest-original-sample"]
)
def test_published_archives_go_in_out_and_in_again(name: str, tmp_path: Path) -> None:
    source = SHARED / f"{name}.zip"
    first, second = Repository("first", tmp_path / "first"), Repository("second", tmp_path / "second")
    for repository in (first, second):
        repository.path.mkdir()
    merged = import_entries(source, first).merged
    files = export(first, tmp_path / "out.zip")
    assert import_entries(tmp_path / "out.zip", second).merged.added == merged.added
    frames = [nntest.load(place, index=False).drop(columns="repo") for place in (source, first.path, second.path)]
    assert frames[0].equals(frames[1])
    assert frames[0].equals(frames[2])
    everything = b"".join(files.values())
    for private in (b"/home/", b"/root/", b"me@example.com", b"088403e800000000"):
        assert private not in everything

import csv
from pathlib import Path

import pytest

from nntest.analyses.contract import Frames
from nntest.analyses.run import open_tables, part_name, run_analysis
from nntest.errors import UsageError
from nntest.store.entries import find_analyses
from tests.analyses.frames import network, session

FRAMES = Frames(points=session(), networks=network())


@pytest.mark.parametrize("name", [entry.uoa for entry in find_analyses()])
def test_every_entry_runs_with_its_defaults(name: str, tmp_path: Path) -> None:
    written = run_analysis(name, FRAMES, {}, tmp_path / "out")
    names = [path.name for path in written.paths]
    assert names[0] == f"{name}.csv"
    assert names[-2:] == [f"{name}.svg", f"{name}.png"]
    assert all(path.stat().st_size > 0 for path in written.paths)


@pytest.mark.parametrize("entry", find_analyses(), ids=lambda entry: entry.uoa)
def test_every_option_is_declared_with_type_default_and_help(entry) -> None:
    assert entry.problems == ()
    assert entry.meta["title"]
    for rule in entry.options.values():
        assert {"type", "default", "help"} <= set(rule)


def test_equal_points_give_equal_files(tmp_path: Path) -> None:
    for place in ("one", "two"):
        run_analysis("speedup", FRAMES, {"baseline": "library:plain-cpu"}, tmp_path / place)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_csv_files_hold_raw_names_and_empty_cells_for_unknown(tmp_path: Path) -> None:
    run_analysis("speedup", FRAMES, {"baseline": "library:plain-cpu"}, tmp_path)
    with (tmp_path / "speedup.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["library"] for row in rows} == {"onednn-cpu-3.2.0", "openblas-cpu-0.3.34", "plain-cpu-1.0.0"}
    assert rows[0]["tuner"] == ""


def test_parts_have_names_of_their_own() -> None:
    assert part_name("adaptive", "adaptive") == "adaptive"
    assert part_name("adaptive", "total") == part_name("adaptive", "adaptive-total") == "adaptive-total"


def test_unknown_options_are_refused_before_anything_is_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^speedup: there is no option 'basline'; did you mean baseline\?$"):
        run_analysis("speedup", tmp_path / "absent", {"basline": "x"}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unknown_analysis_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^speedupp: no analysis of that name was found; did you mean `speedup`\?$"):
        run_analysis("speedupp", FRAMES, {}, tmp_path)


def test_where_reaches_every_analysis(tmp_path: Path) -> None:
    run_analysis("violin", FRAMES, {"where": "species=conv,shape=512-*"}, tmp_path)
    with (tmp_path / "violin.csv").open(encoding="utf-8", newline="") as file:
        assert {row["shape"] for row in csv.DictReader(file)} == {"512-14-14-1-512-1-0", "512-7-7-1-1024-1-0"}


def test_tags_do_not_apply_to_tables_at_hand() -> None:
    assert open_tables(FRAMES, "") is FRAMES
    with pytest.raises(UsageError, match=r"^tags choose experiments of a source; "):
        open_tables(FRAMES, "conv")

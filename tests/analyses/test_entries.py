from pathlib import Path

import orjson
import pytest

from nntest.analyses.entries import allow, is_allowed, load_analysis
from nntest.errors import DataError, UsageError
from nntest.store.repository import Repository

CODE = """
def table(source, options):
    return {"mine": source.points}

def chart(tables, options):
    return None
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Somebody else's repository with one analysis."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    entry = tmp_path / "theirs" / "analysis" / "mine"
    (entry / ".cm").mkdir(parents=True)
    (entry / ".cm" / "meta.json").write_bytes(orjson.dumps({"options": {}, "tags": ["analysis"]}))
    (entry / "analysis.py").write_text(CODE)
    aliases = entry.parent / ".cm"
    aliases.mkdir()
    (aliases / "alias-a-mine").write_text("0123456789abcdef\n")
    (aliases / "alias-u-0123456789abcdef").write_text("mine\n")
    return Repository("theirs", tmp_path / "theirs")


def test_foreign_code_does_not_run_unless_allowed(repository: Repository) -> None:
    (repository.path / "analysis" / "mine" / "analysis.py").write_text("raise SystemExit('ran')")
    with pytest.raises(UsageError) as caught:
        load_analysis("mine", repositories=[repository])
    entry = repository.path / "analysis" / "mine"
    assert str(caught.value) == (
        f"{entry}: the code of this repository was not allowed to run; read it, then `nntest allow {repository.path}`"
    )


def test_allowed_code_runs(repository: Repository) -> None:
    allow(repository.path)
    allow(repository.path)
    analysis = load_analysis("mine", repositories=[repository])
    assert (analysis.name, analysis.title) == ("mine", "mine")
    assert analysis.finding({}, None) == ""
    assert is_allowed(repository.path / "analysis" / "mine")
    assert not is_allowed(repository.path.parent / "other" / "analysis" / "mine")


def test_half_an_analysis_is_named(repository: Repository) -> None:
    allow(repository.path)
    source = repository.path / "analysis" / "mine" / "analysis.py"
    source.write_text("def table(source, options):\n    return {}\n")
    with pytest.raises(DataError) as caught:
        load_analysis("mine", repositories=[repository])
    assert str(caught.value) == f"{source}: the function chart is missing; docs/add-an-analysis.md shows both"
    source.unlink()
    with pytest.raises(DataError) as caught:
        load_analysis("mine", repositories=[repository])
    assert str(caught.value) == f"{source}: is missing; expected the code of the analysis; restore it"


def test_our_own_analyses_need_no_leave() -> None:
    assert load_analysis("speedup").title == "Speedup over a baseline"

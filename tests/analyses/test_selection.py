import pandas as pd
import pytest

from nntest.analyses.options import Options, parse_options
from nntest.analyses.selection import exclusion_reasons, filter_rows, select
from nntest.errors import UsageError
from tests.analyses.frames import not_ranked, repetitions, row, session, typed


def options(**given: object) -> Options:
    return parse_options({}, given, where="test")


def test_doubtful_rows_are_left_out_but_counted_with_their_reason() -> None:
    selection = select(session(), options())
    assert set(selection.ranked["trust"]) == {"stable"}
    excluded = selection.excluded.set_index("reason")
    assert dict(excluded["rows"]) == {"failed": 1, "wrong": 1, "unverified": 3, "emulated": 3, "simulated": 2}
    assert excluded.loc["failed", "fail_reason"] == "crash: SIGSEGV"
    assert excluded.loc["failed", "program"] == "conv-broken-cpu"


def test_the_columns_decide_where_trust_is_unknown() -> None:
    frame = typed([row(success=False), row(verified=False), row(emulated=True), row(time_us=None), row()])
    frame["trust"] = pd.NA
    assert exclusion_reasons(frame).fillna("ranked").tolist() == ["failed", "wrong", "emulated", "no time", "ranked"]


def test_profiled_rows_are_left_out_unless_asked_for() -> None:
    frame = pd.DataFrame({"flags": ["profiled", "few_samples+profiled", "drift", pd.NA], "time_us": [1.0] * 4})
    assert exclusion_reasons(frame).fillna("ranked").tolist() == ["profiled", "profiled", "ranked", "ranked"]
    assert exclusion_reasons(frame, include=["profiled"]).isna().all()


def test_unknown_success_is_not_failure() -> None:
    frame = typed([row(success=None, verified=None, trust="imported")])
    assert exclusion_reasons(frame).isna().all()


def test_include_ranks_what_is_named_except_rows_without_a_time() -> None:
    points = typed(not_ranked())
    ranked = select(points, options(include="emulated,failed")).ranked
    assert set(ranked["program"]) == {"conv-armcl-cpu"}


def test_nothing_left_says_why_and_what_to_do() -> None:
    points = typed([row(trust="emulated", emulated=True), row(trust="emulated", emulated=True)])
    with pytest.raises(UsageError) as caught:
        select(points, options(), where="speedup")
    assert str(caught.value) == (
        "speedup: no row can be ranked (2 emulated); --include=emulated ranks them all the same"
    )


def test_no_rows_at_all() -> None:
    with pytest.raises(UsageError, match=r"^speedup: no rows were found; check the source, --tags and --where$"):
        select(typed([]), options(), where="speedup")


@pytest.mark.parametrize(
    ("predicates", "kept"),
    [
        (["batch_size>=2"], [2, 4]),
        (["batch_size<4", "batch_size!=1"], [2]),
        (["batch_size=4.0"], [4]),
        (["shape=512-*"], [1, 2]),
        (["shape!=512-*"], [4]),
        (["verified=true"], [1, 4]),
        (["tuner="], [1, 2, 4]),
    ],
)
def test_predicates(predicates: list[str], kept: list[int]) -> None:
    frame = typed([row(batch_size=1), row(batch_size=2, verified=None), row(batch_size=4, shape="3-7-7-1-8-1-0")])
    assert filter_rows(frame, predicates)["batch_size"].tolist() == kept


@pytest.mark.parametrize(
    ("predicate", "message"),
    [
        ("shap=1", "points: there is no column 'shap'; did you mean shape?"),
        ("shape", "points: 'shape' is no predicate; expected COLUMN=VALUE (or !=, <, <=, >, >=)"),
        ("shape<big", "points: shape<big: both must be numbers; use = or != for texts"),
        ("batch_size<big", "points: batch_size<big: both must be numbers; use = or != for texts"),
    ],
)
def test_bad_predicates(predicate: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        filter_rows(typed([row()]), [predicate])
    assert str(caught.value) == message


@pytest.mark.parametrize("time", [0.0, -1.0, float("inf"), 1e300, 1e-300])
def test_a_damaged_time_is_no_time(time: float) -> None:
    points = typed([*repetitions([1.0] * 2), *repetitions([time])])
    assert exclusion_reasons(points).dropna().tolist() == ["no time"]

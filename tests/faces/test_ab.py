"""``nntest ab``: the sentence that sums up, the table, and what is refused."""

from dataclasses import replace

import pytest

from nntest.faces import ab, cli
from nntest.faces.difference import table
from nntest.measure.contest import Bout, Sides
from nntest.statistics.comparison import Comparison
from tests.points import make_case, make_point, make_subject

SIDES = Sides(kind="library", a="onednn-cpu-3.2.0", b="onednn-cpu-3.1.0")
A = make_point()
B = make_point(subject=make_subject(version="3.1.0"))
EQUAL = Comparison(
    ratio=1.002, low=0.999, high=1.005, p_value=0.2, p_equivalent=0.001, mde_pct=0.5, margin=0.01, alpha=0.05,
    power=0.9, paired=True, n=20, launches=10, verdict="equivalent",
)  # fmt: skip
SLOWER = replace(EQUAL, ratio=1.2, low=1.1, high=1.3, p_value=1e-4, p_equivalent=1.0, verdict="different", mde_pct=2.5)
NAN = float("nan")


def bout(comparison: Comparison | None, **other: object) -> Bout:
    return Bout(**{"case": make_case(), "a": A, "b": B, "comparison": comparison, **other})  # type: ignore[arg-type]


def test_the_conclusion_is_one_sentence() -> None:
    assert ab.conclusion([bout(SLOWER), bout(EQUAL)], SIDES) == (
        "onednn-cpu-3.1.0 against onednn-cpu-3.2.0: time B / A is 1.097 (geometric mean); "
        "1 of 2 slower, most of all 512-14-14-1-512-1-0 layout=NCHW (1.200); "
        "a difference of 1.5 % would have been found in half of the cases"
    )
    assert ab.conclusion([bout(EQUAL)], SIDES).endswith(
        "none of 1 cases differs for certain; a difference of 0.5 % would have been found in half of the cases"
    )
    assert ab.conclusion([bout(None)], SIDES) == "onednn-cpu-3.1.0 against onednn-cpu-3.2.0: no case could be compared"


def test_the_table_is_that_of_diff() -> None:
    difference = ab.as_difference([bout(SLOWER), bout(EQUAL), bout(None, b=None)], limit=None, notes=["a note"])
    assert [case.verdict for case in difference.cases] == ["slower", "equal", "missing in B"]
    lines = table(difference).splitlines()
    assert lines[1].split()[:2] == ["conv-onednn-cpu", "512-14-14-1-512-1-0"]
    assert "1.200  1.100 to 1.300  slower" in lines[1]
    assert lines[-2:] == ["a note", "3 cases: 1 slower, 1 equal, 1 missing in B"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ab", "3.2.0", "3.1.0"], "nntest: ab: nothing says what is measured; name a --dataset, a --species or"),
        (["ab", "a", "b", "--format=x"], "nntest: format: 'x' was given; expected one of table, markdown, junit"),
        (["ab", "a", "b", "--dataset=x", "--threads=two"], "nntest: threads: 'two' was given; expected integers"),
        (["ab", "a", "b", "--fail-if-slower=x"], "nntest: fail_if_slower: 'x' was given; expected a percentage"),
    ],
)
def test_what_is_refused(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    assert capsys.readouterr().err.startswith(message)

"""Requests as lines, and what is added to those that are sent ahead."""

from pathlib import Path

from nntest.measure.ahead import Ahead, HandOver, SetUp, WarmUpRules, request_line, sent_lines
from tests.programs.build import case_of

RULES = WarmUpRules(max_s=0.25, tolerance=0.05, block_min_s=0.01)


def words(line: bytes) -> dict[str, str]:
    verb, *pairs = line.decode().split()
    return {"verb": verb, **dict(pair.split("=", 1) for pair in pairs)}


def test_values_are_percent_encoded_so_that_a_line_is_one_request() -> None:
    line = request_line("dump", {"path": Path("/a b/c=%.bin"), "text": "one\ntwo"})
    assert line == b"dump path=/a%20b/c%3D%25.bin text=one%0Atwo\n"


def test_the_order_is_that_in_which_a_case_is_measured() -> None:
    set_up = SetUp(case=case_of("conv-works-cpu"), output=Path("/out"), unless="known")
    ahead = Ahead(key=3, set_up=set_up, warm_up=RULES, block=True, loops=5, output=(Path("/again"), "known"))
    asked = [words(line.asked) for line in sent_lines(ahead)]
    assert [one["verb"] for one in asked] == ["setup", "warm_up", "block", "output"]
    assert {one["key"] for one in asked} == {"3"}
    assert (asked[0]["path"], asked[0]["unless"]) == ("/out", "known")
    assert asked[1] == {"verb": "warm_up", "key": "3", "max_s": "0.25", "tolerance": "0.05", "block_min_s": "0.01"}
    assert asked[2]["loops"] == "5"


def test_a_block_is_quiet_where_an_output_stands_behind_it() -> None:
    alone = sent_lines(Ahead(key=1, warm_up=RULES, block=True))
    assert [line.sent == line.asked for line in alone] == [True, True]
    followed = sent_lines(Ahead(key=1, warm_up=RULES, block=True, output=(Path("/again"), "")))
    assert ["quiet" in words(line.sent) for line in followed] == [False, True, False]


def test_only_the_last_request_hands_over() -> None:
    then = HandOver(path="/proc/1/fd/2", inode=7, lines="@7.1 setup key=1 path=/a%20b\n@7.2 warm_up key=1\n")
    *first, last = sent_lines(Ahead(key=1, warm_up=RULES, block=True, output=(Path("/o"), "h"), then=then, known="h"))
    assert not any("then" in words(line.sent) for line in first)
    assert words(last.sent) == {
        **words(last.asked),
        "then": "/proc/1/fd/2",
        "inode": "7",
        "lines": "%407.1%20setup%20key%3D1%20path%3D/a%2520b%0A%407.2%20warm_up%20key%3D1%0A",
        "known": "h",
    }

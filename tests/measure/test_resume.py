"""An ended session continues: exactly what is missing, wherever its journal was cut."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import orjson
import pytest

from nntest.errors import UsageError
from nntest.measure.interrupts import SessionInterrupted
from nntest.measure.journal import read_records
from nntest.measure.request import RunRequest
from nntest.measure.session import Summary, plan_session, run_session
from tests.measure.fake_world import (
    CRASH,
    UNSUPPORTED,
    FakeClock,
    FakeWorld,
    Killed,
    LoggingReporter,
    always,
    make_repository,
)


def run(fake: FakeWorld, *, resume: bool = False, reporter: LoggingReporter | None = None, **options: Any) -> Summary:
    world = fake.world()
    request = RunRequest(
        **{
            "programs": "softmax-*",
            "dataset_uoa": "tensor-softmax-net",
            "timestamp": "t",
            "repetitions": 4,
            "launches": 2,
            "resume": resume,
            **options,
        }
    )
    return run_session(plan_session(request, world), reporter, world)


def small(root: Path) -> FakeWorld:
    make_repository(
        root / "repository",
        programs={"softmax-one": ("softmax", "one-cpu")},
        datasets={"tensor-softmax-net": ("softmax", ["4-1-1", "8-1-1"])},
    )
    return FakeWorld(root)


def kill_at_block(fake: FakeWorld, number: int) -> None:
    blocks = iter(range(1_000_000))

    def die() -> None:
        if next(blocks) == number:
            raise Killed

    fake.before_block = die


def interrupt_at_block(fake: FakeWorld, number: int) -> None:
    blocks = iter(range(1_000_000))
    fake.before_block = lambda: os.kill(os.getpid(), signal.SIGINT) if next(blocks) == number else None


def blocks_asked(fake: FakeWorld) -> int:
    return len(fake.logged("block"))


def test_finished_launches_are_taken_from_the_journal(fake: FakeWorld) -> None:
    kill_at_block(fake, 15)
    with pytest.raises(Killed):
        run(fake)
    assert fake.points() == {}
    fake.before_block = lambda: None
    fake.log.clear()
    summary = run(fake, resume=True)
    assert blocks_asked(fake) == 12
    assert summary.points == 6
    for point in summary.results:
        assert [(sample.launch, sample.round) for sample in point.samples] == [(0, 0), (0, 1), (1, 0), (1, 1)]
        assert [launch.resumed for launch in point.launches] == [True, False]
        assert "resumed" in point.flags


def test_a_finished_session_has_nothing_to_resume(fake: FakeWorld) -> None:
    run(fake)
    before = fake.points()
    fake.log.clear()
    summary = run(fake, resume=True)
    assert (summary.points, summary.skipped, summary.exit_code) == (0, 6, 0)
    assert fake.logged("start") == []
    assert fake.points() == before


def test_what_failed_before_is_counted_again(fake: FakeWorld) -> None:
    fake.faults["softmax-one", "8-1-1"] = always("setup", CRASH)
    assert run(fake).exit_code == 3
    fake.faults.clear()
    summary = run(fake, resume=True)
    assert (summary.points, summary.failed, summary.found, summary.found_failed) == (0, 0, 6, 1)
    assert summary.exit_code == 3


def test_of_a_case_measured_twice_the_newest_point_counts(fake: FakeWorld) -> None:
    fake.faults["softmax-one", "8-1-1"] = always("setup", CRASH)
    run(fake)
    fake.faults.clear()
    run(fake)
    summary = run(fake, resume=True)
    assert (summary.found, summary.found_failed, summary.exit_code) == (6, 0, 0)


def test_an_interrupted_resumed_session_counts_all_its_points(fake: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nntest.measure.groups.MAX_TRIALS", 2)
    interrupt_at_block(fake, 12)
    first = run(fake)
    assert (first.points, first.interrupted) == (2, True)
    interrupt_at_block(fake, 6)
    second = run(fake, resume=True)
    assert (second.points, second.found, second.exit_code) == (2, 2, 130)
    assert second.advice.startswith("interrupted: 4 points are on disk; add --timestamp=t --resume")


def test_a_session_that_is_ended_while_it_builds_counts_its_points(
    fake: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(fake)

    def stop(*_args: object, **_options: object) -> None:
        raise SessionInterrupted

    monkeypatch.setattr("nntest.measure.session.build_all", stop)
    summary = run(fake, resume=True)
    assert summary.advice.startswith("interrupted: 6 points are on disk;")
    again = run(fake)  # a new session of that name has no points yet
    assert again.advice.startswith("interrupted: 0 points are on disk;")


def test_a_resumed_session_tells_what_is_left(fake: FakeWorld) -> None:
    kill_at_block(fake, 15)
    with pytest.raises(Killed):
        run(fake)
    fake.before_block = lambda: None
    reporter = LoggingReporter()
    run(fake, resume=True, reporter=reporter)
    run(fake, resume=True, reporter=reporter)
    assert [event for event in reporter.events if "left" in event] == ["6 left in 1", "0 left in 0"]


def test_what_was_unsupported_is_not_asked_again(fake: FakeWorld) -> None:
    fake.faults["softmax-one", "8-1-1"] = always("setup", UNSUPPORTED)
    run(fake)
    fake.log.clear()
    summary = run(fake, resume=True)
    assert (summary.skipped, summary.unsupported) == (6, 1)
    assert fake.logged("start") == []


def test_a_finished_group_is_never_repeated(fake: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nntest.measure.groups.MAX_TRIALS", 2)
    kill_at_block(fake, 20)
    with pytest.raises(Killed):
        run(fake)
    done = fake.points()
    assert len(done) == 4
    fake.before_block = lambda: None
    fake.log.clear()
    summary = run(fake, resume=True)
    assert (summary.points, summary.skipped) == (2, 4)
    assert blocks_asked(fake) == 4
    assert done.items() <= fake.points().items()
    assert {point.origin.group for point in summary.results} == {2}


def test_times_continue_on_the_session_clock(fake: FakeWorld) -> None:
    kill_at_block(fake, 15)
    with pytest.raises(Killed):
        run(fake)
    fake.before_block = lambda: None
    fake.clock.pass_time(3600)
    [first, *_] = run(fake, resume=True).results
    at_s = [sample.at_s for sample in first.samples]
    assert at_s == sorted(at_s)
    assert at_s[2] - at_s[1] > 3600


def test_an_updated_library_is_measured_anew(fake: FakeWorld) -> None:
    kill_at_block(fake, 15)
    with pytest.raises(Killed):
        run(fake)
    fake.before_block = lambda: None
    fake.log.clear()
    fake.version = "2.0.0"
    summary = run(fake, resume=True)
    assert blocks_asked(fake) == 24
    assert {point.subject.library.version for point in summary.results} == {"2.0.0"}


def test_another_plan_begins_the_group_anew(fake: FakeWorld) -> None:
    kill_at_block(fake, 15)
    with pytest.raises(Killed):
        run(fake)
    fake.before_block = lambda: None
    fake.log.clear()
    reporter = LoggingReporter()
    run(fake, resume=True, repetitions=6, reporter=reporter)
    assert blocks_asked(fake) == 36
    assert reporter.notes == ["resume: the options differ from the journal's; its unfinished group begins anew"]


def test_without_its_journal_a_session_resumes_by_its_points(fake: FakeWorld) -> None:
    run(fake, dataset_files=("shape-4-1-1",))
    for journal in (fake.root / "cache" / "journals").iterdir():
        journal.unlink()
    reporter = LoggingReporter()
    summary = run(fake, resume=True, reporter=reporter)
    assert (summary.points, summary.skipped) == (4, 2)
    assert reporter.notes == ["resume: t has no journal; points that are on disk are not measured again"]


@pytest.mark.parametrize("record_uoa", ["", "mine"])
def test_a_second_session_of_the_same_name_is_completed(fake: FakeWorld, record_uoa: str) -> None:
    run(fake, record_uoa=record_uoa)
    first = fake.points()
    kill_at_block(fake, 15)
    with pytest.raises(Killed):
        run(fake, record_uoa=record_uoa)
    fake.before_block = lambda: None
    fake.log.clear()
    summary = run(fake, resume=True, record_uoa=record_uoa)
    name = record_uoa or "t"
    assert (summary.points, summary.skipped, summary.journal.name) == (6, 0, f"{name}.0002.jsonl")
    assert blocks_asked(fake) == 12
    assert {point.origin.session for point in summary.results} == {f"{name}.0002"}
    assert first.items() <= fake.points().items()
    assert len(fake.points()) == 12
    again = run(fake, resume=True, record_uoa=record_uoa)
    assert (again.points, again.skipped) == (0, 6)


def test_an_unfinished_session_is_completed_after_a_later_one(fake: FakeWorld) -> None:
    kill_at_block(fake, 15)
    with pytest.raises(Killed):
        run(fake)
    fake.before_block = lambda: None
    run(fake)
    summary = run(fake, resume=True)
    assert (summary.points, summary.skipped, summary.journal.name) == (6, 0, "t.0001.jsonl")
    assert run(fake, resume=True).skipped == 6


def test_what_was_adopted_stays_so_when_the_resumed_session_is_killed(fake: FakeWorld) -> None:
    run(fake, dataset_files=("shape-4-1-1",))
    for journal in (fake.root / "cache" / "journals").iterdir():
        journal.rename(fake.root / "elsewhere")
    (fake.root / "cache" / "journals" / "t.0007.jsonl").touch()  # so that the next session has another id
    kill_at_block(fake, 10)
    with pytest.raises(Killed):
        run(fake, resume=True)
    fake.before_block = lambda: None
    summary = run(fake, resume=True)
    assert (summary.points, summary.skipped, summary.journal.name) == (4, 2, "t.0008.jsonl")


def test_resume_needs_to_know_what(fake: FakeWorld) -> None:
    with pytest.raises(UsageError, match="resume: no timestamp was given"):
        run(fake, resume=True, timestamp="")


@pytest.mark.parametrize("every_byte", [False, pytest.param(True, marks=pytest.mark.full)])
def test_a_journal_cut_anywhere_resumes_to_the_same_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every_byte: bool
) -> None:
    """Cut around the ends and in the middle of every line; the full campaign cuts at every byte."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)  # the only slow part, and no part of what is tested
    whole = small(tmp_path / "whole")
    run(whole, repetitions=2, launches=2)
    [journal] = (tmp_path / "whole" / "cache" / "journals").iterdir()
    content = journal.read_bytes()
    expected = {path: point["nntest"]["uid"] for path, point in whole.points().items()}
    samples = {record["at_s"] for record in read_records(journal) if record["kind"] == "sample"}
    for number, length in enumerate(range(len(content)) if every_byte else _cuts(content)):
        root = tmp_path / str(number)
        fake = small(root)
        fake.clock = FakeClock(5000.0)
        cut = root / "cache" / "journals" / journal.name
        cut.parent.mkdir(parents=True)
        cut.write_bytes(content[:length])
        finished = _finished_launches(content[:length])
        published = b'"published"' in content[:length]
        if published:  # points are on disk before the journal says so
            shutil.copytree(tmp_path / "whole" / "local", root / "local")
        run(fake, resume=True, repetitions=2, launches=2)
        points = fake.points()
        assert {path: point["nntest"]["uid"] for path, point in points.items()} == expected
        assert blocks_asked(fake) == (0 if published else 4 - 2 * finished), f"cut at {length}"
        for point in points.values():
            columns = point["nntest"]["samples"]
            assert list(zip(columns["launch"], columns["round"], strict=True)) == [(0, 0), (1, 0)]
            assert set(columns["at_s"][: 2 if published else finished]) <= samples
        [*_, last] = sorted(cut.parent.iterdir())
        assert orjson.loads(last.read_bytes().splitlines()[-1])["kind"] == "end"


def _cuts(content: bytes) -> list[int]:
    ends = [place + 1 for place, byte in enumerate(content) if byte == ord("\n")]
    starts = [0, *ends[:-1]]
    around = {
        place
        for start, end in zip(starts, ends, strict=True)
        for place in (start, start + 1, (start + end) // 2, end - 2, end - 1, end)
    }
    return sorted(around)


def _finished_launches(content: bytes) -> int:
    """Count launches that are whole, by the rule of the format: its end was written with its newline or without."""
    ends = (line for line in content.split(b"\n") if b'"kind":"launch_end"' in line)
    return sum(line.endswith(b"}") for line in ends)

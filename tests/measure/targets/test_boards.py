"""Boards that were used, off the journals."""

from datetime import datetime
from pathlib import Path

import orjson

from nntest.measure.targets.boards import UsedBoard, used_boards

DAY_S = 86400


def write_journal(path: Path, *, target: str, started: float, model: str = "Pi 4") -> None:
    """Write the journal of a session that has just begun."""
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {"kind": "session", "started_unix": started, "request": {"target": target}, "platform": {"model": model}}
    path.write_bytes(orjson.dumps(record) + b'\n{"kind":"group"}\n')


def test_each_board_is_named_once_and_the_one_used_last_first(tmp_path: Path) -> None:
    journals = tmp_path / "journals"
    write_journal(journals / "a.0001.jsonl", target="ssh:me@pi", started=3 * DAY_S)
    write_journal(journals / "b.0001.jsonl", target="ssh:me@pi", started=2 * DAY_S, model="as it was called before")
    write_journal(journals / "c.0001.jsonl", target="ssh:rock:2222", started=9 * DAY_S, model="RK3399")
    write_journal(journals / "d.0001.jsonl", target="native", started=10 * DAY_S)
    assert used_boards(tmp_path) == [
        UsedBoard(target="ssh:rock:2222", model="RK3399", used=datetime.fromtimestamp(9 * DAY_S)),
        UsedBoard(target="ssh:me@pi", model="Pi 4", used=datetime.fromtimestamp(3 * DAY_S)),
    ]


def test_damaged_journals_and_those_of_other_formats_are_left_out(tmp_path: Path) -> None:
    assert used_boards(tmp_path) == []
    journals = tmp_path / "journals"
    write_journal(journals / "a.0001.jsonl", target="ssh:me@pi", started=1e300)
    for number, text in enumerate(("", "{", "[]", '{"kind":"session"}', '{"kind":"session","request":"x"}')):
        (journals / f"b.{number:04d}.jsonl").write_text(text)
    assert used_boards(tmp_path) == []

"""``nntest target``."""

from pathlib import Path

import pytest

from nntest.faces.cli import main, perform
from tests.measure.targets.test_boards import write_journal


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_the_list_says_what_installs_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["target", "list"]) == 0
    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines] == ["target", "native", "linux-arm64-qemu", "ssh:user@board[:port]"]
    assert lines[2][-1].strip() == "not installed; run `nntest target install linux-arm64-qemu`"


@pytest.mark.parametrize(
    ("ssh", "state"),
    [
        ("/usr/bin/ssh", "ready; none used yet"),
        (None, "ssh was not found; install it with `apt install openssh-client`; none used yet"),
    ],
)
def test_the_list_says_how_a_board_is_named(
    ssh: str | None, state: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: ssh)
    assert main(["target", "list"]) == 0
    cells = [cell.strip() for cell in capsys.readouterr().out.splitlines()[-1].split("  ") if cell]
    assert cells == ["ssh:user@board[:port]", "a board over ssh", state]


def test_the_list_names_boards_that_were_used(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    write_journal(tmp_path / "nntest" / "journals" / "a.0001.jsonl", target="ssh:me@pi", started=86400 * 365.5)
    assert main(["target", "list"]) == 0
    cells = [cell.strip() for cell in capsys.readouterr().out.splitlines()[-1].split("  ") if cell]
    assert cells == ["ssh:me@pi", "Pi 4", "last used on 1971-01-01"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["target", "instal", "x"], "nntest target: 'instal' was given; did you mean install?"),
        (["target", "install"], "nntest target install: no name was given; expected linux-arm64-qemu"),
        (["target", "remove", "x"], "nntest target remove: x was given; expected linux-arm64-qemu"),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], message: str) -> None:
    outcome = perform(arguments)
    assert (outcome.code, outcome.message) == (2, message)


def test_a_run_on_a_missing_target_says_how_to_install_it(tmp_path: Path) -> None:
    outcome = perform(["run", "conv-plain-cpu", "--target=linux-arm64-qemu", "--dry_run"])
    assert outcome.code == 2
    assert outcome.message == (
        f"linux-arm64-qemu: the target is not installed (looked in {tmp_path}/nntest/targets/linux-arm64-qemu); "
        "run `nntest target install linux-arm64-qemu`"
    )

"""What people and ck write reaches the option parser as it was meant."""

import pytest

from nntest.analyses.options import parse_options
from nntest.errors import UsageError
from nntest.faces.arguments import Syntax, normalise

COMMANDS = {
    "run": Syntax(
        switches=frozenset({"--dry-run", "--help"}), valued=frozenset({"--env", "--dataset-uoa"}), open_ended=False
    ),
    "analyse": Syntax(switches=frozenset({"--help"}), valued=frozenset({"--out", "--set"}), open_ended=True),
}
_SWITCH = {"split": {"type": "switch", "default": "yes", "help": ""}}


@pytest.mark.parametrize(
    ("written", "understood"),
    [
        (["run", "conv-*"], ["run", "conv-*"]),
        (["run", "--dataset_uoa=a_b"], ["run", "--dataset-uoa=a_b"]),
        (["run", "--dataset-uoa", "--odd"], ["run", "--dataset-uoa", "--odd"]),
        (["run", "--env.CK_SEED=7"], ["run", "--env", "CK_SEED=7"]),
        (["run", "--env.CK_SEED", "7"], ["run", "--env", "CK_SEED=7"]),
        (["run", "--env.A_B=c=d"], ["run", "--env", "A_B=c=d"]),
        (["run", "--dry_run"], ["run", "--dry-run"]),
        (["run", "--dry_run=yes"], ["run", "--dry-run"]),
        (["run", "--dry_run=no"], ["run"]),
        (["run", "--unknown=1"], ["run", "--unknown=1"]),
        (["run", "--", "--dry_run"], ["run", "--", "--dry_run"]),
        (["analyse", "speedup", "--baseline=a:b"], ["analyse", "speedup", "--set=baseline=a:b"]),
        (["analyse", "speedup", "--base-line", "a:b", "x"], ["analyse", "speedup", "--set=base_line=a:b", "x"]),
        (["analyse", "speedup", "--end_to_end"], ["analyse", "speedup", "--set=end_to_end=yes"]),
        (["analyse", "speedup", "--end_to_end", "--out=x"], ["analyse", "speedup", "--set=end_to_end=yes", "--out=x"]),
        (["--version"], ["--version"]),
    ],
)
def test_normalise(written: list[str], understood: list[str]) -> None:
    assert normalise(written, COMMANDS) == understood


@pytest.mark.parametrize("word", ["yes", "on", "true", "1", "YES", "True"])
def test_words_that_turn_a_switch_on(word: str) -> None:
    assert normalise(["run", f"--dry_run={word}"], COMMANDS) == ["run", "--dry-run"]
    assert parse_options(_SWITCH, {"split": word}, where="x").split is True


@pytest.mark.parametrize("word", ["no", "off", "false", "0", "", "NO", "False"])
def test_words_that_leave_a_switch_off(word: str) -> None:
    assert normalise(["run", f"--dry_run={word}"], COMMANDS) == ["run"]
    assert parse_options(_SWITCH, {"split": word}, where="x").split is False


def test_a_switch_takes_yes_or_no() -> None:
    with pytest.raises(UsageError) as refused:
        normalise(["run", "--dry_run=perhaps"], COMMANDS)
    assert str(refused.value) == "--dry-run: 'perhaps' was given; expected yes or no, or the option alone"


def test_an_unknown_command_names_the_nearest() -> None:
    with pytest.raises(UsageError) as refused:
        normalise(["analyze", "speedup"], COMMANDS)
    assert (
        str(refused.value) == "nntest: there is no command 'analyze'; did you mean analyse? `nntest --help` lists them"
    )

"""docs/commands.md knows every command and every option."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from nntest.faces.cli import app

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
COMMANDS: Any = typer.main.get_command(app)


@pytest.mark.parametrize("name", sorted(COMMANDS.commands))
def test_every_option_is_documented(name: str) -> None:
    section = re.search(rf"^## {name}$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section is not None, f"docs/commands.md has no section {name}"
    for parameter in COMMANDS.commands[name].params:
        for option in parameter.opts:
            if option.startswith("--") and option != "--help":
                assert f"`{option}" in section[1], f"{option} of {name} is not documented"


def test_no_section_is_about_a_command_that_does_not_exist() -> None:
    sections = set(re.findall(r"^## (\w+)$", PAGE, re.MULTILINE))
    assert sections <= set(COMMANDS.commands)

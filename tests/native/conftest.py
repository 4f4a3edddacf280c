"""Programs are compiled before the first of the tests."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _compiled(compiled: None) -> None:
    pass

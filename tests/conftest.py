"""What holds for all tests: properties are tried without a clock, since a machine may be busy with other work."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.programs.build import build_side_by_side

settings.register_profile("without-clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("without-clock")


@pytest.fixture(scope="session")
def compiled(request: pytest.FixtureRequest) -> None:
    """Compile what the chosen tests of native programs will ask for, with all cores at once."""
    native = Path(__file__).parent / "native"
    chosen = [item for item in request.session.items if item.path.parent == native and hasattr(item, "callspec")]
    build_side_by_side(item.callspec.params["name"] for item in chosen if "name" in item.callspec.params)

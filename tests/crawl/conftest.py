"""Archives of points for the crawl's tests; the index goes to a folder of the test's own."""

import zipfile
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def shared(name):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the reference data {name} is not here")
    return path


@pytest.fixture
def tx1():
    """128 points of Caffe and TensorRT on a Jetson TX1."""
    return shared("ck-caffe-nvidia-tx1-bvlc.zip")


@pytest.fixture
def sample():
    """32 points that the original ck-nntest stack wrote."""
    return shared("ck-nntest-original-sample.zip")


@pytest.fixture
def unpack(tmp_path):
    def unpacked(archive):
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(tmp_path / archive.stem)
        return tmp_path / archive.stem

    return unpacked

"""Types only save work: the table is the same without them."""

from dataclasses import replace

import msgspec
import pandas as pd
import pytest

import nntest
from nntest.crawl import read
from nntest.crawl.layouts import layout_of
from nntest.crawl.views import find_views
from nntest.model.point_json import to_json
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_point, with_seed

LOADERS = {"points": nntest.load, "layers": nntest.layers, "kernels": nntest.kernels}


def _refuse(data):
    raise msgspec.ValidationError


@pytest.fixture
def without_types(monkeypatch):
    def switch():
        monkeypatch.setattr(read, "layout_of", lambda *given: replace(layout_of(*given), decode=_refuse))

    return switch


@pytest.mark.parametrize("part", LOADERS)
@pytest.mark.parametrize("archive", ["tx1", "sample"])
def test_reference_data_give_the_same_table(archive, part, request, without_types, monkeypatch):
    monkeypatch.setattr("nntest.crawl.collect.WORTH_AN_INDEX", 10**12)
    source = request.getfixturevalue(archive)
    typed = LOADERS[part](source)
    without_types()
    plain = LOADERS[part](source)
    pd.testing.assert_frame_equal(typed, plain)
    assert typed.attrs == plain.attrs


def test_our_points_and_those_of_others_give_the_same_table(tmp_path, without_types):
    folder = open_experiment(Repository("repo", tmp_path), "nntest-a", {"tags": ["nntest", "a", "b"]})
    for seed in range(5):
        save_point(folder, with_seed(make_point(repetitions=2, launches=2), seed))
    foreign = to_json(make_point())
    del foreign["nntest"]
    (folder / "ckp-0000000000000001.0001.json").write_bytes(msgspec.json.encode(foreign))
    (folder / "ckp-0000000000000002.0001.json").write_bytes(b'{"nntest": {"format": null}}')
    (folder / "ckp-0000000000000003.0001.json").write_bytes(b'{"choices": {"env": {"CK_CAFFE_BATCH_SIZE": "2"}}}')
    (folder / "ckp-0000000000000004.0001.json").write_bytes(b'{"nntest": []}')
    (folder / "ckp-0000000000000005.0001.json").write_bytes(b'{"other": "\xff"}')
    typed = nntest.load(tmp_path)
    without_types()
    plain = nntest.load(tmp_path)
    pd.testing.assert_frame_equal(typed, plain)
    assert typed.attrs == plain.attrs
    assert typed["point"].nunique() == 6
    assert [where[-11:-10] for where, _ in typed.attrs["skipped"]] == ["2", "3", "4", "5"]


def test_what_a_view_asks_for_is_all_that_is_decoded():
    fields = layout_of(find_views()[:1], "").fields
    assert ("nntest", "samples", "seconds") in fields["nntest", "samples"]
    assert ("nntest", "samples", "at_s") not in fields["nntest", "samples"]
    # A value and something inside it: the value is decoded as a whole.
    assert ("nntest", "failure") in fields["nntest",]
    assert ("nntest", "failure") not in fields


def test_a_view_knows_what_tells_an_earlier_ones_points():
    assert ("nntest", "format") in layout_of(find_views()[:2], "").fields["nntest",]

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from nntest.model.ids import block_id, canonical_json, point_uid
from tests.points import make_case, make_platform, make_point, make_subject

values = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8"))


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), values), st.randoms())
def test_an_id_does_not_depend_on_the_order_of_keys(block, random):
    items = list(block.items())
    random.shuffle(items)
    assert block_id(dict(items)) == block_id(block)


def test_canonical_json_is_that_of_rfc_8785():
    assert canonical_json({"b": 1.0, "a": "\u20ac", "c": [True, None]}) == '{"a":"€","b":1,"c":[true,null]}'.encode()


def test_an_id_is_the_beginning_of_the_sha256():
    assert block_id({"a": 1}) == "015abd7f5cc57a2d"


def test_an_updated_library_changes_only_the_subject():
    before, after = make_point(), make_point(subject=make_subject(version="3.3.0"))
    assert before.case.id == after.case.id
    assert before.platform.id == after.platform.id
    assert before.subject.id != after.subject.id
    assert before.uid != after.uid


def test_the_dataset_is_no_part_of_a_case():
    point = make_point()
    renamed = replace(point, origin=replace(point.origin, dataset="another", dataset_file="shape-other"))
    assert renamed.uid == point.uid


def test_the_uid_joins_the_three_ids():
    case, subject, platform = make_case(), make_subject(), make_platform()
    assert make_point().uid == point_uid(case.id, subject.id, platform.id)

"""Names that leave the folder, or mean different things to different systems, do not come in."""

import os
import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nntest.store.exchange.limits import Limits, RefusedError, printable
from nntest.store.exchange.names import Spellings, classify, split_name, top_folder

ODD = '" * : < > ? \\ |'


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../x.json", "../x.json: leaves its folder or has an empty part"),
        ("experiment/../../x", "experiment/../../x: leaves its folder or has an empty part"),
        ("experiment//x", "experiment//x: leaves its folder or has an empty part"),
        ("./x", "./x: leaves its folder or has an empty part"),
        ("/etc/passwd", "/etc/passwd: is absolute; names must stay inside the folder"),
        ("C:/x", "C:/x: begins with a drive letter; names must stay inside the folder"),
        ("c:x", "c:x: begins with a drive letter; names must stay inside the folder"),
        ("..\\x", "..\\x: has a backslash, which leaves the folder on some systems"),
        ("experiment\\x", "experiment\\x: has a backslash, which leaves the folder on some systems"),
        ("", ": has no name"),
        ("a/x\0.json", "a/x\\x00.json: has a control or unassigned character"),
        ("a/x\n", "a/x\\n: has a control or unassigned character"),
        ("a/\u202ex", "a/\\u202ex: has a control or unassigned character"),
        ("a/\ud800", "a/\\ud800: has a control or unassigned character"),
        ("a/x:y", f"a/x:y: has one of {ODD}"),
        ("a/x*", f"a/x*: has one of {ODD}"),
        ("a/x ", "a/x : begins or ends with a blank, or ends with a dot"),
        ("a/x.", "a/x.: begins or ends with a blank, or ends with a dot"),
        ("a/NUL", "a/NUL: is a device on some systems"),
        ("a/com1.json", "a/com1.json: is a device on some systems"),
        ("a/b/c/d/e/f/g", "a/b/c/d/e/f/g: deeper than 6 levels, the limit"),
    ],
)
def test_refused_names(name: str, message: str) -> None:
    with pytest.raises(RefusedError) as refused:
        split_name(name, Limits())
    assert str(refused.value) == message


def test_a_part_may_not_be_longer_than_file_systems_take() -> None:
    assert split_name("a/" + "x" * 255, Limits())
    with pytest.raises(RefusedError, match="has a part longer than 255 bytes, the limit"):
        split_name("a/" + "é" * 128, Limits())


@given(
    st.text(max_size=40) | st.lists(st.sampled_from(["..", ".", "a", "b.json", "", "~", " "]), max_size=6).map("/".join)
)
def test_no_accepted_name_leaves_its_folder(name: str) -> None:
    try:
        parts = split_name(name, Limits())
    except RefusedError as error:
        assert str(error).isprintable()
        return
    joined = posixpath.normpath(posixpath.join("/target", *parts))
    assert joined.startswith("/target/")
    assert os.sep not in "".join(parts)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("a/X.json", "a/x.json", "a/x.json: differs from a/X.json only in case or Unicode form"),
        ("a/Stra\u00dfe", "a/STRASSE", "a/STRASSE: differs from a/Straße only in case or Unicode form"),
        ("a/\u00e9", "a/e\u0301", "a/e\u0301: differs from a/é only in case or Unicode form"),
        ("a/\ufb01", "a/fi", "a/fi: differs from a/ﬁ only in case or Unicode form"),
        ("A/x", "a/y", "a/y: differs from A only in case or Unicode form"),
        ("a/x", "a/x", "a/x: stands in the archive twice"),
        ("a/x", "a/x/y", "a/x/y: lies below a/x, a file"),
        ("a/x/y", "a/x", "a/x: is both a file and a folder"),
    ],
)
def test_names_that_become_one_file_elsewhere(first: str, second: str, message: str) -> None:
    spellings = Spellings()
    spellings.add(first, tuple(first.split("/")), folder=False)
    with pytest.raises(RefusedError) as refused:
        spellings.add(second, tuple(second.split("/")), folder=False)
    assert str(refused.value) == message


def test_a_folder_may_be_named_before_or_after_its_files() -> None:
    spellings = Spellings()
    for name, folder in (("a", True), ("a/x", False), ("a", True)):
        spellings.add(name, tuple(name.split("/")), folder=folder)


ONLY = "import takes data only: experiment and dataset entries"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("setup.py", f"is code; {ONLY}"),
        ("data.bin", f"is no data file; {ONLY}"),
        ("more.zip", f"is a nested archive; {ONLY}"),
        ("program/x/conv.cpp", f"belongs to program; {ONLY}"),
        ("module/nntest/module.py", f"belongs to module; {ONLY}"),
        (".git/hooks/x", f"belongs to .git; {ONLY}"),
        (".cm/alias-a-program", "is no alias of the modules experiment and dataset, which are all that import takes"),
        ("experiment/.cm/meta.json", "is no alias file; expected alias-a-NAME or alias-u-UID"),
        ("experiment/.cm/alias-u-xyz", "is no alias file; expected alias-a-NAME or alias-u-UID"),
        ("experiment/x/.cm/x.py", "is no file of CK; expected one of meta.json, info.json, desc.json, updates.json"),
        ("experiment/x/y/z.json", "is no file of an entry; expected experiment/NAME/FILE"),
        ("experiment/x", "is no file of an entry; expected experiment/NAME/FILE"),
        ("experiment/x/run.sh", "is code; import takes data only: .json files of experiment entries"),
        ("experiment/x/y.tar.gz", "is a nested archive; import takes data only: .json files of experiment entries"),
        ("dataset/x/image.png", "is no data file; import takes data only: .csv and .json files of dataset entries"),
        ("experiment/x/.hidden.json", "is no data file; import takes data only: .json files of experiment entries"),
        ("experiment/x/ckp-123.0001.json", "is no name of a point; expected ckp-<16 hex>.<number>.json"),
        ("experiment/x/ckp-0123456789abcdef.1234567890.json", "is no name of a point; expected ckp-<16 hex>.<number>.json"),  # noqa: E501
    ],
)  # fmt: skip
def test_what_is_no_data(name: str, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        classify(name, tuple(name.split("/")))
    assert str(refused.value) == f"{name}: {reason}"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (".ckr.json", "document"),
        ("README.md", "document"),
        ("LICENSE", "document"),
        ("ro-crate-metadata.json", "document"),
        ("manifest-sha256.txt", "manifest"),
        (".cm/alias-a-experiment", "module alias"),
        (".cm/alias-u-8a7141c59cd335f5", "module alias"),
        ("experiment/.cm/alias-a-x", "alias"),
        ("experiment/x/.cm/meta.json", "meta"),
        ("experiment/x/ckp-0123456789abcdef.0001.json", "data"),
        ("experiment/x/ckp-0123456789abcdef.flat.json", "data"),
        ("experiment/x/pipeline.json", "data"),
        ("dataset/x/table.csv", "data"),
    ],
)
def test_what_is_data(name: str, kind: str) -> None:
    assert classify(name, tuple(name.split("/"))).kind == kind


def test_the_folder_of_a_whole_repository_is_found() -> None:
    inside = [("top", ".ckr.json"), ("top", "experiment", "x")]
    assert top_folder(inside) == "top"
    assert top_folder([*inside, ("other",)]) == ""
    assert top_folder([(".ckr.json",), ("experiment", "x")]) == ""


def test_names_are_shown_without_what_a_terminal_acts_upon() -> None:
    assert printable("a\x1b[31m") == "a\\x1b[31m"
    assert printable("x" * 300) == "x" * 200 + "..."

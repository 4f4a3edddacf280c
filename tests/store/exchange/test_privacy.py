"""What tells whose machine it was is taken out; everything else stays as it is, byte for byte."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nntest.errors import DataError
from nntest.measure.energy import open_counters
from nntest.model.case import Library, Subject
from nntest.model.point import Energy
from nntest.model.point_json import to_bytes
from nntest.store.exchange.privacy import scrub, scrub_bytes, scrub_text
from tests.points import make_point


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("/home/ada/net.prototxt", "net.prototxt"),
        ("-I/opt/lib/include -O3", "-Iinclude -O3"),
        ("-isystem/usr/include/x", "-isystemx"),
        ("LD_PRELOAD=/tmp/x.so ./run", "LD_PRELOAD=x.so ./run"),
        ("cannot open '/data/a b': no", "cannot open 'a b': no"),
        ("/a:/b/c;/d", "a:c;d"),
        ("file:///home/ada/x", "file://x"),
        ("~/CK/x", "~x"),
        ("C:\\Users\\ada\\x.bin", "x.bin"),
        ("D:/work/x.bin", "x.bin"),
        ("\\\\server\\share\\x", "x"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("/sys/class/powercap/intel-rapl:* stood still", "/sys/class/powercap/intel-rapl:* stood still"),
        ("/sys/class/powercap is not there", "/sys/class/powercap is not there"),
        ("/sys/class/powercaps/x, /sys/class/powercap/../../home/ada/x, /home/sys/class/powercap", "x, x, powercap"),
        ("km/h, 1/2, NCHW / NHWC, a/b/c", "km/h, 1/2, NCHW / NHWC, a/b/c"),
        ("// a comment, 5 /* and */", "// a comment, 5 /* and */"),
        ("error: at 10:30", "error: at 10:30"),
    ],
)
def test_paths(text: str, clean: str) -> None:
    assert scrub_text(text) == clean
    assert scrub_text(clean) == clean


def test_labels_of_layers_are_no_paths() -> None:
    network = {"layers": [{"name": "/block1/Conv", "inputs": ["/input/0"], "label": "/home/ada/net"}]}
    assert scrub(network) == {"layers": [{"name": "/block1/Conv", "inputs": ["/input/0"], "label": "net"}]}


def test_known_keys_in_any_spelling() -> None:
    words = {
        "meta": {"user": "ada@example.org", "Host Name": "board", "cpu_name": "EPYC"},
        "cpu_misc": {"0": {"Serial": "0884"}},
        "##meta#user": "ada",
        "##features#platform#cpu_unique@1#Serial#min": "1",
        "host_os": "linux-64",
        "author": "Ada",
    }
    assert scrub(words) == {
        "meta": {"user": "", "Host Name": "", "cpu_name": "EPYC"},
        "cpu_misc": {"0": {"Serial": ""}},
        "##meta#user": "",
        "##features#platform#cpu_unique@1#Serial#min": "",
        "host_os": "linux-64",
        "author": "Ada",
    }


def test_a_file_that_tells_nothing_keeps_its_bytes() -> None:
    data = b'{ "b": NaN,\n "a": 123456789012345678901234567890 }'
    assert scrub_bytes("x.json", data) is data
    point = to_bytes(make_point())
    assert scrub_bytes("x.json", point) is point


@pytest.mark.parametrize("zones", [[], ["."], ["intel-rapl:0"], ["intel-rapl:0", "intel-rapl:0/energy_uj"]])
def test_why_there_is_no_energy_is_said_without_a_word_about_the_machine(tmp_path: Path, zones: list[str]) -> None:
    for zone in zones:
        (tmp_path / "sys/class/powercap" / zone).mkdir(parents=True, exist_ok=True)
        (tmp_path / "sys/class/powercap" / zone / "name").write_text("package-0\n")
    reason = open_counters(tmp_path).reason
    assert reason.startswith("/sys/class/powercap")
    point = to_bytes(replace(make_point(), energy=Energy(reason=reason)))
    assert scrub_bytes("x.json", point) is point


def test_numbers_survive_where_a_file_is_changed() -> None:
    data = b'{"user": "ada", "nan": NaN, "big": 123456789012345678901234567890, "half": "\\ud800"}'
    words = json.loads(scrub_bytes("x.json", data))
    assert words["user"] == ""
    assert words["nan"] != words["nan"]
    assert words["big"] == 123456789012345678901234567890
    assert words["half"] == "\ud800"


def test_identities_are_not_changed_silently() -> None:
    library = Library(tag="x-1", name="x", version="1")
    subject = Subject(program="p", program_sha="", driver_sha="", library=library, compiler="c", flags="-I/home/ada")
    with pytest.raises(DataError) as refused:
        scrub_bytes("a.json", to_bytes(make_point(subject=subject)))
    assert str(refused.value) == (
        "a.json: nntest.subject holds a path or name of the machine, and cannot be changed without making it another "
        "point; export with --with-host, or measure again without it"
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "user", "name", "x/y"]), inner),
    max_leaves=12,
)
ROOTED = st.sampled_from(["/home/ada/x", "see /root/secret/y.", '"/tmp/z"', "-I/usr/include", "C:\\ada\\x"])


@given(
    st.recursive(
        ROOTED | JSON, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner), max_leaves=9
    )
)
def test_no_path_below_a_well_known_root_remains_and_once_is_enough(words: object) -> None:
    clean = scrub(words)
    text = json.dumps(clean)
    for root in ("/home/", "/root/", "/tmp/", "/usr/", "ada\\\\x"):
        assert root not in text
    assert scrub(clean) == clean

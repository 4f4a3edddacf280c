"""LiteRT through compiled models: channels innermost, padding by a word or an operator, what an entry costs."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nntest.measure.build import NATIVE
from nntest.measure.compiler import find_compiler
from nntest.measure.driver import DriverProcess, UnsupportedCase
from tests.programs.build import built, case_of, start

pytestmark = pytest.mark.native

NAME = "conv-litert-cpu"
SMALL = {"CK_IN_SHAPE_C": 12, "CK_IN_SHAPE_H": 9, "CK_IN_SHAPE_W": 9, "CK_OUT_SHAPE_C": 24, "CK_CONV_KERNEL": 3}


@pytest.fixture
def conv() -> Iterator[DriverProcess]:
    with start(NAME) as driver:
        yield driver


def test_its_layout_is_nhwc_and_the_weights_are_packed_by_set_up(conv: DriverProcess) -> None:
    own = conv.setup(1, case_of(NAME, SMALL, layout="auto"))
    plain = conv.setup(2, case_of(NAME, SMALL, layout="NHWC"))
    assert (own.native_layouts["input"], own.native_layouts["output"]) == ("acdb", "acdb")
    assert min(own.reorder_in_s, own.reorder_out_s, own.prepare_weights_s) > 0
    assert (plain.native_layouts["input"], plain.reorder_in_s, plain.reorder_out_s) == ("nhwc", 0, 0)


@pytest.mark.parametrize(
    ("values", "kernel"),
    [
        ({}, "CONV_2D"),
        ({"CK_CONV_PAD": 1}, "CONV_2D"),
        ({"CK_CONV_PAD": 2}, "PAD+CONV_2D"),
        ({"CK_CONV_GROUPS": 2}, "CONV_2D"),
        ({"CK_CONV_GROUPS": 12}, "DEPTHWISE_CONV_2D"),
    ],
)
def test_all_of_it_is_computed_by_the_delegate(conv: DriverProcess, values: dict[str, int], kernel: str) -> None:
    setup = conv.setup(1, case_of(NAME, {**SMALL, **values}, layout="NHWC", post_ops="relu"))
    assert setup.implementation == f"XNNPACK:{kernel}"


def test_what_entering_the_library_costs_is_told(conv: DriverProcess) -> None:
    assert conv.describe["library"] == "litert-cpu"
    assert conv.describe["version"] == built(NAME).subject.library.version
    assert 0 < conv.describe["call_s"] < 1e-3


def test_one_thread_is_one(conv: DriverProcess) -> None:
    for key in (1, 2):
        conv.setup(key, case_of(NAME, SMALL, layout="auto"))
    assert len(list(Path(f"/proc/{conv.pid}/task").iterdir())) == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"layout": "NCHW"}, "layout NCHW; this operator knows NHWC,auto"),
        ({"threads": 2}, "threads 2; LiteRT is measured with one"),
        ({"cache": "cold_all"}, "cold caches: LiteRT keeps packed weights where they cannot be evicted"),
    ],
)
def test_what_it_cannot_do_is_refused(conv: DriverProcess, options: dict[str, object], reason: str) -> None:
    with pytest.raises(UnsupportedCase) as caught:
        conv.setup(1, case_of(NAME, SMALL, **options))
    assert caught.value.reason == reason


# Counts the objects that live, and refuses what it is told to.
FAKE = """
#include <stdlib.h>
#include <string.h>
int live = 0;
const char* refused = "";
static int made(const char* name, void** place) {
  if (strcmp(name, refused) == 0) return 7;
  ++live, *place = &live;
  return 0;
}
static void* text;
static void (*free_text)(void*);
void LiteRtGetCompiledModelEnvironment(void) {}
int LiteRtCreateEnvironment(int count, const void* options, void** place) { *place = &live; return 0; }
int LiteRtCreateModelFromBuffer(void* e, const void* b, size_t s, void** place) { return made("model", place); }
int LiteRtCreateOptions(void** place) { return made("options", place); }
int LiteRtSetOptionsHardwareAccelerators(void* options, int set) { return strcmp("set", refused) == 0; }
int LiteRtCreateOpaqueOptions(const char* id, void* data, void (*release)(void*), void** place) {
  const int status = made("opaque", place);
  if (status == 0) text = data, free_text = release;
  return status;
}
int LiteRtAddOpaqueOptions(void* options, void* opaque) { return strcmp("add", refused) == 0; }
int LiteRtCreateCompiledModel(void* e, void* model, void* options, void** place) { return made("compiled", place); }
void LiteRtDestroyModel(void* object) { --live; }
void LiteRtDestroyCompiledModel(void* object) { --live; }
void LiteRtDestroyOpaqueOptions(void* object) { --live, free_text(text); }
void LiteRtDestroyOptions(void* object) {
  --live;
  if (strcmp("compiled", refused) == 0 || strcmp("", refused) == 0) --live, free_text(text);  // what was added
}
"""
MAKE = """
#include <cstdio>
#include "litert_api.h"
int main() {
  void* library = dlopen(NNTEST_LIBRARY_FILE, RTLD_NOW);
  const int& live = *static_cast<int*>(dlsym(library, "live"));
  for (const char* refused : {"model", "options", "set", "opaque", "add", "compiled", ""}) {
    *static_cast<const char**>(dlsym(library, "refused")) = refused;
    try {
      nntest::litert::Model model("", 0, 1);
      std::printf("%d live\\n", live);
    } catch (const nntest::Failure& failed) {
      std::printf("%s\\n", failed.what());
    }
    std::printf("%d left\\n", live);
  }
}
"""


def in_c(tmp_path: Path, library: str) -> "subprocess.CompletedProcess[str]":
    """Run MAKE against a library of these sources."""
    (tmp_path / "fake.c").write_text(library)
    (tmp_path / "make.cpp").write_text(MAKE)
    compiler, shared, program = find_compiler().command, tmp_path / "fake.so", tmp_path / "make"
    subprocess.run([*compiler, "-x", "c", "-shared", "-fPIC", "-w", tmp_path / "fake.c", "-o", shared], check=True)
    options = ["-std=c++17", f"-I{NATIVE}", f'-DNNTEST_LIBRARY_FILE="{shared}"', tmp_path / "make.cpp", "-o", program]
    subprocess.run([*compiler, *options, "-ldl"], check=True)
    return subprocess.run([program], capture_output=True, text=True, check=False)


def test_what_was_made_is_destroyed_whatever_fails(tmp_path: Path) -> None:
    lines = in_c(tmp_path, FAKE).stdout.splitlines()
    calls = ("CreateModelFromBuffer", "CreateOptions", "SetOptionsHardwareAccelerators", "CreateOpaqueOptions")
    calls += ("AddOpaqueOptions", "CreateCompiledModel")
    statuses = (7, 7, 1, 7, 1, 7)
    told = [f"LiteRT: LiteRt{call}: status {status}" for call, status in zip(calls, statuses, strict=True)]
    assert lines[::2] == [*told, "2 live"]
    assert lines[1::2] == ["0 left"] * 7


def test_a_library_before_2_2_is_refused_in_words(tmp_path: Path) -> None:
    done = in_c(tmp_path, "int live;\nconst char* refused;\n")
    assert "fake.so is older than 2.2; a model is made without an environment there" in done.stdout

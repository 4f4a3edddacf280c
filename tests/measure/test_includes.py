"""A build depends on the headers that its sources reach, and on no others."""

from pathlib import Path

from nntest.measure.build import NATIVE
from nntest.measure.includes import included
from tests.programs.build import source_of


def write(folder: Path, **texts: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    files = [folder / name.replace("_", ".") for name in texts]
    for file, text in zip(files, texts.values(), strict=True):
        file.write_text(text)
    return files


def test_what_headers_include_counts_too_and_each_once(tmp_path: Path) -> None:
    a, b = write(tmp_path, a_h='#include "b.h"\n', b_h='#pragma once\n#include "a.h"\n')
    [source, *_] = write(tmp_path, x_cpp='  #  include <a.h> // why\n#include "b.h"\n#include <vector>\n', c_h="")
    assert included([source], [tmp_path]) == [a, b]


def test_headers_are_found_beside_the_source_above_it_and_in_folders(tmp_path: Path) -> None:
    [above] = write(tmp_path, above_h="")
    [ours] = write(tmp_path / "ours", ours_h="")
    beside, source = write(
        tmp_path / "program", beside_h="", x_cpp='#include "beside.h"\n#include "../above.h"\n#include "ours.h"\n'
    )
    found = included([source], [tmp_path / "ours"])
    assert {file.resolve() for file in found} == {above, ours, beside}


def test_conditions_and_comments_leave_nothing_out(tmp_path: Path) -> None:
    a, source = write(tmp_path, a_h="", x_cpp='#if 0\n#include "a.h"\n#endif\n/*\n#include "none.h"\n*/\n')
    assert included([source], []) == [a]


def test_a_name_made_by_a_macro_counts_for_every_header(tmp_path: Path) -> None:
    a, b, source = write(tmp_path, a_h="", b_h="", x_cpp='#define NAME "a.h"\n#include NAME\n')
    assert included([source], []) == [a, b]


def test_a_program_depends_on_nothing_of_the_driver_alone() -> None:
    source = source_of("conv-plain-cpu")
    names = {file.name for file in included([source.path / name for name in source.meta["source_files"]], [NATIVE])}
    assert {"nntest_operator.h", "nntest_program.h", "plain_program.h"} <= names
    assert not {"serve.h", "protocol.h", "onednn_program.h"} & names


def test_a_header_above_a_test_program_counts() -> None:
    found = included([source_of("conv-hang-cpu").path / "conv.cpp"], [NATIVE])
    assert {"nntest_operator.h", "tiny_conv.h"} <= {file.name for file in found}


def test_a_mark_of_unicode_before_the_first_include(tmp_path: Path) -> None:
    [header] = write(tmp_path, x_h="")
    source = tmp_path / "x.cpp"
    source.write_text('\ufeff#include "x.h"\n', encoding="utf-8")
    assert included([source], []) == [header]

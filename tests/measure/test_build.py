"""Builds: content-addressed, atomic, and clear about what the compiler disliked."""

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from nntest.errors import BuildError, DataError, MissingPartError
from nntest.measure.build import DRIVER_NAME, build, driver_hash
from nntest.measure.compiler import Compiler, find_compiler
from nntest.measure.libraries import find_library
from tests.programs.build import CACHE, Source, built, case_of, source_of, start

pytestmark = pytest.mark.native

PLAIN = find_library("plain-cpu")


@pytest.fixture
def program(tmp_path: Path) -> Source:
    """Return a program that compiles at once and a cache that holds the driver already."""
    original = source_of("conv-works-cpu")
    folder = tmp_path / "program" / "quick"
    folder.mkdir(parents=True)
    (folder / "quick.cpp").write_text("int quick() { return VALUE; }\n")
    return Source("quick", folder, {**original.meta, "source_files": ["quick.cpp"]})


@pytest.fixture
def cache_root(tmp_path: Path) -> Path:
    driver = built("conv-works-cpu").driver.parent
    shutil.copytree(driver, tmp_path / "builds" / driver.name)
    return tmp_path / "builds"


def test_the_second_build_finds_the_first(program: Source, cache_root: Path) -> None:
    first = build(program, PLAIN, flags="-DVALUE=1", cache_root=cache_root)
    second = build(program, PLAIN, flags="-DVALUE=1", cache_root=cache_root)
    assert first.built
    assert second == replace(first, built=False)
    assert first.operator.is_file()
    assert first.driver.name == DRIVER_NAME


def test_a_build_says_how_it_was_made(program: Source, cache_root: Path) -> None:
    made = build(program, PLAIN, flags="-DVALUE=1", cache_root=cache_root)
    recipe = json.loads((made.operator.parent / "build.json").read_text())
    assert "-DVALUE=1" in recipe["command"]
    assert recipe["compiler"] == made.subject.compiler == find_compiler().description


def test_flags_and_sources_give_another_build_and_another_subject(program: Source, cache_root: Path) -> None:
    first = build(program, PLAIN, flags="-DVALUE=1", cache_root=cache_root)
    flags = build(program, PLAIN, flags="-DVALUE=2", cache_root=cache_root)
    (program.path / "quick.cpp").write_text("int quick() { return VALUE + 1; }\n")
    source = build(program, PLAIN, flags="-DVALUE=1", cache_root=cache_root)
    assert len({first.operator, flags.operator, source.operator}) == 3
    assert len({first.subject.id, flags.subject.id, source.subject.id}) == 3
    assert first.driver == flags.driver == source.driver
    assert first.subject.driver_sha == driver_hash()


def test_builders_that_meet_agree_on_one(program: Source, cache_root: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        builds = list(pool.map(lambda _: build(program, PLAIN, flags="-DVALUE=1", cache_root=cache_root), range(3)))
    assert len({made.operator for made in builds}) == 1
    assert [path.name for path in cache_root.iterdir() if path.name.startswith(".")] == []


def test_a_refused_source_is_told_with_the_first_errors_and_leaves_nothing(program: Source, cache_root: Path) -> None:
    with pytest.raises(BuildError) as caught:
        build(program, PLAIN, cache_root=cache_root)
    text = str(caught.value)
    assert re.fullmatch(r"quick: did not compile: quick\.cpp:1:\d+: error: .*VALUE.*", text)
    assert "\n" not in text
    assert [path.name for path in cache_root.iterdir() if "quick" in path.name] == []


def test_what_a_compiler_said_names_no_folder(program: Source, cache_root: Path) -> None:
    folder = program.path.rename(program.path.with_name("a folder"))
    (folder / "quick.cpp").write_text('#include "/nowhere/at-all/missing.h"\n')
    with pytest.raises(BuildError) as caught:
        build(replace(program, path=folder), PLAIN, cache_root=cache_root)
    text = str(caught.value)
    assert text.startswith("quick: did not compile: quick.cpp:1:")
    assert "missing.h" in text
    assert "/" not in text


def test_a_program_without_sources_is_refused(program: Source, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        build(replace(program, meta={}), PLAIN, cache_root=tmp_path)
    assert str(caught.value) == (
        f"{program.path}/.cm/meta.json: source_files is missing; expected the names of the C++ files to compile; "
        "add them"
    )


def test_a_source_that_is_not_there_is_named(program: Source, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        build(replace(program, meta={"source_files": ["other.cpp"]}), PLAIN, cache_root=tmp_path)
    assert str(caught.value) == (
        f"{program.path}/.cm/meta.json: source_files names other.cpp, which is not there; "
        "correct the name or add the file"
    )


def test_the_injected_slowdown_is_part_of_the_subject() -> None:
    flags = "-DNNTEST_SLOWDOWN_PERCENT=5"
    assert built("conv-works-cpu", flags).subject.id != built("conv-works-cpu").subject.id
    assert built("conv-works-cpu", flags).subject.flags == flags
    with start("conv-works-cpu", flags=flags) as driver:
        driver.setup(1, case_of("conv-works-cpu"))
        assert driver.block(1, loops=10).seconds > 0


def test_a_compiler_from_cxx_that_is_not_there() -> None:
    with pytest.raises(MissingPartError) as caught:
        find_compiler({"CXX": "no-such-compiler -O9"})
    assert str(caught.value) == (
        "compiler: no-such-compiler (from CXX) was not found; expected a C++17 compiler; correct or unset CXX"
    )


def test_a_compiler_that_does_not_work() -> None:
    with pytest.raises(MissingPartError, match=r"^compiler: false --version failed; expected a working C\+\+17"):
        find_compiler({"CXX": "false"})


def test_no_compiler_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingPartError) as caught:
        find_compiler({})
    assert str(caught.value) == (
        "compiler: no C++ compiler was found (looked for CXX, c++ and the ziglang wheel); "
        "install one with `pip install ziglang`, or g++ with your system's package manager"
    )


def test_cxx_may_hold_arguments() -> None:
    compiler = find_compiler({"CXX": f"{find_compiler().command[0]} -g"})
    assert compiler.command[-1] == "-g"
    assert isinstance(compiler, Compiler)


def test_the_cache_of_the_tests_stays_in_the_checkout() -> None:
    assert CACHE.parent.name == "build"

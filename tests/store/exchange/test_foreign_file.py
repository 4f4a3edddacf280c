"""Files for other tools: pyperf by pyperf itself, google/benchmark by what its compare.py reads."""

from pathlib import Path

import orjson
import pytest

from nntest.errors import UsageError
from nntest.model.point import Failure
from nntest.store.entries import find_experiments
from nntest.store.exchange import gbench_file, pyperf_file
from nntest.store.exchange.foreign_file import export_foreign
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_case, make_point
from tests.store.exchange.archives import META, make_repository

CRASH = Failure(kind="crash", reason="SIGSEGV in /home/ada/x.so")
FAILED = make_point(repetitions=0, case=make_case(seed=7), failure=CRASH)
NAME = "conv-onednn-cpu/512-14-14-1-512-1-0/NCHW"


def test_pyperf_has_a_benchmark_per_point_and_a_run_per_launch() -> None:
    suite = orjson.loads(pyperf_file.to_bytes([make_point(), FAILED, make_point(case=make_case(threads=2))]) or b"")
    assert suite["version"] == "1.0"
    first, second = suite["benchmarks"]
    assert [item["metadata"]["name"] for item in suite["benchmarks"]] == [NAME, f"{NAME}/threads=2"]
    assert first["metadata"]["unit"] == "second"
    assert len(first["runs"]) == len(second["runs"]) == 5
    run = first["runs"][1]
    assert run["values"] == pytest.approx([200e-6, 700e-6])
    assert run["metadata"] == {"load_avg_1min": 0.5, "loops": 10}
    assert run["warmups"] == [[1, 0.00012], [1, 0.00011], [1, 0.0001]]


def test_pyperf_itself_loads_it(tmp_path: Path) -> None:
    pyperf = pytest.importorskip("pyperf", reason="pyperf is not installed")
    points = [make_point(), make_point(case=make_case(threads=2)), make_point(session="again")]
    path = tmp_path / "x.json"
    path.write_bytes(pyperf_file.to_bytes(points) or b"")
    suite = pyperf.BenchmarkSuite.load(str(path))
    assert suite.get_benchmark_names() == [NAME, f"{NAME}/threads=2", f"{NAME} (2)"]
    benchmark = suite.get_benchmark(NAME)
    assert benchmark.get_nvalue() == 10
    assert benchmark.median() == pytest.approx(550e-6)
    assert benchmark.get_unit() == "second"


def test_gbench_has_what_compare_py_reads() -> None:
    report = orjson.loads(gbench_file.to_bytes([make_point(), FAILED]))
    assert report["context"]["num_cpus"] == 2
    *good, bad = report["benchmarks"]
    assert len(good) == 10
    for index, item in enumerate(good):
        assert item["name"] == item["run_name"] == NAME
        assert (item["run_type"], item["repetitions"], item["repetition_index"]) == ("iteration", 10, index)
        assert (item["time_unit"], item["iterations"], item["threads"]) == ("ns", 10, 1)
        assert item["real_time"] == item["cpu_time"] == pytest.approx((index + 1) * 1e5)
    assert bad["error_occurred"]
    assert bad["error_message"] == "crash: SIGSEGV in /home/ada/x.so"


@pytest.mark.parametrize("form", ["pyperf", "gbench"])
def test_points_of_other_tools_are_counted(form: str, tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "theirs")
    folder = open_experiment(repository, "mixed", META)
    save_point(folder, FAILED)
    (folder / "ckp-0123456789abcdef.0001.json").write_bytes(b'{"characteristics_list": []}')
    entries = find_experiments(repositories=[repository])
    done = export_foreign(entries, tmp_path / "x.json", form)
    assert (done.points, done.failed, done.foreign) == (6, 1, 1)
    assert b"/home/ada" not in (tmp_path / "x.json").read_bytes()


def test_nothing_to_write(tmp_path: Path) -> None:
    repository = Repository("theirs", tmp_path / "theirs")
    save_point(open_experiment(repository, "failed", META), FAILED)
    with pytest.raises(UsageError) as nothing:
        export_foreign(find_experiments(repositories=[repository]), tmp_path / "x.json", "pyperf")
    assert str(nothing.value) == (
        "pyperf: no point of NNTest with a sample is among these experiments; export a zip instead"
    )
    assert not (tmp_path / "x.json").exists()

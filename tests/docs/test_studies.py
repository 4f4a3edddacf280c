"""docs/studies.md covers every line of the two studies, and each of its commands gives the file that it names."""

import re
import shlex
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from nntest.analyses.contract import Frames
from nntest.analyses.entries import load_analysis
from nntest.analyses.options import parse_options
from nntest.analyses.run import carry_out, part_name, run_analysis
from tests.analyses.frames import caffe, layer_rows, network, repetitions, row, typed
from tests.analyses.tx1 import ARCHIVE, tables

PAGE = (Path(__file__).parents[2] / "docs" / "studies.md").read_text(encoding="utf-8")
WANTED = [*(f"S2-{number:02d}" for number in range(1, 18 + 1)), *(f"S3-{number:02d}" for number in range(1, 40 + 1))]
#: One command of each analysis is carried out with its chart; charts take most of the time.
DRAWN = {"S2-10", "S2-16", "S3-02", "S3-08", "S3-16", "S3-28", "S3-35", "S3-37"}

LINES = {
    match[1]: (re.findall(r"`([^`]+)`", match[2]), match[3])
    for match in re.finditer(r"^\| (S[23]-\d\d) \| [^|]* \| ([^|]*) \| `([^`|]+)` \|", PAGE, re.MULTILINE)
}
COMMANDS = [(line, command) for line, (commands, _) in LINES.items() for command in commands]


def test_the_page_covers_exactly_the_studies_lines() -> None:
    assert list(LINES) == WANTED
    assert all(commands for commands, _ in LINES.values())


@pytest.mark.parametrize(("line", "command"), COMMANDS, ids=[f"{line}-{command}" for line, command in COMMANDS])
def test_every_command_runs(line: str, command: str, tmp_path: Path) -> None:
    name, source, *rest = shlex.split(command)
    options = dict(word.removeprefix("--").split("=", 1) for word in rest)
    if source == "$TX1" and not ARCHIVE.exists():
        pytest.skip(f"{ARCHIVE.name} is not beside this checkout")
    points = SOURCES[source]()
    if line in DRAWN:
        written = {path.name for path in run_analysis(name, points, options, tmp_path).paths}
        assert f"{name}.png" in written
    else:
        analysis = load_analysis(name)
        result = carry_out(analysis, parse_options(analysis.declared, options, where=name), points)
        written = {f"{part_name(name, part)}.csv" for part in result.tables}
        assert len(result.tables[name])
    file = LINES[line][1]
    if file.startswith(name):
        assert file in written
    assert any(file.startswith(other.split()[0]) for other in LINES[line][0])


@cache
def operators() -> Frames:
    """Points as the RK3399 study has them: two operators, two tuners, kernels; among them a failed case."""
    rows = []
    for program, base in (("conv-armcl-opencl", 900.0), ("directconv-armcl-opencl", 1200.0)):
        for tuner, gain in (("NONE", 1.0), ("DEFAULT", 0.9)):
            for number, shape in enumerate(("512-14-14-1-512-1-0", "1024-7-7-1-1024-1-0")):
                times = [base * gain * (1 + number) * (1 + 0.01 * step) for step in range(10)]
                rows += repetitions(
                    times, program=program, operator=program.split("-")[0], tuner=tuner, shape=shape,
                    library="arm-compute-library-opencl-18.05-b3a371b", platform="Rockchip RK3399 Firefly Board",
                )  # fmt: skip
    rows.append(row(time_us=None, success=False, trust="failed", fail_reason="crash: SIGSEGV"))
    points = typed(rows)
    reduced = network().assign(network="mobilenets-v1-0.75-160")
    return Frames(
        points=points,
        kernels=points.iloc[:40].assign(kernel="gemm_mm"),
        networks=pd.concat([network(), reduced], ignore_index=True),
    )


@cache
def whole_study() -> Frames:
    """All four networks, as the whole repository has them."""
    models = ("bvlc_alexnet", "bvlc_googlenet", "deepscale_squeezenet_1.0", "deepscale_squeezenet_1.1")
    libraries = ("cpu", "libdnn_cuda", "nvidia_cuda", "nvidia_cudnn")
    times = {
        f"{library}__{model}__{batch}": [float(batch * (1 + place)) + step for step in range(3)]
        for library in libraries
        for place, model in enumerate(models)
        for batch in (4, 16)
    }
    points = caffe(**times)
    return Frames(points=points, layers=layer_rows(points, conv1=60.0, fire2=10.0, fire3=8.0, pool10=2.0))


SOURCES = {"$TX1": tables, "$POINTS": operators, "$STUDY": whole_study}

"""All programs over all datasets that fit them, within a budget of time; then the page that says what became of it."""

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from summary import page

from nntest.errors import BusyMachineError, NNTestError
from nntest.faces.options import duration
from nntest.measure.plan import SessionPlan, plan_session
from nntest.measure.reporter import SilentReporter
from nntest.measure.request import RunRequest
from nntest.measure.session import Summary, run_session
from nntest.measure.world import World, real_world
from nntest.model.point import Point
from nntest.store.entries import find_datasets, find_experiments, find_programs, is_point_name
from nntest.store.read import read_point

ROOT = Path(__file__).parents[2]
SOME_FAILED = 3
# Less is not worth starting processes for.
_LEAST_S = 5.0
_BUSY_S = 10.0


@dataclass
class Visit:
    """What is known of a dataset besides its points: cases planned, refusals, programs left out, how far, when."""

    dataset: str
    cases: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    done: bool = False
    seconds: float = 0.0
    days: list[str] = field(default_factory=list)


def main(arguments: list[str]) -> int:
    """Measure until everything is done or the budget is spent, write the page, return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, prog="script/coverage/run.sh")
    parser.add_argument("--budget", default="2h", help="when to stop, such as 30min; 2h without it")
    parser.add_argument("--repetitions", type=int, default=3, help="samples of each case; 3 without it")
    parser.add_argument("--name", default="coverage", help="part of the experiments' names; coverage without it")
    parser.add_argument("--datasets", default="*", help="pattern of the datasets; all without it")
    parser.add_argument("--share", action="store_true", help="measure beside another session; the points are flagged")
    parser.add_argument("--summary", action="store_true", help="measure nothing, write the page only")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "coverage.md", help="the page")
    options = parser.parse_args(arguments)
    try:
        world = real_world()
        book = world.cache_root / "coverage" / f"{options.name}.json"
        visits = _read(book)
        if not options.summary:
            _measure(world, options, visits, book)
        points = list(_points(options.name))
        options.out.write_text(page(points, [asdict(visit) for visit in visits.values()], programs=_programs()))
    except NNTestError as error:
        print(f"nntest coverage: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    print(options.out)
    return SOME_FAILED if any(point.failure is not None for point in points) else 0


def _measure(world: World, options: argparse.Namespace, visits: dict[str, Visit], book: Path) -> None:
    """Visit the datasets, those that take little time first, so that a short budget reaches the most of them."""
    deadline = time.monotonic() + duration("budget", options.budget)
    plans = []
    for dataset in find_datasets(options.datasets):
        if dataset.dataset_files and dataset.has_tags({"nntest"}):
            plan = _plan(world, options, dataset.uoa)
            if plan is not None:
                plans.append((dataset.uoa, plan))
                visits.setdefault(dataset.uoa, Visit(dataset.uoa)).cases = len(plan.trials)
    for name, plan in sorted(plans, key=lambda pair: pair[1].estimated_s):
        visit = visits[name]
        if visit.done:
            continue
        began = time.monotonic()
        summary = _run(plan, world, deadline)
        if summary is None:
            return
        visit.seconds += time.monotonic() - began
        visit.days = sorted({*visit.days, f"{world.now():%Y-%m-%d}"})
        visit.refused.update(summary.refused)
        visit.left_out = [note for note in plan.notes if ": left out, " in note]
        visit.done = not summary.interrupted
        _write(book, visits)
        what = "done" if visit.done else "interrupted"
        print(f"{name}: {summary.points} points, {summary.failed} failed, {len(summary.refused)} unsupported, {what}")
        if summary.interrupted and deadline - time.monotonic() > _LEAST_S:
            raise KeyboardInterrupt  # somebody's Ctrl-C, not the budget


def _plan(world: World, options: argparse.Namespace, dataset: str) -> SessionPlan | None:
    """Return the session of one dataset; None where no program of ours computes its species."""
    request = RunRequest(
        programs="*",
        dataset_uoa=dataset,
        repetitions=options.repetitions,
        timestamp=f"{options.name}-{dataset}",
        resume=True,
        share=options.share,
    )
    try:
        return plan_session(request, world)
    except NNTestError as error:
        print(f"{dataset}: left out, {error}", file=sys.stderr)
        return None


def _run(plan: SessionPlan, world: World, deadline: float) -> Summary | None:
    """Run a session, ended as by Ctrl-C at the deadline; another session's end is waited for, up to then."""
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    while (rest := deadline - time.monotonic()) > _LEAST_S:
        signal.setitimer(signal.ITIMER_REAL, rest)
        try:
            with suppress(BusyMachineError):
                return run_session(plan, SilentReporter(), world)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        time.sleep(_BUSY_S)
    return None


def _points(name: str) -> Iterator[Point]:
    for entry in find_experiments(f"nntest-*-{name}-*"):
        for path in sorted(entry.path.glob("ckp-*.json")):
            if is_point_name(path.name):
                yield read_point(path)


def _programs() -> Mapping[str, str]:
    """Return every program with its library."""
    return {entry.uoa: entry.library for entry in find_programs("*")}


def _read(book: Path) -> dict[str, Visit]:
    if not book.is_file():
        return {}
    return {words["dataset"]: Visit(**words) for words in json.loads(book.read_text())}


def _write(book: Path, visits: Mapping[str, Visit]) -> None:
    book.parent.mkdir(parents=True, exist_ok=True)
    book.write_text(json.dumps([asdict(visit) for visit in visits.values()], indent=1))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

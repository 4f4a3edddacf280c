"""Groups of cases that are measured side by side, and the order of their rounds.

A group is all trials of one or more whole shapes. Within it rounds are interleaved, so that drift of the machine
meets all of them alike and a speedup is a ratio of paired rounds.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from nntest.measure.trial import Trial
from nntest.model.case import Plan
from nntest.model.species import find_species

# Starting processes (some 40 ms each) stays small against measuring, and an interruption costs half a minute.
MAX_TRIALS = 64
MAX_BYTES = 2_000_000_000
MAX_SECONDS = 30.0

# What an average kernel does, for planning only: a group's time is "about" 30 s, and plans must not depend on
# measurements, or a resumed session would form other groups.
_FLOPS_PER_S = 1e10
_BYTES_PER_S = 2e9
_START_S = 0.04
_CALLS_OF_SET_UP = 5
_COPIES = 3  # plain, native and the copy that evicts or receives


@dataclass(frozen=True, kw_only=True)
class Group:
    """Trials that share their launches; ``number`` counts the groups of a session from 0."""

    number: int
    trials: tuple[Trial, ...]
    estimated_s: float


def form_groups(trials: Sequence[Trial], plan: Plan, *, first_number: int = 0) -> list[Group]:
    """Divide the trials into groups of whole shapes, in the order in which the shapes come.

    A single shape that exceeds a limit is a group of its own.
    """
    shapes: dict[tuple[str, str, int], list[Trial]] = {}
    for trial in trials:
        shapes.setdefault(trial.shape.key, []).append(trial)
    groups: list[Group] = []
    pending: list[Trial] = []
    for members in shapes.values():
        if pending and not _fits([*pending, *members], plan):
            groups.append(make_group(first_number + len(groups), pending, plan))
            pending = []
        pending = [*pending, *members]
    if pending:
        groups.append(make_group(first_number + len(groups), pending, plan))
    return groups


def make_group(number: int, trials: Sequence[Trial], plan: Plan) -> Group:
    """Return the group of these trials with its estimated time."""
    return Group(number=number, trials=tuple(trials), estimated_s=sum(estimate_s(trial, plan) for trial in trials))


def round_order(group: Group, *, seed: int, launch: int, round_: int) -> list[Trial]:
    """Return the trials in the order of one round, shuffled anew for each from the session's recorded seed.

    What will be compared is measured close together, as blocks of a randomised design are: shapes take turns, the
    trials of a shape stand side by side, and among them those of one case. On a machine whose clock wanders, the
    difference of two samples 1 s apart is twice as uncertain as that of neighbours.
    """
    shuffled = list(group.trials)
    random.Random(f"{seed}:{group.number}:{launch}:{round_}").shuffle(shuffled)
    shapes: dict[tuple[str, str, int], dict[str, list[Trial]]] = {}
    for trial in shuffled:
        # a shuffled list meets shapes, and cases in a shape, in an order that is random too
        shapes.setdefault(trial.shape.key, {}).setdefault(trial.case.id, []).append(trial)
    return [trial for cases in shapes.values() for trials in cases.values() for trial in trials]


def estimate_s(trial: Trial, plan: Plan) -> float:
    """Return roughly how long a trial takes, all launches together."""
    species = find_species(trial.case.species)
    flops = species.flops(trial.case.parameters, trial.case.batch_size)
    call_s = flops / _FLOPS_PER_S + _plain_bytes(trial) / _BYTES_PER_S
    block_s = max(plan.block_min_s, call_s)
    launch_s = _START_S + _CALLS_OF_SET_UP * call_s + min(plan.warm_up_max_s, 3 * block_s)
    return plan.launches * launch_s + plan.repetitions * 2 * block_s


def estimate_bytes(trial: Trial) -> int:
    """Return roughly how much memory a trial holds while its group runs."""
    return _COPIES * _plain_bytes(trial)


def _plain_bytes(trial: Trial) -> int:
    return find_species(trial.case.species).bytes_moved(trial.case.parameters, trial.case.batch_size)


def _fits(trials: Sequence[Trial], plan: Plan) -> bool:
    return (
        len(trials) <= MAX_TRIALS
        and sum(map(estimate_bytes, trials)) <= MAX_BYTES
        and sum(estimate_s(trial, plan) for trial in trials) <= MAX_SECONDS
    )

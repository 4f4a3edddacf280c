"""From a request to a plan: everything that can be wrong is found here, before anything is built or run."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import product
from typing import TYPE_CHECKING

from nntest.errors import MissingPartError, UsageError
from nntest.measure.devices import OPENCL, TUNER_KEY
from nntest.measure.groups import Group, form_groups
from nntest.measure.libraries.isa import isa_environment
from nntest.measure.libraries.registry import usual_versions
from nntest.measure.profiling import OWN_ACCOUNTS, PROFILE_KEY, profiler_of
from nntest.measure.request import RunRequest
from nntest.measure.selection import (
    Shape,
    check_env,
    layouts_of,
    program_env,
    program_patterns,
    seed_of,
    select_programs,
    select_shapes,
)
from nntest.measure.sweep import sweep_shapes
from nntest.measure.trial import Candidate, Trial
from nntest.measure.world import World
from nntest.model.case import Case, Plan
from nntest.store.entries import ProgramEntry

if TYPE_CHECKING:
    from nntest.measure.libraries import FoundLibrary


@dataclass(frozen=True, kw_only=True)
class SessionPlan:
    """All that a session will do, in the order in which it will do it; ``notes`` say what was left out and why."""

    request: RunRequest
    timestamp: str
    plan: Plan
    candidates: tuple[Candidate, ...]
    trials: tuple[Trial, ...]
    groups: tuple[Group, ...]
    notes: tuple[str, ...] = ()

    @property
    def estimated_s(self) -> float:
        """Rough time of the measuring, without builds and references."""
        return sum(group.estimated_s for group in self.groups)

    @property
    def name(self) -> str:
        """Name of the session: the experiment's if one was given, else the timestamp."""
        return self.request.record_uoa or self.timestamp


def plan_session(request: RunRequest, world: World) -> SessionPlan:
    """Turn a request into a plan; nothing is built or run.

    Raises
    ------
    UsageError
        Unknown names, values that make no sense, too many threads.
    MissingPartError
        The library of a program that was asked for by name is not installed.
    """
    programs = select_programs(request, world.repositories)
    check_env(request, {program.species for program in programs})
    for threads in request.threads:
        world.choose_cores(threads)
    for program in programs:
        _check_cmd_key(request, program)
    notes: list[str] = []
    shapes = select_shapes(request, programs, world.repositories)
    shapes = sweep_shapes(shapes, request.sweep, named=bool(request.dataset_uoa or request.dataset_files))
    programs = _fitting(request, programs, shapes, notes)
    candidates = _candidates(request, programs, world, notes)
    _check_tuner(request, candidates)
    _check_profile(request, candidates, notes)
    _check_instructions(request, world)
    trials = _trials(request, candidates, shapes, notes)
    plan = Plan(
        repetitions=request.repetitions,
        launches=request.launch_count,
        order_seed=world.order_seed() if request.order_seed is None else request.order_seed,
        loops=request.loops,
        timeout_s=request.timeout_s,
    )
    return SessionPlan(
        request=request,
        timestamp=request.timestamp or f"{world.now():%Y%m%d%H%M%S}",
        plan=plan,
        candidates=tuple(candidates),
        trials=tuple(trials),
        groups=tuple(form_groups(trials, plan)),
        notes=tuple(notes),
    )


def _check_cmd_key(request: RunRequest, program: ProgramEntry) -> None:
    commands = program.meta.get("run_cmds")
    known = sorted(commands) if isinstance(commands, dict) else ["default"]
    if request.cmd_key not in known:
        raise UsageError(
            f"cmd_key: {request.cmd_key!r} was given; {program.uoa} has {', '.join(known)}; choose one of these"
        )


def _fitting(
    request: RunRequest, programs: Sequence[ProgramEntry], shapes: Sequence[Shape], notes: list[str]
) -> list[ProgramEntry]:
    """Leave out the programs for whose species there is no shape, with a word."""
    available = {shape.species for shape in shapes}
    kept = [program for program in programs if program.species in available]
    what = request.dataset_uoa or "the datasets"
    if not kept:
        species = ", ".join(sorted({program.species for program in programs}))
        raise UsageError(
            f"{what}: no shape for {request.programs} was found (species {species}); see `nntest list datasets`"
        )
    notes += [
        f"{program.uoa}: left out, {what} has no shape of species {program.species}"
        for program in programs
        if program not in kept
    ]
    return kept


def _candidates(
    request: RunRequest, programs: Sequence[ProgramEntry], world: World, notes: list[str]
) -> list[Candidate]:
    """Find the libraries; one that is missing ends the session only where its program was asked for by name."""
    named = set(program_patterns(request))
    found: list[Candidate] = []
    missing: MissingPartError | None = None
    used: set[str] = set()
    for program in programs:
        specs = _specs(request, program)
        if not specs:
            notes.append(f"{program.uoa}: left out, --library={','.join(request.library)} is no {program.library}")
        for spec in specs:
            try:
                library = _fitting_library(program, world, spec)
            except MissingPartError as error:
                # a folder holds one library, and is no reason to stop the programs of the others
                if program.uoa in named and "/" not in spec:
                    raise
                notes.append(f"{program.uoa}: left out, {error}")
                missing = missing or error
                continue
            used.add(spec)
            found += [Candidate(program=program, library=library, flags=flags) for flags in request.flags]
    if missing is not None and any("/" in spec and spec not in used for spec in request.library):
        raise missing
    if not found:
        raise missing or UsageError(
            f"library: {','.join(request.library)} fits none of the programs; see `nntest list libraries`"
        )
    return found


def _fitting_library(program: ProgramEntry, world: World, spec: str) -> "FoundLibrary":
    """Find the library's version that is meant; its interface must be the one that the program is written for."""
    versions = str(program.meta.get("library_version") or usual_versions(program.library))
    try:
        library = world.find_library(program.library, spec or ("" if versions == "*" else versions))
    except UsageError as error:  # the name is no library's, and it was not the user who gave it
        meta = program.path / ".cm" / "meta.json"
        raise UsageError(f"{meta}: nntest.library: {error}") from error
    if not fnmatchcase(library.library.version, versions):
        raise MissingPartError(
            f"{program.uoa}: it is written for {program.library} {versions}, not {library.library.version}; "
            "choose another version from `nntest list libraries`"
        )
    return library


def _specs(request: RunRequest, program: ProgramEntry) -> list[str]:
    """Return the library versions that are asked of a program; a tag of another library says nothing to it."""
    if not request.library:
        return [""]
    return [
        spec
        for spec in dict.fromkeys(request.library)
        if "/" in spec or spec[0] in "0123456789*" or spec == program.library or spec.startswith(f"{program.library}-")
    ]


def _trials(
    request: RunRequest, candidates: Sequence[Candidate], shapes: Sequence[Shape], notes: list[str]
) -> list[Trial]:
    """Combine shapes, candidates and dimensions; what has equal values is measured once."""
    trials: list[Trial] = []
    limits = {candidate: _isa_limits(request, candidate, notes) for candidate in candidates}
    if not any(limits.values()):
        isa_environment(candidates[0].program.library, request.isa_max[0])  # says what could have been asked for
    seen: dict[tuple[str, str, int], Shape] = {}
    for shape in shapes:
        first = seen.setdefault(shape.key, shape)
        if first is not shape:
            notes.append(
                f"{shape.dataset}:{shape.dataset_file}: equals {first.dataset}:{first.dataset_file}, measured once"
            )
            continue
        trials += [
            Trial(candidate=candidate, case=case, shape=shape)
            for candidate in candidates
            if candidate.program.species == shape.species
            for case in _cases(request, candidate, shape, limits[candidate])
        ]
    return trials


def _check_tuner(request: RunRequest, candidates: Sequence[Candidate]) -> None:
    """Refuse a tuner that nobody has: it would change nothing, and seem to."""
    if any(request.tuner) and not any(candidate.program.target_kind == OPENCL for candidate in candidates):
        raise UsageError(
            f"tuner: {','.join(request.tuner)} was given; expected a program on an OpenCL device, such as "
            "conv-clblast-opencl; leave it out"
        )


def _check_profile(request: RunRequest, candidates: Sequence[Candidate], notes: list[str]) -> None:
    """Tell which programs nobody keeps account of; they are measured as ever."""
    without = dict.fromkeys(one.program.uoa for one in candidates if not profiler_of(one.program))
    if not request.profile:
        return
    if len(without) == len({one.program.uoa for one in candidates}):
        raise UsageError(
            f"profile: {', '.join(without)} keep no account of their kernels; expected programs on an OpenCL device, "
            f"or of {OWN_ACCOUNTS}; leave it out"
        )
    notes += [f"{name}: measured without a profile, its library keeps no account of its kernels" for name in without]


def _check_instructions(request: RunRequest, world: World) -> None:
    """Refuse to count instructions where nothing does."""
    if request.instructions and world.counted is None:
        raise UsageError(
            f"instructions: nothing counts them on the target {request.target}; expected an emulator; "
            "add --target=linux-arm64-qemu, or leave the option out"
        )


def _isa_limits(request: RunRequest, candidate: Candidate, notes: list[str]) -> list[str]:
    """Return the values of isa_max that the candidate's library knows; one that it cannot be held to is told."""
    limits = []
    for isa_max in dict.fromkeys(request.isa_max):
        reason = _isa_refusal(candidate.program.library, isa_max)
        if reason:
            notes.append(f"{candidate.name}: left out with isa_max {isa_max}, {reason}")
        else:
            limits.append(isa_max)
    return limits


def _isa_refusal(library: str, isa_max: str) -> str:
    try:
        isa_environment(library, isa_max)
    except UsageError as error:
        return str(error)
    return ""


def _env(request: RunRequest, candidate: Candidate, shape: Shape, tuner: str) -> dict[str, str]:
    env = program_env(request, [shape.species])
    if tuner:
        env[TUNER_KEY] = tuner
    if request.profile and profiler_of(candidate.program):
        env[PROFILE_KEY] = "yes"
    return env


def _cases(request: RunRequest, candidate: Candidate, shape: Shape, limits: Sequence[str]) -> list[Case]:
    return [
        Case(
            program=candidate.program.uoa,
            species=shape.species,
            parameters=shape.parameters,
            batch_size=shape.batch_size,
            cmd_key=request.cmd_key,
            dtype=dtype,
            layout=layout,
            threads=threads,
            cache=cache,
            isa_max=isa_max,
            post_ops=post_ops,
            data=request.data,
            seed=seed_of(request),
            env=_env(request, candidate, shape, tuner),
        )
        for threads, dtype, layout, cache, isa_max, post_ops, tuner in product(
            dict.fromkeys(request.threads),
            dict.fromkeys(request.dtype),
            dict.fromkeys(layouts_of(request)),
            dict.fromkeys(request.cache),
            limits,
            dict.fromkeys(request.post_ops),
            dict.fromkeys(request.tuner) if candidate.program.target_kind == OPENCL else ("",),
        )
    ]

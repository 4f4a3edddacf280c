"""``nntest run``: the runner's options, turned into a request."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from nntest.errors import UsageError
from nntest.faces.options import duration, numbers, words

if TYPE_CHECKING:
    from nntest.model.case import CacheState, Fill

_WHAT, _HOW, _WHERE = "What is measured", "How it is measured", "Where the points go"


def _option(name: str, panel: str, text: str, *also: str) -> Any:
    return typer.Option(name, *also, help=text, rich_help_panel=panel)


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("run")(run)


def run(  # noqa: PLR0917 - typer reads the options off the signature
    programs: Annotated[
        list[str] | None, typer.Argument(help="Names or patterns of programs, such as '*conv-*'.")
    ] = None,
    tags: Annotated[str, _option("--tags", _WHAT, "Only programs that carry all these tags (comma list).")] = "",
    species: Annotated[str, _option("--species", _WHAT, "Only programs of this species, such as conv.")] = "",
    dataset_uoa: Annotated[
        str, _option("--dataset-uoa", _WHAT, "Dataset of shapes, a name or a pattern.", "--dataset")
    ] = "",
    dataset_file: Annotated[
        str, _option("--dataset-file", _WHAT, "Only these files of the dataset (comma list).", "--dataset-files")
    ] = "",
    library: Annotated[
        list[str] | None,
        _option("--library", _WHAT, "Library versions by tag, version or path (comma list). Repeatable."),
    ] = None,
    cmd_key: Annotated[str, _option("--cmd-key", _WHAT, "Run command of the program.")] = "default",
    batch_sizes: Annotated[
        str, _option("--batch-sizes", _WHAT, "Batch sizes (comma list); 1 without it.", "--batch-size")
    ] = "",
    iterations: Annotated[
        int | None, _option("--iterations", _WHAT, "Autotuning points: the first N batch sizes of 1, 2, 4, 8, ...")
    ] = None,
    threads: Annotated[str, _option("--threads", _WHAT, "Numbers of threads (comma list).")] = "1",
    dtype: Annotated[
        str, _option("--dtype", _WHAT, "Type of the numbers: float32, uint8 where the library has it (comma list).")
    ] = "float32",
    layout: Annotated[
        str, _option("--layout", _WHAT, "auto: the library's own, reorders apart; or NCHW, NHWC (comma list).")
    ] = "auto",
    cache: Annotated[
        str, _option("--cache", _WHAT, "Cache states before a call: warm, cold_weights, cold_all (comma list).")
    ] = "warm",
    isa_max: Annotated[
        str,
        _option("--isa-max", _WHAT, "Newest instructions to use, such as avx2; native: all there are (comma list)."),
    ] = "native",
    post_ops: Annotated[
        str, _option("--post-ops", _WHAT, "Fused operations: none, relu, sum, sum+relu (comma list).")
    ] = "none",
    tuner: Annotated[
        str, _option("--tuner", _WHAT, "Tuner of OpenCL libraries: NONE, DEFAULT (comma list); none asked without it.")
    ] = "",
    compute_platform_id: Annotated[
        int | None, _option("--compute-platform-id", _WHAT, "Number of the OpenCL platform, from 0.")
    ] = None,
    compute_device_id: Annotated[
        int | None, _option("--compute-device-id", _WHAT, "Number of the OpenCL device on its platform, from 0.")
    ] = None,
    data: Annotated[str, _option("--data", _WHAT, "How inputs are filled: normal, relu, int, zeros.")] = "normal",
    seed: Annotated[int, _option("--seed", _WHAT, "Seed of the inputs.")] = 42,
    env: Annotated[
        list[str] | None,
        _option("--env", _WHAT, "Environment of the program, KEY=VALUE; also --env.KEY=VALUE. Repeatable."),
    ] = None,
    flags: Annotated[
        list[str] | None, _option("--flags", _WHAT, "Compiler flags of the program; given twice, both are measured.")
    ] = None,
    sweep: Annotated[
        list[str] | None,
        _option(
            "--sweep", _WHAT, "Parameter in turn, CK_IN_SHAPE_C=96:129 (end excluded), :STEP, or a list. Repeatable."
        ),
    ] = None,
    repetitions: Annotated[int, _option("--repetitions", _HOW, "Samples of each case.")] = 10,
    launches: Annotated[
        int | None, _option("--launches", _HOW, "Fresh processes over which the repetitions are spread; 5 without it.")
    ] = None,
    loops: Annotated[int | None, _option("--loops", _HOW, "Calls in one sample; calibrated without it.")] = None,
    timeout: Annotated[str, _option("--timeout", _HOW, "Limit of one request to a program, such as 60s.")] = "60s",
    until_ci: Annotated[str, _option("--until-ci", _HOW, "Repeat until the interval is this narrow, such as 1%.")] = "",
    budget: Annotated[str, _option("--budget", _HOW, "Limit of the whole session's measuring, such as 2min.")] = "",
    skip_output_validation: Annotated[
        bool, _option("--skip-output-validation", _HOW, "Do not check outputs; the points say so.")
    ] = False,
    profile: Annotated[
        bool, _option("--profile", _HOW, "Take the account of each call's kernels, which costs time.", "--dvdt-prof")
    ] = False,
    instructions: Annotated[
        bool, _option("--instructions", _HOW, "Count the instructions of each call; on an emulated target.")
    ] = False,
    share: Annotated[bool, _option("--share", _HOW, "Measure beside another session; the points are flagged.")] = False,
    timestamp: Annotated[
        str, _option("--timestamp", _WHERE, "Last part of the experiments' names; the time without it.")
    ] = "",
    record_uoa: Annotated[str, _option("--record-uoa", _WHERE, "The whole name of the experiment.")] = "",
    record_repo: Annotated[str, _option("--record-repo", _WHERE, "CK repository that takes the points.")] = "local",
    no_record: Annotated[bool, _option("--no-record", _WHERE, "Measure and print, record nothing.")] = False,
    resume: Annotated[
        bool, _option("--resume", _WHERE, "Do exactly what the session of that timestamp has left undone.")
    ] = False,
    dump: Annotated[
        Path | None, _option("--dump", _WHERE, "Write the tensors of each case into this folder (.npy).")
    ] = None,
    target: Annotated[
        str, _option("--target", _HOW, "Where programs run; `nntest target list` shows them.", "--target-os")
    ] = "native",
    list_tests: Annotated[bool, _option("--list-tests", _WHERE, "List the cases and stop.")] = False,
    dry_run: Annotated[bool, _option("--dry-run", _WHERE, "Say what would be done, and stop.")] = False,
) -> int:
    """Measure programs over shapes and record checked points."""
    from nntest.measure.request import RunRequest
    from nntest.measure.sweep import parse_sweep

    request = RunRequest(
        programs=",".join(programs or ["*"]),
        tags=tags,
        species=species,
        dataset_uoa=dataset_uoa,
        dataset_files=words(dataset_file),
        library=words(",".join(library or [])),
        cmd_key=cmd_key,
        batch_sizes=numbers("batch_sizes", batch_sizes),
        iterations=iterations,
        threads=numbers("threads", threads),
        dtype=words(dtype),
        layout=words(layout),
        cache=cast("tuple[CacheState, ...]", words(cache)),
        isa_max=tuple("" if word == "native" else word for word in words(isa_max)),
        post_ops=tuple("" if word == "none" else word for word in words(post_ops)),
        tuner=words(tuner) or ("",),
        compute_platform_id=compute_platform_id,
        compute_device_id=compute_device_id,
        profile=profile,
        instructions=instructions,
        data=cast("Fill", data),
        seed=seed,
        env=dict(_assignment(item) for item in env or []),
        flags=tuple(flags or [""]),
        repetitions=repetitions,
        launches=launches,
        loops=loops,
        timeout_s=duration("timeout", timeout),
        until_ci_pct=_percent(until_ci) if until_ci else None,
        budget_s=duration("budget", budget) if budget else None,
        skip_output_validation=skip_output_validation,
        share=share,
        timestamp=timestamp,
        record_uoa=record_uoa,
        record_repo=record_repo,
        no_record=no_record,
        resume=resume,
        dump=dump,
        list_tests=list_tests,
        dry_run=dry_run,
        sweep=parse_sweep(sweep or []),
        target=target,
    )
    # hours of measuring are not begun by an empty line, nor by a variable of a script that is empty
    named = words(",".join(programs or []))
    if not named and (programs or not (tags or species or dataset_uoa)):
        raise UsageError(
            "run: no program was named; expected names or patterns such as conv-onednn-cpu or '*conv-*'; "
            "`nntest list programs` shows them, '*' takes them all"
        )
    from nntest.faces.sessions import carry_out

    return carry_out(request)


def _percent(text: str) -> float:
    try:
        return float(text.removesuffix("%"))
    except ValueError:
        raise UsageError(f"until_ci: {text!r} was given; expected a percentage such as 1%") from None


def _assignment(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"env: {text!r} was given; expected KEY=VALUE")
    return key, value

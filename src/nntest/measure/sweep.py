"""Shapes along a parameter: every value of a range, all else being equal."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

from nntest.errors import UsageError
from nntest.measure.selection import Shape
from nntest.model.species import find_species

Sweep = Mapping[str, tuple[int, ...]]
_MOST = 4096


def parse_sweep(texts: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Read ``CK_IN_SHAPE_C=96:129`` (the end excluded), ``...=96:129:4`` or ``...=96,100,128``.

    Raises
    ------
    UsageError
        It is none of these, or more values than anyone waits for.
    """
    found = {}
    for text in texts:
        key, equals, values = text.partition("=")
        numbers = _values(values) if equals else ()
        if not numbers or not key.strip():
            raise UsageError(
                f"sweep: {text!r} was given; expected PARAMETER=START:STOP, START:STOP:STEP or a comma list, "
                "such as CK_IN_SHAPE_C=96:129"
            )
        if len(numbers) > _MOST:
            raise UsageError(f"sweep: {text!r} means {len(numbers)} values; expected at most {_MOST}; use a step")
        found[key.strip()] = numbers
    return found


def sweep_shapes(shapes: Sequence[Shape], sweep: Sweep, *, named: bool) -> list[Shape]:
    """Return each shape with every combination of the swept values.

    Parameters
    ----------
    named
        Whether the user named datasets or files. If not, one shape of each species is swept: the middle one by its
        operations among those of real networks.

    Raises
    ------
    UsageError
        A species has no such parameter, or a value makes no sense for a shape.
    """
    if not sweep:
        return list(shapes)
    swept: dict[tuple[str, str, int], Shape] = {}
    for shape in shapes if named else _middles(shapes):
        entry = find_species(shape.species)
        for key in sweep:
            if key not in entry.keys:
                known = ", ".join(entry.keys)
                raise UsageError(f"sweep: {key} is no parameter of {shape.species}; expected one of {known}")
        for values in product(*sweep.values()):
            changed = {**entry.ck_values(shape.parameters), **dict(zip(sweep, values, strict=True))}
            parameters, batch = entry.normalise(
                {"CK_IN_SHAPE_N": shape.batch_size, **changed}, where=f"sweep of {shape.dataset}:{shape.dataset_file}"
            )
            made = replace(shape, parameters=parameters, batch_size=batch)
            swept.setdefault(made.key, made)
    return list(swept.values())


def _middles(shapes: Sequence[Shape]) -> list[Shape]:
    by_species: dict[str, list[Shape]] = {}
    for shape in shapes:
        by_species.setdefault(shape.species, []).append(shape)
    chosen = []
    for species, found in by_species.items():
        entry = find_species(species)
        real = [shape for shape in found if not shape.dataset.endswith("-synthetic")] or found
        ordered = sorted(real, key=lambda shape: (entry.flops(shape.parameters), shape.name))
        chosen.append(ordered[len(ordered) // 2])
    return chosen


def _values(text: str) -> tuple[int, ...]:
    try:
        if ":" in text:
            return tuple(range(*map(int, text.split(":"))))
        return tuple(dict.fromkeys(int(word) for word in text.split(",")))
    except (ValueError, TypeError):
        return ()

"""Comparison of a measured output with the reference, in units that tell wrong from rounded.

One unit is eps(dtype) * sqrt(K) * scale: eps is the spacing of 1.0, K the number of terms that one output value sums,
and scale, per element, the larger of the reference's root mean square over the tensor and the element's own size. An
output passes when every |error| <= atol + c * unit, with c per algorithm.

Why sqrt(K) and the root mean square: N. Higham and T. Mary, "Sharper probabilistic backward error analysis for basic
linear algebra kernels with random data", SIAM J. Sci. Comput. 42(5), 2020: for data of mean zero the error of an inner
product of length K is of order u * K * mean|x||w|, whatever the order of summation; the result itself is of order
sqrt(K) * rms(x) * rms(w), so that their ratio grows as u * sqrt(K). Rounding by a spacing of eps is up to eps / 2 = u.

Why these c: a plain float32 loop (the least accurate honest kernel) reaches 1.1 units at its worst element of 10^5, for
any K up to 200,000; a blocked sum stays below that, oneDNN 3.2 below 1.5 among 10^6. Inputs rounded to bfloat16 give a
worst element of about 400 units at K = 25,088 and more below, to float16 or TF32 about 50. Winograd F(4x4,3x3) loses a
digit in its transforms (6 to 12 units; B. Barabasz et al., "Error analysis and improving the accuracy of Winograd
convolution for deep neural networks", ACM TOMS 46(4), 2020), larger tiles more. The tests of this module repeat these
experiments.

The output of a quantised case is compared in steps, of which it may be one off: libraries requantise in fixed point, by
a float32 factor or with another rounding of ties, and each of them is right to half a step and a little.
"""

import math
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from nntest.errors import UsageError
from nntest.measure.reference import Reference
from nntest.model.case import Case
from nntest.model.point import Verification
from nntest.model.species import SPECIES

EPS: Mapping[str, float] = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}

TOLERANCE: Mapping[str, float] = {
    "auto": 4.0,
    "direct": 4.0,
    "gemm": 4.0,
    "pool": 4.0,
    # An exponential, a sum and a quotient: each is good to a few units in the last place.
    "softmax": 8.0,
    "winograd": 64.0,
    "copy": 0.0,
}

# Nothing is computed: the output is some of the input's values, bit by bit.
EXACT_SPECIES = frozenset({"maxpool", "reorder", "reshape", "concat", "relu", "flatten"})

# Steps that a computed output of a quantised case may be off.
STEPS_OFF = 1.0

# Denormal results may be flushed to zero; the driver sets the processor to do so.
SMALLEST_NORMAL = 2.0**-126

_CHUNK = 1 << 15
_PROBE = 1 << 11


def algorithm_in_force(algorithm: str, implementation: str) -> str:
    """Return ``winograd`` when the library's own choice turned out to be that, else ``algorithm``.

    Parameters
    ----------
    algorithm
        What the program's meta promises (``auto``, ``direct``, ...).
    implementation
        The kernel's name as the library tells it.
    """
    return "winograd" if algorithm == "auto" and "wino" in implementation.lower() else algorithm


def error_limit(case: Case, algorithm: str) -> float:
    """Return the largest allowed error, in units of eps(dtype) * sqrt(K) * scale; 0 means equal values.

    That of a quantised case is in steps of the output's scale.
    """
    if algorithm not in TOLERANCE:
        known = ", ".join(TOLERANCE)
        raise UsageError(
            f"{case.program}: algorithm {algorithm!r} has no tolerance; expected one of {known}; correct it"
        )
    if case.species in EXACT_SPECIES:
        return 0.0
    return STEPS_OFF if case.quantisation else TOLERANCE[algorithm]


def verify(case: Case, output: npt.NDArray[np.generic], reference: Reference, algorithm: str) -> Verification:
    """Compare ``output`` with ``reference``.

    Parameters
    ----------
    case
        The question; its dtype, species and parameters give the unit.
    output
        In the logical dimensions, or flat in row-major order.
    algorithm
        One of ``TOLERANCE``.

    Returns
    -------
    Verification
        ``max_error`` and ``limit`` in units; ``max_error`` is None when the output has another size or is not finite.
    """
    limit = error_limit(case, algorithm)
    if case.dtype not in EPS and not case.quantisation:
        known = ", ".join((*EPS, "uint8"))
        raise UsageError(f"{case.program}: dtype {case.dtype} has no tolerance; expected one of {known}")
    expected = reference.values
    if output.size != expected.size or output.shape not in (expected.shape, (expected.size,)):
        reason = f"output has the shape {_dims(output.shape)}; expected {_dims(expected.shape)}"
        return Verification(verified=False, limit=limit, reference=reference.name, reason=reason)
    flat, wanted = output.reshape(-1), expected.reshape(-1)
    if case.quantisation:
        return _verify_steps(flat, reference, limit)
    unit = EPS[case.dtype] * math.sqrt(SPECIES[case.species].reduction_length(case.parameters))
    errors = _Errors(flat, wanted, scale=reference.root_mean_square, unit=unit, limit=limit)
    if errors.not_finite is not None:
        index = errors.not_finite
        found = f"{_place(index, expected.shape)} is {float(flat[index])}; expected {wanted[index]:.9g}"
        reason = f"{found}; {np.count_nonzero(~np.isfinite(flat))} of {flat.size} values are not finite"
        return Verification(verified=False, limit=limit, reference=reference.name, reason=reason)
    reason = ""
    if errors.wrong:
        index = errors.worst
        reason = (
            f"{_place(index, expected.shape)} is {float(flat[index]):.9g}; expected {wanted[index]:.9g}; "
            f"error {errors.largest:.3g}, limit {limit:g} (units of eps * sqrt(K) * scale); "
            f"{errors.wrong} of {flat.size} values are wrong"
        )
    return Verification(
        verified=not errors.wrong, max_error=errors.largest, limit=limit, reference=reference.name, reason=reason
    )


def _verify_steps(flat: npt.NDArray[np.generic], reference: Reference, limit: float) -> Verification:
    """Compare what a quantised case has stored with what it should have."""
    errors = np.subtract(flat, reference.values.reshape(-1), dtype=np.float64)
    np.abs(errors, out=errors)
    worst = int(np.argmax(errors))
    largest, wrong = float(errors[worst]), int(np.count_nonzero(errors > limit))
    reason = ""
    if wrong:
        shape = reference.values.shape
        reason = (
            f"{_place(worst, shape)} is {float(flat[worst]):g}; expected {reference.values.reshape(-1)[worst]:g}; "
            f"error {largest:g}, limit {limit:g} (steps of the output's scale); {wrong} of {flat.size} values are wrong"
        )
    return Verification(verified=not wrong, max_error=largest, limit=limit, reference=reference.name, reason=reason)


class _Errors:
    """Errors of a flat output in units, found chunk by chunk so that all temporaries stay in the cache."""

    def __init__(
        self,
        output: npt.NDArray[np.generic],
        expected: npt.NDArray[np.float64],
        *,
        scale: float,
        unit: float,
        limit: float,
    ) -> None:
        self.largest, self.worst, self.wrong = 0.0, 0, 0
        self.not_finite: int | None = None
        # With a scale of 0 all is expected to be 0, and any other value is infinitely wrong.
        smallest = max(scale * unit, SMALLEST_NORMAL)
        # A few first: what they reach spares the rest most of the work.
        starts = (*range(0, min(expected.size, _CHUNK), _PROBE)[:2], *range(_CHUNK, expected.size, _CHUNK))
        for begin, end in pairwise((*starts, expected.size)):
            wanted = expected[begin:end]
            error = np.subtract(output[begin:end], wanted, dtype=np.float64)
            np.abs(error, out=error)
            # No error in units is larger than this quotient by the smallest unit, so that few are worth a division;
            # the negation keeps what is no number.
            [places] = np.nonzero(~(error <= min(self.largest, limit) * smallest))
            if not places.size:
                continue
            error = error[places]
            allowed = np.maximum(np.abs(wanted[places]) * unit, smallest)
            in_units = error / allowed
            place = int(np.argmax(in_units))
            largest = float(in_units[place])
            if not math.isfinite(largest):
                bad = ~np.isfinite(output[begin:end].astype(np.float64))
                self.not_finite = begin + int(np.argmax(bad))
                return
            if largest > self.largest:
                self.largest, self.worst = largest, begin + int(places[place])
            if largest > limit:
                self.wrong += self._count_wrong(error, allowed, limit)

    @staticmethod
    def _count_wrong(error: npt.NDArray[np.float64], allowed: npt.NDArray[np.float64], limit: float) -> int:
        return int(np.count_nonzero(error > SMALLEST_NORMAL + limit * allowed))


def _place(index: int, shape: tuple[int, ...]) -> str:
    return f"output[{', '.join(str(int(axis)) for axis in np.unravel_index(index, shape))}]"


def _dims(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "()"

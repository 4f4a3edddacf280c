"""How much a statistic would vary if the session were run again: bootstrap over launches.

Rounds of one launch share a process, so launches are what is resampled; a drawn launch brings its rounds whole.
Drawing rounds again inside a drawn launch would count the variance within launches twice (Davison and Hinkley 1997,
Bootstrap Methods and their Application, section 3.8; with 5 launches of 2 rounds intervals became 1.5 times too wide).
For up to six launches all resamples are enumerated with their probabilities, so nothing there is random; beyond,
they are drawn from a fixed seed.
"""

from functools import lru_cache
from itertools import combinations_with_replacement
from math import factorial

import numpy as np

from nntest.statistics.series import Floats, Ints

ENUMERATED_LAUNCHES = 6
DRAWN_RESAMPLES = 1000
# With several rounds in few launches the bootstrapped spread of one median is itself so uncertain that Student's t does
# not make up for it: 93 % covered where 95 % was said. The factor was calibrated by simulation (tests/statistics); one
# round per launch, and the difference of two medians, are conservative without it.
SMALL_SAMPLE = 1.25
# Nothing is told apart below 0.01 %: ties (a coarse clock) would otherwise give a spread of zero, hence certainty.
RESOLUTION = 1e-4
_CHUNK_ELEMENTS = 250_000


@lru_cache(maxsize=64)
def resamples(launches: int, seed: int = 0) -> tuple[Ints, Floats]:
    """Return how often each launch is drawn, shape (resamples, launches), and each resample's probability."""
    if launches <= ENUMERATED_LAUNCHES:
        draws = np.array(list(combinations_with_replacement(range(launches), launches)))
        counts = np.stack([np.count_nonzero(draws == launch, axis=1) for launch in range(launches)], axis=1)
        orders = np.array([factorial(launches) / np.prod([factorial(int(c)) for c in row]) for row in counts])
        return counts.astype(np.int64), orders / float(launches**launches)
    generator = np.random.default_rng((seed, launches))
    counts = generator.multinomial(launches, np.full(launches, 1.0 / launches), size=DRAWN_RESAMPLES)
    return counts.astype(np.int64), np.full(DRAWN_RESAMPLES, 1.0 / DRAWN_RESAMPLES)


def resampled_medians(logs: Floats, launches: Ints, counts: Ints) -> Floats:
    """Return the median of each resample of each case.

    Parameters
    ----------
    logs
        Shape (cases, n).
    launches
        Launch (0..L-1) of each value, same shape.
    counts
        Shape (resamples, L), as `resamples` gives them.

    Returns
    -------
    Shape (cases, resamples).
    """
    order = np.argsort(logs, axis=1, kind="stable")
    ordered = np.take_along_axis(logs, order, axis=1)
    labels = np.take_along_axis(launches, order, axis=1)
    sizes = np.stack([np.count_nonzero(launches == launch, axis=1) for launch in range(counts.shape[1])], axis=1)
    # a resample has at most this many values; the smallest type that holds twice as many is several times faster
    bound = 2 * counts.shape[1] * int(sizes.max(initial=0))
    drawn = np.ascontiguousarray(2 * counts.T.astype(np.min_scalar_type(-bound - 1)))
    total = (sizes @ counts.T).astype(drawn.dtype)
    reached = np.zeros_like(total)
    lower, upper = np.zeros_like(total), np.zeros_like(total)
    for place in range(logs.shape[1]):
        reached += drawn[labels[:, place]]
        # how many of the ordered values come before the one in the middle
        lower += reached < total
        upper += reached <= total
    rows = np.arange(0, ordered.size, ordered.shape[1])[:, None]
    flat = ordered.ravel()
    medians: Floats = (flat[rows + lower] + flat[rows + upper]) / 2
    return medians


def deviation(estimates: Floats, probabilities: Floats, launches: int) -> Floats:
    """Return the standard error from resampled estimates, shape (..., resamples), freed of the bootstrap's bias.

    A bootstrap of L launches divides by L where L - 1 is meant (Hesterberg 2015, The American Statistician 69:371).
    """
    centre = estimates @ probabilities
    variance = (estimates - centre[..., None]) ** 2 @ probabilities
    return np.asarray(np.sqrt(variance * launches / (launches - 1)), dtype=np.float64)


def median_error(logs: Floats, launches: Ints, launch_count: int, *, seed: int = 0) -> Floats:
    """Return the standard error of each case's median log time; shapes as in `resampled_medians`."""
    counts, probabilities = resamples(launch_count, seed)
    step = max(1, _CHUNK_ELEMENTS // len(counts))
    parts = [
        deviation(
            resampled_medians(logs[start : start + step], launches[start : start + step], counts),
            probabilities,
            launch_count,
        )
        for start in range(0, len(logs), step)
    ]
    factor = SMALL_SAMPLE if logs.shape[1] > launch_count else 1.0
    return np.maximum(factor * np.concatenate(parts), RESOLUTION)


def ratio_error(logs: Floats, baseline_logs: Floats, launches: Ints, launch_count: int, *, seed: int = 0) -> Floats:
    """Return the standard error of the difference of two medians whose values pair; all shapes (cases, n).

    Both sides draw the same launches, so that what the machine did to both cancels.
    """
    counts, probabilities = resamples(launch_count, seed)
    step = max(1, _CHUNK_ELEMENTS // len(counts))
    parts = []
    for start in range(0, len(logs), step):
        part = slice(start, start + step)
        drawn = resampled_medians(baseline_logs[part], launches[part], counts)
        drawn -= resampled_medians(logs[part], launches[part], counts)
        parts.append(deviation(drawn, probabilities, launch_count))
    return np.maximum(np.concatenate(parts), RESOLUTION)


def minimum_error(logs: Floats, launches: Ints, launch_count: int) -> Floats:
    """Return the standard error of each case's minimum log time; shapes as in `resampled_medians`.

    A bootstrap fails for a minimum (Bickel and Freedman 1981, Annals of Statistics 9:1196). The launches' minima are
    taken as normal: their spread times the standard deviation of the smallest of L standard normal values.
    """
    minima = np.stack(
        [np.min(np.where(launches == launch, logs, np.inf), axis=1) for launch in range(launch_count)], axis=1
    )
    error = np.std(minima, axis=1, ddof=1) * smallest_deviation(launch_count)
    return np.asarray(np.maximum(error, RESOLUTION), dtype=np.float64)


def mean_error(logs: Floats, launches: Ints, launch_count: int) -> Floats:
    """Return the standard error of each case's mean time, relative to it; shapes as in `resampled_medians`.

    The launches' means are what is independent: their standard deviation over the square root of their number. Rare
    disturbances move a mean further than this tells; medians are what this house compares, means what studies did.
    """
    values = np.exp(logs)
    means = np.stack(
        [
            np.sum(np.where(launches == launch, values, 0.0), axis=1) / np.count_nonzero(launches == launch, axis=1)
            for launch in range(launch_count)
        ],
        axis=1,
    )
    error = np.std(means, axis=1, ddof=1) / np.sqrt(launch_count) / np.mean(means, axis=1)
    return np.asarray(np.maximum(error, RESOLUTION), dtype=np.float64)


@lru_cache(maxsize=256)
def smallest_deviation(count: int) -> float:
    """Return the standard deviation of the smallest of ``count`` standard normal values, by quadrature."""
    from scipy.special import ndtr

    grid = np.linspace(-12.0, 12.0, 24_001)
    density = count * np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi) * ndtr(-grid) ** (count - 1)
    weights = density / density.sum()
    return float(np.sqrt(weights @ (grid - weights @ grid) ** 2))

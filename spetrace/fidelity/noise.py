"""What a random loss would do: distances of as many records, drawn without replacement.

How percentiles are drawn: give each of N records a random place in (0, 1). The k-th of n drawn
records is then at a place that is Beta(k, n - k + 1) distributed, and each of the N - n others lies
before it with that probability. So the record has rank k + Binomial(N - n, Beta(k, n - k + 1)) among
all N, exactly, and one number is drawn in place of n.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from spetrace.fidelity.distance import percentile, percentile_rank, total_variation, values_at
from spetrace.fidelity.measure import Counts

DRAWS: Final = 200
"""Random losses that a noise is estimated from."""
SEED: Final = 0
_MOST_RECORDS: Final = 10**9 - 1
"""numpy's limit for a multivariate hypergeometric draw."""


def distances_of_random_losses(
    counts: Counts, surviving: int, random: np.random.Generator, draws: int = DRAWS
) -> npt.NDArray[np.float64]:
    """Total variation distances that `surviving` records, drawn at random, have to all."""
    scale = -(-int(counts.sum()) // _MOST_RECORDS)
    if scale > 1:
        counts = counts // scale
        surviving = min(max(surviving // scale, 1), int(counts.sum()))
    left = random.multivariate_hypergeometric(counts, surviving, size=draws, method="marginals")
    return total_variation(left, counts) / math.sqrt(scale)


def shifts_of_random_losses(
    fraction: float,
    counts: Counts,
    values: npt.NDArray[np.float64],
    surviving: int,
    random: np.random.Generator,
    draws: int = DRAWS,
) -> npt.NDArray[np.float64]:
    """Shifts of a percentile that `surviving` records, drawn at random, have from all."""
    records = int(counts.sum())
    rank = percentile_rank(fraction, surviving)
    places = random.beta(rank, surviving - rank + 1, size=draws)
    ranks = rank + random.binomial(records - surviving, places)
    return values_at(ranks, counts, values) - percentile(fraction, counts, values)

"""How many nines a sample supports: what may be printed, however good the estimate looks.

k nines are supported where so few bad reads would have been seen with probability at most
1 - confidence, had one read in 10**k been bad. That is Clopper-Pearson's one-sided upper bound
at or below 10**-k, asked without inverting anything (Hanley and Lippman-Hand, 1983, for the
"rule of three" of clean samples).
"""

from math import ceil, log, log1p
from typing import Final

from freshness.beta import tails

MOST_NINES: Final = 15


def supported_nines(bad: float, n: float, confidence: float = 0.95) -> int:
    """The largest number of nines that `bad` of `n` independent reads support; 0 for none.

    For reads in clusters pass what `intervals.independent` leaves of them.
    """
    nines = 0
    while nines < MOST_NINES and supports(bad, n, 10.0 ** -(nines + 1), confidence):
        nines += 1
    return nines


def supports(bad: float, n: float, share: float, confidence: float) -> bool:
    """Whether the sample shows, at this confidence, that at most `share` of the reads are bad."""
    if not 0 <= bad <= n:
        raise ValueError(f"{bad} bad of {n} is no sample")
    if bad == 0:
        return n * log1p(-share) <= log(1.0 - confidence)
    if n - bad < 1.0:
        return False
    return tails(share, bad + 1.0, n - bad).upper <= 1.0 - confidence


def clean_reads_needed(nines: int, confidence: float = 0.95) -> int:
    """How many independent reads, all of them good, it takes to support so many nines."""
    return ceil(log(1.0 - confidence) / log1p(-(10.0**-nines)))

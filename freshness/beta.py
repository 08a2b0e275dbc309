"""The beta distribution's two tails and their inverse: the arithmetic under Clopper-Pearson.

Plain Python, accurate for a + b up to about 1e9, where differences of `lgamma` lose six digits.
Sources: Loader, "Fast and accurate computation of binomial probabilities" (2000), for the density;
DiDonato and Morris, "Algorithm 708" (1992), for the continued fraction, by Lentz's method.
"""

from math import exp, inf, lgamma, log, pi, sqrt
from typing import Final, Literal, NamedTuple

Side = Literal["lower", "upper"]

_PRECISION: Final = 1e-15
_FRACTION_TERMS: Final = 200_000
_NEWTON_STEPS: Final = 200


class Tails(NamedTuple):
    """P(X <= p) and P(X > p): each accurate where it is the small one."""

    lower: float
    upper: float


def tails(p: float, a: float, b: float) -> Tails:
    """Both tails at p of a beta variable with shapes a, b > 0 (lower is I_p(a, b))."""
    if p <= 0.0:
        return Tails(0.0, 1.0)
    if p >= 1.0:
        return Tails(1.0, 0.0)
    kernel, excess = _kernel(p, a, b), a * (1.0 - p) - b * p
    if excess > 0.0:
        lower = min(1.0, kernel / _fraction(p, a, b, excess))
        return Tails(lower, 1.0 - lower)
    upper = min(1.0, kernel / _fraction(1.0 - p, b, a, -excess))
    return Tails(1.0 - upper, upper)


def quantile(tail: float, a: float, b: float, side: Side) -> float:
    """The p at which the named tail of beta(a, b), a and b >= 1, equals `tail` in (0, 1).

    Newton's method on the logarithm of the tail, which is concave for such shapes, inside a bracket
    that shrinks with every step and is halved where Newton would leave it.
    """
    low, high, p = 0.0, 1.0, a / (a + b)
    for _ in range(_NEWTON_STEPS):
        value = getattr(tails(p, a, b), side)
        if (value < tail) == (side == "lower"):
            low = p
        else:
            high = p
        following = _newton(p, value, tail, a, b, side)
        if not low < following < high:
            following = _middle(low, high)
        if abs(following - p) <= 4 * _PRECISION * p:
            return following
        p = following
    return p


def _newton(p: float, value: float, tail: float, a: float, b: float, side: Side) -> float:
    slope = _kernel(p, a, b) / (p * (1.0 - p))
    if value <= 0.0 or slope <= 0.0:
        return inf
    step = log(value / tail) * value / slope
    return p - step if side == "lower" else p + step


def _middle(low: float, high: float) -> float:
    """Geometric where it can be: the root may lie many orders of magnitude below 1."""
    return sqrt(low * high) if low > 0.0 else high / 2.0


def _kernel(p: float, a: float, b: float) -> float:
    """p**a (1-p)**b / B(a, b), by Loader's saddle-point form of the binomial density."""
    n, q = a + b, 1.0 - p
    exponent = (
        _stirling_error(n)
        - _stirling_error(a)
        - _stirling_error(b)
        - _deviance(a, n * p, p * b - a * q)
        - _deviance(b, n * q, a * q - p * b)
    )
    return sqrt(a * b / (2.0 * pi * n)) * exp(exponent)


def _stirling_error(z: float) -> float:
    """lgamma(z + 1) less its Stirling approximation."""
    if z < 16.0:
        return lgamma(z + 1.0) - (z + 0.5) * log(z) + z - 0.5 * log(2.0 * pi)
    s = 1.0 / (z * z)
    return (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s / 1188)))) / z


def _deviance(x: float, mean: float, excess: float) -> float:
    """Return x log(x/mean) + mean - x, where excess = mean - x is passed in to keep its digits."""
    ratio = -excess / (x + mean)
    if abs(ratio) > 0.1:
        return x * log(x / mean) + excess
    # log(x/mean) = 2 atanh(ratio); the first term of the series meets `excess` in closed form.
    total, power, odd = -excess * ratio, 2.0 * x * ratio, 1
    while True:
        power *= ratio * ratio
        odd += 2
        if total + power / odd == total:
            return total
        total += power / odd


def _fraction(p: float, a: float, b: float, excess: float) -> float:
    """_kernel / I_p(a, b) for p below the mean, where excess = a(1-p) - bp is positive.

    Each term is a sum of positives while n < b, so that nothing cancels.
    """
    value = c = a * (excess + 1.0) / (a + 1.0)
    d = 0.0
    for n in range(1, _FRACTION_TERMS):
        share = n * (b - n) * p / (a + 2 * n - 1)
        above = share * (a + n - 1) * (a + b + n - 1) * p / (a + 2 * n - 1)
        below = n + share + (a + n) * (excess + 1.0 + n * (2.0 - p)) / (a + 2 * n + 1)
        d = 1.0 / (below + above * d)
        c = below + above / c
        value *= c * d
        if abs(c * d - 1.0) < _PRECISION:
            return value
    raise ArithmeticError(f"the incomplete beta function did not converge: {p=}, {a=}, {b=}")

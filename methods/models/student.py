"""Student's t for whole degrees of freedom, by finite sums: scipy's import costs more than a verdict.

Source: Abramowitz and Stegun, "Handbook of Mathematical Functions", 1964, 26.7.3 and 26.7.4.
"""

import math
from functools import lru_cache

_STEPS = 200  # of the bisection; each halves the bracket
_WIDEST = 1e12


def student_probability(statistic: float, degrees: int) -> float:
    """Return P(T <= statistic) for Student's t with `degrees` >= 1 degrees of freedom.

    >>> round(student_probability(1.703, 27), 3), student_probability(0.0, 4)
    (0.95, 0.5)
    """
    angle = math.atan(statistic / math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    is_odd = degrees % 2 == 1
    term = cosine if is_odd else 1.0
    total = 0.0 if degrees == 1 else term
    for step in range(3 if is_odd else 2, degrees - 1, 2):
        term *= cosine**2 * (step - 1) / step
        total += term
    inside = (angle + sine * total) * 2.0 / math.pi if is_odd else sine * total
    return min(1.0, max(0.0, 0.5 * (1.0 + inside)))


@lru_cache(maxsize=64)
def student_quantile(probability: float, degrees: int) -> float:
    """Return the t at which `student_probability` is `probability`, in (0, 1), by bisection.

    >>> round(student_quantile(0.975, 27), 3)
    2.052
    """
    low, high = -_WIDEST, _WIDEST
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        if student_probability(middle, degrees) < probability:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)

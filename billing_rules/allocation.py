"""Splitting an amount so that the parts add up to it, to the last minor unit."""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm


def allocate(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split ``total`` in proportion to ``weights``.

    Args:
        total: minor units of one currency; negative for a credit.
        weights: non-negative integers, at least one of them positive.

    Returns:
        One amount per weight, in minor units; their sum is ``total``. Left-over units go to the
        largest remainders, ties to the earlier position. A negative total is split as the mirror
        of the positive one, so that a credit reverses exactly what was charged.

    Raises:
        ValueError: there is no positive weight, or a negative one.

    Source: docs/billing-rules.md §3, Rounding; docs/billing-rules.md, R22.
    """
    if not any(weights) or min(weights) < 0:
        raise ValueError("weights need at least one positive and no negative number")
    shares = largest_remainder_over(
        [abs(total) * weight for weight in weights], sum(weights), abs(total)
    )
    return tuple(-share for share in shares) if total < 0 else shares


def largest_remainder(exact: Sequence[Fraction], total: int) -> tuple[int, ...]:
    """Round every part to a neighbouring integer, so that the parts sum to ``total``.

    Args:
        exact: the unrounded parts, of either sign.
        total: their sum, rounded in any direction.

    Returns:
        One integer per part, less than 1 away from it. Every part is floored; the left-over
        units go to the largest fractions, ties to the earlier position.

    Raises:
        ValueError: ``total`` is 1 or more away from the sum of the parts.

    Source: docs/billing-rules.md, R15.
    """
    denominator = lcm(*(part.denominator for part in exact))
    numerators = [part.numerator * (denominator // part.denominator) for part in exact]
    return largest_remainder_over(numerators, denominator, total)


def largest_remainder_over(
    numerators: Sequence[int], denominator: int, total: int
) -> tuple[int, ...]:
    """Do what ``largest_remainder`` does, for parts that share one positive denominator.

    Raises:
        ValueError: ``total`` is 1 or more away from the sum of the parts.

    Source: docs/billing-rules.md, R15.
    """
    if abs(total * denominator - sum(numerators)) >= denominator:
        raise ValueError(f"{total} is not the rounded sum of the parts")
    floors = [numerator // denominator for numerator in numerators]
    left_over = total - sum(floors)
    if left_over:
        largest_first = sorted(
            range(len(floors)), key=lambda i: numerators[i] % denominator, reverse=True
        )
        for i in largest_first[:left_over]:
            floors[i] += 1
    return tuple(floors)

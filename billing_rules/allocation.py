"""Splitting an amount so that the parts add up to it, to the last minor unit."""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

from billing_rules.money import half_up


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


def instalment(total: int, whole: int, *, done: int, part: int) -> int:
    """Return how much of ``total`` falls on the next ``part`` of ``whole``.

    For credits in several pieces: the tax of a group that falls on the net amount credited now.
    However often it is divided, the pieces of a whole sum to ``total`` and never exceed it.

    Args:
        total: what is spread, such as a group's tax, in minor units.
        whole: what it is spread over, such as the group's net amount; not 0.
        done: how much of the whole was taken before.
        part: how much is taken now; with ``done``, at most the whole.

    Raises:
        ValueError: the whole is 0, or the pieces don't lie between nothing and the whole.

    Source: docs/billing-rules.md §5, credit notes; docs/billing-rules.md, R17.
    """
    if not whole or min(done * whole, part * whole) < 0 or abs(done + part) > abs(whole):
        raise ValueError(f"{done} and {part} are not pieces of {whole}")
    before, after = Fraction(total * done, whole), Fraction(total * (done + part), whole)
    return half_up(after) - half_up(before)

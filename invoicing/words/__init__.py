"""Sentences about what is stored, in the active language."""

from invoicing.words.charges import describe_problem, missing_names, why_here
from invoicing.words.plans import (
    describe_failure,
    describe_plan,
    describe_warning,
    plan_title,
    renewal_day,
)

__all__ = [
    "describe_failure",
    "describe_plan",
    "describe_problem",
    "describe_warning",
    "missing_names",
    "plan_title",
    "renewal_day",
    "why_here",
]

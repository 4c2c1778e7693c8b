"""A planned change as the pages of its account name it."""

from dataclasses import dataclass
from datetime import date
from typing import Self

from django.urls import reverse

from invoicing.models import ChangePlan
from invoicing.words import plan_title


@dataclass(frozen=True, slots=True)
class Planned:
    """A change of an account that is planned."""

    url: str
    title: str
    day: date

    @classmethod
    def of(cls, plan: ChangePlan) -> Self:
        """Return what a row says of a plan."""
        url = reverse("plans:page", args=[plan.public_id])
        return cls(url, plan_title(plan), plan.effective_date)

"""Plans: prices that are sold together, with their trial and contract terms."""

from typing import ClassVar

from django.db import models

from billing_rules.contract_terms import ContractTerms
from subscriptions.models.catalogue import Price
from tenancy.database import TenantForeignKey, TenantModel
from tenancy.ids import public_id


class Plan(TenantModel):
    """What is sold together; since ``archived_at``, if it is set, to nobody new.

    Whatever changes of it holds for what begins afterwards: subscriptions keep what they began
    with. Items in one currency and of one interval are a variant.
    """

    external_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001
    name = models.CharField(max_length=200)
    trial_days = models.PositiveSmallIntegerField(null=True, blank=True)
    minimum_term_months = models.PositiveSmallIntegerField(null=True, blank=True)
    renewal_months = models.PositiveSmallIntegerField(null=True, blank=True)
    notice_months = models.PositiveSmallIntegerField(default=0)
    notice_days = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="plan_name", fields=["tenant", "name"]),
            models.UniqueConstraint(name="plan_external_id", fields=["tenant", "external_id"]),
        ]

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    @property
    def contract_terms(self) -> ContractTerms | None:
        """What binds who begins with it, as if on the day it was made; None for nothing."""
        minimum, months, days = self.minimum_term_months, self.notice_months, self.notice_days
        if minimum is None and not months and not days:
            return None
        made = self.created_at.date()
        return ContractTerms(made, minimum, self.renewal_months, months, days)

    @property
    def public_id(self) -> str:
        """The id that integrators see."""
        return public_id("pln", self.id)


class PlanItem(TenantModel):
    """A price of a plan: always part of it, or an add-on that may be taken.

    ``quantity`` is what it begins with if nothing else is said, within ``minimum`` and ``maximum``.
    """

    plan = TenantForeignKey(Plan, related_name="items")
    price = TenantForeignKey(Price)
    is_addon = models.BooleanField(default=False)
    quantity = models.DecimalField(max_digits=18, decimal_places=6)
    minimum = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    maximum = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    position = models.PositiveSmallIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="plan_price_once", fields=["tenant", "plan", "price"]),
            models.CheckConstraint(
                name="plan_quantity_not_negative", condition=models.Q(quantity__gte=0)
            ),
        ]

    def __str__(self) -> str:
        """Return how often what is had."""
        return f"{self.quantity} x {self.price_id}"

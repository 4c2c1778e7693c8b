"""Who uses what since when, and the chain of periods that follows from it."""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar
from uuid import UUID

from django.db import models

from accounts.models import Account
from billing_rules.contract_terms import ContractTerms, notice_deadline
from subscriptions.models.catalogue import Price
from subscriptions.models.discounts import Discount
from subscriptions.models.plans import Plan
from tenancy.database import TenantForeignKey, TenantModel, TenantPartModel
from tenancy.ids import public_id


class ContractSource(models.TextChoices):
    """Where the contract terms of a subscription come from."""

    OWN = "own"
    PLAN = "plan"
    DEFAULT = "default"


class Subscription(TenantModel):
    """What one account (the service owner) subscribes to.

    ``end_date`` is the first day no longer served. Nothing before ``billed_until`` is charged:
    it was billed elsewhere (R24), and nothing before ``trial_end``, the first day after a trial.
    ``billing_day`` is its own, before its account's, for periods that begin before
    ``billing_day_until``, or for all.
    ``override_bill_to`` is whom it is invoiced to, None for whoever its account says; since
    ``override_since``, or ever since it began. Whom it was before say its ``EarlierRecipient``
    rows.
    It is bound for ``minimum_term_months`` from ``term_start`` on (None: from its first charged
    anniversary), None for no term; then for ``renewal_months`` again and again, None for ending
    with its term. What ends with its term is non-renewing since ``non_renewing_since``.
    ``held_by`` is the job that is about to change it: until then nothing else does.
    ``contract_source`` says where its terms come from: agreed for it, its plan's, or the defaults
    of its account when it began; empty where it has none, or nobody wrote it down.
    It has its ``plan`` since ``plan_since``, or ever since it began; up to then ``former_plan``.
    """

    external_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001
    account = TenantForeignKey(Account)
    start_date = models.DateField()
    end_date = models.DateField(null=True, blank=True)
    billed_until = models.DateField(null=True, blank=True)
    trial_end = models.DateField(null=True, blank=True)
    billing_day = models.PositiveSmallIntegerField(null=True, blank=True)
    billing_day_until = models.DateField(null=True, blank=True)
    override_bill_to = TenantForeignKey(Account, null=True, db_index=False)
    override_since = models.DateField(null=True, blank=True)
    po_number = models.CharField(max_length=100, blank=True)
    minimum_term_months = models.PositiveSmallIntegerField(null=True, blank=True)
    renewal_months = models.PositiveSmallIntegerField(null=True, blank=True)
    notice_months = models.PositiveSmallIntegerField(default=0, db_default=0)
    notice_days = models.PositiveSmallIntegerField(default=0, db_default=0)
    term_start = models.DateField(null=True, blank=True)
    non_renewing_since = models.DateField(null=True, blank=True)
    contract_source = models.CharField(
        max_length=7, choices=ContractSource, blank=True, default="", db_default=""
    )
    plan = TenantForeignKey(Plan, null=True, blank=True)
    plan_since = models.DateField(null=True, blank=True)
    former_plan = TenantForeignKey(Plan, null=True, blank=True, db_index=False)
    held_by = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    agreed: "Sequence[Item]" = ()
    """Set where the items are read as of a day: all of them, as they were agreed last."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="subscription_external_id", fields=["tenant", "external_id"]
            ),
            models.CheckConstraint(
                name="subscription_ends_after_start",
                condition=models.Q(end_date__isnull=True)
                | models.Q(end_date__gt=models.F("start_date")),
            ),
            models.CheckConstraint(
                name="subscription_trial_after_start",
                condition=models.Q(trial_end__isnull=True)
                | models.Q(trial_end__gt=models.F("start_date")),
            ),
            models.CheckConstraint(
                name="subscription_billing_day",
                condition=models.Q(billing_day__isnull=True) | models.Q(billing_day__range=(1, 31)),
            ),
            models.CheckConstraint(
                name="subscription_day_that_ends",
                condition=models.Q(billing_day_until__isnull=True)
                | models.Q(billing_day__isnull=False),
            ),
            models.CheckConstraint(
                name="subscription_term",
                condition=models.Q(minimum_term_months__isnull=True, renewal_months__isnull=True)
                | models.Q(minimum_term_months__gte=1, renewal_months__isnull=True)
                | models.Q(minimum_term_months__gte=1, renewal_months__gte=1),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="subscription_held",
                fields=["tenant", "account"],
                condition=models.Q(held_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        """Return its external id, else its own."""
        return self.external_id or self.public_id

    @property
    def is_held(self) -> bool:
        """Whether a job is about to change it: until then nothing else does, nor is it billed."""
        return self.held_by is not None

    @property
    def public_id(self) -> str:
        """The id that integrators see."""
        return public_id("sub", self.id)

    @property
    def anchor_date(self) -> date:
        """The day whose anniversaries begin its periods, where nothing sets a billing day."""
        return self.trial_end or self.start_date

    def plan_id_on(self, day: date) -> UUID | None:
        """Return the key of the plan that it has on a day, None for single prices."""
        is_ahead = self.plan_since is not None and day < self.plan_since
        had: UUID | None = self.former_plan_id if is_ahead else self.plan_id
        return had

    @property
    def contract_terms(self) -> ContractTerms | None:
        """What binds it, as the rules take it; None where it may end on any day."""
        minimum, months, days = self.minimum_term_months, self.notice_months, self.notice_days
        if minimum is None and not months and not days:
            return None
        start = self.term_start or self.anchor_date
        return ContractTerms(start, minimum, self.renewal_months, months, days)

    @property
    def fixed_end(self) -> date | None:
        """The day on which it ends by itself, with its term; None where it does not."""
        terms = self.contract_terms
        return None if terms is None else terms.fixed_end

    @property
    def ends_with_term(self) -> bool:
        """Whether its end is that of its term, and nobody has set another."""
        return self.end_date is not None and self.end_date == self.fixed_end

    def note_when_it_is_news(self) -> None:
        """Note since when its end is news: one with its term since notice would be given."""
        terms = self.contract_terms
        self.non_renewing_since = None
        end_date = self.end_date if self.ends_with_term else None
        if terms is not None and terms.has_notice and end_date is not None:
            last = notice_deadline(terms, end_date)
            self.non_renewing_since = date.fromordinal(last.toordinal() + 1)

    def own_billing_day(self, day: date) -> int | None:
        """Return the day that it sets itself for a period that begins then, None for none."""
        is_over = self.billing_day_until is not None and day >= self.billing_day_until
        own: int | None = self.billing_day
        return None if is_over else own

    @property
    def first_charged_day(self) -> date:
        """The first day that is charged: after a trial, and after what was billed elsewhere."""
        return max(self.anchor_date, self.billed_until or self.start_date)


class EarlierRecipient(TenantModel):
    """Whom a subscription was invoiced to itself up to a day; None for whoever its account says.

    It held since the end of the one before, or ever since the subscription began.
    """

    subscription = TenantForeignKey(Subscription)
    bill_to = TenantForeignKey(Account, null=True)
    until = models.DateField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="earlier_recipient_once", fields=["tenant", "subscription", "until"]
            ),
        ]

    def __str__(self) -> str:
        """Return up to when it held."""
        return f"until {self.until}"


class EarlierOwner(TenantModel):
    """Whose a subscription was up to a day: since the one before, or ever since it began."""

    subscription = TenantForeignKey(Subscription)
    account = TenantForeignKey(Account)
    until = models.DateField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="earlier_owner_once", fields=["tenant", "subscription", "until"]
            ),
        ]

    def __str__(self) -> str:
        """Return up to when it held."""
        return f"until {self.until}"


class Uncharged(models.TextChoices):
    """Why days of an item that are served, or could be, are not charged."""

    PAUSED = "paused"
    ABSENT = "absent"
    FREE = "free"


class Item(TenantModel):
    """One price in one quantity within a subscription.

    ``account`` is the subscription's, kept here too: a run looks items up by it, in one table.
    Price and quantity hold since ``terms_since``, or ever since the subscription began; that day
    may lie ahead. What held before say its ``EarlierTerms``. ``uncharged`` says why they are not
    charged, if they are not: the item is paused, is no part of the subscription then, or is free.
    ``discount``, what is taken off, is part of the terms. ``monthly_minor`` is what they bring in a
    month, whatever the day; 0 of what is paused or absent.
    The part of a period that begins on ``waits_from`` is charged with the period after it. One that
    follows another, because its price has another interval, does not ``owe_setup``.
    ``chain_end`` is the end of its last stored period. ``next_action_date`` is the day on which
    rating has something to do: a period begins or falls due; null when nothing will.
    """

    subscription = TenantForeignKey(Subscription, related_name="items")
    account = TenantForeignKey(Account, db_index=False)
    price = TenantForeignKey(Price, db_index=False)
    quantity = models.DecimalField(max_digits=18, decimal_places=6)
    monthly_minor = models.DecimalField(max_digits=40, decimal_places=0)
    uncharged = models.CharField(max_length=6, choices=Uncharged, blank=True, default="")
    discount = TenantForeignKey(Discount, null=True, blank=True, db_index=False)
    terms_since = models.DateField(null=True, blank=True)
    chain_end = models.DateField(null=True, blank=True)
    earlier: "Sequence[EarlierTerms] | None" = None
    """What it had before, once that was read."""
    terms_until: date | None = None
    """Set where the item is read as of a day: the first day on which its terms are others."""

    next_action_date = models.DateField(null=True, blank=True)
    waits_from = models.DateField(null=True, blank=True)
    owes_setup = models.BooleanField(default=True, db_default=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="item_quantity_not_negative", condition=models.Q(quantity__gte=0)
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="item_due",
                fields=["tenant", "next_action_date"],
                condition=models.Q(next_action_date__isnull=False),
            ),
            models.Index(name="item_of_account", fields=["tenant", "account"]),
            models.Index(
                name="item_uncharged",
                fields=["tenant", "uncharged", "subscription"],
                condition=models.Q(uncharged__gt=""),
            ),
        ]

    def __str__(self) -> str:
        """Return what is had how often."""
        return f"{self.quantity} x {self.price_id}"

    @property
    def public_id(self) -> str:
        """The id that integrators see."""
        return public_id("itm", self.id)


class EarlierTerms(TenantModel):
    """What an item had up to a day: price, quantity, discount, and why they were not charged.

    They held since the end of those before, or ever since the subscription began.
    """

    item = TenantForeignKey(Item)
    price = TenantForeignKey(Price, db_index=False)
    quantity = models.DecimalField(max_digits=18, decimal_places=6)
    monthly_minor = models.DecimalField(max_digits=40, decimal_places=0)
    uncharged = models.CharField(max_length=6, choices=Uncharged, blank=True, default="")
    discount = TenantForeignKey(Discount, null=True, blank=True, db_index=False)
    until = models.DateField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="earlier_terms_once", fields=["tenant", "item", "until"]),
            models.CheckConstraint(
                name="earlier_terms_not_negative", condition=models.Q(quantity__gte=0)
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="earlier_terms_uncharged",
                fields=["tenant", "uncharged", "until"],
                condition=models.Q(uncharged__gt=""),
            ),
        ]

    def __str__(self) -> str:
        """Return up to when they held."""
        return f"until {self.until}"


class Period(TenantPartModel):
    """A stretch of service of one item, stored when it begins and never recomputed.

    Each period but the first refers to the end of the one before (``prev_ends = starts``), so a
    gap or an overlap cannot be stored (R13). ``full_start`` and ``full_end`` are the full period
    of the anchor in force that contains it: the denominator of proration.
    """

    item = TenantForeignKey(Item, db_index=False)
    starts = models.DateField()
    ends = models.DateField()
    prev_ends = models.DateField(null=True)
    full_start = models.DateField()
    full_end = models.DateField()
    quantity = models.DecimalField(max_digits=18, decimal_places=6)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="period_start_once", fields=["tenant", "item", "starts"]),
            models.UniqueConstraint(name="period_end_once", fields=["tenant", "item", "ends"]),
            models.UniqueConstraint(
                name="period_first_once",
                fields=["tenant", "item"],
                condition=models.Q(prev_ends__isnull=True),
            ),
            models.CheckConstraint(
                name="period_dates", condition=models.Q(ends__gt=models.F("starts"))
            ),
            models.CheckConstraint(
                name="period_follows",
                condition=models.Q(prev_ends__isnull=True) | models.Q(prev_ends=models.F("starts")),
            ),
            models.CheckConstraint(
                name="period_within_full",
                condition=models.Q(full_start__lte=models.F("starts"))
                & models.Q(full_end__gte=models.F("ends")),
            ),
        ]

    def __str__(self) -> str:
        """Return its days."""
        return f"{self.starts} to {self.ends}"

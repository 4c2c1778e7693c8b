"""How every change of a subscription begins: locked, asked for the right, read as it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_rules.timelines import Stretch
from invoicing.engine.families import Families
from invoicing.operations.runs.loading import load_families
from invoicing.operations.subscriptions.settling import root_of
from subscriptions.models import Item, Subscription
from subscriptions.operations.subscriptions.locking import locked_subscription
from subscriptions.queries.renewals import charged_until, running_period_end
from subscriptions.queries.terms import ItemTerms, timelines_of
from tenancy.actor import Actor
from tenancy.errors import Conflict, FieldError, Invalid
from tenancy.files.cells import LATEST


class InvalidChange(Invalid):
    """A change that can't be billed as it is wanted; ``errors`` names each member."""

    code = "invalid_change"
    message = gettext_lazy("This change is not valid.")


class ChangeBeforeStart(Invalid):
    """Nothing can change before it begins."""

    code = "change_before_start"
    message = gettext_lazy("A change is possible from the start on, %(day)s.")


class ChangeAfterEnd(Conflict):
    """Nothing changes any more once it has ended."""

    code = "change_after_end"
    message = gettext_lazy("This subscription ends on %(day)s.")


@dataclass(frozen=True, slots=True)
class Opened:
    """A subscription under its locks.

    Attributes:
        families: the tree in which it is used, read once.
        subscription: with its account.
        items: all of them, also those that are no part of it any more.
        timelines: the terms of each item, from the start of the subscription on.
    """

    families: Families
    subscription: Subscription
    items: Sequence[Item]
    timelines: Mapping[UUID, Sequence[Stretch[ItemTerms]]]


def open_subscription(
    actor: Actor, subscription_id: UUID, require_seen: Callable[[], object] | None
) -> Opened:
    """Lock a subscription and what decides about its invoices, and read it.

    Args:
        actor: who changes it.
        subscription_id: which.
        require_seen: refuses if it is not as the caller has seen it; asked under the locks.

    Raises:
        NotFound: it is out of the actor's sight.
        Forbidden: the actor may not change subscriptions there.
    """
    families = load_families(actor, [root_of(actor, subscription_id)], None)
    subscription, items = locked_subscription(actor, subscription_id)
    if require_seen is not None:
        require_seen()
    timelines = timelines_of(actor, items, subscription.start_date)
    return Opened(families, subscription, items, timelines)


def natural_day(actor: Actor, opened: Opened, today: date) -> date:
    """Return the first day that can change without a credit: the end of what has been charged."""
    end = charged_until(opened.items) or running_period_end(actor, opened.subscription, today)
    return end or LATEST


def require_possible(subscription: Subscription, day: date) -> date:
    """Return a day on which something of a subscription may change.

    Raises:
        ChangeBeforeStart, ChangeAfterEnd: see their texts.
        InvalidChange: nobody plans for it.
    """
    if day < subscription.start_date:
        raise ChangeBeforeStart(day=subscription.start_date)
    if subscription.end_date is not None and day >= subscription.end_date:
        raise ChangeAfterEnd(day=subscription.end_date)
    if day >= LATEST:
        detail = _("A date before 2200 is expected.")
        raise InvalidChange(errors=[FieldError("out_of_range", detail, "/effective")])
    return day

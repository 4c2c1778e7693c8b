"""Reading the list of customers: who there was on a day, and what each brought in and owed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet

from accounts.models import Account
from accounts.queries import past_trees, trees
from accounts.queries.past_customers import customers_then, settings_of_each
from dashboard.pages.customers.list_table import SETTINGS_SHOWN, Customer
from invoicing.queries.balances import balance_total, balances
from subscriptions.queries.mrr import mrr_of, mrr_then, mrr_total, mrr_total_then
from tenancy.actor import Actor
from web.tables import Amounts, State, Totals


@dataclass(frozen=True, slots=True)
class Listed:
    """The customers of a day that the filters leave.

    ``is_moved`` says that some account stood elsewhere then, so that all is read from history.
    """

    actor: Actor
    main: str
    day: date
    found: QuerySet[Account]
    is_moved: bool

    @property
    def is_today(self) -> bool:
        """Whether it is the list of today."""
        return self.day == self.actor.today

    def rows(self, found: Sequence[Account], state: State) -> list[Customer]:
        """Return some of them with what is known of them. At most four statements."""
        if not found:
            return []
        actor, ids = self.actor, [account.pk for account in found]
        with_settings = bool({*SETTINGS_SHOWN} & {*state.columns})
        settings = settings_of_each(actor, ids, self.day) if with_settings else None
        owed = balances(actor, ids, today=self.day) if self.is_today else {}
        if self.is_moved:
            under = past_trees.under_each(actor, ids, self.day)
            below = {key: under[key].count for key in ids}
            mrrs = mrr_then(actor, ids, self.day)
        else:
            below = {one.pk: int(one.below) for one in found}  # type: ignore[attr-defined]
            mrrs = mrr_of(actor, ids, self.day)
        return [
            Customer(one, below[one.pk] + 1, mrrs[one.pk], owed.get(one.pk), settings, self.main)
            for one in found
        ]

    def totals(self, *, is_narrowed: bool) -> Totals:
        """Return the sums of the whole filter, what lies below two rows once."""
        actor, main = self.actor, self.main
        ids = self.found.order_by().values("pk") if is_narrowed else None
        totals = {"mrr": Amounts(self._mrr_total(ids), main), "mrr_own": Amounts({}, main)}
        if not self.is_today:
            return totals
        owed = balance_total(actor, ids, today=self.day)
        return {
            **totals,
            "open": Amounts(owed.tree_open, main),
            "overdue": Amounts(owed.tree_overdue, main, "negative"),
        }

    def _mrr_total(self, ids: QuerySet[Any, Any] | None) -> dict[str, int]:
        if not self.is_moved or ids is None:
            return mrr_total(self.actor, ids, self.day)
        return mrr_total_then(self.actor, ids, self.day)


def customers_on(actor: Actor, day: date, main: str, **filters: Any) -> Listed:
    """Return the list of a day to read from. At most one statement.

    Args:
        actor: who asks.
        day: the day.
        main: the currency that the heads name.
        filters: ``flat``, ``kind``, ``text`` and ``tag``, as ``trees.customers`` takes them.
    """
    if past_trees.stood_still(actor, actor.today, day):
        return Listed(actor, main, day, trees.customers(actor, **filters), is_moved=False)
    return Listed(actor, main, day, customers_then(actor, day, **filters), is_moved=True)

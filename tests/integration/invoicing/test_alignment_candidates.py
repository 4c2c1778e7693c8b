"""The dates an account could renew on, ranked; what each costs is what an alignment then says."""

from decimal import Decimal

import pytest

from invoicing.operations.subscriptions.changing import change_subscription
from invoicing.operations.subscriptions.wanting import ItemChange
from invoicing.queries.plans.candidates import Merit, candidates_of
from invoicing.queries.plans.preview import preview_plan
from invoicing.queries.plans.wanted import Alignment, Wanted
from subscriptions.models import Item
from tenancy.errors import Forbidden, NotFound
from tenancy.models import Tenant
from tests.integration.invoicing.test_aligning import MAY, D, sells, shop
from tests.world import NOW, subscription

__all__ = ["shop"]


def wanted(shop, day=1, month=None, **values):
    return Wanted("alignment", shop.id_of("G"), MAY, alignment=Alignment(day, month, **values))


def found(shop, actor=None, method="short"):
    with shop.seen():
        tenant = Tenant.objects.get(pk=shop.tenant_id)
        return candidates_of(actor or shop.actor, wanted(shop, method=method), tenant=tenant)


def said(one):
    return one.billing_day, one.billing_month, one.changes, one.costs, one.merits


def test_ranks_days_of_the_month_where_all_are_monthly(shop):
    sells(
        shop,
        subscription("S", "A", "pro", "2017-05-20"),
        subscription("T", "B", "pro", "2017-05-20"),
        subscription("U", "B", "pro", "2017-05-22"),
        subscription("W", "B", "week", "2017-05-01"),
        subscription("E", "B", "pro", "2017-05-01", end_date="2017-05-09"),
    )
    known = found(shop)

    assert (known.items, known.currency, known.months) == (3, "EUR", {"2017-05": 3})
    assert len(known.days) == 31
    assert said(known.ranked[0]) == (22, None, 2, {"EUR": 2 * 1666}, [Merit.CHEAPEST, Merit.LATEST])
    assert said(known.ranked[1]) == (20, None, 1, {"EUR": 23382}, [Merit.FEWEST])


def test_ranks_days_of_the_year_where_something_is_yearly(shop):
    sells(
        shop,
        subscription("S", "A", "year", "2016-06-14"),
        subscription("T", "B", "year", "2016-09-03"),
        subscription("U", "B", "pro", "2017-05-01"),
    )
    known = found(shop)

    assert len(known.days) == 12
    fiscal = next(one for one in known.ranked if Merit.FISCAL_YEAR in one.merits)
    assert (fiscal.billing_day, fiscal.billing_month) == (1, 1)
    latest = next(one for one in known.ranked if Merit.LATEST in one.merits)
    assert (latest.billing_day, latest.billing_month) == (3, 9)


@pytest.mark.parametrize("method", ["short", "long", "free", "rebill"])
@pytest.mark.parametrize(("day", "month"), [(1, 1), (14, 6), (1, 12), (3, 5), (1, 5), (1, 6)])
def test_costs_what_the_alignment_says(shop, day, month, method):
    sells(
        shop,
        subscription("S", "A", "year", "2016-06-14", 2),
        subscription("T", "B", "quarter", "2017-02-03"),
        subscription("U", "B", "seat", "2017-04-20", 7),
        subscription("V", "A", "late", "2017-04-20"),
        subscription("E", "A", "seat", "2017-04-20", 3, end_date="2017-05-18"),
    )
    shop.run("2017-05-01", today=MAY)
    change_seats(shop)
    with shop.seen():
        tenant = Tenant.objects.get(pk=shop.tenant_id)
        preview = preview_plan(
            shop.actor, wanted(shop, day, month, method=method), today=MAY, tenant=tenant
        )
    totals = sum(row.amount_minor for row in preview.alignings.rows)
    known = {(one.billing_day, one.billing_month): one for one in found(shop, method=method).days}
    known |= {
        (one.billing_day, one.billing_month): one for one in found(shop, method=method).ranked
    }

    assert known[day, month].costs.get("EUR", 0) == totals
    assert known[day, month].changes == len(preview.alignings.aligned)


def change_seats(shop):
    """Let U have nine seats from 10 May on, in the middle of what is charged."""
    with shop.seen():
        item = Item.objects.get(subscription__external_id="U")
    change = [ItemChange(item.pk, quantity=Decimal(9))]
    change_subscription(
        shop.actor, item.subscription_id, change, day=D("2017-05-10"), today=MAY, now=NOW
    )


def test_ranks_for_the_method(shop):
    """Two up to the 20th, one up to the 22nd: 10 seats at 10.00, and 249.95."""
    sells(
        shop,
        subscription("S", "A", "pro", "2017-04-20"),
        subscription("T", "B", "pro", "2017-04-20"),
        subscription("U", "B", "seat", "2017-04-22", 10),
    )
    shop.run("2017-05-01", today=MAY)
    by_method = {
        method: found(shop, method=method) for method in ("short", "long", "free", "rebill")
    }
    best = {method: said(known.ranked[0])[:4] for method, known in by_method.items()}

    # 2 of 30 days of each 249.95 up to the 22nd; from the 1st on 19 of 30 days of each, and
    # 21 of 30 of 100.00, come back.
    assert best["short"] == best["long"] == (22, None, 2, {"EUR": 2 * 1666})
    assert best["free"] == (22, None, 2, {})
    assert by_method["free"].ranked[0].waived == {"EUR": 2 * 1666}
    assert best["rebill"] == (1, None, 3, {"EUR": -(2 * 15830 + 7000)})


def test_rebill_ranks_a_day_to_come_by_what_will_run_then(shop):
    sells(shop, subscription("S", "A", "pro", "2017-04-20"))
    shop.run("2017-05-01", today=MAY)
    with shop.seen():
        tenant = Tenant.objects.get(pk=shop.tenant_id)
        plan = Wanted(
            "alignment", shop.id_of("G"), D("2017-05-25"), alignment=Alignment(1, method="rebill")
        )
        known = candidates_of(shop.actor, plan, tenant=tenant)

    of_15 = next(one for one in known.days if one.billing_day == 15)
    assert (of_15.costs, of_15.changes) == ({"EUR": -4031}, 1)


def test_an_empty_tree_has_none(shop):
    known = found(shop)
    assert (known.ranked, known.items, known.currency) == ([], 0, "")


def test_is_for_who_may_plan(shop):
    with pytest.raises((Forbidden, NotFound)):
        found(shop, shop.staff("Bob", "support"))

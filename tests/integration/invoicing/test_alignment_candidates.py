"""The dates an account could renew on, ranked; what each costs is what an alignment then says."""

import pytest

from invoicing.queries.plans.candidates import Merit, candidates_of
from invoicing.queries.plans.preview import preview_plan
from invoicing.queries.plans.wanted import Alignment, Wanted
from tenancy.errors import Forbidden, NotFound
from tenancy.models import Tenant
from tests.integration.invoicing.test_aligning import MAY, sells, shop
from tests.world import subscription

__all__ = ["shop"]


def wanted(shop, day=1, month=None, **values):
    return Wanted("alignment", shop.id_of("G"), MAY, alignment=Alignment(day, month, **values))


def found(shop, actor=None):
    with shop.seen():
        tenant = Tenant.objects.get(pk=shop.tenant_id)
        return candidates_of(actor or shop.actor, wanted(shop), tenant=tenant)


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


@pytest.mark.parametrize(("day", "month"), [(1, 1), (14, 6), (1, 12), (3, 5)])
def test_costs_what_the_alignment_says(shop, day, month):
    sells(
        shop,
        subscription("S", "A", "year", "2016-06-14", 2),
        subscription("T", "B", "quarter", "2017-02-03"),
        subscription("U", "B", "seat", "2017-04-20", 7),
        subscription("V", "A", "late", "2017-04-20"),
    )
    shop.run("2017-04-25", today=MAY)
    with shop.seen():
        tenant = Tenant.objects.get(pk=shop.tenant_id)
        preview = preview_plan(shop.actor, wanted(shop, day, month), today=MAY, tenant=tenant)
    totals = sum(row.amount_minor for row in preview.alignings.rows)
    known = {(one.billing_day, one.billing_month): one for one in found(shop).ranked}

    assert known[day, month].costs["EUR"] == totals
    assert known[day, month].changes == len(preview.alignings.aligned)


def test_an_empty_tree_has_none(shop):
    known = found(shop)
    assert (known.ranked, known.items, known.currency) == ([], 0, "")


def test_is_for_who_may_plan(shop):
    with pytest.raises((Forbidden, NotFound)):
        found(shop, shop.staff("Bob", "support"))

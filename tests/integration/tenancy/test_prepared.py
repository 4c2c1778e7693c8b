"""Prepared statements answer what their querysets would, and are put together once."""

from datetime import date

import pytest
from django.db.models import DateField, OuterRef, Subquery

from accounts.models import Account, Placement
from tenancy.database.prepared import Given, Prepared
from tests.scenes import scene
from tests.world import account

ACCOUNTS = Prepared(
    lambda: Account.objects.filter(tenant_id=Given("tenant"), pk__among=Given("ids")).order_by("id")
)


@scene
def family(vendor):
    vendor.has("accounts", account("A"), account("B", "A"), account("C", "A"))
    return vendor


def values(found):
    return {name: value for name, value in vars(found).items() if name != "_state"}


def test_returns_the_instances_that_the_queryset_returns(family):
    with family.seen():
        ids = [family.id_of("A"), family.id_of("C")]
        expected = Account.objects.filter(pk__in=ids).order_by("id")

        found = list(ACCOUNTS.objects(tenant=family.tenant_id, ids=ids))

        assert [values(one) for one in found] == [values(one) for one in expected]
        assert not found[0]._state.adding
        assert list(ACCOUNTS.objects(tenant=family.tenant_id, ids=[])) == []


def test_annotates_and_gives_rows_of_values(family):
    placed = Prepared(
        lambda: (
            Account.objects.filter(tenant_id=Given("tenant"))
            .annotate(
                since=Subquery(
                    Placement.objects.filter(
                        account=OuterRef("pk"), valid_from__lt=Given("day", DateField())
                    ).values("valid_from")[:1]
                )
            )
            .order_by("external_id")
        )
    )
    names = Prepared(
        lambda: (
            Account.objects.filter(tenant_id=Given("tenant"))
            .order_by("external_id")
            .values_list("external_id", "metadata")
        )
    )
    with family.seen():
        found = list(placed.objects(tenant=family.tenant_id, day=date(2999, 1, 1)))
        early = list(placed.objects(tenant=family.tenant_id, day=date.min))
        rows = names.rows(tenant=family.tenant_id)

    assert [(one.external_id, one.since is None) for one in found] == [
        ("A", False), ("B", False), ("C", False),
    ]  # fmt: skip
    assert [one.since for one in early] == [None, None, None]
    assert rows == [("A", {}), ("B", {}), ("C", {})]


def test_is_put_together_once_and_asks_for_all_it_needs(family):
    made = []

    def queryset():
        made.append(1)
        return Account.objects.filter(tenant_id=Given("tenant")).values_list("id")

    prepared = Prepared(queryset)
    with family.seen():
        assert len(prepared.rows(tenant=family.tenant_id)) == 3
        assert len(prepared.rows(tenant=family.tenant_id)) == 3
        with pytest.raises(KeyError):
            prepared.rows()

    assert made == [1]


def test_finds_the_only_one_or_says_so(family):
    with family.seen():
        found = ACCOUNTS.one(tenant=family.tenant_id, ids=[family.id_of("B")])
        with pytest.raises(Account.DoesNotExist):
            ACCOUNTS.one(tenant=family.tenant_id, ids=[])

    assert found.external_id == "B"

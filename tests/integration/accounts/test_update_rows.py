"""Writing changed rows by the thousand."""

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Account
from tenancy.database.updating import update_rows
from tests.scenes import scene
from tests.world import account, make_vendor


@scene
def pair(vendor):
    vendor.has("accounts", account("a"), account("b"))
    with vendor.seen():
        return list(Account.objects.order_by("external_id"))


def test_writes_the_named_columns_in_one_statement(vendor, pair, django_assert_num_queries):
    for one in pair:
        one.name, one.metadata, one.version, one.city = f"New {one.external_id}", {"x": [1]}, 7, "?"
    with vendor.seen():
        with django_assert_num_queries(1):
            update_rows(pair, ["name", "metadata", "version"], tenant_id=vendor.tenant_id)
        stored = Account.objects.order_by("external_id").values_list(
            "name", "metadata", "version", "city"
        )
        assert list(stored) == [
            ("New a", {"x": [1]}, 7, "Bremen"),
            ("New b", {"x": [1]}, 7, "Bremen"),
        ]


def test_writes_nothing_where_one_row_is_refused(vendor, pair):
    pair[0].name, pair[1].name = "New", ""
    with vendor.seen():
        with pytest.raises(IntegrityError), transaction.atomic():
            update_rows(pair, ["name"], tenant_id=vendor.tenant_id)
        assert list(Account.objects.order_by("name").values_list("name", flat=True)) == ["a", "b"]


def test_leaves_other_tenants_alone(vendor, pair, django_assert_num_queries):
    other = make_vendor("other")
    pair[0].name = "Stolen"
    with other.seen():
        update_rows(pair, ["name"], tenant_id=other.tenant_id)
    with vendor.seen():
        assert Account.objects.get(pk=pair[0].pk).name == "a"
        with django_assert_num_queries(0):
            update_rows([], ["name"], tenant_id=vendor.tenant_id)

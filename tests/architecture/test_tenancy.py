"""Tenants are kept apart by the database itself: in every table, whatever a query forgets."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction
from django.db.models import Model

from accounts.models import (
    AccountNode,
    AccountTag,
    ApiKey,
    BankAccount,
    Contact,
    Grant,
    SettingInterval,
    TaxRate,
)
from billing_hierarchy.role_check import refuse_powerful_role
from invoicing.models import (
    BooksCheck,
    ChangePlan,
    DocumentToMake,
    FileCheck,
    Invoice,
    PlanComment,
    Rendering,
    RunProblem,
    StoredDocument,
)
from reports.models import CalendarEntry, CalendarFeed, Forecast, ToldEvent
from subscriptions.models import (
    Coupon,
    Discount,
    DiscountedItem,
    EarlierOwner,
    EarlierPoolPrice,
    EarlierRecipient,
    EarlierTerms,
    Item,
    LateUsage,
    Meter,
    Period,
    Plan,
    PlanItem,
    PoolShare,
    Price,
    Subscription,
    UsageDay,
    UsageEvent,
    UsageKey,
    UsagePool,
)
from tenancy import database
from tenancy.ids import uuid7
from tenancy.models import Event, Job, JobPiece, KeptAnswer, OutboxEntry, Tenant
from tests.http.api import world
from tests.scenes import scene

# Logins and what Django keeps for itself belong to no tenant.
WITHOUT_TENANT = {
    "accounts_person",
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_admin_log",
    "django_content_type",
    "django_migrations",
    "django_session",
}
# Unique over all tenants on purpose: what is looked up before the tenant is known, and trees,
# whose numbers come from one sequence.
UNIQUE_OVER_ALL = {
    "account_node_left",
    "account_node_right",
    "accounts_apikey_digest_key",
    "accounts_tenant_slug_key",
    # An account belongs to one tenant.
    "placement_now",
}
OWNERS_FUNCTIONS = {
    "accounts_find_principal",
    "accounts_refresh_statistics",
    "tenancy_refresh_outdated_statistics",
}


def rows(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def tenant_models() -> list[type[Model]]:
    return [
        model
        for model in apps.get_models()
        if not model._meta.proxy and model._meta.db_table not in WITHOUT_TENANT
    ]


def tenant_column(model: type[Model]) -> str:
    return "id" if model is Tenant else "tenant_id"


def references() -> Iterator[tuple[type[Model], object]]:
    for model in tenant_models():
        for field in model._meta.local_fields:
            related = field.related_model
            if related is not None and related is not Tenant and related in tenant_models():
                yield model, field


@scene
def vendors():
    """Two vendors with rows in every table."""
    made = [world.vendor("nordlicht"), world.vendor("andere")]
    for one in made:
        world.subscribe(one, world.SUBSCRIPTIONS)
        world.bill(one)
        one.customer_login("viewer", "A")
        with database.scope(one.id):
            invoice = Invoice.objects.order_by("pk").first()
            StoredDocument.objects.create(
                tenant_id=one.id,
                invoice=invoice,
                kind="pdf",
                file_name="a.pdf",
                content=b"%PDF",
                sha256="0" * 64,
                created_at=world.NOW,
            )
            BankAccount.objects.create(
                tenant_id=one.id, seller_id=invoice.seller_id, currency="USD", iban="DE00"
            )
            job = Job.objects.create(
                tenant_id=one.id, kind="import", created_by_label="test", created_at=world.NOW
            )
            JobPiece.objects.create(tenant_id=one.id, job=job, number=0, content=b"a")
            KeptAnswer.objects.create(
                tenant_id=one.id,
                caller_id=uuid7(),
                key="a",
                digest="0" * 64,
                status=200,
                body=b"a",
                created_at=world.NOW,
            )
            AccountTag.objects.create(
                tenant_id=one.id, account=invoice.bill_to, name="Gold", key="gold"
            )
            EarlierRecipient.objects.create(
                tenant_id=one.id,
                subscription=Subscription.objects.order_by("pk").first(),
                until=world.TODAY,
            )
            item = Item.objects.order_by("pk").first()
            EarlierTerms.objects.create(
                tenant_id=one.id,
                item=item,
                price_id=item.price_id,
                quantity=1,
                monthly_minor=1,
                until=world.TODAY,
            )
            meter = Meter.objects.create(
                tenant_id=one.id, external_id="calls", name="Calls", aggregation="sum"
            )
            of_day: dict[str, Any] = {
                "tenant_id": one.id,
                "subscription_id": item.subscription_id,
                "meter_id": meter.pk,
                "day": world.TODAY,
            }
            UsageEvent.objects.create(**of_day, event_id="e", at=world.NOW, quantity=1)
            UsageDay.objects.create(
                **of_day,
                events=1,
                total=1,
                highest=1,
                last_at=world.NOW,
                last_event="e",
                last_quantity=1,
            )
            UsageKey.objects.create(**of_day, unique_key="k")
            LateUsage.objects.create(
                tenant_id=one.id, item=item, period=Period.objects.filter(item=item).first()
            )
            coupon = Coupon.objects.create(
                tenant_id=one.id,
                code="Spring",
                code_key="spring",
                name="Spring",
                percent=10,
                duration="once",
            )
            discount = Discount.objects.create(
                tenant_id=one.id,
                coupon=coupon,
                account=invoice.bill_to,
                root=invoice.bill_to,
                name="Spring",
                percent=10,
                duration="once",
                starts=world.TODAY,
                given_by="Anna",
            )
            DiscountedItem.objects.create(
                tenant_id=one.id,
                discount=discount,
                item=Item.objects.order_by("pk").first(),
                starts=world.TODAY,
            )
            pool = UsagePool.objects.create(
                tenant_id=one.id,
                account=invoice.bill_to,
                price_id=item.price_id,
                starts=world.TODAY,
            )
            EarlierPoolPrice.objects.create(
                tenant_id=one.id, pool=pool, price_id=item.price_id, until=world.TODAY
            )
            PoolShare.objects.create(
                tenant_id=one.id,
                pool=pool,
                item=item,
                period=Period.objects.filter(item=item).first(),
                starts=world.TODAY,
                ends=world.TODAY + timedelta(days=31),
            )
            bundle = Plan.objects.create(tenant_id=one.id, name="Small")
            PlanItem.objects.create(
                tenant_id=one.id, plan=bundle, price_id=item.price_id, quantity=1, position=0
            )
            EarlierOwner.objects.create(
                tenant_id=one.id,
                subscription=Subscription.objects.order_by("pk").first(),
                account=invoice.bill_to,
                until=world.TODAY,
            )
            DocumentToMake.objects.get_or_create(tenant_id=one.id, invoice=invoice)
            FileCheck.objects.create(tenant_id=one.id)
            BooksCheck.objects.create(
                tenant_id=one.id, name="I1", objects_checked=0, checked_at=world.NOW
            )
            Rendering.objects.create(
                tenant_id=one.id, invoice=invoice, blocked_until=world.NOW, token=uuid7()
            )
            OutboxEntry.objects.create(
                tenant_id=one.id, reader="mail", event=Event.objects.order_by("pk").first()
            )
            RunProblem.objects.create(
                tenant_id=one.id,
                run=invoice.run,
                severity="warning",
                code="test",
                family=invoice.bill_to,
                account=invoice.bill_to,
            )
            plan = ChangePlan.objects.create(
                tenant_id=one.id,
                kind="closing",
                account=invoice.bill_to,
                effective_date=world.TODAY,
                created_at=world.NOW,
            )
            PlanComment.objects.create(tenant_id=one.id, plan=plan, text="Why?", at=world.NOW)
            forecast = Forecast.objects.create(tenant_id=one.id, root=invoice.bill_to)
            CalendarEntry.objects.create(
                tenant_id=one.id,
                forecast=forecast,
                date=world.TODAY,
                kind="invoice",
                key="a",
                account=invoice.bill_to,
            )
            feed = CalendarFeed.objects.create(
                tenant_id=one.id,
                person_id=Contact.objects.exclude(person=None).order_by("pk")[0].person_id,
                language="en",
                digest=uuid7().hex,
                created_at=world.NOW,
            )
            ToldEvent.objects.create(
                tenant_id=one.id, feed=feed, key="a", date=world.TODAY, changed_at=world.NOW
            )
    return made


@pytest.fixture
def own(vendors):
    return vendors[0]


@pytest.fixture
def other(vendors):
    return vendors[1]


# -- what the catalogue says -----------------------------------------------------------------


def test_knows_every_table(db):
    found = {
        name for (name,) in rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    }

    assert found == {model._meta.db_table for model in tenant_models()} | WITHOUT_TENANT


@pytest.mark.parametrize("model", tenant_models())
def test_forces_row_security_with_the_one_policy(db, model):
    table, column = model._meta.db_table, tenant_column(model)
    own_rows = (
        f"({column} = ( SELECT (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))"
        '::uuid AS "nullif"))'
    )

    assert rows(
        "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", table
    ) == [(True, True)]
    assert rows(
        "SELECT roles::text, cmd, permissive, qual, with_check FROM pg_policies"
        " WHERE tablename = %s AND policyname = 'tenant_isolation'",
        table,
    ) == [("{public}", "ALL", "PERMISSIVE", own_rows, own_rows)]


def test_opens_nothing_else_to_the_application(db):
    """A further policy would let more rows through: only the owner's look-ups have one."""
    further = rows(
        "SELECT tablename, roles::text, cmd FROM pg_policies WHERE policyname <> 'tenant_isolation'"
    )
    role = rows("SELECT current_user")[0][0]

    assert {cmd for _table, _roles, cmd in further} == {"SELECT"}
    assert not [roles for _table, roles, _cmd in further if role in str(roles)]
    assert not [roles for _table, roles, _cmd in further if "public" in str(roles)]


def test_lets_few_functions_act_as_their_owner(db):
    found = rows(
        "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
    )

    assert {name for (name,) in found} == OWNERS_FUNCTIONS


@pytest.mark.parametrize("model", [one for one in tenant_models() if one is not Tenant])
def test_has_a_tenant_in_every_row(db, model):
    column = model._meta.get_field("tenant")

    assert (column.column, column.null) == ("tenant_id", False)
    assert rows(
        "SELECT is_nullable FROM information_schema.columns"
        " WHERE table_name = %s AND column_name = 'tenant_id'",
        model._meta.db_table,
    ) == [("NO",)]


@pytest.mark.parametrize(("model", "field"), list(references()), ids=str)
def test_refers_within_the_tenant(db, model, field):
    target = field.related_model._meta
    definitions = [
        definition
        for (definition,) in rows(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid = %s::regclass AND confrelid = %s::regclass",
            model._meta.db_table,
            target.db_table,
        )
    ]

    assert (
        f"FOREIGN KEY (tenant_id, {field.column}) REFERENCES"
        f" {target.db_table}(tenant_id, {target.pk.column}) DEFERRABLE"
    ) in definitions


def test_has_no_reference_that_forgets_the_tenant(db):
    """PostgreSQL checks foreign keys without row security."""
    tables = [model._meta.db_table for model in tenant_models() if model is not Tenant]

    assert (
        rows(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND confrelid::regclass::text = ANY(%s)"
            " AND pg_get_constraintdef(oid) NOT LIKE 'FOREIGN KEY (tenant_id, %%'",
            tables,
        )
        == []
    )


def test_is_unique_within_the_tenant(db):
    """A unique key without the tenant would tell whether another tenant has the value."""
    tables = [model._meta.db_table for model in tenant_models()]
    found = rows(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indisunique AND NOT indisprimary AND indrelid::regclass::text = ANY(%s)",
        tables,
    )

    # The tenant need not come first: where it does, look-ups of a tenant's rows may choose the key.
    without = {
        str(name)
        for name, definition in found
        if "tenant_id" not in re.findall(r"\w+", str(definition).partition(" WHERE ")[0])
    }
    assert without == UNIQUE_OVER_ALL


# -- the role of the application -------------------------------------------------------------


def test_connects_as_a_role_that_row_security_binds(db):
    assert rows("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user") == [
        (False, False)
    ]
    refuse_powerful_role()


def test_owns_no_table(db):
    assert rows("SELECT tablename FROM pg_tables WHERE tableowner = current_user") == []


@pytest.mark.django_db(databases=["default", "maintenance"])
def test_refuses_to_start_as_a_role_that_passes_by():
    with pytest.raises(ImproperlyConfigured, match="passes row security by"):
        refuse_powerful_role("maintenance")


@pytest.mark.parametrize("model", tenant_models())
def test_cannot_empty_a_table(db, model):
    table = model._meta.db_table

    assert rows("SELECT has_table_privilege(current_user, %s, 'TRUNCATE')", table) == [(False,)]


@pytest.mark.parametrize(
    "table",
    [
        "accounts_auditentry",
        "accounts_event",
        "invoicing_ledgerentry",
        "invoicing_ledgerposting",
        "invoicing_storeddocument",
    ],
)
def test_cannot_rewrite_history(db, table):
    assert rows(
        "SELECT has_table_privilege(current_user, %s, 'UPDATE'),"
        " has_table_privilege(current_user, %s, 'DELETE')",
        table,
        table,
    ) == [(False, False)]


# -- what queries that forget the tenant get -------------------------------------------------


@pytest.mark.parametrize("model", tenant_models())
def test_shows_own_rows_alone(own, other, model):
    column = tenant_column(model)
    for one in (own, other):
        with database.scope(one.id):
            seen = set(model._base_manager.order_by().values_list(column, flat=True))

        assert seen == {one.id}


@pytest.mark.parametrize("model", tenant_models())
def test_shows_nothing_without_a_tenant(own, model):
    assert not model._base_manager.order_by().exists()


@pytest.mark.parametrize("model", tenant_models())
def test_shows_nothing_for_a_tenant_that_is_none(own, model):
    with database.scope(uuid7()):
        assert not model._base_manager.order_by().exists()


@pytest.mark.parametrize("model", tenant_models())
def test_takes_no_row_for_another_tenant(own, other, model):
    with database.scope(own.id):
        row = model._base_manager.order_by("pk").first()
        columns = {field.attname: getattr(row, field.attname) for field in model._meta.local_fields}
        foreign = model(**{**columns, model._meta.pk.attname: uuid7()})
        setattr(foreign, tenant_column(model), uuid7() if model is Tenant else other.id)
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            foreign.save_base(raw=True, force_insert=True)


@pytest.mark.parametrize("model", [one for one in tenant_models() if one is not Tenant])
def test_hands_no_row_to_another_tenant(own, other, model):
    with database.scope(own.id), pytest.raises(DatabaseError), transaction.atomic():
        model._base_manager.order_by().update(tenant_id=other.id)


@pytest.mark.parametrize("model", [one for one in tenant_models() if one is not Tenant])
def test_changes_and_deletes_nothing_of_another_tenant(own, other, model):
    table, key = model._meta.db_table, model._meta.pk.column
    with database.scope(other.id):
        theirs = model._base_manager.order_by("pk").values_list("pk", flat=True).first()
    with database.scope(own.id), connection.cursor() as cursor:
        for sql in (
            f'UPDATE "{table}" SET tenant_id = tenant_id WHERE "{key}" = %s',
            f'DELETE FROM "{table}" WHERE "{key}" = %s',
        ):
            try:
                with transaction.atomic():
                    cursor.execute(sql, [theirs])
            except ProgrammingError as error:
                refused = "permission denied" in str(error)
            else:
                refused = cursor.rowcount == 0
            assert refused, sql


@pytest.mark.parametrize(
    ("model", "column", "target"),
    [
        (AccountNode, "parent_id", "account"),
        (ApiKey, "reach_id", "account"),
        (Contact, "account_id", "account"),
        (Grant, "account_id", "account"),
        (SettingInterval, "account_id", "account"),
        (TaxRate, "seller_id", "seller"),
        (Subscription, "account_id", "account"),
        (Subscription, "override_bill_to_id", "account"),
        (Item, "price_id", "price"),
        (RunProblem, "account_id", "account"),
    ],
)
def test_refers_to_nothing_of_another_tenant(own, other, model, column, target):
    with database.scope(other.id):
        theirs = {
            "account": other.accounts["G"].id,
            "seller": Invoice.objects.order_by("pk").first().seller_id,
            "price": Price.objects.get().id,
        }[target]
    with database.scope(own.id):
        row = model.objects.order_by("pk").last()
        with pytest.raises(IntegrityError, match="_tenant_fk"), transaction.atomic():
            model.objects.filter(pk=row.pk).update(**{column: theirs})


def test_what_does_not_refer_to_its_tenant_refers_to_something_that_does():
    """Rows of ``TenantPartModel`` cannot exist without a row of the same tenant."""
    unchecked = [
        model
        for model in tenant_models()
        if model is not Tenant and not model._meta.get_field("tenant").db_constraint
    ]
    assert {model.__name__ for model in unchecked} >= {"Charge", "InvoiceLine", "Period"}
    for model in unchecked:
        assert any(
            getattr(field, "within_tenant", False)
            and not field.null
            and field.related_model not in unchecked
            for field in model._meta.local_fields
        ), model

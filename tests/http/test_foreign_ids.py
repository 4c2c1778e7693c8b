"""Every address that names something, and every task: another tenant's ids are nobody's.

The addresses are read from the resolver, so a new one is swept without an entry here; a new kind
of name needs one.
"""

import contextlib
import inspect
import itertools
import re

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import ApiKey, Contact, Grant, Person, Seller
from billing_hierarchy.task_queue import app
from invoicing.models import BillingRun, ChangePlan, Charge, Invoice, InvoiceLine
from reports.models import CalendarFeed
from subscriptions.models import (
    Coupon,
    Discount,
    Item,
    Meter,
    Plan,
    Price,
    Product,
    Subscription,
    UsagePool,
)
from subscriptions.operations.catalogue.meters import NewMeter, create_meter
from tenancy.errors import BillingError
from tenancy.ids import public_id, uuid7
from tenancy.models import Job
from tests.scenes import scene
from tests.world import NOW, account, price, subscription

PREFIXES = {
    "account": "acc",
    "invoice": "inv",
    "line": "lin",
    "contact": "con",
    "grant": "grt",
    "run": "run",
    "seller": "sel",
    "job": "job",
    "product": "prd",
    "price": "prc",
    "meter": "mtr",
    "subscription": "sub",
    "item": "itm",
    "plan": "chp",
    "feed": "fed",
    "coupon": "cpn",
    "bundle": "pln",
    "discount": "dsc",
    "pool": "pol",
    "charge": "chg",
}
PLAIN = {
    "token": "0" * 75,
    "position": "1",
    "kind": "accounts",
    "currency": "CHF",
    "setting": "billing_day",
}
# What has to be said before anybody looks for the thing itself.
BODIES = {
    "approval": {"drafts_digest": "0"},
    "rejection": {"reason": "No.", "drafts_digest": "0"},
    "withdrawal": {"reason": "No."},
    "corrections": {"all": True, "reason": "No."},
    "plan": {"plan": "ext:none"},
    "recall": {"setting": "billing_day", "effective_date": "2027-01-01"},
    "acceptance": {"decision": "accept", "reason": "Yes."},
    "comments": {"text": "Hello"},
    "moves": {"parent": None},
    "changes": {"items": [{"quantity": "2"}]},
    "merge": {"into": "ext:A"},
    "versions": {"valid_from": "2027-01-01", "unit_amount": "11"},
    "pools": {"price": "ext:ten", "starts": "2027-01-01"},
    "prices": {"price": "ext:ten", "valid_from": "2027-01-01", "unit_amount": "9"},
}
# Not about one tenant's things, or with a test of their own.
ELSEWHERE = ("admin/", "language/", "static/", "developers/", "media/")


def addresses(resolver, before=""):
    for entry in resolver.url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from addresses(entry, route)
        elif isinstance(entry, URLPattern):
            yield route


NAMED = sorted(
    route
    for route in addresses(get_resolver())
    if "<" in route and not route.startswith(ELSEWHERE) and "^" not in route
)


def kind_of(name):
    return name.removesuffix("_id")


def filled(route, ids):
    """Return the address with public ids of the things it names."""

    def part(found):
        name = kind_of(found[1].rpartition(":")[2])
        assert name in {*PLAIN, *PREFIXES}, (
            f"say in this file what {found[0]} names: in PREFIXES and ids_of() if it is a thing"
            " with an id, else in PLAIN"
        )
        return PLAIN[name] if name in PLAIN else public_id(PREFIXES[name], ids[name])

    return "/" + re.sub(r"<([^>]+)>", part, route)


@scene
def both(vendor, other_vendor):
    """Two vendors with an invoice, a waiting run and an import each."""
    for one in (vendor, other_vendor):
        one.has("accounts", account("A", billing_day=1), account("A1", "A"))
        one.has("prices", price("ten", "10"))
        create_meter(one.actor, NewMeter("calls", "Calls", "sum"), now=NOW)
        one.has("subscriptions", subscription("S1", "A1", "ten", "2026-12-01"))
        one.run("2026-12-01")
    return vendor, other_vendor


def ids_of(vendor):
    with vendor.seen():
        job = Job.objects.create(
            tenant_id=vendor.tenant_id, kind="import", created_by_label="test", created_at=NOW
        )
        plan = ChangePlan.objects.create(
            tenant_id=vendor.tenant_id,
            kind="consolidation",
            account_id=vendor.id_of("A"),
            effective_date=NOW.date(),
            created_at=NOW,
        )
        feed = CalendarFeed.objects.create(
            tenant_id=vendor.tenant_id,
            person_id=Person.objects.create(email=f"{vendor.slug}@feeds.example").pk,
            language="en",
            digest=uuid7().hex,
            created_at=NOW,
        )
        contact = Contact.objects.create(
            tenant_id=vendor.tenant_id,
            account_id=vendor.id_of("A"),
            name="Kim",
            email="kim@kim.example",
        )
        grant = Grant.objects.create(
            tenant_id=vendor.tenant_id,
            contact=contact,
            account_id=vendor.id_of("A"),
            role="viewer",
        )
        terms = {"name": "Spring", "percent": 10, "duration": "forever"}
        coupon = Coupon.objects.create(
            tenant_id=vendor.tenant_id, code="Spring", code_key="spring", **terms
        )
        bundle = Plan.objects.create(tenant_id=vendor.tenant_id, name="Spring")
        discount = Discount.objects.create(
            tenant_id=vendor.tenant_id,
            subscription=Subscription.objects.get(),
            root_id=vendor.id_of("A"),
            starts=NOW.date(),
            given_by="Kim",
            **terms,
        )
        pool = UsagePool.objects.create(
            tenant_id=vendor.tenant_id,
            account_id=vendor.id_of("A"),
            price=Price.objects.get(),
            starts=NOW.date(),
        )
        return {
            "pool": pool.pk,
            "contact": contact.pk,
            "grant": grant.pk,
            "plan": plan.pk,
            "feed": feed.pk,
            "coupon": coupon.pk,
            "bundle": bundle.pk,
            "discount": discount.pk,
            "account": vendor.id_of("A"),
            "invoice": Invoice.objects.get().pk,
            "line": InvoiceLine.objects.get().pk,
            "run": BillingRun.objects.get().pk,
            "seller": Seller.objects.get().pk,
            "job": job.pk,
            "product": Product.objects.get().pk,
            "price": Price.objects.get().pk,
            "meter": Meter.objects.get().pk,
            "subscription": Subscription.objects.get().pk,
            "item": Item.objects.get().pk,
            "charge": Charge.objects.get().pk,
        }


def dump(vendor):
    from django.apps import apps

    with vendor.seen():
        return {
            model.__name__: sorted(map(str, model._default_manager.values_list()))
            for model in apps.get_models()
            if _is_tenants(model) and model is not ApiKey  # it says when it was last used
        }


def writes():
    """Return how often rows of each table were written in this transaction, also in vain."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_user_tables"
            " WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 AND relname <> %s",
            [ApiKey._meta.db_table],
        )
        return set(cursor.fetchall())


def _is_tenants(model: type[Model]) -> bool:
    return any(field.name == "tenant" for field in model._meta.local_fields)


def answer(client, method, url, ids):
    """Return what comes back, without the ids asked for and what differs each time."""
    body = BODIES.get(url.rpartition("/")[2], {})
    sent = {"data": body, "content_type": "application/json"} if "/api/" in url else {}
    response = getattr(client, method)(url, **(sent if method in {"post", "patch"} else {}))
    body = b"".join(response) if response.streaming else response.content
    text = body.decode(errors="replace")
    for name, key in ids.items():
        text = text.replace(public_id(PREFIXES[name], key), name).replace(str(key), name)
    text = re.sub(
        r"[0-9a-f]{32}|req_\w+|[0-9a-f-]{36}|value=\"\w{64}\"|name=\"kept\" value=\"[^\"]*\"",
        "",
        text,
    )
    return response.status_code, text


def clients(vendor):
    people = {
        "owner": vendor.staff("Olga", "owner"),
        "customer": vendor.customer("Carl", "admin", "A"),
    }
    for who, actor in people.items():
        client = Client(raise_request_exception=True)
        client.force_login(Person.objects.get(pk=str(actor.person_id)))
        yield who, client
    yield "key", Client(headers={"authorization": f"Bearer {vendor.api_key}"})


def test_sweeps_many_addresses():
    assert len(NAMED) > 20
    assert any(route.startswith("api/") for route in NAMED)
    assert any(route.startswith("portal/") for route in NAMED)


@pytest.mark.parametrize("route", NAMED)
def test_another_tenants_ids_are_nobodys(both, route):
    vendor, other = both
    theirs = ids_of(other)
    nobodys = {name: uuid7() for name in theirs}
    swept = list(itertools.product(clients(vendor), ("get", "post", "patch", "delete")))
    before, written = (dump(vendor), dump(other)), writes()

    for (who, client), method in swept:
        found = answer(client, method, filled(route, theirs), theirs)
        assert found == answer(client, method, filled(route, nobodys), nobodys), (who, method)
        if "kind" not in route and not route.startswith("settings/defaults/"):
            assert found[0] in {302, 401, 403, 404, 405}, (
                who, method, found[0],
                "if its body is refused before anybody looks for the thing: add one to BODIES",
            )  # fmt: skip
        if writes() != written:
            # Something was written, perhaps only to be taken back: whatever it was, look.
            assert (dump(vendor), dump(other)) == before, (who, method)
            written = writes()
    assert (dump(vendor), dump(other)) == before


def test_what_is_written_is_noticed(both):
    vendor, _other = both
    written = writes()
    with vendor.seen():
        assert Product.objects.update(name="Something")
    assert writes() != written


def test_tasks_touch_nothing_of_another_tenant(both):
    vendor, other = both
    theirs = ids_of(other)
    names = {
        task.name: task
        for task in app.tasks.values()
        if task.name.split(".")[0]
        in {
            "tenancy",
            "accounts",
            "subscriptions",
            "invoicing",
            "notifications",
        }
    }
    assert names
    before, swept = dump(other), []
    for task in names.values():
        wanted = list(inspect.signature(task.run).parameters)
        if len(wanted) < 2:
            continue  # about the tenant as a whole
        swept.append(task.name)
        arguments = {
            name: str(vendor.tenant_id if name == "tenant_id" else theirs[kind_of(name)])
            for name in wanted
            if name != "asker"
        }
        if "asker" in wanted:
            arguments["asker"] = vendor.actor.requester.stored()
        # Whether it complains or finds nothing to do: either is well.
        with contextlib.suppress(BillingError, ObjectDoesNotExist):
            task.run(**arguments)
        assert dump(other) == before, task.name
    assert len(swept) >= 3


def test_a_query_that_forgets_the_tenant_finds_nothing_of_another(both):
    """A planted fault: no filter at all."""
    vendor, other = both
    theirs = ids_of(other)["invoice"]

    with vendor.seen():
        assert set(Invoice.objects.values_list("tenant_id", flat=True)) == {vendor.tenant_id}
        assert not Invoice.objects.filter(pk=theirs).exists()

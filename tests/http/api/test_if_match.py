"""Whoever changes something by the API can say what they have seen: an old ``ETag`` is a 412.

The endpoints are those of ``test_every_change``, which are read from the resolver.
"""

import re
from collections.abc import Iterable
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
import yaml
from django.test import Client

from accounts import tree
from accounts.models import Account, Contact, Grant, SettingInterval
from billing_hierarchy.embedded.folders import project_folder
from invoicing.models import BillingRun, ChangePlan, Charge, Invoice, PlanComment, Rendering
from invoicing.operations import rendering
from invoicing.operations.runs import approving, discarding
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
from tenancy.models import Job
from tests.http.test_every_change import (
    ENDPOINTS,
    _no_broker,  # noqa: F401
    api_post,
    drafted,
    only_draft,
    shop,  # noqa: F401
)
from tests.world import Vendor

CHANGING = sorted(name for name in ENDPOINTS if "<" in name)


class Cautious(Client):
    """A caller that says before each change what it has seen.

    Attributes:
        tag: what it says; by default the tag of the resource as it is.
        kept: what was there right before the change.
    """

    def __init__(self, vendor: Vendor, tag: str | None = None) -> None:
        super().__init__(headers={"authorization": f"Bearer {vendor.api_key}"})
        self.vendor, self.tag = vendor, tag
        self.kept: list[Any] = []

    def post(self, path: Any, *args: Any, **kwargs: Any) -> Any:
        headers = self._seen(path.rpartition("/")[0])
        return super().post(path, *args, headers=headers, **kwargs)

    def patch(self, path: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("headers", None)
        return super().patch(path, *args, headers=self._seen(path), **kwargs)

    def _seen(self, resource: str) -> dict[str, str]:
        present = self.get(resource).headers.get("ETag")
        if present is None:
            return {}  # something new is made: there is nothing to have seen
        tag = present if self.tag is None else self.tag.format(present=present)
        self.kept = stored(self.vendor)
        return {"if-match": tag}


MODELS = (
    *(Invoice, BillingRun, Charge, Rendering, Job, Price, Product, Coupon, Discount, Plan),
    *(Account, Contact, Grant, SettingInterval, Subscription, Item, ChangePlan, PlanComment),
    *(Meter, UsagePool),
)


def stored(vendor: Vendor) -> list[Any]:
    with vendor.seen():
        return [sorted(map(str, model._default_manager.values_list())) for model in MODELS]


def test_knows_what_changes():
    assert len(CHANGING) >= 6


@pytest.mark.parametrize("name", CHANGING)
def test_does_what_was_asked_of_what_was_seen(shop: Vendor, name: str):
    caller = Cautious(shop)

    answer = ENDPOINTS[name].do(caller, shop)

    assert answer.status_code < 300, answer.content
    assert stored(shop) != caller.kept


@pytest.mark.parametrize("name", CHANGING)
@pytest.mark.parametrize("tag", ['"old"', '"old", "older"', "W/{present}", "nonsense", " "])
def test_does_nothing_to_what_has_changed(shop: Vendor, name: str, tag: str):
    caller = Cautious(shop, tag)

    answer = ENDPOINTS[name].do(caller, shop)

    assert answer.status_code == 412
    assert (answer.json()["code"], answer.json()["status"]) == ("precondition_failed", 412)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert stored(shop) == caller.kept


@pytest.mark.parametrize("name", CHANGING)
def test_a_star_means_whatever_is_there(shop: Vendor, name: str):
    assert ENDPOINTS[name].do(Cautious(shop, "*"), shop).status_code < 300


def test_a_draft_that_was_drafted_again_is_another(shop: Vendor):
    caller = Client(headers={"authorization": f"Bearer {shop.api_key}"})
    url = f"/api/v1/invoices/{only_draft(shop).public_id}"
    seen = caller.get(url).headers["ETag"]
    with shop.seen():
        Invoice.objects.update(content_hash="0" * 64)

    answer = caller.post(
        f"{url}/issuance", "{}", content_type="application/json", headers={"if-match": seen}
    )

    assert answer.status_code == 412
    with shop.seen():
        assert Invoice.objects.get().number is None


@pytest.mark.parametrize(
    "name",
    [
        "POST api/v1/invoices/<str:invoice>/withdrawal",
        "POST api/v1/billing-runs/<str:run>/rejection",
    ],
)
def test_asks_what_is_there_once_nobody_else_can_change_it(
    shop: Vendor, name: str, monkeypatch: pytest.MonkeyPatch
):
    caller = Cautious(shop)
    lock = tree.lock_families

    def get_the_lock_after_somebody_else(tenant_id: UUID, account_ids: Iterable[UUID]) -> None:
        lock(tenant_id, account_ids)
        Invoice.objects.update(content_hash="1" * 64)

    monkeypatch.setattr(tree, "lock_families", get_the_lock_after_somebody_else)

    answer = ENDPOINTS[name].do(caller, shop)

    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
    # The other's change is undone too: it was part of this transaction only here.
    assert stored(shop) == caller.kept


@pytest.mark.parametrize(
    ("name", "module", "last_look"),
    [
        ("POST api/v1/billing-runs/<str:run>/approval", approving, "_run_to_approve"),
        ("POST api/v1/accounts/<reference:account>/release", discarding, "get_account"),
        ("POST api/v1/invoices/<str:invoice>/pdf", rendering, "get_invoice"),
    ],
)
def test_asks_within_the_act_and_not_before_it(
    shop: Vendor, name: str, module: ModuleType, last_look: str, monkeypatch: pytest.MonkeyPatch
):
    """What another call has changed between coming in and the locks is seen."""
    caller, look = Cautious(shop), getattr(module, last_look)

    def overtaken(*args: Any) -> Any:
        found = look(*args)
        Invoice.objects.filter(number=None).update(content_hash="1" * 64)
        Account.objects.update(name="Another")
        return found

    monkeypatch.setattr(module, last_look, overtaken)

    answer = ENDPOINTS[name].do(caller, shop)

    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
    assert stored(shop) == caller.kept


@pytest.mark.parametrize("expand", ["", "?expand=sections", "?expand=lines"])
def test_a_tag_holds_however_much_was_read(shop: Vendor, expand: str):
    caller = Client(headers={"authorization": f"Bearer {shop.api_key}"})
    url = f"/api/v1/invoices/{only_draft(shop).public_id}"
    seen = caller.get(f"{url}{expand}")

    again = caller.get(f"{url}{expand}", headers={"if-none-match": seen.headers["ETag"]})
    issued = caller.post(
        f"{url}/issuance",
        "{}",
        content_type="application/json",
        headers={"if-match": seen.headers["ETag"]},
    )

    assert again.status_code == 304
    assert issued.status_code == 200
    assert issued.headers["ETag"] == caller.get(url).headers["ETag"] != seen.headers["ETag"]


def test_who_names_nothing_is_served_as_ever(shop: Vendor):
    caller = Client(headers={"authorization": f"Bearer {shop.api_key}"})
    run = drafted(shop)

    digest = caller.get(f"/api/v1/billing-runs/{run.public_id}").json()["drafts_digest"]

    answer = api_post(
        caller, f"billing-runs/{run.public_id}/rejection", reason="Why", drafts_digest=digest
    )

    assert answer.status_code == 200
    present = caller.get(f"/api/v1/billing-runs/{run.public_id}").headers["ETag"]
    assert answer.headers["ETag"] == present


def test_is_described():
    text = (project_folder() / "docs" / "openapi.yaml").read_text(encoding="utf-8")
    paths = yaml.safe_load(text)["paths"]
    described = {
        f"{method.upper()} {path.removeprefix('/')}"
        for path, methods in paths.items()
        for method in ("post", "patch")
        for one in [methods.get(method)]
        if one is not None
        and "412" in one["responses"]
        and any(parameter["name"] == "If-Match" for parameter in one["parameters"])
        and all(parameter["name"] != "If-None-Match" for parameter in one["parameters"])
    }

    assert described == {re.sub(r"<\w+:(\w+)>", r"{\1}", name) for name in CHANGING}
    tagged = paths["/api/v1/invoices/{invoice}"]["get"]["responses"]["200"]["headers"]
    assert "ETag" in tagged

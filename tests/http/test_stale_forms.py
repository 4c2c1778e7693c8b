"""Every page that edits something there already: an old version, or none, overwrites nothing.

The pages are those of ``test_every_change``, which are read from the resolver: a new one fails
here until it has a form below, or a reason why it has none to be stale.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, BankAccount, Contact, Seller, SettingInterval
from accounts.operations import account_settings, approval, bank_accounts, sellers, time_zones
from accounts.operations.accounts import edit_account
from accounts.operations.accounts.contacts import create_contact, edit_contact
from accounts.queries.jobs import clock_shown
from invoicing.operations import clock, clock_jobs
from tenancy.actor import Actor
from tenancy.database import scope
from tenancy.ids import public_id
from tenancy.models import Job, Tenant
from tests.http.dashboard.conftest import version_in
from tests.http.test_every_change import PAGES, PASSWORD, browser_of
from tests.world import NOW, TODAY, Vendor, account

MINE, OTHERS = "DE89370400440532013000", "DE75512108001245126199"
DAY = date(2026, 12, 1)
DECIDES_ON_WHAT_WAS_SEEN = "It carries what was seen of its documents, and has tests of its own."
MAKES_SOMETHING = "It makes something new."
IS_REPEATED = "Sent twice it does the same once more, whatever was shown."
WITHOUT_FORM = {
    "runs/<str:run_id>/approve/": DECIDES_ON_WHAT_WAS_SEEN,
    "runs/<str:run_id>/take-back/": DECIDES_ON_WHAT_WAS_SEEN,
    "runs/<str:run_id>/changed/": IS_REPEATED,
    "invoices/<str:invoice_id>/correction/": (
        "It carries a version of what was paid and taken back; test_correcting.py is about it."
    ),
    "runs/held/": IS_REPEATED,
    "settings/books/": "A check changes nothing, and one that is under way is joined.",
    "settings/defaults/<str:setting>/recall/": (
        "It names the day of the change that it takes back; one that is gone is refused."
    ),
    "customers/<str:account_id>/settings/<str:setting>/recall/": (
        "It names the day of the change that it takes back; one that is gone is refused."
    ),
    "customers/change/": (
        "It carries a digest of what it showed; test_customers_many.py is about it."
    ),
    "customers/change/jobs/<str:job_id>/": (
        "It does what it has shown of each account that is not so already; done twice it is once."
    ),
    "calendar/feeds/": MAKES_SOMETHING,
    "calendar/feeds/<str:feed_id>/": IS_REPEATED,
    "customers/new/": MAKES_SOMETHING,
    "customers/<str:account_id>/new/": MAKES_SOMETHING,
    "customers/<str:account_id>/archive/": (
        "What hangs on the account is looked at once more under the locks."
    ),
    "customers/<str:account_id>/reopen/": IS_REPEATED,
    "customers/<str:account_id>/discounts/new/": MAKES_SOMETHING,
    "customers/<str:account_id>/discounts/<str:discount_id>/end/": (
        "What has ended by then is refused."
    ),
    "customers/<str:account_id>/pools/new/": MAKES_SOMETHING,
    "customers/<str:account_id>/pools/<str:pool_id>/end/": "What has ended by then is refused.",
    "customers/<str:account_id>/people/new/": MAKES_SOMETHING,
    "customers/<str:account_id>/people/<str:contact_id>/roles/": MAKES_SOMETHING,
    "customers/<str:account_id>/people/roles/<str:grant_id>/end/": IS_REPEATED,
    "catalogue/products/new/": MAKES_SOMETHING,
    "catalogue/products/<str:product_id>/prices/new/": MAKES_SOMETHING,
    "catalogue/meters/new/": MAKES_SOMETHING,
    "catalogue/meters/<str:meter_id>/edit/": (
        "It carries the meter's version; test_meters.py is about it."
    ),
    "catalogue/meters/<str:meter_id>/archive/": IS_REPEATED,
    "catalogue/meters/<str:meter_id>/reopen/": IS_REPEATED,
    "catalogue/products/<str:product_id>/archive/": IS_REPEATED,
    "catalogue/products/<str:product_id>/reopen/": IS_REPEATED,
    "catalogue/prices/<str:price_id>/edit/": (
        "It carries the price's version; test_catalogue.py is about it."
    ),
    "catalogue/products/<str:product_id>/edit/": (
        "It carries the product's version; test_catalogue.py is about it."
    ),
    "catalogue/coupons/new/": MAKES_SOMETHING,
    "catalogue/plans/new/": MAKES_SOMETHING,
    "catalogue/plans/<str:bundle_id>/edit/": (
        "It carries the plan's version; test_plan_form.py is about it."
    ),
    "catalogue/plans/<str:bundle_id>/archive/": IS_REPEATED,
    "catalogue/plans/<str:bundle_id>/reopen/": IS_REPEATED,
    "catalogue/coupons/<str:coupon_id>/archive/": IS_REPEATED,
    "catalogue/coupons/<str:coupon_id>/reopen/": IS_REPEATED,
    "catalogue/coupons/<str:coupon_id>/edit/": (
        "It carries the coupon's version; test_coupons.py is about it."
    ),
    "catalogue/prices/<str:price_id>/versions/new/": MAKES_SOMETHING,
    "catalogue/prices/<str:price_id>/end/": IS_REPEATED,
    "catalogue/price-changes/<str:job_id>/": IS_REPEATED,
    "catalogue/prices/<str:price_id>/archive/": IS_REPEATED,
    "catalogue/prices/<str:price_id>/reopen/": IS_REPEATED,
    "customers/<str:account_id>/align/preview/": MAKES_SOMETHING,
    "plans/new/": MAKES_SOMETHING,
    "plans/move/": MAKES_SOMETHING,
    "plans/<str:plan_id>/": "It carries the plan's version; test_plans.py is about it.",
    "customers/<str:account_id>/charges/new/": MAKES_SOMETHING,
    "customers/<str:account_id>/charges/<str:charge_id>/cancel/": (
        "It carries the charge's version; test_charges.py is about it."
    ),
    "runs/new/": MAKES_SOMETHING,
    "subscriptions/new/": MAKES_SOMETHING,
    "subscriptions/<str:subscription_id>/items/<str:item_id>/": (
        "It carries the item's version; test_subscription_changes.py is about it."
    ),
    **dict.fromkeys(
        (
            "subscriptions/<str:subscription_id>/items/new/",
            "subscriptions/<str:subscription_id>/items/<str:item_id>/remove/",
            "subscriptions/<str:subscription_id>/coupon/",
            "subscriptions/<str:subscription_id>/discount/",
            "subscriptions/<str:subscription_id>/discounts/<str:discount_id>/end/",
            "subscriptions/<str:subscription_id>/pause/",
            "subscriptions/<str:subscription_id>/resume/",
            "subscriptions/<str:subscription_id>/end/",
            "subscriptions/<str:subscription_id>/contract/",
            "subscriptions/<str:subscription_id>/plan/",
        ),
        "It carries the subscription's version; test_subscription_life.py is about it.",
    ),
    "subscriptions/<str:subscription_id>/go-on/": "What has no end is refused.",
    "invoices/<str:invoice_id>/pdf/retry/": IS_REPEATED,
    "import/": MAKES_SOMETHING,
    "customers/<str:account_id>/import/": MAKES_SOMETHING,
    "import/<str:job_id>/": "It applies a file that was checked; a file is applied once.",
}


@dataclass(frozen=True)
class Form:
    """A form, what one window sends, and what another has done meanwhile.

    Attributes:
        url: where it is; ``{seller}`` stands for the only seller.
        values: what the late window sends.
        meanwhile: what somebody else does.
        shown: texts of both versions, as the page of the conflict shows them.
        before: what is there when the form is shown.
    """

    url: str
    values: dict[str, str]
    meanwhile: Callable[[Actor, Any], object]
    shown: tuple[str, ...]
    before: Callable[[Actor, Any], object] = field(default=lambda _actor, _seller: None)


def francs(iban: str) -> Callable[[Actor, Any], object]:
    return lambda actor, seller: bank_accounts.set_bank_account(
        actor, seller, "CHF", iban=iban, bank_name=f"Bank of {iban[2:4]}", now=NOW
    )


def set_po_number(actor: Actor, value: str) -> None:
    with scope(actor.tenant_id):
        account_id = Account.objects.get().pk
    wanted = account_settings.WantedSettings({"po_number": value}, TODAY)
    account_settings.change_settings(actor, account_id, wanted, today=TODAY, now=NOW)


def rename(actor: Actor, name: str) -> None:
    with scope(actor.tenant_id):
        account_id = Account.objects.get().pk
    edit_account(actor, account_id, name=name, today=TODAY, now=NOW)


def rename_contact(actor: Actor, name: str) -> None:
    with scope(actor.tenant_id):
        contact_id = Contact.objects.get().pk
    edit_contact(actor, contact_id, name=name, now=NOW)


BANK_ACCOUNTS = "settings/sellers/<str:seller_id>/bank-accounts/"
ACCOUNT = "/settings/sellers/{seller}/bank-accounts/CHF/"
FORMS = {
    "settings/sellers/<str:seller_id>/edit/": [
        Form(
            "/settings/sellers/{seller}/edit/",
            {
                "name": "Mine AG", "line1": "Weg 1", "city": "Kiel", "country": "DE",
                "iban": MINE, "vat_id": "DE136695976", "password": PASSWORD,
            },
            lambda actor, seller: sellers.update_seller(actor, seller, name="Theirs", now=NOW),
            ("<td>Mine AG</td><td>Theirs</td>",),
        )
    ],
    BANK_ACCOUNTS: [
        Form(
            "/settings/sellers/{seller}/bank-accounts/",
            {"currency": "CHF", "iban": MINE, "password": PASSWORD},
            francs(OTHERS),
            (f"<td>{MINE}</td><td>{OTHERS}</td>", "<td>–</td><td>Bank of 75</td>"),
        )
    ],
    f"{BANK_ACCOUNTS}<str:currency>/": [
        Form(
            ACCOUNT,
            {"iban": MINE, "bank_name": "Mine", "password": PASSWORD},
            francs(OTHERS),
            (f"<td>{MINE}</td><td>{OTHERS}</td>", "<td>Mine</td><td>Bank of 75</td>"),
            before=francs("DE02120300000000202051"),
        ),
        Form(
            ACCOUNT,
            {"iban": MINE, "bank_name": "Mine", "password": PASSWORD, "remove": "1"},
            francs(OTHERS),
            (f"<td>{MINE}</td><td>{OTHERS}</td>",),
            before=francs(MINE),
        ),
        Form(
            ACCOUNT,
            {"iban": MINE, "bank_name": "Mine", "password": PASSWORD},
            lambda actor, seller: bank_accounts.remove_bank_account(actor, seller, "CHF", now=NOW),
            (f"<td>{MINE}</td><td>–</td>", "<td>Mine</td><td>–</td>"),
            before=francs(MINE),
        ),
    ],
    "settings/approval/": [
        Form(
            "/settings/approval/",
            {"approval_required": "on"},
            lambda actor, _seller: approval.set_approval(
                actor, approval_required=False, four_eyes=False, now=NOW
            ),
            ("<td>Yes</td><td>No</td>",),
        )
    ],
    "customers/<str:account_id>/edit/": [
        Form(
            "/customers/{account}/edit/",
            {"name": "Mine", "kind": "branch", "city": "Kiel"},
            lambda actor, _seller: rename(actor, "Theirs"),
            ("<td>Mine</td><td>Theirs</td>", "<td>Branch</td>"),
        )
    ],
    "customers/<str:account_id>/people/<str:contact_id>/": [
        Form(
            "/customers/{account}/people/{contact}/",
            {"name": "Mine", "email": "mine@mine.example"},
            lambda actor, _seller: rename_contact(actor, "Theirs"),
            ("<td>Mine</td><td>Theirs</td>",),
        )
    ],
    "customers/<str:account_id>/people/<str:contact_id>/remove/": [
        Form(
            "/customers/{account}/people/{contact}/remove/",
            {},
            lambda actor, _seller: rename_contact(actor, "Theirs"),
            ("Remove Theirs?",),
        )
    ],
    "customers/<str:account_id>/settings/<str:setting>/": [
        Form(
            "/customers/{account}/settings/po_number/",
            {"way": "own", "value": "Mine", "day": TODAY.isoformat(), "step": "save"},
            lambda actor, _seller: set_po_number(actor, "Theirs"),
            ("<td>Mine</td><td>Theirs</td>",),
        )
    ],
    "settings/defaults/<str:setting>/": [
        Form(
            "/settings/defaults/payment_terms_days/",
            {"way": "own", "value": "21", "day": TODAY.isoformat(), "step": "save"},
            lambda actor, _seller: account_settings.change_defaults(
                actor,
                account_settings.WantedSettings({"payment_terms_days": 60}, TODAY),
                today=TODAY,
                now=NOW,
            ),
            ("<td>21 days net</td><td>60 days net</td>",),
        )
    ],
    "settings/time-zone/": [
        Form(
            "/settings/time-zone/",
            {"time_zone": "Asia/Tokyo"},
            lambda actor, _seller: time_zones.set_time_zone(
                actor, time_zone="Europe/Lisbon", today=TODAY, now=NOW
            ),
            ("<td>Asia/Tokyo</td><td>Europe/Lisbon</td>",),
        )
    ],
    "settings/test-clock/": [
        Form(
            "/settings/test-clock/",
            {"to": "2026-12-24", "confirmed": "2026-12-24"},
            lambda actor, _seller: clock.advance_clock(actor, to_date=DAY, now=NOW),
            ("<td>24 Dec 2026</td><td>1 Dec 2026</td>",),
        ),
        Form(
            "/settings/test-clock/",
            {"to": "2026-12-24", "confirmed": "2026-12-24"},
            lambda actor, _seller: clock_jobs.request_clock_move(actor, to_date=DAY, now=NOW),
            ("<td>24 Dec 2026</td><td>23 Nov 2026, moving to 1 Dec 2026</td>",),
        ),
    ],
}  # fmt: skip
ALL = [
    pytest.param(form, id=f"{route}-{n}") for route in FORMS for n, form in enumerate(FORMS[route])
]


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: Any) -> None:
    monkeypatch.setattr("invoicing.tasks.work_on_clock_move.delay", lambda **_values: None)


@pytest.fixture
def olga(vendor: Vendor) -> Actor:
    return vendor.staff("Olga", "owner")


@pytest.fixture
def window(vendor: Vendor, olga: Actor) -> Client:
    return browser_of(vendor, olga).client


def stored(vendor: Vendor) -> Iterator[Any]:
    with vendor.seen():
        for model in (Account, Contact, Seller, BankAccount, Tenant, Job, SettingInterval):
            yield sorted(map(str, model._default_manager.values_list()))


@pytest.fixture(autouse=True)
def _an_account(vendor: Vendor) -> None:
    vendor.has("accounts", account("A"))
    create_contact(vendor.actor, vendor.id_of("A"), name="Kim", email="kim@kim.example", now=NOW)


def url_of(form: Form, vendor: Vendor) -> str:
    with vendor.seen():
        contact = Contact.objects.get().public_id
    return form.url.format(
        seller=seller_of(vendor).public_id,
        account=public_id("acc", vendor.id_of("A")),
        contact=contact,
    )


def seller_of(vendor: Vendor) -> Seller:
    with vendor.seen():
        return Seller.objects.get()


def test_every_page_that_takes_a_post_has_a_form_or_a_reason_here():
    assert PAGES.keys() == FORMS.keys() | WITHOUT_FORM.keys(), (
        "say in FORMS of this file what two people send, or in WITHOUT_FORM why nothing gets stale"
    )


@pytest.mark.parametrize("form", ALL)
@pytest.mark.parametrize("carries", ["an old version", "none", "an empty one", "a forged one"])
def test_overwrites_nothing_and_shows_both(vendor, olga, window, form: Form, carries: str):
    seller = seller_of(vendor)
    url = url_of(form, vendor)
    form.before(olga, seller.pk)
    old = version_in(window.get(url))
    form.meanwhile(olga, seller.pk)
    there = list(stored(vendor))
    version = {
        "an old version": {"version": old},
        "none": {},
        "an empty one": {"version": ""},
        "a forged one": {"version": "0" * 32},
    }[carries]

    answer = window.post(url, {**form.values, **version})

    assert answer.status_code == 409
    assert list(stored(vendor)) == there
    page = answer.content.decode()
    assert "Nothing was overwritten." in page
    for text in form.shown:
        assert text in page


@pytest.mark.parametrize("form", ALL)
def test_takes_over_on_purpose(vendor, olga, window, form: Form):
    seller = seller_of(vendor)
    url = url_of(form, vendor)
    form.before(olga, seller.pk)
    old = version_in(window.get(url))
    form.meanwhile(olga, seller.pk)
    refused = window.post(url, {**form.values, "version": old})
    there = list(stored(vendor))

    with vendor.seen():
        is_moving = clock_shown(olga)["moving_to"]

    again = window.post(url, {**form.values, "version": version_in(refused)})

    if is_moving:  # the page of a clock that moves has no form
        assert again.status_code == 409
        assert list(stored(vendor)) == there
    else:
        assert again.status_code == 302
        assert list(stored(vendor)) != there


TWICE = [pytest.param(forms[0], id=route) for route, forms in FORMS.items() if "clock" not in route]


@pytest.mark.parametrize("form", TWICE)
def test_a_button_pressed_twice_is_no_conflict(vendor, olga, window, form: Form):
    seller = seller_of(vendor)
    url = url_of(form, vendor)
    form.before(olga, seller.pk)
    values = {**form.values, "version": version_in(window.get(url))}
    first = window.post(url, values)
    there = list(stored(vendor))

    second = window.post(url, values)

    assert (first.status_code, second.status_code) == (302, 302)
    assert list(stored(vendor)) == there


@pytest.mark.parametrize("wrong", [{"iban": "DE00"}, {"password": ""}])
def test_what_is_refused_keeps_its_old_version(vendor, olga, window, wrong):
    (form,) = FORMS["settings/sellers/<str:seller_id>/edit/"]
    url = url_of(form, vendor)
    seller = seller_of(vendor)
    old = version_in(window.get(url))
    refused = window.post(url, {**form.values, **wrong, "version": old})
    form.meanwhile(olga, seller.pk)
    there = list(stored(vendor))
    stale = window.post(url, {**form.values, **wrong, "version": version_in(refused)})

    late = window.post(url, {**form.values, "version": old})

    assert refused.status_code == 422
    assert version_in(refused) == old
    assert stale.status_code in {409, 422}
    assert version_in(stale) == old or stale.status_code == 409
    assert late.status_code == 409
    assert list(stored(vendor)) == there

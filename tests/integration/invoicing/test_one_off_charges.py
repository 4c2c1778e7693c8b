"""An account is charged for something once: on which document, when, and until when it can go."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from invoicing.models import Charge, Invoice, InvoiceLine
from invoicing.operations.accounts.archiving import AccountInUse, archive_account
from invoicing.operations.charges.adding import (
    AccountArchived,
    AlreadyCharged,
    ChargeExists,
    add_charge,
)
from invoicing.operations.charges.cancelling import (
    ChargeInvoiced,
    ChargeOnDraft,
    NotOnce,
    cancel_charge,
)
from invoicing.operations.charges.wanting import InvalidCharge, NewCharge
from invoicing.operations.subscriptions.settling import AmountTooLarge
from invoicing.queries.charge_outlook import charge_outlook
from invoicing.queries.charges import explanation_of, get_charge, sums_of
from invoicing.queries.foreseeing import foresee_invoices
from subscriptions.models import Price, Subscription
from tenancy.errors import Forbidden, NotFound
from tenancy.ids import uuid7
from tenancy.models import AuditEntry, Tenant
from tests.scenes import scene
from tests.world import NOW, TODAY, Vendor, account, price, subscription

TRAINING = NewCharge(
    date(2026, 11, 20), description="Training", unit_amount=Decimal("400"), currency="EUR",
    quantity=Decimal("2.5"), unit="day",
)  # fmt: skip


@scene
def shop(vendor: Vendor) -> Vendor:
    """Return a vendor with a company that is invoiced on the 1st, and one that buys nothing."""
    vendor.has(
        "accounts",
        account("A", billing_day=1),
        account("A1", "A"),
        account("A2", "A", bill_to="A2", billing_day=15),
        account("B", billing_day=1),
    )
    vendor.has(
        "prices",
        price("desk", "10"),
        price("seat", "7.50", model="per_unit", unit="Platz"),
        price("steps", model="volume", unit_amount="", tiers="inf:1:0"),
    )
    vendor.has("subscriptions", subscription("S", "A1", "desk", "2026-11-15", po_number="PO-1"))
    return vendor


def add(shop: Vendor, owner: str, wanted: NewCharge = TRAINING, **values: Any) -> Any:
    actor = values.pop("actor", shop.actor)
    is_dry_run = values.pop("is_dry_run", False)
    return add_charge(
        actor,
        shop.id_of(owner),
        replace(wanted, **values),
        is_dry_run=is_dry_run,
        today=TODAY,
        now=NOW,
    )


def price_id(shop: Vendor, key: str) -> Any:
    with shop.seen():
        return Price.objects.get(external_id=key).pk


def charged(shop: Vendor) -> int:
    with shop.seen():
        return Charge.objects.count()


class TestItsAmountAndDay:
    @pytest.mark.parametrize(
        ("quantity", "amount", "currency", "net_minor"),
        [
            ("2.5", "400", "EUR", 100_000),
            ("3", "33.335", "EUR", 10_001),  # 100.005, half up
            ("1", "0.005", "EUR", 1),
            ("3", "1.5", "JPY", 5),
            ("1", "0", "EUR", 0),
            ("0.000001", "1", "KWD", 0),
        ],
    )
    def test_is_quantity_times_amount_rounded_once(
        self, shop, quantity, amount, currency, net_minor
    ):
        made = add(shop, "A", quantity=Decimal(quantity), unit_amount=Decimal(amount),
                   currency=currency)  # fmt: skip

        assert made.charge.net_minor == net_minor

    def test_is_not_prorated_however_many_days_it_is_for(self, shop):
        made = add(shop, "A", last_day=date(2026, 11, 29)).charge

        assert (made.net_minor, made.period_start, made.period_end) == (
            100_000, date(2026, 11, 20), date(2026, 11, 30),
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("key", "first_day", "now", "due", "invoice_on"),
        [
            ("A1", "2026-11-20", False, "2026-11-23", "2026-12-01"),  # past: due today
            ("A2", "2026-11-20", False, "2026-11-23", "2026-12-15"),  # its own recipient
            ("A1", "2026-12-10", False, "2026-12-10", "2027-01-01"),
            ("A1", "2026-12-01", False, "2026-12-01", "2026-12-01"),
            ("A1", "2026-11-20", True, "2026-11-23", "2026-11-23"),
            ("A1", "2026-12-10", True, "2026-12-10", "2026-12-10"),
        ],
    )
    def test_waits_for_the_billing_day_of_whoever_is_invoiced(
        self, shop, key, first_day, now, due, invoice_on
    ):
        made = add(shop, key, first_day=date.fromisoformat(first_day), is_billed_now=now).charge

        assert (str(made.due_date), str(made.invoice_on)) == (due, invoice_on)

    @pytest.mark.parametrize(
        ("key", "quantity", "net_minor", "name", "model"),
        [("desk", "3", 1_000, "Desk", "flat"), ("seat", "3", 2_250, "Seat", "per_unit")],
    )
    def test_takes_the_price_of_the_catalogue(self, shop, key, quantity, net_minor, name, model):
        wanted = NewCharge(
            date(2026, 12, 1), quantity=Decimal(quantity), price_id=price_id(shop, key)
        )

        made = add(shop, "A", wanted).charge

        said = made.calculation["price"]
        assert (made.net_minor, said["name"], said["model"]) == (net_minor, name, model)


class TestItsDocument:
    def test_stands_with_what_recurs_and_alone_where_nothing_else_is_due(self, shop):
        add(shop, "A1")
        add(
            shop,
            "B",
            first_day=date(2026, 12, 1),
            unit_amount=Decimal("19.99"),
            quantity=Decimal(1),
        )

        shop.run("2026-12-01")

        with shop.seen():
            of_a, of_b = Invoice.objects.order_by("recipient_key")
            lines = InvoiceLine.objects.filter(invoice=of_a).order_by("position")
            assert [(one.description, one.net_minor) for one in lines] == [
                ("Desk", 533), ("Desk", 1_000), ("Training", 100_000),
            ]  # fmt: skip
            assert (of_a.net_minor, of_a.tax_minor, of_a.gross_minor) == (101_533, 19_291, 120_824)
            assert (of_b.net_minor, of_b.tax_minor, of_b.gross_minor) == (1_999, 380, 2_379)
        assert shop.violations() == []
        assert shop.bills("2026-12-01") == []

    def test_bears_the_rate_of_its_class_on_its_last_day(self, shop):
        add(shop, "B", tax_class="reduced")

        shop.run("2026-12-01")

        with shop.seen():
            assert Invoice.objects.get(bill_to_id=shop.id_of("B")).tax_minor == 7_000

    def test_of_a_subscription_it_goes_where_that_goes(self, shop):
        with shop.seen():
            subscription_id = Subscription.objects.get().pk
        shop.has("accounts", account("A", billing_day=1, split_by_po="true"))
        add(shop, "A1", subscription_id=subscription_id)
        add(shop, "A1", unit_amount=Decimal(1), quantity=Decimal(1))
        add(shop, "A1", unit_amount=Decimal(2), quantity=Decimal(1), po_number="PO-7")

        shop.run("2026-12-01")

        with shop.seen():
            assert sorted(Invoice.objects.values_list("po_number", "net_minor")) == [
                ("", 100), ("PO-1", 101_533), ("PO-7", 200),
            ]  # fmt: skip

    def test_a_draft_is_made_anew_with_what_came_in_meanwhile(self, shop):
        shop.run("2026-12-01", issue=False)
        add(shop, "A1", is_billed_now=True)

        shop.run("2026-12-02")

        with shop.seen():
            (invoice,) = Invoice.objects.all()
            assert (invoice.net_minor, invoice.line_count) == (101_533, 3)
        assert shop.violations() == []


class TestWhatIsForeseen:
    def outlook(self, shop, key, **values):
        added = add(shop, key, is_dry_run=True, **values)
        assert charged(shop) == 0
        with shop.seen():
            tenant = Tenant.objects.get(pk=shop.tenant_id)
            return charge_outlook(replace(shop.actor, today=TODAY), added.row, tenant=tenant)

    def test_says_the_document_that_the_run_makes(self, shop):
        seen = self.outlook(shop, "A1")
        add(shop, "A1")

        shop.run("2026-12-01")

        with shop.seen():
            made = Invoice.objects.get()
        assert (seen.day, seen.bill_to.pk, seen.payer.pk) == (
            made.issue_date, made.bill_to_id, made.payer_id,
        )  # fmt: skip
        assert (seen.document_gross_minor, seen.line_count) == (made.gross_minor, made.line_count)
        assert (seen.tax_minor, seen.waits_for) == (19_000, "")

    def test_says_what_it_would_wait_for(self, shop):
        shop.has("accounts", account("C", legal_name=""))

        assert self.outlook(shop, "C").waits_for == "bill_to_incomplete"

    def test_says_that_no_rate_is_known(self, shop):
        assert self.outlook(shop, "B", tax_class="super_reduced").waits_for == "tax_rate_unknown"

    def test_invoices_to_come_have_it(self, shop):
        add(shop, "A1", first_day=date(2026, 12, 10))
        with shop.seen():
            tenant = Tenant.objects.get(pk=shop.tenant_id)
            found = foresee_invoices(
                shop.actor, [shop.id_of("A")], first=TODAY, last=date(2027, 1, 31), tenant=tenant
            ).stored
        assert [(str(one.day), one.net_minor) for one in found] == [
            ("2026-12-01", 1_533), ("2027-01-01", 101_000),
        ]  # fmt: skip


class TestIsRefused:
    @pytest.mark.parametrize(
        ("values", "pointer", "code"),
        [
            ({"quantity": Decimal(0)}, "/quantity", "out_of_range"),
            ({"quantity": Decimal(-1)}, "/quantity", "out_of_range"),
            ({"quantity": Decimal("NaN")}, "/quantity", "out_of_range"),
            ({"quantity": Decimal("1e400")}, "/quantity", "out_of_range"),
            ({"unit_amount": Decimal(-5)}, "/unit_amount", "amount_negative"),
            ({"unit_amount": Decimal("Infinity")}, "/unit_amount", "out_of_range"),
            ({"unit_amount": Decimal("0.000000001")}, "/unit_amount", "out_of_range"),
            ({"unit_amount": None}, "/unit_amount", "required"),
            ({"description": " "}, "/description", "required"),
            ({"description": "x" * 201}, "/description", "invalid"),
            ({"description": "a\x00b"}, "/description", "invalid"),
            ({"currency": ""}, "/currency", "invalid"),
            ({"currency": "XYZ"}, "/currency", "invalid"),
            ({"tax_class": "none"}, "/tax_class", "invalid_choice"),
            ({"last_day": date(2026, 11, 19)}, "/last_day", "end_before_start"),
            ({"last_day": date(2199, 11, 19)}, "/last_day", "out_of_range"),
            ({"first_day": date(1969, 12, 31)}, "/first_day", "out_of_range"),
            ({"first_day": date(2200, 1, 1)}, "/first_day", "out_of_range"),
            ({"po_number": "x" * 101}, "/po_number", "invalid"),
            ({"external_id": " "}, "/external_id", "invalid"),
            ({"price_id": uuid7(), "unit_amount": None}, "/price", "unknown_price"),
            ({"subscription_id": uuid7()}, "/subscription", "unknown_subscription"),
        ],
    )
    def test_what_cannot_be(self, shop, values, pointer, code):
        with pytest.raises(InvalidCharge) as refused:
            add(shop, "A", **values)

        assert (code, pointer) in {(one.code, one.pointer) for one in refused.value.errors}
        assert charged(shop) == 0

    @pytest.mark.parametrize(
        ("key", "values", "code"),
        [
            ("steps", {}, "wrong_model"),
            ("desk", {"unit_amount": Decimal(1)}, "not_allowed"),
            ("desk", {"currency": "CHF"}, "mixed_currencies"),
        ],
    )
    def test_what_contradicts_the_price(self, shop, key, values, code):
        wanted = NewCharge(TODAY, price_id=price_id(shop, key), **values)

        with pytest.raises(InvalidCharge) as refused:
            add(shop, "A", wanted)

        assert [one.code for one in refused.value.errors] == [code]

    def test_an_amount_that_no_document_holds(self, shop):
        with pytest.raises(AmountTooLarge):
            add(shop, "A", quantity=Decimal(10**11), unit_amount=Decimal(10**11))

        assert charged(shop) == 0

    def test_an_archived_account(self, shop):
        archive_account(shop.actor, shop.id_of("B"), today=TODAY, now=NOW)

        with pytest.raises(AccountArchived):
            add(shop, "B")

    def test_another_accounts_subscription(self, shop):
        with shop.seen():
            subscription_id = Subscription.objects.get().pk

        with pytest.raises(InvalidCharge):
            add(shop, "B", subscription_id=subscription_id)

    @pytest.mark.parametrize(
        ("role", "error"),
        [("support", Forbidden), ("auditor", Forbidden), ("developer", Forbidden)],
    )
    def test_to_who_may_not(self, shop, role, error):
        with pytest.raises(error):
            add(shop, "A", actor=shop.staff("Nora", role))

        assert charged(shop) == 0

    def test_to_customers_and_strangers(self, shop, charlie):
        for actor, error in (
            (shop.customer("Carl", "admin", "A"), Forbidden),
            (shop.customer("Bea", "admin", "B"), NotFound),
            (charlie, NotFound),
        ):
            with pytest.raises(error):
                add(shop, "A1", actor=actor)

    @pytest.mark.parametrize("role", ["billing", "finance_admin", "owner"])
    def test_not_to_who_may(self, shop, role):
        assert add(shop, "A", actor=shop.staff("Nora", role)).is_new


class TestTwice:
    def test_with_the_same_external_id_it_is_the_same_charge(self, shop):
        first = add(shop, "A", external_id="N-1")

        again = add(shop, "A", external_id="N-1")

        assert (again.is_new, again.charge.pk) == (False, first.charge.pk)
        assert charged(shop) == 1

    @pytest.mark.parametrize(
        "values",
        [{"quantity": Decimal(3)}, {"unit_amount": Decimal(1)}, {"description": "Else"},
         {"first_day": date(2026, 11, 21)}, {"po_number": "PO"}],
    )  # fmt: skip
    def test_with_the_same_external_id_and_other_content_it_is_refused(self, shop, values):
        add(shop, "A", external_id="N-1")

        with pytest.raises(ChargeExists):
            add(shop, "A", external_id="N-1", **values)
        with pytest.raises(ChargeExists):
            add(shop, "B", external_id="N-1")
        assert charged(shop) == 1

    def test_the_same_form_sent_twice_charges_once(self, shop):
        key = uuid7()
        add(shop, "A", key=key)

        with pytest.raises(AlreadyCharged):
            add(shop, "A", key=key)
        assert charged(shop) == 1

    def test_a_dry_run_stores_nothing(self, shop):
        with shop.seen():
            entries = AuditEntry.objects.count()

        made = add(shop, "A", is_dry_run=True)

        assert (made.charge.net_minor, charged(shop)) == (100_000, 0)
        with shop.seen():
            assert AuditEntry.objects.count() == entries


class TestTakenBack:
    def test_is_gone_and_its_external_id_is_free_again(self, shop):
        made = add(shop, "A", external_id="N-1").charge

        gone = cancel_charge(shop.actor, made.pk, now=NOW)

        assert (gone.pk, charged(shop)) == (made.pk, 0)
        assert add(shop, "A", external_id="N-1", quantity=Decimal(1)).is_new
        with pytest.raises(NotFound):
            cancel_charge(shop.actor, made.pk, now=NOW)

    def test_not_once_it_stands_on_a_draft_or_an_invoice(self, shop):
        made = add(shop, "A").charge
        shop.run("2026-12-01", issue=False)

        with pytest.raises(ChargeOnDraft):
            cancel_charge(shop.actor, made.pk, now=NOW)
        shop.run("2026-12-01")
        with pytest.raises(ChargeInvoiced):
            cancel_charge(shop.actor, made.pk, now=NOW)

    def test_not_what_follows_from_a_subscription(self, shop):
        shop.has("subscriptions", subscription("T", "A2", "desk", "2026-11-20"))
        shop.run("2026-11-23")
        with shop.seen():
            waiting = Charge.objects.filter(status="pending").first()

        with pytest.raises(NotOnce):
            cancel_charge(shop.actor, waiting.pk, now=NOW)

    def test_not_by_who_may_not(self, shop, charlie):
        made = add(shop, "A").charge

        for actor, error in ((shop.staff("Nora", "support"), Forbidden), (charlie, NotFound),
                             (shop.customer("Carl", "admin", "A"), Forbidden)):  # fmt: skip
            with pytest.raises(error):
                cancel_charge(actor, made.pk, now=NOW)
        assert charged(shop) == 1


def test_hangs_on_its_account_until_it_is_invoiced(shop):
    add(shop, "B")

    with pytest.raises(AccountInUse):
        archive_account(shop.actor, shop.id_of("B"), today=TODAY, now=NOW)
    shop.run("2026-12-01")

    with shop.seen():
        (found,) = sums_of(shop.actor, within=shop.id_of("B"))
    assert (found.currency, found.count, found.net_minor) == ("EUR", 1, 100_000)


def test_says_why_it_waits_and_where_it_stands(shop):
    made = add(shop, "A1").charge
    with shop.seen():
        waits = explanation_of(shop.actor, get_charge(shop.actor, made.pk)).sentence
    shop.run("2026-12-01")
    with shop.seen():
        stands = explanation_of(shop.actor, get_charge(shop.actor, made.pk)).sentence

    assert waits == "It falls due on 23 Nov 2026 and waits for the run of 1 Dec 2026."
    assert "goes to A, the top of the company, on one invoice" in stands

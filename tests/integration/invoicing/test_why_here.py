"""The sentence of a charge names what decided: PO, currency, the problem, the own date."""

import pytest
from django.utils import translation

from accounts.models import TaxRate
from invoicing.models import Charge, RunProblem
from invoicing.queries._explaining import explain
from invoicing.words import describe_problem, why_here
from tests.scenes import scene
from tests.world import account, price, subscription
from web.invoices.explaining import steps_of


def sentences(vendor, language="en", *, whole=True):
    """Return the sentence of each subscription's latest charge."""
    with vendor.seen(), translation.override(language):
        found = Charge.objects.select_related("subscription").order_by("period_start")
        return {one.subscription.external_id: why_here(one, whole=whole) for one in found}


@scene
def group(vendor):
    vendor.has("prices", price("ten", "10.00", tax_rate=19))
    vendor.has("prices", price("franc", "10.00", currency="CHF", tax_rate=19))
    return vendor


def test_names_purchase_order_and_currency_where_there_are_several_documents(group):
    group.has("accounts", account("G", name="Gruppe", split_by_po="true"), account("A", "G"))
    group.has(
        "subscriptions",
        subscription("plain", "A", "ten", "2026-12-01"),
        subscription("po", "A", "ten", "2026-12-01", po_number="4711"),
        subscription("chf", "A", "franc", "2026-12-01"),
        subscription("po-chf", "G", "franc", "2026-12-01", po_number="4711"),
    )
    assert len(group.bills("2026-12-01")) == 4

    goes = "It was due on 1 Dec 2026 and goes to Gruppe. It stands on the invoice"
    due = "due by 1 Dec 2026."
    assert sentences(group) == {
        "plain": f"{goes} in EUR without a PO number, with everything else like it {due}",
        "po": f"{goes} for PO number 4711 in EUR, with everything else for both {due}",
        "chf": f"{goes} in CHF without a PO number, with everything else like it {due}",
        "po-chf": f"{goes} for PO number 4711 in CHF, with everything else for both {due}",
    }
    assert sentences(group, "de")["po"] == (
        "Der Betrag war am 01.12.2026 fällig und geht an Gruppe. Er steht auf der Rechnung zur"
        " Bestellnummer 4711 in EUR, mit allem anderen zu beidem, was bis 01.12.2026 fällig ist."
    )
    assert {*sentences(group, whole=False).values()} == {
        "It was due on 1 Dec 2026 and goes to Gruppe."
    }


def test_names_the_purchase_order_alone_where_it_alone_decides(group):
    group.has("accounts", account("G", name="Gruppe", split_by_po="true"))
    group.has(
        "subscriptions",
        subscription("plain", "G", "ten", "2026-12-01"),
        subscription("po", "G", "ten", "2026-12-01", po_number="4711"),
    )
    group.run("2026-12-01")

    goes = "It was due on 1 Dec 2026 and goes to Gruppe. It stands on the invoice"
    assert sentences(group) == {
        "plain": f"{goes} without a PO number, with everything else without one due by 1 Dec 2026.",
        "po": f"{goes} for PO number 4711, with everything else for it due by 1 Dec 2026.",
    }
    assert sentences(group, "de") == {
        "plain": "Der Betrag war am 01.12.2026 fällig und geht an Gruppe. Er steht auf der"
        " Rechnung ohne Bestellnummer, mit allem anderen ohne Bestellnummer, was bis 01.12.2026"
        " fällig ist.",
        "po": "Der Betrag war am 01.12.2026 fällig und geht an Gruppe. Er steht auf der"
        " Rechnung zur Bestellnummer 4711, mit allem anderen dazu, was bis 01.12.2026 fällig ist.",
    }


def test_names_the_currency_where_it_alone_decides(group):
    group.has("accounts", account("G", name="Gruppe"))
    group.has(
        "subscriptions",
        subscription("eur", "G", "ten", "2026-12-01"),
        subscription("chf", "G", "franc", "2026-12-01"),
    )
    group.run("2026-12-01")

    assert sentences(group)["chf"] == (
        "It was due on 1 Dec 2026 and goes to Gruppe. It stands on the invoice in CHF, with"
        " everything else in this currency due by 1 Dec 2026."
    )
    assert sentences(group, "de")["chf"] == (
        "Der Betrag war am 01.12.2026 fällig und geht an Gruppe. Er steht auf der Rechnung in"
        " CHF, mit allem anderen in dieser Währung, was bis 01.12.2026 fällig ist."
    )


def test_names_the_documents_own_date_on_each_line_of_a_catch_up(group):
    group.has("accounts", account("G", name="Gruppe"))
    group.has("subscriptions", subscription("s", "G", "ten", "2026-09-01"))
    group.run("2026-11-15")

    with group.seen():
        found = [why_here(one) for one in Charge.objects.order_by("period_start")]
    assert found == [
        f"It was due on 1 {month} 2026 and stands on Gruppe's own invoice,"
        " with everything else due by 15 Nov 2026."
        for month in ("Sept", "Oct", "Nov")
    ]


def test_names_the_problem_that_holds_a_charge_and_no_run(group):
    group.has("accounts", account("poor", name="Ohne Stadt", city="", legal_name=""))
    group.has("subscriptions", subscription("s", "poor", "ten", "2026-12-01"))
    group.run("2026-12-01")

    assert sentences(group)["s"] == (
        "It was due on 1 Dec 2026 and goes to Ohne Stadt."
        " It waits: “Ohne Stadt” lacks legal name, city."
    )
    assert sentences(group, "de")["s"] == (
        "Der Betrag war am 01.12.2026 fällig und geht an Ohne Stadt."
        " Er wartet: Bei „Ohne Stadt“ fehlt: Firma, Ort."
    )


def problems(vendor):
    with vendor.seen():
        return [
            (one.severity, one.code, one.params.get("count", 1), describe_problem(one))
            for one in RunProblem.objects.select_related("account").order_by("code")
        ]


def test_lists_a_problem_once_per_cause_and_until_it_is_solved(group):
    group.has("accounts", account("poor", name="Ohne Stadt", city=""))
    group.has(
        "subscriptions", *(subscription(f"s{n}", "poor", "ten", "2026-11-01") for n in (1, 2))
    )
    expected = [
        ("problem", "bill_to_incomplete", 1, "“Ohne Stadt” lacks: city. Nothing is billed to it.")
    ]

    for day, issue in (("2026-12-01", False), ("2026-12-01", False), ("2026-12-01", True)):
        group.run(day, issue=issue)
        assert problems(group) == expected

    group.load("accounts", [account("poor", name="Ohne Stadt", city="Kiel")])
    group.run("2026-12-01")
    assert problems(group) == []


def test_a_warning_stays_when_its_document_is_issued(group):
    group.has("accounts", account("far", name="Loin SARL", country="FR"))
    group.has("subscriptions", subscription("s", "far", "ten", "2026-12-01"))
    expected = [
        (
            "warning",
            "vat_id_missing_or_invalid",
            1,
            "“Loin SARL” is in another EU country without a valid VAT ID: domestic tax applies.",
        )
    ]

    for issue in (False, True, True):
        group.run("2026-12-01", issue=issue)
        assert problems(group) == expected
    assert [one["status"] for one in group.documents()] == ["open"]


def test_a_warning_goes_when_its_cause_is_mended_before_issue(group):
    group.has("accounts", account("far", name="Loin SARL", country="FR"))
    group.has("subscriptions", subscription("s", "far", "ten", "2026-12-01"))
    group.run("2026-12-01", issue=False)
    group.load("accounts", [account("far", name="Loin SARL", country="FR", vat_id="FR40303265045")])
    group.has("subscriptions", subscription("more", "far", "ten", "2026-12-01"))

    group.run("2026-12-01", issue=False)

    assert problems(group) == []


def test_a_cause_met_many_times_is_one_row_with_its_count(group):
    group.has("accounts", account("A"))
    group.has("subscriptions", *(subscription(f"s{n}", "A", "ten", "2026-11-01") for n in range(3)))
    with group.seen():
        TaxRate.objects.update(valid_to="2026-01-01")
    group.run("2026-11-01", issue=False)

    # Each subscription is a cause; its three months are not.
    group.run("2027-01-01", issue=False)

    found = problems(group)
    assert [(code, count) for _severity, code, count, _text in found] == [
        ("tax_rate_unknown", 1)
    ] * 3 + [("tax_rate_unknown", 3)] * 3


STEPS = {
    "month": (
        "Periods begin on the day of the month on which the subscription started, 17 Nov 2026."
        " The full period is 17 Nov – 16 Dec 2026.",
        "Zeiträume beginnen an dem Monatstag, an dem das Abonnement begann, 17.11.2026."
        " Der volle Zeitraum ist 17. Nov. – 16. Dez. 2026.",
    ),
    "week": (
        "Periods of days or weeks follow each other from the start of the subscription on"
        " 17 Nov 2026. The full period is 17–23 Nov 2026.",
        "Zeiträume von Tagen oder Wochen folgen aufeinander ab dem Beginn des Abonnements am"
        " 17.11.2026. Der volle Zeitraum ist 17.–23. Nov. 2026.",
    ),
    "day": (
        "Periods of days or weeks follow each other from the start of the subscription on"
        " 17 Nov 2026. The full period is 17 Nov 2026.",
        "Zeiträume von Tagen oder Wochen folgen aufeinander ab dem Beginn des Abonnements am"
        " 17.11.2026. Der volle Zeitraum ist 17.11.2026.",
    ),
}


def plain(text):
    for space in "\xa0\u2009\u202f":
        text = text.replace(space, " ")
    return text


def texts_of_steps(vendor, rule, language):
    """Return text and formulas of one step of the first charge."""
    with vendor.seen(), translation.override(language):
        charge = Charge.objects.order_by("period_start")[0]
        steps = [step for step in explain(charge, whole=True).steps if step.rule == rule]
        (found,) = steps_of(steps, "EUR")
    return plain(found.text), tuple(plain(one) for one in found.formulas)


@pytest.mark.parametrize("interval", STEPS)
def test_names_the_day_that_periods_are_anchored_on(group, interval):
    group.has("prices", price("own", "10.00", interval=interval, tax_rate=19))
    group.has("accounts", account("A"))
    group.has("subscriptions", subscription("s", "A", "own", "2026-11-17"))
    group.run("2026-11-17")

    english, german = STEPS[interval]
    assert texts_of_steps(group, "anchor", "en")[0] == english
    assert texts_of_steps(group, "anchor", "de")[0] == german


def test_names_the_day_that_decided_the_tax_and_how_long_the_rate_holds(group):
    group.has("accounts", account("A"))
    group.has("subscriptions", subscription("s", "A", "ten", "2026-12-01"))
    group.run("2026-12-01")

    assert texts_of_steps(group, "tax", "en")[1] == (
        "VAT rate 19%, valid since 1 Jan 2021. The last day of service decides: 31 Dec 2026.",
    )
    assert texts_of_steps(group, "tax", "de")[1] == (
        "Steuersatz 19 %, gültig seit 01.01.2021. Es entscheidet der letzte Leistungstag:"
        " 31.12.2026.",
    )


def test_names_no_validity_where_no_rate_of_the_country_applies(group):
    group.has("accounts", account("A", country="CH"))
    group.has("subscriptions", subscription("s", "A", "ten", "2026-12-01"))
    group.run("2026-12-01")

    assert texts_of_steps(group, "tax", "en")[1] == (
        "VAT rate 0%. The last day of service decides: 31 Dec 2026.",
    )

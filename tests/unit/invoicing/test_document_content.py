"""What an invoice says: only what is stored with it, in its own language."""

from datetime import date
from decimal import Decimal

import pytest

from invoicing.documents import content
from invoicing.documents.content import document
from tests.unit.invoicing.invoice_rows import (
    BILL_TO,
    SELLER,
    TODAY,
    draft_rows,
    line_row,
    rows,
)

PAYER = {"id": "acc_2", "external_id": "SE", "name": "SE", "legal_name": "Nordhafen SE"}
TWO = [([], [line_row(net_minor=100)]), (["Nord", "Café"], [line_row(net_minor=300)])]


def said(given, **values):
    return document(given, today=values.get("today", TODAY))


def plain(text):
    return text.replace("\xa0", " ").replace("\u202f", " ")


def test_names_number_dates_and_parties():
    invoice = said(rows(po_number="4500-7781"))

    assert invoice.title == "Rechnung RE-2026-000042"
    assert dict(invoice.facts) == {
        "Rechnungsnummer": "RE-2026-000042",
        "Rechnungsdatum": "01.12.2026",
        "Leistungszeitraum": "01.–31.12.2026",
        "Kundennummer": "C-20031",
        "Ihre Bestellnummer": "4500-7781",
        "Ihre USt-IdNr.": "DE811907980",
        "Zahlbar bis": "15.12.2026",
    }
    assert invoice.recipient == (
        "Brückner Systemhaus GmbH",
        "Brückner",
        "Industrieweg 8",
        "28195 Bremen",
    )
    assert invoice.sender == "Fjordlicht Software GmbH · Hafenstraße 12 · 24103 Kiel"
    assert [plain(" | ".join(column)) for column in invoice.foot] == [
        "Fjordlicht Software GmbH | Hafenstraße 12 | 24103 Kiel",
        "Amtsgericht Kiel, HRB 4711 | Geschäftsführung Jana Petersen | rechnung@fjordlicht.example",
        "USt-IdNr. DE136695976 | St.-Nr. 20/123/45678",
        "Förde Bank | IBAN DE02 1203 0000 0000 2020 51 | BIC BYLADEM1001",
    ]


@pytest.mark.parametrize(
    ("address", "last"),
    [
        ({"country": "FR", "postal_code": "69002", "city": "Lyon"}, ("69002 Lyon", "FRANKREICH")),
        (
            {"country": "US", "postal_code": "10001", "city": "New York", "region": "NY"},
            ("New York NY 10001", "VEREINIGTE STAATEN"),
        ),
    ],
)
def test_names_the_country_of_a_letter_that_crosses_a_border(address, last):
    invoice = said(rows(snapshot={"bill_to": {**BILL_TO, **address}}))

    assert invoice.recipient[-2:] == last


def test_asks_for_a_transfer_and_draws_the_code():
    payment = said(rows()).payment

    assert [plain(sentence) for sentence in payment.sentences] == [
        "Bitte überweisen Sie 85,68 € bis zum 15.12.2026 auf das unten genannte Konto. "
        "Verwendungszweck: RE-2026-000042."
    ]
    assert payment.code is not None
    assert payment.head == "Mit der Banking-App scannen"


@pytest.mark.parametrize(
    "given",
    [
        rows(currency="USD"),
        rows(collection="charge"),
        rows(snapshot={"seller": {**SELLER, "iban": ""}}),
        rows([([], [line_row(net_minor=0)])]),
        draft_rows(),
    ],
    ids=["dollars", "collected", "no account", "nothing to pay", "draft"],
)
def test_draws_no_code_where_no_transfer_is_asked_for(given):
    assert said(given).payment.code is None


def test_names_no_day_to_pay_by_where_nothing_is_owed():
    invoice = said(rows([([], [line_row(net_minor=0)])]))

    assert [plain(sentence) for sentence in invoice.payment.sentences] == [
        "Es ist nichts zu bezahlen."
    ]
    assert "Zahlbar bis" not in dict(invoice.facts)
    assert "Zahlungsziel" not in dict(invoice.facts)


def test_tells_a_customer_whose_invoice_another_pays():
    invoice = said(rows(snapshot={"payer": PAYER}))

    assert invoice.payment.sentences == (
        "Die Zahlung übernimmt Nordhafen SE. Für Sie ist nichts zu tun.",
    )
    assert invoice.payment.facts == ()
    assert invoice.payment.code is None
    assert "IBAN" not in str(invoice.foot)


def test_gives_the_payer_a_copy_with_the_code():
    copy = document(rows(snapshot={"payer": PAYER}), today=TODAY, for_payer=True)

    assert [plain(sentence) for sentence in copy.payment.sentences] == [
        "Kopie für den Zahler Nordhafen SE. Die Rechnung selbst geht an Brückner Systemhaus GmbH.",
        "Bitte überweisen Sie 85,68 € bis zum 15.12.2026 auf das unten genannte Konto. "
        "Verwendungszweck: RE-2026-000042.",
    ]
    assert copy.payment.code is not None
    assert dict(copy.payment.facts).keys() == {"Empfänger", "IBAN", "BIC"}
    assert copy.recipient[0] == "Brückner Systemhaus GmbH"
    assert copy.watermark == "KOPIE"
    assert copy.file_name.endswith("-RE-2026-000042-85.68-Zahler.pdf")


def test_asks_the_recipient_of_no_collected_amount_that_another_pays():
    given = rows(collection="charge", snapshot={"payer": PAYER})

    assert said(given).payment.sentences == (
        "Die Zahlung übernimmt Nordhafen SE. Für Sie ist nichts zu tun.",
    )


def test_collects_by_the_agreed_method():
    (sentence,) = said(rows(collection="charge", language="en")).payment.sentences

    assert plain(sentence) == "We will collect €85.68 on 15 Dec 2026 by the agreed payment method."


def test_a_consolidated_invoice_counts_its_accounts():
    invoice = said(rows(TWO))

    assert invoice.is_consolidated
    assert invoice.subtitle == "Sammelrechnung für 2 Konten"
    assert "die Leistungen für 2 Konten. Zuerst folgt die Übersicht" in invoice.intro
    assert [(s.title, s.net) for s in invoice.sections] == [
        ("1. Brückner Systemhaus GmbH", "1,00"),
        ("2. Nord › Café", "3,00"),
    ]


def test_an_invoice_for_one_account_has_no_overview():
    given = rows([(["Nord", "Café"], [line_row()])])
    given.sections[0].cost_centre = "K-100"

    invoice = said(given)
    own = said(rows([(["Brückner"], [line_row()])], numbers=[["1"]]))

    assert dict(own.facts).keys().isdisjoint({"Konto", "Kostenstelle"})
    assert not invoice.is_consolidated
    assert invoice.subtitle == ""
    assert invoice.facts[-2:] == (("Konto", "Nord › Café"), ("Kostenstelle", "K-100"))


def test_names_each_period_where_not_all_are_one():
    other = line_row(period_start=date(2026, 12, 15), period_end=date(2027, 1, 1))

    mixed = said(rows([([], [line_row(), other])]))
    plain_one = said(rows([([], [line_row(), line_row()])]))

    assert [line.period for line in mixed.sections[0].lines] == ["01.–31.12.2026", "15.–31.12.2026"]
    assert dict(mixed.facts)["Leistungszeitraum"] == "laut Positionen"
    assert mixed.intro == "wir berechnen Ihnen die folgenden Leistungen."
    assert [line.period for line in plain_one.sections[0].lines] == ["", ""]
    assert dict(plain_one.facts)["Leistungszeitraum"] == "01.–31.12.2026"


def test_refers_to_the_annex_for_periods_that_are_not_printed(monkeypatch):
    monkeypatch.setattr(content, "DETAIL_LIMIT", 1)
    other = line_row(period_start=date(2026, 12, 15), period_end=date(2027, 1, 1))

    invoice = said(rows([([], [line_row(), other])]))

    assert dict(invoice.facts)["Leistungszeitraum"] == "laut Anlage"


@pytest.mark.parametrize(
    ("price", "unit"),
    [
        ({"model": "flat"}, "pauschal"),
        ({"model": "per_unit"}, "Stück"),
        ({"model": "package"}, "Paket"),
        ({"model": "per_unit", "unit": "GB"}, "GB"),
        ({}, "Stück"),
    ],
)
def test_says_what_a_quantity_counts(price, unit):
    (section,) = said(rows([([], [line_row(calculation={"price": price})])])).sections

    assert section.lines[0].unit == unit


def test_names_the_country_of_the_seller_to_whoever_is_abroad():
    abroad = said(rows(snapshot={"bill_to": {**BILL_TO, "country": "FR"}}))

    assert abroad.foot[0][-1] == "DEUTSCHLAND"
    assert abroad.sender.endswith(" · 24103 Kiel · DEUTSCHLAND")
    assert "DEUTSCHLAND" not in str(said(rows()).foot)


def test_shows_no_price_where_there_is_no_single_one():
    (section,) = said(rows([([], [line_row(unit_amount=None)])])).sections

    assert section.lines[0].price == ""


def test_reverse_charge_says_so_and_bears_no_tax():
    given = rows(taxes=[("AE", "0", 7200, 0)], snapshot={"tax_reason": "reverse_charge"})

    german, english = said(given), said(_in_english(given))

    assert german.notes[0] == "Steuerschuldnerschaft des Leistungsempfängers."
    assert str(german).count("Steuerschuldnerschaft") == 1
    assert english.notes[0] == "Reverse charge: VAT to be accounted for by the recipient."
    assert [plain(text) for text in german.due] == ["Rechnungsbetrag", "72,00 €"]


@pytest.mark.parametrize(
    ("tax", "reason", "note"),
    [
        ("O", "outside_scope", "Im Land des Leistenden nicht steuerbar"),
        ("E", "small_business", "Kein Ausweis von Umsatzsteuer: steuerfrei nach § 19 UStG"),
        ("S", "eu_without_vat_id", "Wir berechnen Umsatzsteuer, weil uns keine gültige"),
    ],
)
def test_says_why_there_is_tax_or_none(tax, reason, note):
    given = rows(taxes=[(tax, "0", 7200, 0)], snapshot={"tax_reason": reason})

    assert said(given).notes[0].startswith(note)


def test_names_each_rate_and_its_base():
    given = rows(taxes=[("S", "19", 5000, 950), ("S", "7", 2200, 154)])

    assert [tuple(map(plain, total)) for total in said(given).totals] == [
        ("Summe netto", "72,00 €"),
        ("Umsatzsteuer 19 % auf 50,00 €", "9,50 €"),
        ("Umsatzsteuer 7 % auf 22,00 €", "1,54 €"),
    ]


def test_a_draft_has_no_number_and_says_what_it_is():
    invoice = said(draft_rows())

    assert invoice.title == "Rechnungsentwurf"
    assert invoice.watermark == "ENTWURF"
    assert dict(invoice.facts).keys().isdisjoint({"Rechnungsnummer", "Zahlbar bis"})
    assert dict(invoice.facts)["Zahlungsziel"] == "14 Tage"
    assert invoice.created == TODAY


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (rows(), ""),
        (rows(snapshot={"is_test": True}), "TEST"),
        (draft_rows(snapshot={"is_test": True}, language="en"), "DRAFT · TEST"),
    ],
)
def test_marks_what_is_no_real_invoice(given, word):
    assert said(given).watermark == word


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (rows(), "Fjordlicht-Software-GmbH-Rechnung-2026-12-01-RE-2026-000042-85.68.pdf"),
        (
            rows(
                language="en",
                number="A/../7",
                snapshot={"seller": {**SELLER, "name": "Süß & <Co>"}},
            ),
            "Suess-Co-invoice-2026-12-01-A-7-85.68.pdf",
        ),
        (
            draft_rows(snapshot={"is_test": True}),
            "Fjordlicht-Software-GmbH-Rechnung-2026-11-23-Entwurf-85.68-TEST.pdf",
        ),
    ],
)
def test_names_the_file(given, name):
    assert said(given).file_name == name


def test_keeps_to_the_overview_when_there_are_too_many_lines(monkeypatch):
    monkeypatch.setattr(content, "DETAIL_LIMIT", 1)

    invoice = said(rows(TWO))

    assert not invoice.has_detail
    assert [section.lines for section in invoice.sections] == [(), ()]
    assert invoice.notes[-1] == (
        "Die 2 Einzelpositionen stehen in der Anlage zu dieser Rechnung (CSV-Datei)."
    )
    assert invoice.intro.endswith("Es folgt die Übersicht je Konto.")


def test_says_the_same_of_the_same_rows():
    given = rows([([], [line_row(quantity=Decimal("2.5"))])])

    assert said(given) == said(given)


def _in_english(given):
    given.invoice.language = "en"
    return given

"""What accounts are called on a document: two of one name are never taken for each other."""

import pytest
from weasyprint.text.fonts import FontConfiguration

from invoicing.documents.columns import columns_of
from invoicing.documents.content import document
from invoicing.documents.grids import line_tables, summary_table
from invoicing.documents.typesetting.text import Letters
from tests.unit.invoicing.invoice_rows import BILL_TO, TODAY, line_row, rows

SHARED = [
    (["Müller GmbH", "Büro"], [line_row(net_minor=1000)]),
    (["Müller GmbH", "Lager"], [line_row(net_minor=2000)]),
    (["Müller GmbH", "Büro"], [line_row(net_minor=4000)]),
    (["Müller GmbH", "Lager"], [line_row(net_minor=8000)]),
    (["Zeta KG"], [line_row(net_minor=16000)]),
]
NUMBERS = [["C1", "C1a"], ["C1", "C1b"], ["C2", "C2a"], ["C2", "C2b"], ["C3"]]


def said(given):
    return document(given, today=TODAY)


def texts_of(table):
    """Return the rows of a table as text, a cell's spans one after the other."""
    return [
        ["".join(span.text for part in cell.paragraphs for span in part) for cell in row.cells]
        for row in table.rows
    ]


def test_sums_two_clients_of_one_name_apart():
    invoice = said(rows(SHARED, numbers=NUMBERS))

    sums = [(s.closing.label, s.closing.net) for s in invoice.sections if s.closing]
    assert sums == [
        ("Müller GmbH (C1) mit Unterkonten", "30,00"),
        ("Müller GmbH (C2) mit Unterkonten", "120,00"),
    ]
    assert [section.title for section in invoice.sections] == [
        "1. Müller GmbH (C1) › Büro (C1a)",
        "2. Müller GmbH (C1) › Lager (C1b)",
        "3. Müller GmbH (C2) › Büro (C2a)",
        "4. Müller GmbH (C2) › Lager (C2b)",
        "5. Zeta KG",
    ]


def test_tells_accounts_without_number_apart_by_their_place():
    given = rows(SHARED, numbers=NUMBERS)
    for section in given.sections:
        section.lineage = [{**account, "number": None} for account in section.lineage]

    invoice = said(given)

    assert [s.closing.label for s in invoice.sections if s.closing] == [
        "Müller GmbH mit Unterkonten (Pos. 1–2)",
        "Müller GmbH mit Unterkonten (Pos. 3–4)",
    ]
    assert [section.name for section in invoice.sections] == [
        "Büro (Pos. 1)",
        "Lager (Pos. 2)",
        "Büro (Pos. 3)",
        "Lager (Pos. 4)",
        "Zeta KG",
    ]


def test_a_branch_called_like_its_bill_to_is_another_account():
    sections = [
        (["Brückner"], [line_row(net_minor=100)]),
        (["Brückner"], [line_row(net_minor=300)]),
        (["Brückner", "Lager"], [line_row(net_minor=500)]),
        (["Nord"], [line_row(net_minor=700)]),
    ]
    numbers = [["1"], ["C-2"], ["C-2", "C-3"], ["C-4"]]
    given = rows(sections, numbers=numbers, snapshot={"bill_to": {**BILL_TO, "id": "acc_1"}})

    invoice = said(given)

    assert [section.title for section in invoice.sections] == [
        "1. Brückner (1)",
        "2. Brückner (C-2)",
        "3. Brückner (C-2) › Lager",
        "4. Nord",
    ]
    assert [
        (s.position, s.closing.label, s.closing.net) for s in invoice.sections if s.closing
    ] == [(3, "Brückner (C-2) mit Unterkonten", "8,00")]


def test_names_the_one_account_of_a_document_though_it_is_called_like_its_bill_to():
    given = rows([(["Brückner"], [line_row()])], numbers=[["C-2"]])

    assert dict(said(given).facts)["Konto"] == "Brückner (C-2)"


@pytest.mark.parametrize("language", ["de", "en"])
def test_no_two_sums_of_a_document_bear_one_label(language):
    sections = [
        (["IT Services"], [line_row(net_minor=100)]),
        (["IT Services", "Netz"], [line_row(net_minor=300)]),
        *SHARED,
    ]
    given = rows(sections, numbers=[["I"], ["I", "N"], *NUMBERS], language=language)
    invoice = said(given)
    columns = columns_of(invoice, Letters(FontConfiguration(), {}, language))

    overview = [row[1] for row in texts_of(summary_table(invoice, {}, columns)) if not row[0]]
    lines = [texts_of(table)[-1][0] for table in line_tables(invoice, columns)]

    assert len({*overview, *lines}) == len(overview) + len(lines) == 3 + 7


def test_sums_up_no_branch_of_sections_stored_without_their_accounts():
    given = rows(SHARED, numbers=NUMBERS)
    for section in given.sections:
        section.lineage = []

    invoice = said(given)

    assert [section.closing for section in invoice.sections] == [None] * 5
    assert invoice.sections[2].title == "3. Müller GmbH › Büro"


def test_tells_thousands_of_branches_that_share_names_apart():
    sections = [([f"Filiale {n % 7}", "Büro"], [line_row()]) for n in range(3_000)]
    given = rows(sections, numbers=[[f"F{n}", f"F{n}-1"] for n in range(3_000)])

    invoice = said(given)

    assert {section.name for section in invoice.sections} == {
        f"Büro (F{n}-1)" for n in range(3_000)
    }

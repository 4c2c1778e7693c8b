"""Importing accounts and contacts: all or nothing, every error named, twice is once."""

from dataclasses import replace
from datetime import date

import pytest

from accounts import tree
from accounts.models import Account, AccountNode, Contact, Grant, Placement, SettingInterval
from accounts.operations.importing import import_accounts
from accounts.queries.effective_settings import settings_of
from tenancy.errors import Forbidden
from tenancy.models import AuditEntry, Event
from tests.world import NOW, TODAY, account, csv_of

BEGINNING = date(1, 1, 1)


def counts(vendor):
    with vendor.seen():
        return [
            model.objects.count()
            for model in (
                Account, AccountNode, Placement, SettingInterval, AuditEntry, Event, Contact, Grant,
            )
        ]  # fmt: skip


def found(report):
    return [(error.row, error.column, error.code) for error in report.errors]


def test_creates_accounts_with_place_settings_history_and_audit(vendor):
    report = vendor.load(
        "accounts",
        [
            account("low", "mid", kind="branch", legal_name="", line1="", city="", country=""),
            account("mid", "top", cost_centre="K-1", billing_day=31, split_by_po="yes"),
            account("top", email="top@top.example", vat_id="DE136695976", language="de"),
        ],
    )

    assert (report.rows, report.created, report.updated, report.unchanged) == (3, 3, 0, 0)
    with vendor.seen():
        low, mid, top = (Account.objects.get(external_id=key) for key in ("low", "mid", "top"))
        assert (low.kind, low.legal_name, low.country, low.status) == ("branch", "", "", "active")
        assert (top.email, top.vat_id) == ("top@top.example", "DE136695976")
        assert {low.contract_party_id, mid.contract_party_id, top.contract_party_id} == {top.id}
        assert set(
            Placement.objects.values_list("account_id", "parent_id", "valid_from", "valid_to")
        ) == {
            (low.id, mid.id, BEGINNING, None),
            (mid.id, top.id, BEGINNING, None),
            (top.id, None, BEGINNING, None),
        }
        assert set(
            SettingInterval.objects.exclude(account=None).values_list(
                "account_id", "name", "value", "valid_from", "valid_to"
            )
        ) == {
            (mid.id, "cost_centre", "K-1", BEGINNING, None),
            (mid.id, "billing_day", 31, BEGINNING, None),
            (mid.id, "split_by_po", True, BEGINNING, None),
            (top.id, "language", "de", BEGINNING, None),
        }
        assert AuditEntry.objects.filter(action="account.created").count() == 3
        assert Event.objects.filter(kind="account.created").count() == 3
    assert vendor.violations() == []


def test_knows_who_is_party_to_the_contract(vendor):
    vendor.has(
        "accounts",
        account("own", "top", bill_to="own"),
        account("below", "own"),
        account("skips", "own", bill_to="top"),
        account("top"),
    )
    vendor.has("accounts", account("later", "below"))

    with vendor.seen():
        parties = dict(Account.objects.values_list("external_id", "contract_party__external_id"))
    assert parties == {
        "top": "top",
        "own": "own",
        "below": "own",
        "skips": "top",
        "later": "own",
    }


def test_changes_nothing_the_second_time(vendor):
    rows = [account("top", billing_day=1, cost_centre="K"), account("low", "top", bill_to="top")]
    vendor.load("accounts", rows)
    before = counts(vendor)

    report = vendor.load("accounts", rows)

    assert (report.created, report.updated, report.unchanged, report.errors) == (0, 0, 2, ())
    assert counts(vendor) == before


@pytest.mark.parametrize("dry", [True, False])
def test_updates_plain_fields_and_settings_from_today(vendor, dry):
    vendor.has("accounts", account("top", billing_day=1, cost_centre="K"), account("low", "top"))
    before = counts(vendor)
    changed = account("top", name="Neu", city="", billing_day=15, po_number="4711", cost_centre="")

    report = vendor.load("accounts", [changed, account("low", "top")], dry=dry)

    assert (report.created, report.updated, report.unchanged) == (0, 1, 1)
    with vendor.seen():
        top = Account.objects.get(external_id="top")
        if dry:
            assert (top.name, top.city, top.version) == ("top", "Bremen", 1)
            assert counts(vendor) == before
            return
        assert (top.name, top.sort_key, top.city, top.version) == ("Neu", "neu", "", 2)
        assert set(
            SettingInterval.objects.filter(account=top).values_list(
                "name", "value", "valid_from", "valid_to"
            )
        ) == {
            ("billing_day", 1, BEGINNING, TODAY),
            ("billing_day", 15, TODAY, None),
            ("cost_centre", "K", BEGINNING, TODAY),
            ("po_number", "4711", TODAY, None),
        }
        entry = AuditEntry.objects.get(action="account.updated")
        assert entry.before == {
            "name": "top",
            "city": "Bremen",
            "billing_day": 1,
            "cost_centre": "K",
            "po_number": None,
        }
        assert entry.after == {
            "name": "Neu", "city": "", "billing_day": 15, "cost_centre": None, "po_number": "4711",
        }  # fmt: skip
    assert vendor.violations() == []


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"parent_external_id": "other"}, "parent_external_id"),
        ({"parent_external_id": ""}, "parent_external_id"),
        ({"bill_to": "top"}, "bill_to"),
        ({"bill_to": ""}, "bill_to"),
        ({"payer": "low"}, "payer"),
        ({"payer": ""}, "payer"),
    ],
)
def test_refuses_to_move_or_to_reroute(vendor, cells, column):
    low = account("low", "top", bill_to="low", payer="top")
    vendor.has("accounts", account("top"), account("other"), low)
    before = counts(vendor)

    report = vendor.load("accounts", [account("new"), {**low, "name": "Renamed", **cells}])

    assert (3, column, "structural_change") in found(report)
    assert (report.created, report.updated) == (0, 0)
    assert counts(vendor) == before


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda text: text.replace(",", ";"), id="semicolons"),
        pytest.param(lambda text: "\ufeff" + text, id="byte-order mark"),
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(lambda text: "\ufeff" + text.replace("\n", "\r\n\r\n").replace(",", ";"),
                     id="all of them and blank lines"),
    ],
)  # fmt: skip
def test_reads_what_spreadsheets_write(vendor, write):
    text = csv_of([account("top"), account("low", "top")]).decode()

    report = vendor.load("accounts", write(text).encode())

    assert (report.created, report.errors) == (2, ())


def test_counts_records_and_not_lines(vendor):
    report = vendor.load(
        "accounts", [account("a", line1="Hof 3\nHinterhaus\n\nLinks"), account("b", kind="club")]
    )

    assert found(report) == [(3, "kind", "unknown_value")]


def test_keeps_formulas_as_text(vendor):
    name = '=HYPERLINK("http://x.example";"Hof")'

    vendor.has("accounts", account("a", name=name, city="+49", cost_centre="@SUM(A1)", line1="-1"))

    with vendor.seen():
        stored = Account.objects.get(external_id="a")
        assert (stored.name, stored.city, stored.line1) == (name, "+49", "-1")


def test_composes_letters_so_that_a_key_is_itself_again(vendor):
    vendor.has("accounts", account("Mu\u0308ller"))

    report = vendor.load("accounts", [account("M\u00fcller", name="Mu\u0308ller")])

    assert (report.created, report.errors) == (0, ())


def test_tells_all_errors_of_all_rows(vendor):
    report = vendor.load(
        "accounts",
        [
            account("a", kind="club", billing_day="32", country="XX", email="nobody"),
            account("", currency="BTC", payment_terms_days="1.5"),
            account("c", "nowhere", time_zone="Mars/Base", language="fr", billing_month="13"),
            account("c", consolidation="all", split_by_po="maybe", vat_id="X" * 21),
        ],
    )

    assert [error.row for error in report.errors] == sorted(error.row for error in report.errors)
    assert set(found(report)) == {
        (2, "kind", "unknown_value"),
        (2, "email", "not_an_email"),
        (2, "country", "unknown_country"),
        (2, "billing_day", "out_of_range"),
        (3, "name", "required"),
        (3, "currency", "unknown_currency"),
        (3, "payment_terms_days", "not_an_integer"),
        (3, "external_id", "required"),
        (4, "time_zone", "unknown_time_zone"),
        (4, "language", "unknown_value"),
        (4, "billing_month", "out_of_range"),
        (4, "parent_external_id", "unknown_account"),
        (5, "external_id", "duplicate"),
        (5, "vat_id", "too_long"),
        (5, "split_by_po", "unknown_value"),
        (5, "consolidation", "unknown_value"),
    }


def test_names_every_row_of_a_circle_and_no_other(vendor):
    report = vendor.load(
        "accounts", [account("a", "b"), account("b", "c"), account("c", "a"), account("d", "a")]
    )

    assert [error for error in found(report) if error[2] == "tree_cycle"] == [
        (row, "parent_external_id", "tree_cycle") for row in (2, 3, 4)
    ]


def test_refuses_more_levels_than_are_kept(vendor):
    last = tree.MAX_DEPTH - 1
    vendor.has("accounts", account("0"), *(account(f"{n}", f"{n - 1}") for n in range(1, last)))
    before = counts(vendor)

    report = vendor.load(
        "accounts", [account(f"{last}", f"{last - 1}"), account(f"{last + 1}", f"{last}")]
    )

    assert found(report) == [(3, "parent_external_id", "tree_too_deep")]
    assert counts(vendor) == before


def test_answers_for_an_endless_chain(vendor):
    rows = 10_000
    lines = ["external_id,name,kind,parent_external_id"]
    lines += [f"k{n},k{n},company,k{n + 1}" for n in range(rows)]

    report = vendor.load("accounts", "\n".join(lines).encode())

    assert len(report.errors) >= rows - tree.MAX_DEPTH


@pytest.mark.parametrize("rows", [1_000, pytest.param(5_000, marks=pytest.mark.long)])
def test_loads_a_large_file(vendor, rows):
    content = csv_of(
        [account("top"), *(account(f"a{n}", "top" if n < 50 else f"a{n % 50}", cost_centre=n)
                           for n in range(rows - 1))]
    )  # fmt: skip

    report = vendor.load("accounts", content)

    assert report.created == rows
    assert vendor.faults() == []


def test_puts_nothing_new_below_an_archived_account(vendor):
    vendor.has("accounts", account("g"), account("a", "g", name="Alt"), account("a1", "a"))
    with vendor.seen():
        Account.objects.filter(pk=vendor.id_of("a")).update(status="archived")
    before = counts(vendor)

    report = vendor.load("accounts", [account("n", "a"), account("n1", "n"), account("a1", "a")])

    assert found(report) == [(2, "parent_external_id", "account_archived")]
    assert report.errors[0].detail == "“Alt” is archived. Reopen it first."
    assert counts(vendor) == before
    assert vendor.load("accounts", [account("a1", "a"), account("g1", "g")]).created == 1


def test_refuses_a_file_of_another_tenants_parents(vendor, other_vendor):
    other_vendor.has("accounts", account("theirs"))
    before = counts(vendor)

    report = vendor.load(
        "accounts", [account("a", "theirs"), account("b", bill_to="theirs", payer="theirs")]
    )

    assert found(report) == [
        (2, "parent_external_id", "unknown_account"),
        (3, "bill_to", "bill_to_outside_path"),
        (3, "payer", "payer_outside_path"),
    ]
    assert counts(vendor) == before


def test_lets_two_tenants_use_the_same_keys(vendor, other_vendor):
    vendor.has("accounts", account("a", name="Ours"))

    report = other_vendor.load("accounts", [account("a", name="Theirs")])

    assert (report.created, report.updated) == (1, 0)
    with vendor.seen():
        assert list(Account.objects.values_list("name", flat=True)) == ["Ours"]


def test_is_for_those_who_may_write_accounts_everywhere(vendor, bob, alice):
    from dataclasses import replace

    vendor.has("accounts", account("a"))
    before = counts(vendor)
    mine = bob("a")

    for actor in (mine, replace(alice, staff_role="support"), replace(alice, staff_role=None)):
        vendor.actor = actor
        with pytest.raises(Forbidden):
            vendor.load("accounts", [account("b")])

    vendor.actor = alice
    assert vendor.load("accounts", [account("b")]).created == 1
    assert counts(vendor)[0] == before[0] + 1


# -- contacts ------------------------------------------------------------------------------------


def contact(key, owner="a", **cells):
    return {
        "external_id": key,
        "account_external_id": owner,
        "name": key,
        "email": f"{key}@a.example",
        "language": "",
        "role": "",
        **cells,
    }


def test_creates_contacts_and_grants_their_roles(vendor):
    vendor.has("accounts", account("a"))

    vendor.has("contacts", contact("ann", role="finance", language="de"), contact("ben"))
    report = vendor.load("contacts", [contact("ann", role="finance", language="de")])

    assert (report.created, report.updated, report.unchanged) == (0, 0, 1)
    with vendor.seen():
        assert set(Contact.objects.values_list("external_id", "email", "language")) == {
            ("ann", "ann@a.example", "de"),
            ("ben", "ben@a.example", ""),
        }
        assert list(
            Grant.objects.values_list("contact__external_id", "account__external_id", "role")
        ) == [("ann", "a", "finance")]


def test_updates_contacts_and_adds_roles(vendor):
    vendor.has("accounts", account("a"))
    vendor.has("contacts", contact("ann", role="finance"), contact("ben"))

    report = vendor.load(
        "contacts", [contact("ann", role="viewer"), contact("ben", name="Benjamin")]
    )

    assert (report.created, report.updated, report.unchanged) == (0, 2, 0)
    with vendor.seen():
        assert Contact.objects.get(external_id="ben").name == "Benjamin"
        assert set(Grant.objects.values_list("role", flat=True)) == {"finance", "viewer"}


def test_tells_all_errors_of_contacts_and_stores_nothing(vendor):
    vendor.has("accounts", account("a"), account("b"))
    vendor.has("contacts", contact("ann"))
    before = counts(vendor)

    report = vendor.load(
        "contacts",
        [
            contact("ann", "b"),
            contact("new", "nowhere"),
            contact("new", email="nobody", role="king", language="fr"),
            contact("", name="", email="e@a.example"),
        ],
    )

    assert found(report) == [
        (2, "account_external_id", "structural_change"),
        (3, "account_external_id", "unknown_account"),
        (4, "external_id", "duplicate"),
        (4, "email", "not_an_email"),
        (4, "language", "unknown_value"),
        (4, "role", "unknown_value"),
        (5, "external_id", "required"),
        (5, "name", "required"),
    ]
    assert counts(vendor) == before


def test_dry_run_of_contacts_stores_nothing(vendor):
    vendor.has("accounts", account("a"))
    before = counts(vendor)

    report = vendor.load("contacts", [contact("ann", role="viewer")], dry=True)

    assert (report.is_dry_run, report.created) == (True, 1)
    assert counts(vendor) == before


def test_settings_of_imported_accounts_are_seen_at_once(vendor):
    vendor.has("accounts", account("top", billing_day=7), account("low", "top"))

    with vendor.seen():
        setting = settings_of(vendor.actor, vendor.id_of("low"), TODAY)["billing_day"]
    assert (setting.value, setting.source, setting.origin_name) == (7, "inherited", "top")


def test_changes_settings_for_those_alone_who_may_change_settings(vendor, alice):
    """A billing clerk changes accounts, not who is invoiced, who pays and when."""
    vendor.has(
        "accounts", account("top", billing_day=1, payment_terms_days=14), account("low", "top")
    )
    clerk = replace(alice, staff_role="billing")
    before = counts(vendor)
    settings = {"bill_to": "new", "payer": "top", "consolidation": "per_account"}

    report = import_accounts(
        clerk,
        csv_of(
            [
                account("top", billing_day=2, payment_terms_days=14, name="Other name"),
                account("low", "top"),
                account("new", "top", **settings),
            ]
        ),
        is_dry_run=False,
        today=TODAY,
        now=NOW,
    )

    assert found(report) == [
        (2, "billing_day", "settings_not_allowed"),
        (4, "consolidation", "settings_not_allowed"),
        (4, "bill_to", "settings_not_allowed"),
        (4, "payer", "settings_not_allowed"),
    ]
    assert counts(vendor) == before
    plain = [account("top", billing_day=1, payment_terms_days=14, name="Other name")]
    allowed = import_accounts(clerk, csv_of(plain), is_dry_run=False, today=TODAY, now=NOW)
    assert (allowed.errors, allowed.updated) == ((), 1)
    lead = replace(alice, staff_role="finance_admin")
    plain = [account("top", billing_day=2, payment_terms_days=14, name="Other name")]
    allowed = import_accounts(lead, csv_of(plain), is_dry_run=False, today=TODAY, now=NOW)
    assert (allowed.errors, allowed.updated) == ((), 1)

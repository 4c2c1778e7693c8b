"""Letting staff and customers' contacts in."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from accounts.models import Contact, Grant, Membership, Person
from accounts.models.people import StaffRole
from accounts.operations.importing import import_accounts, import_contacts
from accounts.operations.people import (
    InvalidPerson,
    LoginElsewhere,
    OtherStaffRole,
    PasswordTooWeak,
    add_staff,
    give_login,
)
from accounts.operations.tenants import create_tenant
from accounts.queries.principals import find_places
from tenancy.actor import Actor
from tenancy.database import scope
from tenancy.errors import Forbidden, NotFound
from tenancy.ids import uuid7
from tenancy.models import AuditEntry, Event

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
TODAY = date(2026, 11, 23)
PASSWORD = "quiet-harbour-42"
ALICE = "alice@nordlicht.example"

ACCOUNTS = """external_id,parent_external_id,name,kind
G,,Nordhafen,group
A,G,Spedition,company
B,G,Lager,company
"""
CONTACTS = """external_id,account_external_id,name,email,language,role
P,A,Bob Brandt,Bob@Nordhafen.example,de,viewer
Q,G,Ingrid Hansen,ingrid@nordhafen.example,de,admin
"""


def vendor(slug):
    actor = Actor.system(uuid7(), origin="command")
    create_tenant(
        actor,
        slug.capitalize(),
        slug=slug,
        country="DE",
        currency="EUR",
        is_sandbox=True,
        clock=TODAY,
        now=NOW,
    )
    import_accounts(actor, ACCOUNTS.encode(), is_dry_run=False, today=TODAY, now=NOW)
    import_contacts(actor, CONTACTS.encode(), is_dry_run=False, now=NOW)
    return actor


@pytest.fixture
def nordlicht(db):
    return vendor("nordlicht")


@pytest.fixture
def andere(db):
    return vendor("andere")


def add(actor, email=ALICE, role="finance_admin", **changes):
    values = {"name": "Alice", "password": PASSWORD, "language": "de", "now": NOW, **changes}
    return add_staff(actor, email, values.pop("name"), role, **values)


def staff(tenant, role):
    """Return somebody of the staff, who has no login in this test."""
    return Actor(tenant.tenant_id, "person", role, "dashboard", staff_role=role, today=TODAY)


def contact_id(tenant, external_id):
    with scope(tenant.tenant_id):
        return Contact.objects.get(tenant_id=tenant.tenant_id, external_id=external_id).id


def customer(tenant, external_id):
    """Return a customer's contact who signed in."""
    person = give_login(tenant, contact_id(tenant, external_id), password=PASSWORD, now=NOW)
    return Actor(
        tenant.tenant_id, "person", person.name, "portal", person_id=person.id, today=TODAY
    )


def counts(tenant):
    with scope(tenant.tenant_id):
        logins = Contact.objects.exclude(person=None).count()
        return Person.objects.count(), Membership.objects.count(), logins, Event.objects.count()


def actions_of(tenant, object_id):
    with scope(tenant.tenant_id):
        return list(AuditEntry.objects.filter(object_id=object_id).values_list("action", flat=True))


class TestAddStaff:
    def test_makes_a_login_that_leads_to_the_tenant(self, nordlicht):
        membership = add(nordlicht, " Alice@Nordlicht.example ")

        person = Person.objects.get(email=ALICE)
        assert (person.name, person.language, person.check_password(PASSWORD)) == (
            "Alice",
            "de",
            True,
        )
        assert membership.role == StaffRole.FINANCE_ADMIN
        assert [place.tenant_id for place in find_places(person)] == [nordlicht.tenant_id]
        assert actions_of(nordlicht, membership.id) == ["membership.created"]

    def test_writes_no_password_to_the_trail(self, nordlicht):
        membership = add(nordlicht)

        with scope(nordlicht.tenant_id):
            entry = AuditEntry.objects.get(object_id=membership.id)
        assert set(entry.after) == {"person", "email", "role"}

    def test_changes_nothing_the_second_time(self, nordlicht):
        first = add(nordlicht)
        before = counts(nordlicht)

        second = add(nordlicht, password="another-harbour-43", name="Somebody else")

        assert (second.id, counts(nordlicht)) == (first.id, before)
        assert second.person.check_password(PASSWORD)

    def test_lets_no_login_of_another_tenant_in(self, nordlicht, andere):
        """Whoever made it knows its password, and would come in here."""
        add(nordlicht)
        before = counts(andere)

        with pytest.raises(LoginElsewhere):
            add(andere, password="another-harbour-43", role="auditor")

        person = Person.objects.get(email=ALICE)
        assert person.check_password(PASSWORD)
        assert counts(andere) == before
        assert [place.tenant_id for place in find_places(person)] == [nordlicht.tenant_id]

    def test_lets_nobody_but_the_system_join_logins(self, nordlicht, andere):
        add(nordlicht)
        owner = staff(andere, "owner")

        with pytest.raises(LoginElsewhere):
            add(owner, joins_login=True)

        assert add(andere, joins_login=True).person.email == ALICE

    def test_refuses_another_role_for_who_is_there(self, nordlicht):
        membership = add(nordlicht)

        with pytest.raises(OtherStaffRole):
            add(nordlicht, role="owner")

        with scope(nordlicht.tenant_id):
            assert Membership.objects.get(pk=membership.pk).role == "finance_admin"

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"email": "nobody"}, InvalidPerson),
            ({"email": "a\x00@b.example"}, InvalidPerson),
            ({"name": "  "}, InvalidPerson),
            ({"name": "x" * 201}, InvalidPerson),
            ({"name": "A\x00"}, InvalidPerson),
            ({"role": "king"}, InvalidPerson),
            ({"role": "viewer"}, InvalidPerson),
            ({"language": "tlh"}, InvalidPerson),
            ({"password": "short"}, PasswordTooWeak),
            ({"password": "passwordpassword"[:8]}, PasswordTooWeak),
        ],
    )
    def test_refuses_what_cannot_be(self, nordlicht, changes, error):
        before = counts(nordlicht)

        with pytest.raises(error) as refused:
            add(nordlicht, **changes)

        assert refused.value.detail
        assert counts(nordlicht) == before

    @pytest.mark.parametrize(
        ("role", "is_allowed"), [(role, role == "owner") for role in StaffRole.values]
    )
    def test_is_for_owners_alone(self, nordlicht, role, is_allowed):
        before = counts(nordlicht)
        if is_allowed:
            assert add(staff(nordlicht, role)).role == "finance_admin"
            return
        with pytest.raises(Forbidden):
            add(staff(nordlicht, role))
        assert counts(nordlicht) == before

    def test_is_not_for_customers(self, nordlicht):
        ingrid = customer(nordlicht, "Q")

        with pytest.raises(Forbidden):
            add(ingrid)


class TestGiveLogin:
    def test_lets_a_contact_sign_in(self, nordlicht):
        person = give_login(nordlicht, contact_id(nordlicht, "P"), password=PASSWORD, now=NOW)

        assert (person.email, person.name, person.language) == (
            "bob@nordhafen.example",
            "Bob Brandt",
            "de",
        )
        assert person.check_password(PASSWORD)
        assert [place.kind for place in find_places(person)] == ["customer"]
        assert "contact.login_given" in actions_of(nordlicht, contact_id(nordlicht, "P"))

    def test_changes_nothing_the_second_time(self, nordlicht):
        bob = contact_id(nordlicht, "P")
        first = give_login(nordlicht, bob, password=PASSWORD, now=NOW)
        before = counts(nordlicht)

        second = give_login(nordlicht, bob, password="another-harbour-43", now=NOW)

        assert (second.id, counts(nordlicht)) == (first.id, before)
        assert second.check_password(PASSWORD)

    def test_lets_no_login_of_another_tenant_in(self, nordlicht, andere):
        """Whoever made it knows its password, and would come in here."""
        first = give_login(nordlicht, contact_id(nordlicht, "P"), password=PASSWORD, now=NOW)
        before = counts(andere)

        with pytest.raises(LoginElsewhere) as refused:
            give_login(andere, contact_id(andere, "P"), password="another-harbour-43", now=NOW)

        assert refused.value.code == "login_elsewhere"
        assert counts(andere) == before
        assert [place.kind for place in find_places(first)] == ["customer"]
        assert Person.objects.get(pk=first.pk).check_password(PASSWORD)

    def test_lets_an_operator_join_what_is_one_person(self, nordlicht, andere):
        first = give_login(nordlicht, contact_id(nordlicht, "P"), password=PASSWORD, now=NOW)
        second = give_login(
            andere,
            contact_id(andere, "P"),
            password="another-harbour-43",
            now=NOW,
            joins_login=True,
        )

        assert first.id == second.id
        assert second.check_password(PASSWORD)
        assert len(find_places(first)) == 2

    def test_says_of_a_weak_password_alone_whether_or_not_there_is_a_login(self, nordlicht, andere):
        give_login(nordlicht, contact_id(nordlicht, "P"), password=PASSWORD, now=NOW)

        with pytest.raises(PasswordTooWeak):
            give_login(andere, contact_id(andere, "P"), password="1234", now=NOW)

    def test_refuses_a_weak_password(self, nordlicht):
        before = counts(nordlicht)

        with pytest.raises(PasswordTooWeak) as refused:
            give_login(nordlicht, contact_id(nordlicht, "P"), password="1234", now=NOW)

        assert [error.pointer for error in refused.value.errors][:1] == ["/password"]
        assert counts(nordlicht) == before

    def test_does_not_find_contacts_that_are_not_there(self, nordlicht, andere):
        for unknown in (uuid7(), contact_id(andere, "P")):
            with pytest.raises(NotFound):
                give_login(nordlicht, unknown, password=PASSWORD, now=NOW)

        assert counts(andere)[2] == 0

    @pytest.mark.parametrize(
        ("role", "is_allowed"),
        [(role, role in {"owner", "finance_admin"}) for role in StaffRole.values],
    )
    def test_asks_for_the_right_to_manage_people(self, nordlicht, role, is_allowed):
        bob = contact_id(nordlicht, "P")
        if is_allowed:
            assert give_login(staff(nordlicht, role), bob, password=PASSWORD, now=NOW)
            return
        with pytest.raises(Forbidden):
            give_login(staff(nordlicht, role), bob, password=PASSWORD, now=NOW)
        assert counts(nordlicht)[2] == 0

    def test_lets_a_customers_admin_do_it_below_their_account(self, nordlicht):
        ingrid = customer(nordlicht, "Q")

        assert give_login(ingrid, contact_id(nordlicht, "P"), password=PASSWORD, now=NOW)

    def test_hides_what_lies_above(self, nordlicht):
        bob = customer(nordlicht, "P")

        with pytest.raises(NotFound):
            give_login(bob, contact_id(nordlicht, "Q"), password=PASSWORD, now=NOW)

    def test_asks_for_every_account_that_the_login_would_open(self, nordlicht):
        # Bob belongs to A, but was granted a role on B too: A's admin may not open B.
        bob = contact_id(nordlicht, "P")
        with scope(nordlicht.tenant_id):
            accounts = {c.external_id: c.account_id for c in Contact.objects.all()}
            carol = Contact.objects.create(
                tenant_id=nordlicht.tenant_id,
                account_id=accounts["P"],
                external_id="R",
                name="Carol",
                email="carol@nordhafen.example",
            )
            for who, where, role in (
                (carol.id, accounts["P"], "admin"),
                (bob, accounts["Q"], "viewer"),
            ):
                Grant.objects.create(
                    tenant_id=nordlicht.tenant_id, contact_id=who, account_id=where, role=role
                )
        admin = replace(customer(nordlicht, "R"), label="Carol")

        with pytest.raises(NotFound):
            give_login(admin, bob, password=PASSWORD, now=NOW)

        with scope(nordlicht.tenant_id):
            assert Contact.objects.get(pk=bob).person is None

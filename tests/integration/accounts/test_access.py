"""Access: who may do what where, told by hand; and the same by a walk over parents."""

import random
from datetime import date

import pytest

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account, Grant
from tenancy.actor import Actor
from tenancy.errors import Forbidden, NotFound
from tenancy.ids import uuid7
from tests.http.api import world
from tests.scenes import scene
from tests.world import account

STAFF = ("support", "auditor", "developer", "billing", "finance_admin", "owner")
CUSTOMERS = ("viewer", "subscription_manager", "buyer", "approver", "finance", "admin")

# Written out on purpose: what the code says is compared with what was decided.
STAFF_MATRIX = """
    accounts:read        x x x x x x
    accounts:write       - - - x x x
    settings:read        x x x x x x
    settings:write       - - - - x x
    prices:write         - - - - x x
    subscriptions:read   x x x x x x
    subscriptions:write  - - - x x x
    usage:write          - - x x x x
    invoices:read        x x x x x x
    invoices:write       - - - - x x
    charges:write        - - - x x x
    billing_runs:write   - - - x x x
    billing_runs:read    x x x x x x
    people:write         - - - - x x
    tenant:write         - - - - - x
    test_clock:write     - - - - x x
"""
CUSTOMER_MATRIX = """
    accounts:read        x x x x x x
    accounts:write       - - - - - x
    settings:read        x x x x x x
    settings:write       - - - - x x
    prices:write         - - - - - -
    subscriptions:read   x x x x x x
    subscriptions:write  - x x x - x
    usage:write          - - - - - -
    invoices:read        x x x x x x
    invoices:write       - - - - - -
    charges:write        - - - - - -
    billing_runs:write   - - - - - -
    billing_runs:read    - - - - - -
    people:write         - - - - - x
    tenant:write         - - - - - -
    test_clock:write     - - - - - -
"""
# From an account in the middle of a tree: itself, below, above, beside, elsewhere.
PLACES = ("A", "A1", "G", "B", "S")
WITHIN = {"A", "A1"}


def decided(text, roles):
    """Yield each action with the roles that may do it."""
    for line in text.strip().splitlines():
        name, *marks = line.split()
        yield Action(name), {role for role, mark in zip(roles, marks, strict=True) if mark == "x"}


def outcome(actor, action, account):
    try:
        access.require(actor, action, account)
    except Forbidden:
        return "forbidden"
    except NotFound:
        return "not found"
    return "done"


@scene
def first_shop():
    return world.vendor("nordlicht")


@scene
def second_shop():
    return world.vendor("andere")


@pytest.fixture
def shop(first_shop):
    with first_shop.seen():
        yield first_shop


@pytest.fixture
def key_of(shop):
    def key(*scopes, reach=None):
        return Actor(
            tenant_id=shop.id,
            kind="key",
            label="Key",
            origin="api",
            key_id=uuid7(),
            scopes=frozenset(scopes),
            reach_id=reach and shop.accounts[reach].id,
            today=world.TODAY,
        )

    return key


def test_decides_about_every_action():
    for text, roles in ((STAFF_MATRIX, STAFF), (CUSTOMER_MATRIX, CUSTOMERS)):
        assert {action for action, _roles in decided(text, roles)} == set(Action)


@pytest.mark.parametrize("role", STAFF)
def test_lets_staff_do_what_their_role_allows_everywhere(shop, role):
    actor = shop.staff("Alice", role)
    for action, roles in decided(STAFF_MATRIX, STAFF):
        allowed = role in roles
        for place in PLACES:
            expected = "done" if allowed else "forbidden"
            assert outcome(actor, action, shop.accounts[place]) == expected, (action, place)
        assert access.allows_everywhere(actor, action) is allowed
        assert access.reach(actor, action).count() == (len(shop.accounts) if allowed else 0)


@pytest.mark.parametrize("role", CUSTOMERS)
def test_lets_customers_do_what_their_role_allows_below_their_account(shop, role):
    actor = shop.customer("Bob", role, "A")
    for action, roles in decided(CUSTOMER_MATRIX, CUSTOMERS):
        allowed = role in roles
        for place in PLACES:
            within = "done" if allowed else "forbidden"
            expected = within if place in WITHIN else "not found"
            assert outcome(actor, action, shop.accounts[place]) == expected, (action, place)
        assert not access.allows_everywhere(actor, action)
        found = set(access.reach(actor, action).values_list("external_id", flat=True))
        assert found == (WITHIN if allowed else set()), action


@pytest.mark.parametrize("action", Action)
def test_lets_a_key_do_what_its_scopes_say_in_its_reach(shop, key_of, action):
    everywhere, limited = key_of(action), key_of(action, reach="A")
    without = key_of(*(set(Action) - {action}))
    for place in PLACES:
        account = shop.accounts[place]
        in_sight = action is not Action.VIEW_ACCOUNT
        assert outcome(everywhere, action, account) == "done"
        assert outcome(limited, action, account) == ("done" if place in WITHIN else "not found")
        assert outcome(without, action, account) == ("forbidden" if in_sight else "not found")
    assert access.allows_everywhere(everywhere, action)
    assert not access.allows_everywhere(limited, action)


@pytest.mark.parametrize("action", Action)
def test_lets_strangers_do_nothing(shop, action):
    stranger = Actor(
        tenant_id=shop.id,
        kind="person",
        label="Charlie",
        origin="portal",
        person_id=uuid7(),
        today=world.TODAY,
    )
    nobody = Actor(
        tenant_id=shop.id, kind="person", label="Nobody", origin="portal", today=world.TODAY
    )
    for actor in (stranger, nobody):
        for place in PLACES:
            assert outcome(actor, action, shop.accounts[place]) == "not found"


@pytest.mark.parametrize("action", Action)
def test_reaches_nothing_of_another_tenant(first_shop, second_shop, action):
    owner = first_shop.staff("Alice", "owner")
    admin = first_shop.customer("Bob", "admin", "G")
    for actor in (owner, admin, first_shop.actor):
        for theirs in second_shop.accounts.values():
            with first_shop.seen():
                assert outcome(actor, action, theirs) == "not found"
            # Even where the database would show it, the actor's tenant does not fit.
            with second_shop.seen():
                assert outcome(actor, action, theirs) == "not found"


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "holds"),
    [
        (None, None, True),
        (world.TODAY, None, True),
        (date(2026, 12, 11), None, False),
        (None, date(2026, 12, 11), True),
        (None, world.TODAY, False),
    ],
)
def test_reads_a_grant_by_its_dates(shop, starts_on, ends_on, holds):
    actor = shop.customer("Bob", "viewer", "A")
    Grant.objects.update(starts_on=starts_on, ends_on=ends_on)

    assert access.reach(actor, Action.VIEW_ACCOUNT).exists() is holds


def test_follows_a_move_at_once(shop):
    actor = shop.customer("Bob", "viewer", "B")
    before = access.reach(actor, Action.VIEW_ACCOUNT)

    tree.move(shop.id, shop.accounts["A"].id, shop.accounts["B"].id)

    found = before.values_list("external_id", flat=True)
    assert set(found) == {"B", "A", "A1"}


# -- the same by hand, on trees of any shape -------------------------------------------------


def below(parents, tops):
    """Return ``tops`` and all that has one of them above it, by walking up."""

    def leads_up(key):
        while key is not None:
            if key in tops:
                return True
            key = parents[key]
        return False

    return {key for key in parents if leads_up(key)}


@pytest.mark.parametrize("seed", range(12))
def test_agrees_with_a_walk_over_parents(first_shop, seed):
    shop = first_shop
    chance = random.Random(seed)
    parents = {}
    for number in range(30):
        parents[f"N{number}"] = chance.choice([None, *parents][: max(2, number)])
    world.add_accounts(shop, [account(key, up or "") for key, up in parents.items()])
    tops = {key: chance.choice(CUSTOMERS) for key in chance.sample(sorted(parents), 3)}
    with shop.seen():
        first, *others = tops.items()
        actor = shop.customer("Bob", first[1], first[0])
        contact = Grant.objects.get(contact__person_id=actor.person_id).contact
        for key, role in others:
            Grant.objects.create(
                tenant_id=shop.id, contact=contact, account=shop.accounts[key], role=role
            )
        for _turn in range(3):
            for action, roles in decided(CUSTOMER_MATRIX, CUSTOMERS):
                granted = {key for key, role in tops.items() if role in roles}
                found = set(access.reach(actor, action).values_list("external_id", flat=True))
                assert found == below(parents, granted), (seed, action)
            moved, target = chance.sample(sorted(parents), 2)
            if target not in below(parents, {moved}):
                tree.move(shop.id, shop.accounts[moved].id, shop.accounts[target].id)
                parents[moved] = target
        assert Account.objects.count() == 30 + len(world.ACCOUNTS)

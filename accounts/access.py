"""Who may do what where: the one place that decides.

``reach`` is a set of accounts and ``require`` asks whether one is in it, so that lists and checks
cannot disagree.
"""

from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import tree
from accounts.models import Account, Grant
from accounts.models.people import CustomerRole, StaffRole
from tenancy.actor import Actor
from tenancy.errors import Forbidden, NotFound


class Action(StrEnum):
    """What can be done; each role and each key scope allows some."""

    VIEW_ACCOUNT = "accounts:read"
    EDIT_ACCOUNT = "accounts:write"
    VIEW_SETTINGS = "settings:read"
    EDIT_SETTINGS = "settings:write"
    EDIT_CATALOGUE = "prices:write"
    VIEW_SUBSCRIPTION = "subscriptions:read"
    EDIT_SUBSCRIPTION = "subscriptions:write"
    REPORT_USAGE = "usage:write"
    VIEW_INVOICE = "invoices:read"
    ISSUE_INVOICE = "invoices:write"
    EDIT_CHARGE = "charges:write"
    RUN_BILLING = "billing_runs:write"
    VIEW_RUNS = "billing_runs:read"
    EDIT_PEOPLE = "people:write"
    MANAGE_TENANT = "tenant:write"
    MOVE_CLOCK = "test_clock:write"


RIGHTS: dict[Action, Promise] = {
    Action.VIEW_ACCOUNT: _("see accounts"),
    Action.EDIT_ACCOUNT: _("change accounts"),
    Action.VIEW_SETTINGS: _("see settings"),
    Action.EDIT_SETTINGS: _("change settings"),
    Action.EDIT_CATALOGUE: _("change prices"),
    Action.VIEW_SUBSCRIPTION: _("see subscriptions"),
    Action.EDIT_SUBSCRIPTION: _("change subscriptions"),
    Action.REPORT_USAGE: _("report usage"),
    Action.VIEW_INVOICE: _("see invoices"),
    Action.ISSUE_INVOICE: _("issue invoices"),
    Action.EDIT_CHARGE: _("charge something once"),
    Action.RUN_BILLING: _("start billing runs"),
    Action.VIEW_RUNS: _("see billing runs"),
    Action.EDIT_PEOPLE: _("change people and their access"),
    Action.MANAGE_TENANT: _("manage the company's settings"),
    Action.MOVE_CLOCK: _("move the test clock"),
}
"""What a refusal calls the right that is missing."""


class NotAllowed(Forbidden):
    """A role or key that lacks a right; says which, and who can grant it."""

    message = _("The right is missing: %(right)s. An owner of the company can grant it.")


_READ = frozenset(action for action in Action if action.endswith(":read"))
_FINANCE = _READ | {
    Action.EDIT_ACCOUNT,
    Action.EDIT_SETTINGS,
    Action.EDIT_CATALOGUE,
    Action.EDIT_SUBSCRIPTION,
    Action.REPORT_USAGE,
    Action.ISSUE_INVOICE,
    Action.EDIT_CHARGE,
    Action.RUN_BILLING,
    Action.EDIT_PEOPLE,
    Action.MOVE_CLOCK,
}

STAFF_ROLES: dict[str, frozenset[Action]] = {
    StaffRole.SUPPORT: _READ,
    StaffRole.AUDITOR: _READ,
    # Moving a test clock starts runs and issues what they draft: that is for who may do both.
    StaffRole.DEVELOPER: _READ | {Action.REPORT_USAGE},
    StaffRole.BILLING: _READ
    | {
        Action.EDIT_ACCOUNT,
        Action.EDIT_SUBSCRIPTION,
        Action.REPORT_USAGE,
        Action.EDIT_CHARGE,
        Action.RUN_BILLING,
    },
    StaffRole.FINANCE_ADMIN: _FINANCE,
    StaffRole.OWNER: frozenset(Action),
}
"""What the tenant's own people may do, everywhere in the tenant."""

_CUSTOMER_READ = frozenset(
    {
        Action.VIEW_ACCOUNT,
        Action.VIEW_SETTINGS,
        Action.VIEW_SUBSCRIPTION,
        Action.VIEW_INVOICE,
    }
)
CUSTOMER_ROLES: dict[str, frozenset[Action]] = {
    CustomerRole.VIEWER: _CUSTOMER_READ,
    CustomerRole.SUBSCRIPTION_MANAGER: _CUSTOMER_READ | {Action.EDIT_SUBSCRIPTION},
    CustomerRole.BUYER: _CUSTOMER_READ | {Action.EDIT_SUBSCRIPTION},
    CustomerRole.APPROVER: _CUSTOMER_READ | {Action.EDIT_SUBSCRIPTION},
    CustomerRole.FINANCE: _CUSTOMER_READ | {Action.EDIT_SETTINGS},
    CustomerRole.ADMIN: _CUSTOMER_READ
    | {
        Action.EDIT_SETTINGS,
        Action.EDIT_ACCOUNT,
        Action.EDIT_SUBSCRIPTION,
        Action.EDIT_PEOPLE,
    },
}
"""What a customer's people may do on the subtree their grant is for."""


def allows_everywhere(actor: Actor, action: Action) -> bool:
    """Return whether ``actor`` may do ``action`` on every account of its tenant."""
    if actor.is_system:
        return True
    if actor.kind == "key":
        return actor.reach_id is None and action in actor.scopes
    return action in STAFF_ROLES.get(actor.staff_role or "", frozenset())


def reach(actor: Actor, action: Action) -> QuerySet[Account]:
    """Return the accounts on which ``actor`` may do ``action``: whole subtrees.

    One statement: intervals are compared inside the database, never read first, because a node
    that was loaded a moment ago may have moved since.
    """
    accounts = Account.objects.filter(tenant_id=actor.tenant_id)
    if allows_everywhere(actor, action):
        return accounts
    if actor.kind == "key":
        if actor.reach_id is None or action not in actor.scopes:
            return accounts.none()
        return accounts.filter(tree.lies_below(actor.tenant_id, [actor.reach_id]))
    if actor.person_id is None:
        return accounts.none()
    granted = _granted(actor, actor.person_id, action)
    return accounts.filter(tree.lies_below(actor.tenant_id, granted))


def granted(actor: Actor, action: Action) -> QuerySet[Any, Any] | list[UUID]:
    """Return the accounts at the top of the subtrees that ``reach`` has, of a limited actor.

    No statement: it is a subquery of grants, or the one account of a key.
    """
    if actor.kind == "key":
        return [actor.reach_id] if actor.reach_id and action in actor.scopes else []
    return _granted(actor, actor.person_id, action) if actor.person_id else []


def _granted(actor: Actor, person_id: UUID, action: Action) -> QuerySet[Any, Any]:
    roles = [role for role, actions in CUSTOMER_ROLES.items() if action in actions]
    return Grant.objects.filter(
        Q(starts_on__isnull=True) | Q(starts_on__lte=actor.today),
        Q(ends_on__isnull=True) | Q(ends_on__gt=actor.today),
        tenant_id=actor.tenant_id,
        contact__person_id=person_id,
        contact__tenant_id=actor.tenant_id,
        role__in=roles,
    ).values("account_id")


def require(actor: Actor, action: Action, account: Account) -> None:
    """Return if ``actor`` may do ``action`` on ``account``.

    Raises:
        NotFound: the account is out of the actor's sight.
        Forbidden: it is in sight, but this action is not allowed.
    """
    if not reach(actor, action).filter(pk=account.pk).exists():
        seen = reach(actor, Action.VIEW_ACCOUNT).filter(pk=account.pk).exists()
        raise NotAllowed(right=RIGHTS[action]) if seen else NotFound


def require_everywhere(actor: Actor, action: Action) -> None:
    """Return if ``actor`` may do ``action`` for the whole tenant.

    Raises:
        Forbidden: it may not.
    """
    if not allows_everywhere(actor, action):
        raise NotAllowed(right=RIGHTS[action])

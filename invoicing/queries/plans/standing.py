"""The part of the trees that a plan is about, as it stands and as it would stand."""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.db.models import Q
from django.db.models.expressions import RawSQL

from accounts import tree
from accounts.models import Account, AccountNode, SettingInterval, SettingName
from accounts.queries.merging import Carried, carried_along
from accounts.queries.setting_history import FamilySettings, SettingHistory
from accounts.queries.settings import setting_history
from invoicing.models import ChangePlan
from invoicing.queries.plans.wanted import Wanted, moves_of
from subscriptions.models import Subscription
from tenancy.actor import Actor
from tenancy.errors import NotFound

Member = tuple[UUID, UUID | None]


@dataclass
class Standing:
    """The accounts concerned: those of the plan, and all above them and above whom it names.

    Attributes:
        actor: who asked.
        wanted: the plan.
        members: every account with its parent, parents first.
        scope: the accounts that the plan is about: its own and all below, or all that are paid
            for.
        accounts: all of them.
        history: their settings.
        moves: who gets which parent.
        subscription: the one that the plan is about, where it is about one.
    """

    actor: Actor
    wanted: Wanted
    members: list[Member]
    scope: list[UUID]
    accounts: Mapping[UUID, Account]
    history: SettingHistory
    moves: tuple[Member, ...]
    subscription: Subscription | None = None

    @cached_property
    def parents(self) -> dict[UUID, UUID | None]:
        """Each account's parent today."""
        return dict(self.members)

    @property
    def roots(self) -> list[UUID]:
        """The roots of the trees."""
        return [key for key, up in self.members if up is None]

    @cached_property
    def parents_after(self) -> dict[UUID, UUID | None]:
        """Each account's parent as planned."""
        return self.parents | dict(self.moves)

    @cached_property
    def members_after(self) -> list[Member]:
        """Every account with its parent as planned, parents first.

        Raises:
            TreeCycle: an account would stand below itself.
            TreeTooDeep: a level would be beyond the limit.
        """
        below: dict[UUID | None, list[UUID]] = defaultdict(list)
        for account_id, parent_id in self.parents_after.items():
            below[parent_id].append(account_id)
        ordered: list[Member] = []
        level: list[Member] = [(key, None) for key in below[None]]
        depth = 0
        while level:
            if depth >= tree.MAX_DEPTH:
                raise tree.TreeTooDeep(limit=tree.MAX_DEPTH)
            ordered += level
            level = [(child, key) for key, _up in level for child in below[key]]
            depth += 1
        if len(ordered) < len(self.parents_after):
            raise tree.TreeCycle
        return ordered

    @cached_property
    def before(self) -> FamilySettings:
        """What holds on the day without the plan."""
        return self.history.on(self.wanted.day)

    @cached_property
    def after(self) -> FamilySettings:
        """What holds on the day with it."""
        day = self.wanted.day
        changed = self.history.as_if(
            self.members_after,
            moves=[(key, parent_id, day) for key, parent_id in self.moves],
            settings=[
                (account_id, name, value, day)
                for account_id, values in self.wanted.own_settings.items()
                for name, value in values.items()
            ],
        )
        return changed.on(day)

    @cached_property
    def carried(self) -> Carried | None:
        """What a merge brings along besides, None for other plans. Five statements."""
        wanted = self.wanted
        if wanted.kind != ChangePlan.Kind.MERGE or wanted.target_id is None:
            return None
        duplicate, kept = self.accounts[wanted.account_id], self.accounts[wanted.target_id]
        return carried_along(self.actor, duplicate, kept, day=wanted.day)

    @cached_property
    def invoiced_before(self) -> dict[UUID, UUID]:
        """Who is invoiced without the plan, for each account that it is about.

        Of a plan for one subscription, who is invoiced for that one.
        """
        if self.subscription is not None:
            own: UUID | None = self.subscription.override_bill_to_id
            return {self.wanted.account_id: self._recipient(self.before, own)}
        return {key: self.before.bill_tos[key][0] for key in self.scope}

    @cached_property
    def invoiced_after(self) -> dict[UUID, UUID]:
        """Who is invoiced with it."""
        if self.subscription is not None:
            own = self.wanted.overrides[self.subscription.pk]
            return {self.wanted.account_id: self._recipient(self.after, own)}
        return {key: self.after.bill_tos[key][0] for key in self.scope}

    def _recipient(self, settings: FamilySettings, own: UUID | None) -> UUID:
        """Return who is invoiced for the subscription: one of another family is nobody (R21)."""
        subject = self.wanted.account_id
        if own in self.parents and self.path(own)[0] == self.path(subject)[0]:
            return own
        return settings.bill_tos[subject][0]

    def path(self, account_id: UUID) -> list[UUID]:
        """Return the accounts from the root down to this one, as they stand."""
        return _path(self.parents, account_id)

    def path_after(self, account_id: UUID) -> list[UUID]:
        """Return the accounts from the root down to this one, as planned."""
        return _path(self.parents_after, account_id)


def _path(parents: Mapping[UUID, UUID | None], account_id: UUID) -> list[UUID]:
    path: list[UUID] = []
    up: UUID | None = account_id
    while up is not None and len(path) <= len(parents):
        path.append(up)
        up = parents[up]
    return path[::-1]


def standing_of(actor: Actor, wanted: Wanted) -> Standing:
    """Return what a plan is about. At most six statements, however many accounts.

    Raises:
        NotFound: an account or a subscription that it names does not exist.
    """
    if wanted.alignment is not None and wanted.alignment.is_for_payer:
        return _of_payer(actor, wanted)
    subscription = _subscription(actor, wanted)
    tops = {_top(actor, wanted), *(key for key, _up in wanted.places)}
    concerned = (
        Q(account_id=wanted.account_id)
        if subscription is not None
        else tree.lies_below(actor.tenant_id, tops, "account_id")
    )
    below = AccountNode.objects.filter(concerned, tenant_id=actor.tenant_id)
    scope: list[Member] = list(
        below.order_by("level", "lft").values_list("account_id", "parent_id")
    )
    named = tops | {*named_by(wanted)}
    paths = tree.paths(actor.tenant_id, named)
    if paths.keys() != named:
        raise NotFound
    above: dict[UUID, UUID | None] = {}
    for path in paths.values():
        above |= {key: path[place - 1] if place else None for place, key in enumerate(path)}
    for key, _up in scope:
        above.pop(key, None)
    members = [*_parents_first(above), *scope]
    accounts = Account.objects.filter(tenant_id=actor.tenant_id)
    return Standing(
        actor=actor,
        wanted=wanted,
        members=members,
        scope=[key for key, _up in scope],
        accounts={
            account.pk: account
            for account in accounts.filter(pk__in=one_of(key for key, _up in members))
        },
        history=setting_history(actor, members),
        moves=moves_of(wanted, dict(members)),
        subscription=subscription,
    )


def _of_payer(actor: Actor, wanted: Wanted) -> Standing:
    """Return all trees in which an account pays for others, and who they are.

    What brings an alignment back is about those whose settings it changes, and all below them.

    Raises:
        NotFound: an account that it names does not exist.
    """
    pays = SettingInterval.objects.filter(
        tenant_id=actor.tenant_id,
        name=SettingName.PAYER,
        target_id=wanted.account_id,
        account__isnull=False,
    )
    concerned = {wanted.account_id, *wanted.settings}
    concerned |= {*pays.values_list("account_id", flat=True)}
    paths = tree.paths(actor.tenant_id, concerned)
    if not paths.keys() >= {wanted.account_id, *wanted.settings}:
        raise NotFound
    trees = tree.families(actor.tenant_id, {path[0] for path in paths.values()})
    members = [pair for family in trees.values() for pair in family]
    history = setting_history(actor, members)
    accounts = Account.objects.filter(tenant_id=actor.tenant_id)
    return Standing(
        actor=actor,
        wanted=wanted,
        members=members,
        scope=_follow(members, wanted.settings)
        if wanted.alignment is not None and wanted.alignment.is_back
        else _paid_by(members, history.on(wanted.day), wanted.account_id),
        accounts={
            account.pk: account
            for account in accounts.filter(pk__in=one_of(key for key, _up in members))
        },
        history=history,
        moves=(),
    )


def _paid_by(members: Iterable[Member], settings: FamilySettings, payer_id: UUID) -> list[UUID]:
    """Return the accounts whose invoices an account pays, parents first."""
    found = []
    for key, _up in members:
        bill_to_id, _by = settings.bill_tos[key]
        if settings.payers.get(bill_to_id, (bill_to_id, None))[0] == payer_id:
            found.append(key)
    return found


def _follow(members: Iterable[Member], tops: Container[UUID]) -> list[UUID]:
    """Return some accounts and all below them, parents first."""
    found: dict[UUID, None] = {}
    for key, up in members:
        if key in tops or up in found:
            found[key] = None
    return list(found)


def _subscription(actor: Actor, wanted: Wanted) -> Subscription | None:
    """Return the subscription that a plan is about, None where it is about accounts.

    Raises:
        NotFound: the account has no such subscription.
    """
    if wanted.kind != ChangePlan.Kind.SUBSCRIPTION:
        return None
    found = Subscription.objects.filter(
        tenant_id=actor.tenant_id, pk__in=wanted.overrides, account_id=wanted.account_id
    ).prefetch_related("items__price__product")
    if (one := found.first()) is None:
        raise NotFound
    return one


def one_of(ids: Iterable[UUID]) -> RawSQL:
    """Return ids as one parameter: thousands of them are slow to write and parse."""
    return RawSQL("SELECT unnest(%s::uuid[])", ([str(key) for key in ids],))


def _top(actor: Actor, wanted: Wanted) -> UUID:
    """Return the account below which everything stands that is about to change."""
    if wanted.kind != ChangePlan.Kind.PROMOTION or wanted.places:
        return wanted.account_id
    path = tree.path_ids(actor.tenant_id, wanted.account_id)
    return path[-2] if len(path) > 1 else wanted.account_id


def named_by(wanted: Wanted) -> Iterable[UUID]:
    """Yield every other account that a plan speaks of."""
    if wanted.target_id is not None:
        yield wanted.target_id
    yield from (parent_id for _key, parent_id in wanted.places if parent_id is not None)
    for account_id, values in wanted.settings.items():
        yield account_id
        yield from (value for value in values.values() if isinstance(value, UUID))
    yield from (target for target in wanted.overrides.values() if target is not None)


def _parents_first(parents: Mapping[UUID, UUID | None]) -> Sequence[Member]:
    depth = {key: len(_path(parents, key)) for key in parents}
    return sorted(parents.items(), key=lambda pair: (depth[pair[0]], pair[0]))

"""What a change of settings does to an account and to those below it, before it is made."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from accounts import access, tree
from accounts.access import Action
from accounts.declarations import PARTICULARS, SETTINGS, ReadAt, SettingName
from accounts.models import Account, AccountNode, Seller
from accounts.queries.setting_history import FamilySettings
from accounts.queries.settings import setting_history
from tenancy.actor import Actor

_REROUTES_SHOWN = 20
_NEEDED = tuple(name for name, one in PARTICULARS.items() if one.needed_for_invoices)


@dataclass(frozen=True, slots=True)
class Held:
    """A value that holds on an account: plain, or the id of an account or seller with its name."""

    value: Any
    source: str
    origin_id: UUID | None
    target_name: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """What the change of one setting does.

    Attributes:
        name: the setting.
        before, after: what holds on the account without and with the change.
        following: how many accounts below follow it then.
        keeping: how many below have a value of their own and stay.
        below_those: how many follow one of these.
        changing: for how many accounts, itself among them, another value holds then.
    """

    name: str
    before: Held
    after: Held
    following: int
    keeping: int
    below_those: int
    changing: int


@dataclass(frozen=True, slots=True)
class Reroute:
    """Accounts that are invoiced to, or paid for by, somebody else then."""

    name: str
    before_id: UUID
    before_name: str
    after_id: UUID
    after_name: str
    accounts: int


@dataclass(frozen=True, slots=True)
class Warned:
    """Something to know before a change is made; ``accounts`` is how many it concerns."""

    code: str
    name: str
    accounts: int = 0
    who: str = ""


@dataclass(frozen=True, slots=True)
class Effects:
    """All that changes of settings do on the day on which they begin."""

    day: date
    effects: Sequence[Effect]
    reroutes: Sequence[Reroute]
    warnings: Sequence[Warned]


def setting_effects(
    actor: Actor, account_id: UUID, values: Mapping[str, Any], *, day: date
) -> Effects:
    """Return what new values of an account would do. At most eight statements.

    Args:
        actor: who asks.
        account_id: the account.
        values: by the names of settings; ids for accounts and sellers, None to inherit.
        day: since when.

    Raises:
        NotFound, Forbidden: the actor may not see the account's settings.

    Source: docs/billing-rules.md, R1, R2, R9 to R11.
    """
    account = Account.objects.filter(tenant_id=actor.tenant_id, pk=account_id).first()
    access.require(actor, Action.VIEW_SETTINGS, account or Account(pk=account_id))
    members, subtree = _members(actor, account_id)
    history = setting_history(actor, members)
    rows = [(account_id, name, value, day) for name, value in values.items()]
    before = history.on(day)
    after = history.as_if(members, moves=(), settings=rows).on(day)
    world = _World(actor, account_id, subtree, before, after)
    reroutes = [one for name in values if name in _ROUTES for one in world.reroutes(name)]
    names = world.names(
        [
            *(value for value in values.values() if isinstance(value, UUID)),
            *(key for one in reroutes for key in (one.before_id, one.after_id)),
            *(world.held(before, name)[0] for name in values if SETTINGS[name].kind.id_prefix),
            *(world.held(after, name)[0] for name in values if SETTINGS[name].kind.id_prefix),
        ]
    )
    return Effects(
        day,
        [world.effect(name, names) for name in values],
        [_named(one, names) for one in reroutes[:_REROUTES_SHOWN]],
        [*world.warnings(values, names)],
    )


_ROUTES = tuple(name for name, setting in SETTINGS.items() if setting.is_account)


def _members(actor: Actor, account_id: UUID) -> tuple[list[tuple[UUID, UUID | None]], list[UUID]]:
    """Return the accounts on the path and below with their parents, and those below alone."""
    path = tree.path_ids(actor.tenant_id, account_id)
    above = [(key, path[place - 1] if place else None) for place, key in enumerate(path[:-1])]
    below = list(
        AccountNode.objects.filter(
            tree.lies_below(actor.tenant_id, [account_id], "account_id"),
            tenant_id=actor.tenant_id,
        )
        .order_by("level", "lft")
        .values_list("account_id", "parent_id")
    )
    return [*above, *below], [key for key, _parent in below]


@dataclass(frozen=True, slots=True)
class _World:
    """The accounts from one down, as they are and as they would be."""

    actor: Actor
    account_id: UUID
    subtree: Sequence[UUID]
    before: FamilySettings
    after: FamilySettings

    def held(
        self, settings: FamilySettings, name: str, account_id: UUID | None = None
    ) -> tuple[Any, UUID | None]:
        """Return the value that holds on an account, and who decided it."""
        key = account_id or self.account_id
        if name == SettingName.BILL_TO:
            return settings.bill_tos[key]
        if name == SettingName.PAYER:
            return settings.payers[key]
        return settings.said(key, name), settings.resolved[key].origin(name)

    def effect(self, name: str, names: Mapping[UUID, str]) -> Effect:
        decider = self.held(self.after, name)[1]
        below = [self.held(self.after, name, key)[1] for key in self.subtree[1:]]
        own = sum(one == key for one, key in zip(below, self.subtree[1:], strict=True))
        following = sum(one == decider for one in below)
        return Effect(
            name,
            self._shown(self.before, name, names),
            self._shown(self.after, name, names),
            following,
            own,
            len(below) - own - following,
            sum(
                self.held(self.before, name, key)[0] != self.held(self.after, name, key)[0]
                for key in self.subtree
            ),
        )

    def _shown(self, settings: FamilySettings, name: str, names: Mapping[UUID, str]) -> Held:
        value, origin_id = self.held(settings, name)
        source = "tenant" if origin_id is None else "inherited"
        if origin_id == self.account_id:
            source = "own"
        target = names.get(value, "") if isinstance(value, UUID) else ""
        return Held(value, source, origin_id, target)

    def reroutes(self, name: str) -> list[Reroute]:
        """Return who is invoiced or pays instead of whom, the most frequent first."""
        keys = self.subtree
        if name == SettingName.PAYER:
            # It is read at those whom the invoices are for (R9).
            keys = [key for key in keys if self.after.bill_tos[key][0] == key]
        pairs = Counter(
            (self.held(self.before, name, key)[0], self.held(self.after, name, key)[0])
            for key in keys
        )
        return [
            Reroute(name, old, "", new, "", count)
            for (old, new), count in pairs.most_common()
            if old != new
        ]

    def names(self, wanted: Iterable[Any]) -> dict[UUID, str]:
        """Return the names of accounts in sight, and of sellers. Two statements at most."""
        ids = {key for key in wanted if isinstance(key, UUID)}
        if not ids:
            return {}
        seen = access.reach(self.actor, Action.VIEW_ACCOUNT).filter(pk__in=ids).order_by()
        sellers = Seller.objects.filter(tenant_id=self.actor.tenant_id, pk__in=ids).order_by()
        return dict(seen.values_list("id", "name")) | dict(sellers.values_list("id", "name"))

    def warnings(self, values: Mapping[str, Any], names: Mapping[UUID, str]) -> Iterable[Warned]:
        for name, value in values.items():
            if value is not None and SETTINGS[name].read_at != ReadAt.SERVICE_OWNER:
                yield from self._without_effect(name)
        if SettingName.BILL_TO in values:
            yield from self._of_recipients(names)

    def _without_effect(self, name: str) -> Iterable[Warned]:
        """Say where a value is set that is not read there (R9, R10)."""
        readers = {self.after.bill_tos[key][0] for key in self.subtree}
        if SETTINGS[name].read_at == ReadAt.PAYER:
            readers = {self.after.payers[key][0] for key in readers if key in self.after.payers}
        if self.account_id in readers:
            return
        using = [
            key
            for key in readers & {*self.subtree}
            if self.held(self.after, name, key)[1] == self.account_id
        ]
        yield Warned("no_effect_here" if using else "no_effect", name, len(using))

    def _of_recipients(self, names: Mapping[UUID, str]) -> Iterable[Warned]:
        """Say which recipients have no contract (R1), or lack what an invoice needs (R2)."""
        changing = {
            key: self.after.bill_tos[key][0]
            for key in self.subtree
            if self.after.bill_tos[key][0] != self.before.bill_tos[key][0]
        }
        if not changing:
            return
        accounts = Account.objects.filter(tenant_id=self.actor.tenant_id).order_by()
        parties = accounts.filter(pk__in=changing).values_list("id", "contract_party_id")
        strangers = sum(party not in {None, changing[key]} for key, party in parties)
        if strangers:
            yield Warned("bill_to_not_contract_party", SettingName.BILL_TO.value, strangers)
        for key, *texts in accounts.filter(pk__in={*changing.values()}).values_list("id", *_NEEDED):
            if "" in texts:
                who = names.get(key, "")
                yield Warned("bill_to_incomplete", SettingName.BILL_TO.value, 1, who)


def _named(one: Reroute, names: Mapping[UUID, str]) -> Reroute:
    before, after = names.get(one.before_id, ""), names.get(one.after_id, "")
    return Reroute(one.name, one.before_id, before, one.after_id, after, one.accounts)

"""Putting a preview together: plain data, every account by id and name."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from accounts.models import Account, Seller, SettingName
from invoicing.queries.plans import people
from invoicing.queries.plans._crediting import credit_shown, credit_sums, named_in
from invoicing.queries.plans._merging import merge_shown
from invoicing.queries.plans._noticing import warnings_of
from invoicing.queries.plans.aligning import Alignings, alignment_shown
from invoicing.queries.plans.checking import Unanswered
from invoicing.queries.plans.documents import drafts_of, unpaid_of
from invoicing.queries.plans.money import Billing, Outlook, Side
from invoicing.queries.plans.standing import Standing
from tenancy.ids import public_id

_PLAIN: Final = [
    name for name in SettingName.values if name not in (SettingName.BILL_TO, SettingName.PAYER)
]
MOST_ROWS: Final = 100
"""So many rows of each kind are kept; how many more there are is said."""


class Shown:
    """Puts a preview together."""

    def __init__(
        self,
        standing: Standing,
        outlook: Outlook,
        open_questions: Sequence[Unanswered],
        receiver_id: UUID | None,
        alignings: Alignings | None = None,
    ) -> None:
        self._actor, self._standing, self._outlook = standing.actor, standing, outlook
        self._alignings = alignings
        self._open, self._receiver_id = open_questions, receiver_id
        self._accounts: dict[UUID, Account] = dict(standing.accounts)
        self._changes = people.access_changes(standing)
        self._read_the_rest()

    def _read_the_rest(self) -> None:
        """Read the accounts that are named and stand elsewhere. One statement at most."""
        wanted: set[UUID] = {*([self._receiver_id] if self._receiver_id else [])}
        wanted |= named_in(self._outlook.made_over)
        for one in self._outlook.billing:
            wanted.add(one.bill_to_id)
            for side in (one.before, one.after):
                if side is not None:
                    wanted |= {side.payer_id, *side.sections}
        for settings in (self._standing.before, self._standing.after):
            wanted |= {pair[0] for pair in settings.payers.values()}
            wanted |= {pair[0] for pair in settings.bill_tos.values()}
        wanted |= {key for one in self._changes for key in one.because_of}
        missing = wanted - self._accounts.keys()
        if missing:
            found = Account.objects.filter(tenant_id=self._actor.tenant_id, pk__in=missing)
            self._accounts |= found.in_bulk()

    def everything(self) -> dict[str, Any]:
        """Return the preview as plain JSON."""
        standing, wanted = self._standing, self._standing.wanted
        stops, starts = people.recipient_changes(standing)
        billing = self._outlook.billing
        return {
            "accounts": len(standing.scope),
            "target": self._ref(wanted.target_id),
            "subscription": self._subscription(),
            "moves": [
                {
                    "account": self._ref(key),
                    "from": self._ref(standing.parents[key]),
                    "to": self._ref(parent_id),
                }
                for key, parent_id in standing.moves[:MOST_ROWS]
            ],
            "billing": [self._billing(one) for one in billing[:MOST_ROWS]],
            "more_billing": max(0, len(billing) - MOST_ROWS),
            "billing_unknown": self._outlook.is_too_large,
            "bill_to": self._decided("bill_tos"),
            "payer": self._decided("payers"),
            "credits": [
                credit_shown(one, self._ref) for one in self._outlook.made_over[:MOST_ROWS]
            ],
            "more_credits": max(0, len(self._outlook.made_over) - MOST_ROWS),
            "credit_sums": [*credit_sums(self._outlook.made_over, self._ref)][:MOST_ROWS],
            "settings": self._settings(),
            "to_answer": [self._unanswered(one) for one in self._open],
            "access": [self._person(one) for one in self._changes[:MOST_ROWS]],
            "more_access": max(0, len(self._changes) - MOST_ROWS),
            "recipients": {"stops": stops[:MOST_ROWS], "starts": starts[:MOST_ROWS]},
            "unpaid": unpaid_of(standing),
            "drafts": drafts_of(standing),
            "acceptance": None if self._receiver_id is None else self._ref(self._receiver_id),
            "warnings": [*warnings_of(standing, self._outlook, self._ref)][:MOST_ROWS],
            "open_drafts": wanted.open_drafts,
            "prepaid": wanted.prepaid,
            "merge": self._merge(),
            "alignment": self._alignings and alignment_shown(standing, self._alignings, self._ref),
        }

    def _merge(self) -> dict[str, Any] | None:
        """Return what a merge brings along; sellers by their names."""
        found = merge_shown(self._standing, self._ref)
        if found is not None:
            rows = found["settings"]
            names = {(row["setting"], "", "") for row in rows}
            sellers = self._sellers(names)
            for row in rows:
                row["old"], row["new"] = (_plain(row[one], sellers) for one in ("old", "new"))
        return found

    def _subscription(self) -> dict[str, str | None] | None:
        """Return the one subscription that the plan is about, by what it is called first."""
        one = self._standing.subscription
        if one is None:
            return None
        items = sorted(one.items.all(), key=lambda item: item.pk)
        name = f"{items[0].price.product.name}, {items[0].price.name}" if items else one.public_id
        return {"id": one.public_id, "external_id": one.external_id, "name": name}

    def _ref(self, key: UUID | None) -> dict[str, str | None] | None:
        if key is None:
            return None
        account = self._accounts[key]
        return {
            "id": account.public_id,
            "external_id": account.external_id,
            "name": account.name,
        }

    def _billing(self, one: Billing) -> dict[str, Any]:
        sides = {"before": one.before, "after": one.after}
        owners = dict.fromkeys(
            key for side in sides.values() if side is not None for key in side.sections
        )
        return {
            "bill_to": self._ref(one.bill_to_id),
            "currency": one.currency,
            "before_minor": 0 if one.before is None else one.before.gross_minor,
            "after_minor": 0 if one.after is None else one.after.gross_minor,
            **{name: self._side(side) for name, side in sides.items()},
            "sections": [
                {
                    "account": self._ref(key),
                    "before_minor": _of(one.before, key),
                    "after_minor": _of(one.after, key),
                }
                for key in list(owners)[:MOST_ROWS]
            ],
            "more_sections": max(0, len(owners) - MOST_ROWS),
        }

    def _side(self, side: Side | None) -> dict[str, Any] | None:
        if side is None:
            return None
        return {
            "date": side.day.isoformat(),
            "due_date": side.due_date.isoformat(),
            "payer": self._ref(side.payer_id),
            "net_minor": side.net_minor,
            "tax_minor": side.tax_minor,
            "gross_minor": side.gross_minor,
            "documents": side.documents,
            "tax": side.tax_reason,
        }

    def _decided(self, name: str) -> dict[str, Any]:
        """Return who is invoiced, or pays, for the plan's account before and after."""
        standing, found = self._standing, []
        subject = standing.wanted.account_id
        for settings, invoiced in (
            (standing.before, standing.invoiced_before),
            (standing.after, standing.invoiced_after),
        ):
            # The child that rises stands outside of what it takes along.
            bill_to_id = invoiced.get(subject) or settings.bill_tos[subject][0]
            decided = {"bill_tos": bill_to_id, "payers": settings.payers[bill_to_id][0]}
            found.append(self._ref(decided[name]))
        return {"before": found[0], "after": found[1]}

    def _settings(self) -> list[dict[str, Any]]:
        """Return the plain settings whose value changes by inheritance, each old with its new."""
        standing, counts = self._standing, Counter[tuple[str, str, str]]()
        values: dict[tuple[str, str, str], tuple[Any, Any]] = {}
        # Accounts without values of their own share their parent's: few pairs are different.
        alike: dict[tuple[int, int], list[UUID]] = defaultdict(list)
        for key in standing.scope:
            pair_of = standing.before.resolved[key], standing.after.resolved[key]
            alike[id(pair_of[0]), id(pair_of[1])].append(key)
        for keys in alike.values():
            for name in _PLAIN:
                pair = standing.before.value(keys[0], name), standing.after.value(keys[0], name)
                if pair[0] != pair[1]:
                    kind = (name, str(pair[0]), str(pair[1]))
                    counts[kind] += len(keys)
                    values[kind] = pair
        sellers = self._sellers(values)
        return [
            {
                "setting": kind[0],
                "old": _plain(values[kind][0], sellers),
                "new": _plain(values[kind][1], sellers),
                "accounts": count,
            }
            for kind, count in sorted(counts.items(), key=lambda pair: (pair[0][0], -pair[1]))
        ][:MOST_ROWS]

    def _sellers(self, values: Iterable[tuple[str, str, str]]) -> Mapping[UUID, str]:
        if not any(name == SettingName.SELLER for name, _old, _new in values):
            return {}
        found = Seller.objects.filter(tenant_id=self._actor.tenant_id)
        return dict(found.values_list("id", "name"))

    def _unanswered(self, one: Unanswered) -> dict[str, Any]:
        return {
            "key": one.key,
            "account": self._ref(one.account_id),
            "subscription": (
                None if one.subscription_id is None else public_id("sub", one.subscription_id)
            ),
            "setting": one.name,
            "points_to": self._named_ref(one.target_id),
        }

    def _named_ref(self, key: UUID) -> dict[str, str | None] | None:
        if key not in self._accounts:
            self._accounts[key] = Account.objects.get(tenant_id=self._actor.tenant_id, pk=key)
        return self._ref(key)

    def _person(self, one: people.PersonChange) -> dict[str, Any]:
        return {
            "contact": {"id": public_id("con", one.contact_id), "name": one.name},
            "gains": list(one.gains),
            "loses": list(one.loses),
            "because_of": [self._ref(key) for key in one.because_of],
        }


def _of(side: Side | None, key: UUID) -> int:
    return 0 if side is None else side.sections.get(key, 0)


def _plain(value: Any, sellers: Mapping[UUID, str]) -> Any:
    if isinstance(value, UUID):
        return sellers.get(value, public_id("sel", value))
    return value

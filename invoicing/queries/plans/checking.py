"""What makes a plan impossible, what it leaves unanswered, and who has to agree to it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account, SettingInterval, SettingName
from accounts.queries.dated import holding_on
from invoicing.engine.aligning import Method
from invoicing.models import ChangePlan
from invoicing.queries.plans.standing import Standing, one_of
from invoicing.queries.plans.wanted import CREDIT, REFERENCES, TAKES_CREDIT, Wanted
from subscriptions.models import Item, Price, Subscription
from tenancy.errors import Conflict, FieldError, Invalid
from tenancy.ids import public_id

FARTHEST: Final = timedelta(days=730)


class PlanInPast(Invalid):
    """What has happened has happened."""

    code = "effective_date_past"
    message = gettext_lazy("A change takes effect today (%(today)s) or later.")


class PlanTooFar(Invalid):
    """Nobody can foresee so much."""

    code = "effective_date_too_far"
    message = gettext_lazy("A change can be planned until %(last)s.")


class NothingToChange(Invalid):
    """It is so already."""

    code = "nothing_to_change"
    message = gettext_lazy("It is so already; there is nothing to change.")


class AccountArchived(Conflict):
    """A closed account takes part in nothing new."""

    code = "account_archived"
    message = gettext_lazy("%(account)s is closed.")


class NotOnPath(Invalid):
    """A recipient or a child that the tree does not allow; ``errors`` say which."""

    code = "bill_to_outside_path"
    message = gettext_lazy("Invoices of an account go to itself or to one above it.")


class SettingsOutsidePath(Invalid):
    """After the change some settings would point outside of the path; ``errors`` list them."""

    code = "settings_outside_path"
    message = gettext_lazy(
        "After the change some settings would point to accounts that are not above any more."
        " Please say for each what it is to be."
    )


class NothingAbove(Invalid):
    """Only a child can rise."""

    code = "nothing_above"
    message = gettext_lazy("%(account)s has no account above it whose place it could take.")


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A setting that would point outside of the path.

    ``subscription_id`` is set where a subscription alone is invoiced elsewhere.
    """

    account_id: UUID
    name: str
    target_id: UUID
    subscription_id: UUID | None = None

    @property
    def key(self) -> str:
        """Under which it is answered."""
        if self.subscription_id is not None:
            return public_id("sub", self.subscription_id)
        return public_id("acc", self.account_id)


def require_day(day: date, today: date) -> None:
    """Return if a change can take effect on a day.

    Raises:
        PlanInPast, PlanTooFar: see their texts.
    """
    if day < today:
        raise PlanInPast(today=today)
    if day > today + FARTHEST:
        raise PlanTooFar(last=today + FARTHEST)


class SubscriptionOver(Conflict):
    """What has ended is not invoiced any more."""

    code = "subscription_ended"
    message = gettext_lazy("This subscription ends on %(day)s, before the change.")


class NothingToCredit(Invalid):
    """The kind of change leaves with whom something is charged as it is."""

    code = "prepaid_credit_unavailable"
    message = gettext_lazy(
        "Only a change of who is invoiced, or of who pays, can credit what is paid in advance: a"
        " move, a recipient, a payer or taking the place above."
    )


class CreditTooLarge(Invalid):
    """What would be credited is more than is computed while somebody waits."""

    code = "prepaid_credit_too_large"
    message = gettext_lazy(
        "These customers are too large to show what would be credited. Let what is paid in advance"
        " stay with who paid it, or change parts of the tree one after another."
    )


class NotChargedYet(Conflict):
    """What is charged later goes to who was invoiced on its own day, with all its days."""

    code = "charges_outstanding"
    message = gettext_lazy(
        "Something of these accounts fell due before %(day)s and was not charged yet, so that it"
        " cannot be credited to the day. Run billing first, then plan this again."
    )


class LockedAbove(Invalid):
    """An account above keeps those below from setting this; ``errors`` say which."""

    code = "setting_locked"
    message = gettext_lazy("An account above has locked this setting; it can only be inherited.")


def require_possible(standing: Standing) -> None:
    """Return if the plan makes sense, whatever it leaves unanswered. One statement.

    Raises:
        AccountArchived, NotOnPath, NothingToChange, NothingAbove, SubscriptionOver,
            NothingToCredit: see their texts.
        TreeCycle, TreeTooDeep: of the tree it would make.
    """
    wanted = standing.wanted
    subject = standing.accounts[wanted.account_id]
    named = [subject, *([standing.accounts[wanted.target_id]] if wanted.target_id else [])]
    for account in named:
        if account.status == Account.Status.ARCHIVED and not wanted.reopens:
            raise AccountArchived(account=account.name)
    subscription = standing.subscription
    ends = None if subscription is None else subscription.end_date
    if ends is not None and ends <= wanted.day:
        raise SubscriptionOver(day=ends)
    is_rising = wanted.kind == ChangePlan.Kind.PROMOTION and not wanted.places
    if is_rising and standing.parents[subject.pk] is None:
        raise NothingAbove(account=subject.name)
    standing.members_after  # noqa: B018 - raises where no tree comes of it
    wrong = [*_off_path(standing)]
    if wrong:
        raise NotOnPath(errors=wrong)
    if wanted.prepaid == CREDIT and wanted.kind not in TAKES_CREDIT:
        raise NothingToCredit
    if not _changes(standing):
        raise NothingToChange
    locked = [*_locked(standing)]
    if locked:
        raise LockedAbove(errors=locked)


def require_charged(standing: Standing) -> None:
    """Return if all that is credited to the day has been charged. One statement, if that.

    Raises:
        NotChargedYet: see its text.
    """
    wanted = standing.wanted
    credits_rest = wanted.alignment is not None and wanted.alignment.method == Method.REBILL
    if wanted.prepaid != CREDIT and not credits_rest:
        return
    items = Item.objects.filter(
        tenant_id=standing.actor.tenant_id,
        account_id__in=one_of(standing.scope),
        next_action_date__lt=wanted.day,
        price__timing=Price.Timing.ADVANCE,
    )
    if standing.subscription is not None:
        items = items.filter(subscription_id=standing.subscription.pk)
    if items.exists():
        raise NotChargedYet(day=wanted.day)


def _changes(standing: Standing) -> bool:
    wanted = standing.wanted
    # What an alignment changes is known once it is computed.
    if wanted.kind in (ChangePlan.Kind.CLOSING, ChangePlan.Kind.MERGE, ChangePlan.Kind.ALIGNMENT):
        return True
    if standing.subscription is not None:
        own: UUID | None = standing.subscription.override_bill_to_id
        return own != wanted.overrides[standing.subscription.pk]
    if standing.moves:
        return any(standing.parents[key] != parent_id for key, parent_id in standing.moves)
    rows = SettingInterval.objects.filter(
        holding_on(standing.actor, wanted.day), account_id__in=wanted.own_settings
    ).values_list("account_id", "name", "value", "target_id")
    stored: dict[tuple[UUID | None, str], Any] = {}
    found: Iterable[Any] = rows  # of plain values there is no target, whatever the stubs say
    for account_id, name, value, target_id in found:
        stored[account_id, name] = value if target_id is None else target_id
    return any(
        stored.get((account_id, name)) != value
        for account_id, values in wanted.own_settings.items()
        for name, value in values.items()
    )


def _locked(standing: Standing) -> Iterator[FieldError]:
    """Yield every own value that an account above, as planned, or the company has locked."""
    own = standing.wanted.own_settings
    if standing.subscription is not None:
        # Where accounts can only inherit, so can what they subscribe to.
        own = {standing.wanted.account_id: {SettingName.BILL_TO: standing.wanted.target_id}}
    if not any(value is not None for values in own.values() for value in values.values()):
        return
    above = {key: {None, *standing.path_after(key)[:-1]} for key in own}
    locks = SettingInterval.objects.filter(
        holding_on(standing.actor, standing.wanted.day), is_locked=True
    )
    concerned = {one for accounts in above.values() for one in accounts if one is not None}
    rows = locks.filter(Q(account=None) | Q(account_id__in=concerned))
    found = set(rows.values_list("account_id", "name"))
    for key, values in own.items():
        for name, value in values.items():
            if value is not None and any((one, name) in found for one in above[key]):
                place = f"/settings/{public_id('acc', key)}/{name}"
                yield FieldError("setting_locked", str(LockedAbove.message), place)


def _off_path(standing: Standing) -> Iterator[FieldError]:
    """Yield every bill-to that the plan itself sets and that the tree would not allow."""
    for account_id, values in standing.wanted.own_settings.items():
        target = values.get(SettingName.BILL_TO)
        if target is not None and target not in standing.path_after(account_id):
            yield _outside(public_id("acc", account_id), SettingName.BILL_TO)
    for key, target in standing.wanted.overrides.items():
        subject = standing.wanted.account_id
        allowed = standing.path(subject) if standing.subscription else standing.accounts
        if target is not None and target not in allowed:
            yield _outside(public_id("sub", key), SettingName.BILL_TO)


def _outside(key: str, name: str) -> FieldError:
    sentence = _("After the change this account is not above it.")
    return FieldError("outside_path", sentence, f"/settings/{key}/{name}")


def unanswered(standing: Standing) -> list[Unanswered]:
    """Return the settings that would point outside of the path and have no answer. Two statements.

    A payer that was not above before has agreed to pay, and goes on.
    """
    if not standing.moves:
        return []
    wanted = standing.wanted
    found = []
    for account_id, name, target_id in _references(standing):
        if name in wanted.settings.get(account_id, {}):
            continue
        was_above = target_id in standing.path(account_id)
        if was_above and target_id not in standing.path_after(account_id):
            found.append(Unanswered(account_id, name, target_id))
    for key, account_id, target_id in _overrides(standing):
        if key not in wanted.overrides and target_id not in standing.path_after(account_id):
            found.append(Unanswered(account_id, SettingName.BILL_TO, target_id, key))
    return found


def _references(standing: Standing) -> Sequence[tuple[UUID, str, UUID]]:
    rows = SettingInterval.objects.filter(
        holding_on(standing.actor, standing.wanted.day),
        account_id__in=one_of(standing.scope),
        name__in=REFERENCES,
        target__isnull=False,
    ).order_by("account_id", "name")
    found: Sequence[tuple[UUID, str, UUID]] = list(
        rows.values_list("account_id", "name", "target_id")
    )
    return found


def _overrides(standing: Standing) -> Sequence[tuple[UUID, UUID, UUID]]:
    running = Q(end_date=None) | Q(end_date__gt=standing.wanted.day)
    rows = Subscription.objects.filter(
        running,
        tenant_id=standing.actor.tenant_id,
        account_id__in=one_of(standing.scope),
        override_bill_to__isnull=False,
    ).order_by("id")
    found: Sequence[tuple[UUID, UUID, UUID]] = list(
        rows.values_list("id", "account_id", "override_bill_to_id")
    )
    return found


def require_answered(open_questions: Sequence[Unanswered]) -> None:
    """Return if nothing is left open.

    Raises:
        SettingsOutsidePath: see its text.
    """
    if open_questions:
        raise SettingsOutsidePath(errors=[_outside(one.key, one.name) for one in open_questions])


def receiver_of(standing: Standing) -> UUID | None:
    """Return the account that has to agree, None where nobody has to.

    Whoever comes to pay without standing above does; and whoever comes to be invoiced, or to pay,
    in another family than before. Into which a duplicate is merged has what it had already.
    """
    wanted = standing.wanted
    kept = wanted.target_id if wanted.kind == ChangePlan.Kind.MERGE else None
    named = _named_payer(standing, kept)
    if named is not None:
        return named
    before, after, invoiced = standing.before, standing.after, standing.invoiced_after
    for bill_to_id in dict.fromkeys(invoiced.values()):
        if bill_to_id not in after.payers:
            continue
        payer_id = after.payers[bill_to_id][0]
        paid_before = {before.payers[key][0] for key in _paying_before(standing, bill_to_id)}
        known = {*paid_before, *standing.path_after(bill_to_id), kept}
        if payer_id not in known:
            return payer_id
    family = standing.path(standing.wanted.account_id)[0]
    for key, bill_to_id in invoiced.items():
        if bill_to_id == standing.invoiced_before[key]:
            continue
        payer_id = after.payers[bill_to_id][0]
        for account_id in (payer_id, bill_to_id):
            is_near = account_id in standing.parents
            if account_id == kept:
                continue
            if not is_near or standing.path(account_id)[0] != family:
                return account_id
    return None


def _named_payer(standing: Standing, kept: UUID | None) -> UUID | None:
    """Return an account that the plan itself makes a payer without its standing above."""
    for account_id, values in standing.wanted.own_settings.items():
        payer_id: UUID | None = values.get(SettingName.PAYER)
        known = standing.before.payers.get(account_id, (None, None))[0]
        if payer_id not in (None, known, kept) and payer_id not in standing.path_after(account_id):
            return payer_id
    return None


def _paying_before(standing: Standing, bill_to_id: UUID) -> Iterator[UUID]:
    """Yield the bill-tos before of those who are billed to one afterwards, and itself."""
    yield bill_to_id
    for key in standing.scope:
        if standing.invoiced_after[key] == bill_to_id:
            yield standing.invoiced_before[key]


def answers_in(wanted: Wanted, open_questions: Sequence[Unanswered]) -> Wanted:
    """Return the plan with everything that is open answered by inheriting: to show what comes."""
    settings: dict[UUID, dict[str, object]] = {
        key: dict(values) for key, values in wanted.settings.items()
    }
    overrides: dict[UUID, UUID | None] = dict(wanted.overrides)
    for one in open_questions:
        if one.subscription_id is None:
            settings.setdefault(one.account_id, {})[one.name] = None
        else:
            overrides[one.subscription_id] = None
    return replace(wanted, settings=settings, overrides=overrides)

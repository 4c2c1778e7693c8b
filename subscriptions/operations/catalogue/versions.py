"""Versions of a price: what is sold at it costs something else from a day on."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import access
from accounts.access import Action
from accounts.models import Account
from subscriptions.models import Price
from subscriptions.operations.catalogue.adding import AlreadyAdded, ProductArchived
from subscriptions.operations.catalogue.checking import (
    InvalidPrice,
    columns_of,
    require_possible,
    wanted_of,
)
from subscriptions.operations.catalogue.naming import named_once, said_of
from tenancy.actor import Actor
from tenancy.errors import Conflict, FieldError, Invalid, NotFound
from tenancy.events import Happening, record_event
from tenancy.files.cells import EARLIEST, LATEST
from tenancy.ids import public_id, uuid7
from tenancy.models import Job

SAME: Final = ("currency", "interval", "interval_count", "timing", "meter_id")
"""What every version of a price has in common: their periods are the same, and what is counted."""


class PriceVersionsOverlap(Conflict):
    """Two versions of one price would hold on one day."""

    code = "price_versions_overlap"
    message = gettext_lazy(
        "A version begins on %(day)s already. The next one has to begin after that."
    )


class PriceChangeUnderWay(Conflict):
    """What the last version changes is not through yet."""

    code = "price_change_under_way"
    message = gettext_lazy(
        "The last change of this price has not been carried out everywhere yet."
        " Let it finish first."
    )


class PriceArchived(Conflict):
    """What is not sold any more gets no other version."""

    code = "price_archived"
    message = gettext_lazy("This price is archived; nothing new is sold at it.")


class PriceOwnerArchived(Conflict):
    """Nothing is negotiated with an account that is archived."""

    code = "account_archived"
    message = gettext_lazy("This account is archived.")


class SameTerms(Invalid):
    """It costs that already."""

    code = "nothing_to_change"
    message = gettext_lazy("The terms are the same already.")


class NotTheLast(Conflict):
    """A version that others follow can't end."""

    code = "price_version_followed"
    message = gettext_lazy("Another version follows this one; only the last can end.")


class EndsAlready(Conflict):
    """It has an end."""

    code = "price_version_ended"
    message = gettext_lazy("This version ends on %(day)s already.")


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What a price costs from a day on.

    Attributes:
        valid_from: the first day, past days too.
        changes: members of ``NewPrice`` that are other than those of the version before.
        account_id: for it and all below it, None for everybody.
        key: what the row is to be called, so that one form makes one.
    """

    valid_from: date
    changes: Mapping[str, Any] = field(default_factory=dict)
    account_id: UUID | None = None
    key: UUID | None = None


def hold_price(actor: Actor, price_id: UUID) -> None:
    """Let nobody sell at a price, or give it another version, until this transaction ends.

    Raises:
        Forbidden, NotFound: as of ``planned_version``.
    """
    _first_of(actor, price_id, is_locked=True)


def planned_version(
    actor: Actor, price_id: UUID, wanted: NewVersion, *, is_locked: bool, today: date
) -> Price:
    """Return a version as it would be stored; nothing is.

    Args:
        actor: who wants it.
        price_id: any version of the price.
        wanted: what it costs, from when, and for whom.
        is_locked: hold the price, so that nobody sells at it until this transaction ends.
        today: a currency that was withdrawn by then is refused.

    Raises:
        Forbidden: the actor may not write the catalogue, or change subscriptions everywhere.
        NotFound: there is no such price or account.
        ProductArchived, PriceArchived, PriceOwnerArchived, PriceChangeUnderWay,
        PriceVersionsOverlap, SameTerms, InvalidPrice, AlreadyAdded: see their texts.

    Source: docs/billing-rules.md, Versions of a price, Negotiated prices.
    """
    first = _first_of(actor, price_id, is_locked=is_locked)
    if wanted.key is not None and _all(actor).filter(pk=wanted.key).exists():
        raise AlreadyAdded
    _require_account(actor, wanted.account_id)
    is_under_way = bool(prices_under_way(actor, [first.pk]))
    versions = _versions(actor, first)
    return version_after(versions, wanted, is_under_way=is_under_way, today=today)[0]


def version_after(
    versions: Sequence[Price], wanted: NewVersion, *, is_under_way: bool, today: date
) -> tuple[Price, Price]:
    """Return a version as it would be stored, and the one whose terms it is made of.

    Args:
        versions: the first version of a price with its product, those for everybody, and those of
            the account that is meant, in the order in which they were made.
        wanted: what it costs, from when, and for whom.
        is_under_way: whether a change of the price is not through yet.
        today: a currency that was withdrawn by then is refused.

    Raises:
        As ``planned_version``, but for rights and for what is not there.
    """
    first = versions[0]
    if first.product.archived_at is not None:
        raise ProductArchived(name=first.product.name)
    if not EARLIEST <= wanted.valid_from <= LATEST:
        detail = _("A date between 1970 and 2200 is expected.")
        raise InvalidPrice(errors=[FieldError("out_of_range", detail, "/valid_from")])
    same_place = [one for one in versions if one.account_id == wanted.account_id]
    standing = [one for one in same_place if not one.is_withdrawn]
    last = standing[-1] if standing else None
    if last is not None and last.valid_from is not None and wanted.valid_from <= last.valid_from:
        raise PriceVersionsOverlap(day=last.valid_from)
    model = last or _standing_everywhere(versions)
    if model.archived_at is not None:
        raise PriceArchived
    if is_under_way:
        raise PriceChangeUnderWay
    changes = _possible_changes(wanted.changes, model)
    terms = replace(wanted_of(model), external_id=None, errors=[])
    terms = replace(terms, **changes, errors=[])
    require_possible(terms, today=today)
    price = Price(
        id=wanted.key or uuid7(),
        tenant_id=first.tenant_id,
        product=first.product,
        first=first,
        account_id=wanted.account_id,
        number=1 + max((one.number for one in same_place), default=0),
        valid_from=wanted.valid_from,
        **columns_of(terms),
    )
    if wanted.account_id is None and _costs(price) == _costs(model):
        raise SameTerms
    return price, model


def store_version(
    actor: Actor, price: Price, *, told: Mapping[str, Any] | None = None, now: datetime
) -> None:
    """Store a version that was planned under the lock; a step of whoever has it carried out.

    ``told`` is what the event says beside of whom it concerns.

    Raises:
        ExternalIdTaken: another price is called so.
    """
    price.created_at = now
    with named_once(actor, price):
        price.save(force_insert=True)
    record_event(actor, version_created(price, told), now=now)


def version_created(price: Price, told: Mapping[str, Any] | None = None) -> Happening:
    """Return that a version is there, for the log, and whom it concerns where that is known."""
    assert price.valid_from is not None  # noqa: S101 - for the checker of types
    said: dict[str, Any] = {
        **said_of(price.external_id),
        "first": public_id("prc", price.family_id),
        "number": price.number,
        "valid_from": price.valid_from.isoformat(),
    }
    if price.account_id is not None:
        said["account"] = public_id("acc", price.account_id)
    data = {**said, **(told or {})}
    return Happening("price.version_created", price.pk, price.account_id, after=said, data=data)


def planned_end(actor: Actor, price_id: UUID, day: date | None, *, is_locked: bool) -> Price:
    """Return a version with the end that it would get; nothing is stored.

    Args:
        actor: who wants it.
        price_id: a negotiated price, or a version for everybody.
        day: the first day on which it holds no longer; None takes it back as a whole. A version
            for everybody can only be taken back: the one before holds on instead.
        is_locked: as of ``planned_version``.

    Raises:
        Forbidden, NotFound, PriceChangeUnderWay: as of ``planned_version``.
        NotTheLast, EndsAlready, InvalidPrice: see their texts.
    """
    first = _first_of(actor, price_id, is_locked=is_locked)
    found = {one.pk: one for one in _versions(actor, first)}
    price = found[price_id]
    is_under_way = bool(prices_under_way(actor, [first.pk]))
    set_end(price, list(found.values()), day, is_under_way=is_under_way)
    return price


def set_end(
    price: Price, versions: Iterable[Price], day: date | None, *, is_under_way: bool
) -> None:
    """Give a version its end; nothing is stored.

    Args:
        price: one of the versions.
        versions: of the same price, those of its place at least.
        day: the first day on which it holds no longer; None takes it back as a whole.
        is_under_way: whether a change of the price is not through yet.

    Raises:
        As ``planned_end``, but for rights and for what is not there.
    """
    since = price.valid_from
    if since is None:
        detail = _("The first version has no end. Archive the price instead.")
        raise InvalidPrice(errors=[FieldError("first_version", detail, "/ends_on")])
    if price.is_withdrawn or (price.ends_on is not None and price.ends_on == day):
        raise EndsAlready(day=price.ends_on)
    others = [one for one in versions if one.account_id == price.account_id]
    if any(one.number > price.number and not one.is_withdrawn for one in others):
        raise NotTheLast
    end = day or since
    if price.account_id is None and end != since:
        detail = _("A version for everybody is replaced by the next one, or taken back.")
        raise InvalidPrice(errors=[FieldError("invalid", detail, "/ends_on")])
    if not since <= end <= LATEST:
        detail = _("It ends on the day on which it begins, or later.")
        raise InvalidPrice(errors=[FieldError("end_before_start", detail, "/ends_on")])
    if price.ends_on is not None:
        raise EndsAlready(day=price.ends_on)
    if is_under_way:
        raise PriceChangeUnderWay
    price.ends_on = end


def store_end(actor: Actor, price: Price, *, now: datetime) -> None:
    """Store the end of a version that was planned under the lock."""
    price.save(update_fields=["ends_on"])
    record_event(actor, version_ended(price), now=now)


def version_ended(price: Price) -> Happening:
    """Return that a version has an end, for the log."""
    assert price.ends_on is not None  # noqa: S101 - for the checker of types
    said = {**said_of(price.external_id), "ends_on": price.ends_on.isoformat()}
    return Happening("price.version_ended", price.pk, price.account_id, after=said, data=said)


def exact_fault(actor: Actor, at: str) -> FieldError | None:
    """Return why somebody may not choose a version themselves, None where they may."""
    if access.allows_everywhere(actor, Action.EDIT_SUBSCRIPTION):
        return None
    detail = _("Which version of a price holds is not yours to choose.")
    return FieldError("exact_price_not_allowed", detail, at)


def _first_of(actor: Actor, price_id: UUID, *, is_locked: bool) -> Price:
    """Return the first version of a price, with its product."""
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    access.require_everywhere(actor, Action.EDIT_SUBSCRIPTION)
    named = _all(actor).filter(pk=price_id).first()
    if named is None:
        raise NotFound
    found = _all(actor).filter(pk=named.family_id).select_related("product")
    # The whole row, also against who is just subscribing somebody to it.
    first: Price = (found.select_for_update(of=("self",)) if is_locked else found).get()
    return first


def _all(actor: Actor) -> Any:
    return Price.objects.filter(tenant_id=actor.tenant_id)


def _versions(actor: Actor, first: Price) -> list[Price]:
    """Return the first version and those after it, in the order in which they were made."""
    rows = _all(actor).filter(first_id=first.pk).select_related("product", "first")
    return [first, *rows.order_by("number", "id")]


def _standing_everywhere(versions: Iterable[Price]) -> Price:
    """Return the last version for everybody: what is negotiated begins with its terms."""
    return [one for one in versions if one.account_id is None and not one.is_withdrawn][-1]


def _require_account(actor: Actor, account_id: UUID | None) -> None:
    if account_id is None:
        return
    found = Account.objects.filter(tenant_id=actor.tenant_id, pk=account_id)
    status = found.values_list("status", flat=True).first()
    if status is None:
        raise NotFound
    if status == Account.Status.ARCHIVED:
        raise PriceOwnerArchived


def prices_under_way(actor: Actor, first_ids: Collection[UUID]) -> set[UUID]:
    """Return which first versions have a change that is not through. One statement.

    A step of whoever has asked for the right and holds the prices.
    """
    open_ones = Job.objects.filter(
        tenant_id=actor.tenant_id,
        kind=Job.Kind.PRICES,
        params__first__in=[str(key) for key in first_ids],
    ).exclude(status=Job.Status.DONE)
    return {UUID(one) for one in open_ones.values_list("params__first", flat=True)}


def _possible_changes(changes: Mapping[str, Any], model: Price) -> dict[str, Any]:
    """Return the members that may be other than before.

    Raises:
        InvalidPrice: a version would be in another currency or for another interval.
    """
    errors = []
    for name in SAME:
        if changes.get(name) in (None, getattr(model, name)):
            continue
        if name == "currency":
            detail = _("This price is in %(currency)s, and so are its versions.")
            code, detail = "currency_without_price", detail % {"currency": model.currency}
        else:
            code = "other_period"
            detail = _("All versions of a price are for the same period. Make a new price.")
        errors.append(FieldError(code, detail, f"/{name}"))
    if errors:
        raise InvalidPrice(errors=errors)
    return {name: value for name, value in changes.items() if name not in SAME}


def _costs(price: Price) -> Any:
    once = price.setup_fee or 0, price.minimum_amount or 0
    return price.name, price.terms, price.unit, price.tax_class, price.tax_category, *once

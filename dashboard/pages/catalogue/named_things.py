"""Making and changing what the catalogue only names: one page for products, meters and coupons."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Generic, TypeVar
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.versions import ChangedMeanwhile
from dashboard.pages.catalogue.refusing import refuse
from subscriptions.models import Coupon, Meter, Product
from subscriptions.operations.catalogue import AlreadyAdded
from subscriptions.operations.catalogue.meters import MeterAdded
from tenancy.actor import Actor
from tenancy.errors import Conflict, Invalid
from tenancy.ids import public_id
from web.form_keys import fresh_key, key_in
from web.forms import differences, version_seen, version_to_carry
from web.page_heads import Crumb

Kind = TypeVar("Kind", Product, Meter, Coupon)


@dataclass(frozen=True, slots=True)
class NamedKind(Generic[Kind]):
    """How one kind of things is made and changed on screen.

    Attributes:
        page, listed: the addresses of one and of all, without the name of the room.
        prefix: of its ids.
        new, change: the titles.
        made, saved: what is said afterwards; ``made`` may have what ``name_of`` returns.
        shown: what the form of one is shown for.
        name_of: what is called by its name: for the breadcrumb, and for ``made``.
        new_form, change_form: of an actor, and what was sent or what is stored.
        create, edit: the operations.
        refused: at which field a refusal as a whole stands, by its code; else at ``otherwise``.
        between: steps between the catalogue and the thing.
        note: what is to be known, below the fields.
    """

    page: str
    listed: str
    prefix: str
    new: str | Promise
    change: str | Promise
    made: str | Promise
    saved: str | Promise
    shown: Callable[[Kind], Mapping[str, Any]]
    name_of: Callable[[Kind], str]
    new_form: Callable[..., forms.Form]
    change_form: Callable[..., forms.Form]
    create: Callable[[Actor, Mapping[str, Any], UUID], Kind]
    edit: Callable[[Actor, Kind, Mapping[str, Any], str], object]
    refused: Mapping[str, str]
    otherwise: str | None = None
    between: Callable[[], Sequence[Crumb]] = field(default=tuple)
    note: str | Promise = ""


def ask_for_new(request: ActorRequest, kind: NamedKind[Kind]) -> HttpResponse:
    """Ask for a new thing; POST makes it."""
    actor = request.actor
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    if request.method != "POST":
        return _page(request, kind, kind.new_form(actor))
    form, key = kind.new_form(actor, request.POST), key_in(actor, request.POST.get("key", ""))
    if key is None:
        form.add_error(None, _("This form is too old. Please send it once more."))
    if form.is_valid() and key is not None:
        try:
            made = kind.create(actor, form.cleaned_data, key)
        except (AlreadyAdded, MeterAdded) as refusal:
            messages.info(request, refusal.detail)
            return redirect(f"catalogue:{kind.page}", public_id(kind.prefix, key))
        except (Conflict, Invalid) as refusal:
            refuse(form, refusal, kind.refused, kind.otherwise)
        else:
            messages.success(request, str(kind.made) % {"name": kind.name_of(made)})
            return redirect(f"catalogue:{kind.page}", made.public_id)
    return _page(request, kind, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def ask_for_change(request: ActorRequest, kind: NamedKind[Kind], thing: Kind) -> HttpResponse:
    """Ask what is to be other with a thing; POST changes it."""
    actor = request.actor
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    if request.method != "POST":
        return _page(request, kind, kind.change_form(initial=kind.shown(thing)), thing)
    form = kind.change_form(request.POST)
    if form.is_valid():
        try:
            kind.edit(actor, thing, form.cleaned_data, version_seen(request))
        except ChangedMeanwhile:
            return _page(request, kind, form, thing, status=HTTPStatus.CONFLICT)
        except (Conflict, Invalid) as refusal:
            refuse(form, refusal, kind.refused, kind.otherwise)
        else:
            messages.success(request, str(kind.saved))
            return redirect(f"catalogue:{kind.page}", thing.public_id)
    return _page(request, kind, form, thing, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _page(
    request: ActorRequest,
    kind: NamedKind[Kind],
    form: forms.Form,
    thing: Kind | None = None,
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    title = str(kind.new if thing is None else kind.change)
    stored: Mapping[str, Any] = {} if thing is None else kind.shown(thing)
    labels = {name: one.label for name, one in form.fields.items()}
    is_old, carried = status == HTTPStatus.CONFLICT, request.POST.get("key", "")
    context = {
        "form": form,
        "title": title,
        "note": kind.note,
        "version": version_to_carry(request, stored, status=status) if thing else "",
        "conflict": differences(form, labels, stored) if is_old else None,
        "key": carried if key_in(request.actor, carried) else fresh_key(request.actor),
        "cancel_url": reverse(f"catalogue:{kind.listed}")
        if thing is None
        else reverse(f"catalogue:{kind.page}", args=[thing.public_id]),
        "steps": [
            Crumb(_("Product catalogue"), reverse("catalogue:list")),
            *kind.between(),
            Crumb(title if thing is None else kind.name_of(thing)),
        ],
    }
    return render(request, "catalogue/named_form.html", context, status=status)

"""The items of a plan as fields: how much of each within its bounds, and which add-ons."""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _

from subscriptions.models import Plan, PlanItem
from subscriptions.models.limits import QUANTITY_DECIMALS, QUANTITY_DIGITS
from subscriptions.operations.plans.starting import PlanChoice
from subscriptions.queries.plans import Variant
from web.plan_items import bounds_text
from web.prices import price_in_words
from web.templatetags.figures import quantity


class PlanItemFields:
    """A variant of a plan in a form: a field for each item; an add-on is taken where it has one."""

    def __init__(
        self, plan: Plan, variant: Variant, held: Mapping[UUID, Decimal] | None = None
    ) -> None:
        """Take a variant.

        Args:
            plan: the plan.
            variant: one of its variants.
            held: what of its items is had already, by item: they go on so where the plan lets them.
        """
        self.plan, self.variant = plan, variant
        self._held = held or {}

    @property
    def names(self) -> list[str]:
        """The fields, in the order of the plan."""
        return [f"item_{place}" for place, _item in enumerate(self.variant.items)]

    def add_to(self, form: forms.Form) -> None:
        """Let a form ask for the items."""
        for name, item in zip(self.names, self.variant.items, strict=True):
            form.fields[name] = forms.DecimalField(
                label=price_in_words(item.price),
                help_text=_help(item, self._held.get(item.pk)),
                required=False,
                min_value=Decimal(0),
                max_digits=QUANTITY_DIGITS + QUANTITY_DECIMALS,
                decimal_places=QUANTITY_DECIMALS,
                localize=True,
                initial=_first(item, self._held.get(item.pk)),
                widget=forms.TextInput(attrs={"class": "input", "inputmode": "decimal"}),
            )

    def choice(self, form: forms.Form) -> PlanChoice:
        """Return what was chosen in a valid form."""
        taken = {item.price_id: form.cleaned_data[name] for name, item in self._taken(form)}
        return PlanChoice(self.plan.pk, self.variant.currency, self.variant.interval, taken)

    def field_at(self, form: forms.Form, pointer: str) -> str | None:
        """Return the field of the item that a refusal is about, None where it is about none."""
        _start, _slash, rest = pointer.partition("/items/")
        place = rest.partition("/")[0]
        taken = self._taken(form)
        if place.isdecimal() and int(place) < len(taken):
            return taken[int(place)][0]
        return None

    def _taken(self, form: forms.Form) -> list[tuple[str, PlanItem]]:
        pairs = zip(self.names, self.variant.items, strict=True)
        return [
            (name, item)
            for name, item in pairs
            if not item.is_addon or form.cleaned_data.get(name) is not None
        ]


def _first(item: PlanItem, held: Decimal | None) -> Decimal | None:
    """Return in which quantity an item is offered: as it is had, if the plan lets it."""
    if held is not None and (item.minimum or 0) <= held <= (item.maximum or held):
        return Decimal(f"{held.normalize():f}")
    return None if item.is_addon else Decimal(f"{item.quantity.normalize():f}")


def _help(item: PlanItem, held: Decimal | None) -> str:
    """Return what is to be known of an item: that it is an add-on, its bounds, what is had."""
    parts = []
    if item.is_addon:
        parts.append(_("Add-on: left empty, it is not taken."))
    if item.minimum is not None or item.maximum is not None:
        parts.append(_("Possible: %(bounds)s.") % {"bounds": bounds_text(item)})
    if held is not None:
        parts.append(_("So far: %(count)s.") % {"count": quantity(held)})
    return " ".join(parts)

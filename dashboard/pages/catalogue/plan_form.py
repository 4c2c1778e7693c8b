"""The form of a plan: what it is called, what binds who begins with it, its items row by row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.formats import localize_input
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.pages.subscriptions.contract import ContractFields
from subscriptions.models import Plan, Price
from subscriptions.models.limits import (
    MAX_ITEMS,
    MAX_TRIAL_DAYS,
    QUANTITY_DECIMALS,
    QUANTITY_DIGITS,
)
from subscriptions.operations.plans.checking import NewPlan, NewPlanItem
from subscriptions.queries.catalogue import prices
from tenancy.actor import Actor
from tenancy.errors import Conflict, Invalid
from tenancy.ids import parse_public_id
from web.offering import offered
from web.prices import price_amount, price_in_words, price_rhythm

PARTS: Final = ("price", "part", "quantity", "minimum", "maximum")
NUMBERS: Final = ("quantity", "minimum", "maximum")
ALWAYS: Final = "always"
ADDON: Final = "addon"
CONTRACT: Final = ("minimum_term_months", "renewal_months", "notice_months", "notice_days")
_REFUSED: Final = {"plan_name_taken": "name", "external_id_taken": "external_id"}
_MOST_PRICES: Final = 1_000
_INPUT: Final = {"class": "input", "autocomplete": "off"}


@dataclass(slots=True)
class PlanRow:
    """One row of the editor: what was written into it, and what is wrong with it."""

    values: Mapping[str, str]
    price: Price | None
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The price, or what was sent as one."""
        return self.values["price"] if self.price is None else self.price.name

    @property
    def about(self) -> str:
        """Of which product and variant it is, and what it costs."""
        if self.price is None:
            return ""
        return _("%(product)s · %(variant)s · %(price)s") % {
            "product": self.price.product.name,
            "variant": variant_title(self.price),
            "price": price_amount(self.price),
        }


class ItemRows(forms.Widget):
    """Rows of inputs; the template draws them."""

    def value_from_datadict(
        self, data: Mapping[str, Any], files: Any, name: str
    ) -> list[dict[str, str]]:
        """Return what was written, row by row; no more rows than one too many."""
        lists = [
            data.getlist(f"item_{part}") if isinstance(data, MultiValueDict) else []
            for part in PARTS
        ]
        count = min(max(len(some) for some in lists), MAX_ITEMS + 1)
        return [
            {
                part: some[place].strip() if place < len(some) else ""
                for part, some in zip(PARTS, lists, strict=True)
            }
            for place in range(count)
        ]


class PlanForm(ContractFields):
    """All that a plan is."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=200, widget=forms.TextInput(attrs=_INPUT)
    )
    external_id = forms.CharField(
        label=gettext_lazy("External ID (optional)"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs=_INPUT),
    )
    trial_days = forms.IntegerField(
        label=gettext_lazy("Days of trial (optional)"),
        help_text=gettext_lazy("They are not charged; the first period begins after them."),
        required=False,
        min_value=1,
        max_value=MAX_TRIAL_DAYS,
        widget=forms.NumberInput(attrs={"class": "input"}),
    )
    items = forms.Field(label=gettext_lazy("Items"), required=False, widget=ItemRows)
    new_price = forms.ChoiceField(
        label=gettext_lazy("One more price"),
        required=False,
        widget=forms.Select(attrs={"class": "input"}),
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        """Offer what is sold, by currency and interval. At most two statements."""
        super().__init__(*args, **kwargs)
        del self.fields["term_start"]
        sold = offered(self.fields["new_price"], prices(actor, is_sold=True), _MOST_PRICES)
        known = {price.pk: price for price in sold}
        written: Sequence[Mapping[str, str]] = self["items"].value() or []
        keys = {key for row in written if (key := _key(row["price"])) is not None}
        if missing := keys - known.keys():
            known |= prices(actor).in_bulk(missing)
        self.rows = [PlanRow(row, known.get(_key(row["price"]))) for row in written]  # type: ignore[arg-type]
        chosen: Any = self.fields["new_price"]
        chosen.choices = [("", "–"), *_choices(one for one in sold if one.pk not in keys)]
        self._known = known

    def clean(self) -> dict[str, Any]:
        """Read the rows; the price that is chosen below them is one more of them."""
        values = super().clean() or {}
        # Each start has its own.
        values["term_start"] = None
        if values.get("new_price"):
            self.add_row()
        values["items"] = [self._read(place, row) for place, row in enumerate(self.rows)]
        return values

    @property
    def names(self) -> dict[str, str]:
        """The names of the prices that are known here, by their ids."""
        return {price.public_id: price.name for price in self._known.values()}

    def add_row(self) -> None:
        """Let the editor have one more row, of the price that is chosen below it."""
        added = self.data.get("new_price", "")
        price = self._known.get(_key(added))  # type: ignore[arg-type]
        if price is not None and added not in {row.values["price"] for row in self.rows}:
            fresh = {**dict.fromkeys(PARTS, ""), "price": added, "part": ALWAYS, "quantity": "1"}
            self.replace_rows([*self.rows, PlanRow(fresh, price)][:MAX_ITEMS])

    def remove_row(self, place: int) -> None:
        """Let the editor have one row less."""
        self.replace_rows([row for at, row in enumerate(self.rows) if at != place])

    def raise_row(self, place: int) -> None:
        """Let a row change places with the one above it."""
        rows = list(self.rows)
        if 0 < place < len(rows):
            rows[place - 1 : place + 1] = rows[place], rows[place - 1]
        self.replace_rows(rows)

    def replace_rows(self, rows: Sequence[PlanRow]) -> None:
        """Let the editor hold other rows; nothing is chosen below them any more."""
        assert isinstance(self.data, QueryDict)  # noqa: S101 - for the checker of types
        data = self.data.copy()
        for part in PARTS:
            data.setlist(f"item_{part}", [row.values[part] for row in rows])
        data["new_price"] = ""
        self.data, self.rows = data, list(rows)
        held = {row.values["price"] for row in rows}
        chosen: Any = self.fields["new_price"]
        sold = sorted(self._known.values(), key=lambda one: one.created_at, reverse=True)
        chosen.choices = [("", "–"), *_choices(one for one in sold if one.public_id not in held)]

    def wanted(self) -> NewPlan:
        """Return the plan, of a valid form."""
        chosen = self.cleaned_data
        return NewPlan(
            name=chosen["name"],
            items=chosen["items"],
            external_id=chosen["external_id"] or None,
            trial_days=chosen["trial_days"],
            contract=self.contract(),
        )

    def refuse(self, refusal: Invalid | Conflict) -> None:
        """Let a refusal stand at the fields that it names; one of an item in its row too."""
        for error in refusal.errors:
            _empty, *path = error.pointer.split("/")
            if path[0] == "items" and len(path) > 1:
                self._fault(int(path[1]), path[2], error.detail)
            else:
                name = path[-1]
                self.add_error(name if name in self.fields else None, error.detail)
        if not refusal.errors:
            self.add_error(_REFUSED.get(refusal.code), refusal.detail)

    def _read(self, place: int, row: PlanRow) -> NewPlanItem:
        """Return an item; what is no number is said in its row."""
        numbers: dict[str, Decimal | None] = {}
        for name in NUMBERS:
            try:
                numbers[name] = _number().clean(row.values[name])
            except forms.ValidationError as error:
                numbers[name] = None
                self._fault(place, name, error.messages[0])
        if row.price is None:
            self._fault(place, "price", _("There is no such price."))
        quantity = numbers["quantity"]
        return NewPlanItem(
            price_id=UUID(int=0) if row.price is None else row.price.pk,
            quantity=Decimal(1) if quantity is None else quantity,
            is_addon=row.values["part"] == ADDON,
            minimum=numbers["minimum"],
            maximum=numbers["maximum"],
        )

    def _fault(self, place: int, part: str, detail: str) -> None:
        row = self.rows[place]
        row.faults[part] = detail
        said = _("%(name)s: %(fault)s") % {"name": row.name, "fault": detail}
        self.add_error("items", said)


def variant_title(price: Price) -> str:
    """Return in which variant of a plan a price is: its currency and its rhythm."""
    return f"{price.currency}, {price_rhythm(price)}"


def initial_of(plan: Plan) -> dict[str, Any]:
    """Return what the form shows of a plan that is there."""
    items = sorted(plan.items.all(), key=lambda one: (one.position, one.pk))
    return {
        "name": plan.name,
        "external_id": plan.external_id,
        "trial_days": plan.trial_days,
        **{name: getattr(plan, name) or None for name in CONTRACT},
        "items": [
            {
                "price": item.price.public_id,
                "part": ADDON if item.is_addon else ALWAYS,
                **{name: _localized(getattr(item, name)) for name in NUMBERS},
            }
            for item in items
        ],
    }


def _choices(sold: Iterator[Price]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield prices to choose from, by variant."""

    def order(price: Price) -> tuple[str, str, str, str]:
        return variant_title(price), price.product.name, price.name, price.public_id

    for variant, some in groupby(sorted(sold, key=order), key=variant_title):
        yield variant, [(one.public_id, _words(one)) for one in some]


def _words(price: Price) -> str:
    named = price_in_words(price)
    return named if price.product.name == price.name else f"{price.product.name}: {named}"


def _key(text: str) -> UUID | None:
    return parse_public_id("prc", text)


def _number() -> forms.DecimalField:
    return forms.DecimalField(
        required=False,
        min_value=Decimal(0),
        max_digits=QUANTITY_DIGITS + QUANTITY_DECIMALS,
        decimal_places=QUANTITY_DECIMALS,
        localize=True,
    )


def _localized(number: Decimal | None) -> str:
    return "" if number is None else str(localize_input(Decimal(f"{number.normalize():f}")))

"""The form of a price: what it costs, how often, and its tiers row by row."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.formats import localize_input
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_rules.periods import Unit
from billing_rules.pricing import InvalidTerms, Model, PriceTerms, Tier
from billing_rules.tax import Category
from billing_rules.tax_rates import TaxClass
from subscriptions.models import Meter, Price
from subscriptions.models.limits import (
    MAX_TIERS,
    PRICE_DECIMALS,
    PRICE_DIGITS,
    QUANTITY_DECIMALS,
    QUANTITY_DIGITS,
)
from tenancy.errors import Conflict, Invalid
from tenancy.ids import parse_public_id, public_id
from web.prices import MODELS, TAX_CLASSES, TIMINGS

PARTS: Final = ("up_to", "unit_amount", "flat_amount")
TIERED: Final = frozenset({Model.GRADUATED, Model.VOLUME})
_AMOUNTED: Final = frozenset({Model.FLAT, Model.PER_UNIT, Model.PACKAGE, Model.PERCENTAGE})
UNITS: Final = {
    Unit.DAY: gettext_lazy("Days"),
    Unit.WEEK: gettext_lazy("Weeks"),
    Unit.MONTH: gettext_lazy("Months"),
    Unit.QUARTER: gettext_lazy("Quarters"),
    Unit.HALF_YEAR: gettext_lazy("Half-years"),
    Unit.YEAR: gettext_lazy("Years"),
}


def _number(digits: int, decimals: int, label: Any = "", help_text: Any = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        help_text=help_text,
        required=False,
        min_value=Decimal(0),
        max_digits=digits + decimals,
        decimal_places=decimals,
        localize=True,
        widget=forms.TextInput(
            attrs={"class": "input", "inputmode": "decimal", "autocomplete": "off"}
        ),
    )


class TierRows(forms.Widget):
    """Rows of inputs; the template draws them."""

    def value_from_datadict(
        self, data: Mapping[str, Any], files: Any, name: str
    ) -> list[dict[str, str]]:
        """Return what was written, row by row; no more rows than one too many."""
        lists = [
            data.getlist(f"tier_{part}") if isinstance(data, MultiValueDict) else []
            for part in PARTS
        ]
        count = min(max(len(some) for some in lists), MAX_TIERS + 1)
        return [
            {
                part: some[place].strip() if place < len(some) else ""
                for part, some in zip(PARTS, lists, strict=True)
            }
            for place in range(count)
        ]


class TiersField(forms.Field):
    """The tiers; rows that hold nothing are left out."""

    widget = TierRows

    def clean(self, value: Sequence[Mapping[str, str]]) -> tuple[Tier, ...]:
        """Return the tiers.

        Raises:
            ValidationError: a cell is no number; each is named.
        """
        tiers, faults = [], []
        for place, row in enumerate(value, start=1):
            if not any(row.values()):
                continue
            try:
                tiers.append(_tier(row))
            except forms.ValidationError as error:
                faults += [
                    _("Tier %(number)d: %(fault)s") % {"number": place, "fault": fault}
                    for fault in error.messages
                ]
        if faults:
            raise forms.ValidationError(faults)
        return tuple(tiers)


def _tier(row: Mapping[str, str]) -> Tier:
    if not row["unit_amount"] and not row["flat_amount"]:
        raise forms.ValidationError(_("An amount is missing."))
    limit = _number(QUANTITY_DIGITS, QUANTITY_DECIMALS).clean(row["up_to"])
    amounts = [
        _number(PRICE_DIGITS, PRICE_DECIMALS).clean(row[part]) or Decimal(0) for part in PARTS[1:]
    ]
    return Tier(limit, *amounts)


class PriceForm(forms.Form):
    """All that a price is; what does not belong to its model is left out of account."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("As invoices print it."),
        max_length=200,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    currency = forms.CharField(
        label=gettext_lazy("Currency"),
        max_length=3,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    interval_count = forms.IntegerField(
        label=gettext_lazy("Every"),
        min_value=1,
        max_value=1_200,
        initial=1,
        widget=forms.TextInput(attrs={"class": "input", "inputmode": "numeric"}),
    )
    interval = forms.ChoiceField(
        label=gettext_lazy("Interval"),
        choices=[(unit.value, word) for unit, word in UNITS.items()],
        initial=Unit.MONTH.value,
        widget=forms.Select(attrs={"class": "input"}),
    )
    timing = forms.ChoiceField(
        label=gettext_lazy("Due"),
        choices=[(timing.value, word) for timing, word in TIMINGS.items()],
        widget=forms.Select(attrs={"class": "input"}),
    )
    tax_class = forms.ChoiceField(
        label=gettext_lazy("Tax"),
        choices=[(one.value, word) for one, word in TAX_CLASSES.items()],
        help_text=gettext_lazy("At home; the recipient’s country decides what becomes of it."),
        widget=forms.Select(attrs={"class": "input"}),
    )
    model = forms.ChoiceField(
        label=gettext_lazy("Model"),
        choices=[(model.value, word) for model, word in MODELS.items()],
        widget=forms.Select(attrs={"class": "input"}),
    )
    unit_amount = _number(
        PRICE_DIGITS,
        PRICE_DECIMALS,
        gettext_lazy("Amount"),
        gettext_lazy("For a percentage how many percent, such as 2.9."),
    )
    package_size = _number(
        QUANTITY_DIGITS,
        QUANTITY_DECIMALS,
        gettext_lazy("Package size"),
        gettext_lazy("How many units a package holds; every package begun is charged."),
    )
    setup_fee = _number(
        PRICE_DIGITS,
        PRICE_DECIMALS,
        gettext_lazy("Setup fee (optional)"),
        gettext_lazy("Charged once when it begins, with the first invoice."),
    )
    minimum_amount = _number(
        PRICE_DIGITS,
        PRICE_DECIMALS,
        gettext_lazy("Minimum per period (optional)"),
        gettext_lazy(
            "In any quantity. Of what is metered the rest is charged when the period ends."
        ),
    )
    meter = forms.ChoiceField(
        label=gettext_lazy("Quantity"),
        help_text=gettext_lazy("What is metered is charged in arrears, by what was used."),
        required=False,
        widget=forms.Select(attrs={"class": "input"}),
    )
    unit = forms.CharField(
        label=gettext_lazy("Unit (optional)"),
        help_text=gettext_lazy("What a quantity counts, such as seats."),
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    external_id = forms.CharField(
        label=gettext_lazy("External ID (optional)"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    tiers = TiersField(label=gettext_lazy("Tiers"), required=False)

    def __init__(
        self, *args: Any, meters: Sequence[Meter] = (), is_used: bool = False, **kwargs: Any
    ) -> None:
        """Ask all, or of a price that is used only what it is called.

        ``meters`` are those that it may be charged by.
        """
        super().__init__(*args, **kwargs)
        self.meters, self.is_used = meters, is_used
        chosen: Any = self.fields["meter"]
        chosen.choices = [
            ("", _("as agreed")),
            *((one.public_id, _("metered: %(meter)s") % {"meter": one.name}) for one in meters),
        ]
        if is_used:
            for name in set(self.fields) - {"name", "external_id"}:
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """Leave out of account what does not belong to the model: it was not asked."""
        values = super().clean() or {}
        if values.get("model"):
            for name in _left_out(Model(values["model"])):
                self.errors.pop(name, None)
                values[name] = () if name == "tiers" else None
        return values

    @property
    def rows(self) -> list[dict[str, str]]:
        """The rows of the tier editor, at least two of them."""
        value = list(self["tiers"].value() or [])
        return value + [dict.fromkeys(PARTS, "")] * (2 - len(value))

    def add_row(self) -> None:
        """Let the editor have one more row: above the last one, if that has no end."""
        rows = self.rows
        place = len(rows) - 1 if rows[-1]["unit_amount"] and not rows[-1]["up_to"] else len(rows)
        rows.insert(place, dict.fromkeys(PARTS, ""))
        self.replace_rows(rows[:MAX_TIERS])

    def remove_row(self, place: int) -> None:
        """Let the editor have one row less."""
        self.replace_rows([row for at, row in enumerate(self.rows) if at != place])

    def replace_rows(self, rows: Sequence[Mapping[str, str]]) -> None:
        """Let the editor hold other rows."""
        assert isinstance(self.data, QueryDict)  # noqa: S101 - for the checker of types
        data = self.data.copy()
        for part in PARTS:
            data.setlist(f"tier_{part}", [row[part] for row in rows])
        self.data = data

    def wanted(self) -> dict[str, Any]:
        """Return the members of a price, of a valid form."""
        chosen = dict(self.cleaned_data)
        chosen["external_id"] = chosen["external_id"] or None
        if self.is_used:
            return chosen
        chosen["currency"] = chosen["currency"].strip().upper()
        chosen["meter_id"] = parse_public_id("mtr", chosen.pop("meter"))
        is_zero = chosen["tax_class"] == TaxClass.ZERO
        chosen["tax_category"] = (Category.Z if is_zero else Category.S).value
        return chosen

    def terms(self) -> PriceTerms | None:
        """Return the price as the rules take it, None where it says too little yet."""
        if not self.is_valid():
            return None
        wanted = self.wanted()
        try:
            return PriceTerms(
                Model(wanted["model"]),
                wanted["unit_amount"],
                wanted["tiers"],
                wanted["package_size"],
                None if wanted["meter_id"] else wanted["minimum_amount"] or None,
            )
        except InvalidTerms:
            return None

    def refuse(self, refusal: Invalid | Conflict) -> None:
        """Let a refusal stand at the fields that it names."""
        for error in refusal.errors:
            name = error.pointer.removeprefix("/")
            self.add_error(name if name in self.fields else None, error.detail)
        if not refusal.errors:
            self.add_error(None, refusal.detail)


def _left_out(model: Model) -> list[str]:
    """Return the fields that mean nothing to a model."""
    asked = {
        "tiers": model in TIERED,
        "unit_amount": model in _AMOUNTED,
        "package_size": model == Model.PACKAGE,
    }
    return [name for name, is_asked in asked.items() if not is_asked]


def initial_of(price: Price) -> dict[str, Any]:
    """Return what the form shows of a price that is there."""
    return {
        **{
            name: getattr(price, name)
            for name in PriceForm.base_fields
            if name not in {"tiers", "meter"}
        },
        "meter": "" if price.meter_id is None else public_id("mtr", price.meter_id),
        "tiers": [
            {part: _localized(getattr(tier, part)) for part in PARTS} for tier in price.terms.tiers
        ],
        "unit_amount": _plain(price.unit_amount),
        "package_size": _plain(price.package_size),
        "setup_fee": _plain(price.setup_fee),
        "minimum_amount": _plain(price.minimum_amount),
    }


def _plain(number: Decimal | None) -> Decimal | None:
    """Return a number without needless zeros at its end, but never in powers of ten."""
    return None if number is None else Decimal(f"{number.normalize():f}")


def _localized(number: Decimal | None) -> str:
    plain = _plain(number)
    return "" if plain is None else str(localize_input(plain))


def _first_day(label: Any, help_text: Any, *, required: bool = True) -> forms.DateField:
    return forms.DateField(
        label=label,
        help_text=help_text,
        required=required,
        widget=forms.DateInput(attrs={"class": "input", "type": "date"}, format="%Y-%m-%d"),
    )


class VersionForm(PriceForm):
    """What a price costs from a day on; what all its versions have in common is not asked."""

    valid_from = _first_day(
        gettext_lazy("From when on?"),
        gettext_lazy("A day in the past corrects what was charged since, to the cent."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Leave out what every version of a price has in common."""
        super().__init__(*args, **kwargs)
        for name in ("currency", "interval", "interval_count", "timing", "meter"):
            del self.fields[name]

    def wanted(self) -> dict[str, Any]:
        """Return the members of a version, of a valid form."""
        chosen = dict(self.cleaned_data)
        chosen["external_id"] = chosen["external_id"] or None
        is_zero = chosen["tax_class"] == TaxClass.ZERO
        chosen["tax_category"] = (Category.Z if is_zero else Category.S).value
        return chosen


class EndForm(forms.Form):
    """When a version ends; one for everybody is taken back as a whole."""

    ends_on = _first_day(
        gettext_lazy("First day without it"),
        gettext_lazy("Left empty it is taken back as a whole, as if it had never been."),
        required=False,
    )

    def __init__(self, *args: Any, is_whole: bool, **kwargs: Any) -> None:
        """Ask for the day where there is a choice."""
        super().__init__(*args, **kwargs)
        if is_whole:
            del self.fields["ends_on"]

    def refuse(self, refusal: Invalid | Conflict) -> None:
        """Let a refusal stand at the field that it names."""
        for error in refusal.errors:
            name = error.pointer.removeprefix("/")
            self.add_error(name if name in self.fields else None, error.detail)
        if not refusal.errors:
            self.add_error(None, refusal.detail)

"""Since when something of a subscription is to change: what all of its forms ask alike."""

from datetime import date
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from subscriptions.models import Subscription
from tenancy.errors import BillingError
from tenancy.formats import date_text

INPUT: Final = {"class": "input"}


def day_field(label: Any, help_text: Any = "") -> forms.DateField:
    """Return a field for a day that may be left out."""
    return forms.DateField(
        label=label,
        help_text=help_text,
        required=False,
        widget=forms.DateInput(attrs={**INPUT, "type": "date"}, format="%Y-%m-%d"),
    )


class BilledForm(forms.Form):
    """Whether what a change makes good waits for the billing day."""

    bill_now = forms.BooleanField(
        label=gettext_lazy("Invoice it at once"),
        help_text=gettext_lazy("Otherwise it waits for the recipient's billing day."),
        required=False,
    )

    def refuse(self, refusal: BillingError) -> None:
        """Say what was refused at the fields that it is about."""
        for error in refusal.errors:
            name = error.pointer.rpartition("/")[2]
            self.add_error(name if name in self.fields else None, error.detail)
        if not refusal.errors:
            self.add_error(None, refusal.detail)


class WhenForm(BilledForm):
    """Today, with the next period, or on a day; and whether it waits for the billing day."""

    when = forms.ChoiceField(
        label=gettext_lazy("From when on?"), widget=forms.Select(attrs=INPUT), initial="now"
    )
    day = day_field(
        gettext_lazy("First day"), gettext_lazy("A day in the past corrects a mistake.")
    )

    def __init__(
        self, *args: Any, begins: date | None, period_end: date | None, **kwargs: Any
    ) -> None:
        """Offer the days that are likely: the start where it lies ahead, and the next period."""
        super().__init__(*args, **kwargs)
        first = _("Today")
        if begins is not None:
            first = _("From its start on, %(date)s") % {"date": date_text(begins)}
        days = [("now", first), ("day", _("On another day"))]
        if period_end is not None:
            text = _("From the next period on, %(date)s") % {"date": date_text(period_end)}
            days.insert(1, ("period_end", text))
        choose(self, "when", days)
        self._begins, self._period_end = begins, period_end

    def clean(self) -> dict[str, Any]:
        """Ask for the day where one was chosen."""
        values = super().clean() or {}
        if values.get("when") == "day" and not values.get("day") and "day" not in self.errors:
            self.add_error("day", _("Please name the day."))
        return values

    def first_day(self, today: date) -> date:
        """Return the day that was chosen."""
        chosen = self.cleaned_data
        days = {"period_end": self._period_end, "day": chosen["day"]}
        return days.get(chosen["when"]) or self._begins or today


def start_ahead(found: Subscription, today: date) -> date | None:
    """Return the start of a subscription that has not begun yet, None of one that has."""
    return found.start_date if found.start_date > today else None


def choose(form: forms.Form, name: str, choices: list[tuple[str, str]]) -> None:
    """Give a field of a form its choices."""
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the checker of types
    field.choices = choices

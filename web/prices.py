"""Prices and subscriptions in words, the same on every page."""

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing_rules.metering import Aggregation
from billing_rules.pricing import Model
from billing_rules.subscription_states import State
from billing_rules.tax_rates import TaxClass
from subscriptions.models import Meter, Price, Product, Uncharged
from web.badges import Badge
from web.templatetags.figures import percent, unit_price

_EVERY: Final = {
    "day": gettext_lazy("daily"),
    "week": gettext_lazy("weekly"),
    "month": gettext_lazy("monthly"),
    "quarter": gettext_lazy("quarterly"),
    "half_year": gettext_lazy("half-yearly"),
    "year": gettext_lazy("yearly"),
}
MODELS: Final = {
    Model.FLAT: gettext_lazy("Flat rate"),
    Model.PER_UNIT: gettext_lazy("Per unit"),
    Model.GRADUATED: gettext_lazy("Graduated"),
    Model.VOLUME: gettext_lazy("Volume"),
    Model.PACKAGE: gettext_lazy("Package"),
    Model.PERCENTAGE: gettext_lazy("Percentage"),
}
AGGREGATIONS: Final = {
    Aggregation.SUM: gettext_lazy("Sum of all quantities"),
    Aggregation.MAX: gettext_lazy("Largest quantity"),
    Aggregation.LAST: gettext_lazy("Last quantity"),
    Aggregation.UNIQUE_COUNT: gettext_lazy("How many different ones"),
}
"""What a meter makes of the events of a period."""
TIMINGS: Final = {
    Price.Timing.ADVANCE: gettext_lazy("in advance"),
    Price.Timing.ARREARS: gettext_lazy("in arrears"),
}
TAX_CLASSES: Final = {
    TaxClass.STANDARD: gettext_lazy("Standard rate"),
    TaxClass.REDUCED: gettext_lazy("Reduced rate"),
    TaxClass.REDUCED_2: gettext_lazy("Second reduced rate"),
    TaxClass.SUPER_REDUCED: gettext_lazy("Super-reduced rate"),
    TaxClass.ZERO: gettext_lazy("Zero rate"),
}
STATES: Final = {
    State.ACTIVE: (gettext_lazy("Active"), "ok"),
    State.TRIALING: (gettext_lazy("Trial"), "info"),
    State.FUTURE: (gettext_lazy("Begins later"), "info"),
    State.PAUSED: (gettext_lazy("Paused"), "warn"),
    State.NON_RENEWING: (gettext_lazy("Ends"), "warn"),
    State.CANCELLED: (gettext_lazy("Ended"), ""),
}
"""Word and tone of every state of a subscription."""
UNCHARGED: Final = {
    Uncharged.PAUSED.value: gettext_lazy("paused"),
    Uncharged.ABSENT.value: gettext_lazy("not part of it"),
    Uncharged.FREE.value: gettext_lazy("not charged"),
}
"""Why some days of an item are not charged."""


def price_amount(price: Price) -> str:
    """Return the amount of a full period in its currency, the percentage, or that tiers decide."""
    if price.unit_amount is None:
        return _("in tiers")
    if price.model == Model.PERCENTAGE:
        return percent(price.unit_amount)
    return unit_price(price.unit_amount, price.currency)


def price_in_words(price: Price) -> str:
    """Return a price as it is chosen: its name, its amount and how often it is charged."""
    return _("%(name)s · %(amount)s, %(rhythm)s") % {
        "name": price.name,
        "amount": price_amount(price),
        "rhythm": price_rhythm(price),
    }


def price_rhythm(price: Price) -> str:
    """Return how often a price is charged: monthly, every 2 years."""
    if price.interval_count == 1:
        return str(_EVERY[price.interval])
    words = {
        "day": ngettext("every %(n)s day", "every %(n)s days", price.interval_count),
        "week": ngettext("every %(n)s week", "every %(n)s weeks", price.interval_count),
        "month": ngettext("every %(n)s month", "every %(n)s months", price.interval_count),
        "quarter": ngettext("every %(n)s quarter", "every %(n)s quarters", price.interval_count),
        "half_year": ngettext(
            "every %(n)s half-year", "every %(n)s half-years", price.interval_count
        ),
        "year": ngettext("every %(n)s year", "every %(n)s years", price.interval_count),
    }
    return words[price.interval] % {"n": price.interval_count}


def archived_badges(thing: Product | Price | Meter) -> list[Badge]:
    """Return what a product, a price or a meter bears that is archived."""
    return [] if thing.archived_at is None else [Badge(_("Archived"))]


def subscription_badge(state: State) -> Badge:
    """Return the badge of a subscription's state."""
    label, tone = STATES[state]
    return Badge(str(label), tone)

"""What the due periods of metered items were used for: read for many at once, then asked."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final
from uuid import UUID

from billing_rules.periods import Period
from invoicing.engine.rows import SubscriptionRow
from subscriptions.models import Price
from subscriptions.queries.measured import Measured, Window, measured_in
from tenancy.actor import Actor
from tenancy.ids import public_id

NOTHING: Final = Decimal(0)


def window_of(subscription: SubscriptionRow, price: Price, period: Period) -> Window | None:
    """Return what a price asks a meter, None where it is not metered."""
    meter_id: UUID | None = price.meter_id
    return None if meter_id is None else Window(subscription.id, meter_id, period)


@dataclass
class Usage:
    """What meters measured, as far as somebody has asked.

    Once it ``is_complete`` nothing else is read: days of which nothing is known have no usage
    yet. So it is where days to come are foreseen.
    """

    is_complete: bool = False
    _known: dict[Window, Measured] = field(default_factory=dict)

    def read(self, actor: Actor, windows: Iterable[Window | None]) -> None:
        """Read what is not known yet. Two statements, three where keys are counted, or none."""
        wanted = {window for window in windows if window is not None and not self.is_complete}
        if new := wanted - self._known.keys():
            self._known |= measured_in(actor, new)

    def of(self, actor: Actor, window: Window) -> Measured:
        """Return what was measured; asked singly it costs the statements of ``read``."""
        found = self._known.get(window)
        if found is None:
            if self.is_complete:
                return Measured(NOTHING, 0, {"id": public_id("mtr", window.meter_id)})
            self.read(actor, [window])
            found = self._known[window]
        return found

"""What the frame around every page needs: its rooms, who is here, and when it is.

A new room is one line in ``DASHBOARD`` or ``PORTAL``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Person
from accounts.models.people import StaffRole
from tenancy import clock
from tenancy.actor import Actor
from tenancy.models import Tenant

THEME_COOKIE: Final = "theme"
THEMES: Final = frozenset({"light", "dark"})
DENSITY_COOKIE: Final = "density"
KEYS_COOKIE: Final = "keys"


@dataclass(frozen=True, slots=True)
class Room:
    """One entry of the navigation."""

    label: str | Promise
    icon: str
    url_name: str


@dataclass(frozen=True, slots=True)
class RoomGroup:
    """Entries that belong together, under a heading or under none."""

    label: str | Promise
    rooms: tuple[Room, ...]


DASHBOARD: Final = (
    RoomGroup(
        "",
        (
            Room(_("Customers"), "network", "customers:list"),
            Room(_("Change plans"), "milestone", "plans:list"),
        ),
    ),
    RoomGroup(
        _("Money"),
        (
            Room(_("Subscriptions"), "repeat", "subscriptions:list"),
            Room(_("Charges"), "hourglass", "charges:list"),
            Room(_("Invoices"), "file-text", "invoices:list"),
            Room(_("Billing runs"), "calendar-check", "runs:list"),
            Room(_("Billing calendar"), "calendar", "calendar:calendar"),
        ),
    ),
    RoomGroup(
        _("Set-up"),
        (
            Room(_("Product catalogue"), "package", "catalogue:list"),
            Room(_("Import"), "upload", "imports:list"),
            Room(_("Settings"), "settings", "settings:home"),
        ),
    ),
)
PORTAL: Final = (
    RoomGroup(
        "",
        (
            Room(_("Overview"), "house", "portal"),
            Room(_("Invoices"), "file-text", "portal-invoices:list"),
            Room(_("Calendar"), "calendar", "portal-calendar:calendar"),
            Room(_("Requests"), "milestone", "portal-requests"),
        ),
    ),
)
ROLE_NAMES: Final[dict[str, Promise]] = {
    StaffRole.SUPPORT: _("Support"),
    StaffRole.BILLING: _("Billing clerk"),
    StaffRole.FINANCE_ADMIN: _("Finance lead"),
    StaffRole.AUDITOR: _("Auditor"),
    StaffRole.DEVELOPER: _("Developer"),
    StaffRole.OWNER: _("Owner"),
}


@dataclass(frozen=True, slots=True)
class RoomLink:
    """A room as the template draws it."""

    label: str
    icon: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class RoomLinks:
    """A group of rooms as the template draws it."""

    label: str
    rooms: tuple[RoomLink, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything that a frame shows beside the page itself.

    ``test_date`` is the date of the test clock, None outside of test environments. ``here`` is
    where a switch of language or appearance comes back to. ``owner`` tells whose the things are
    that the browser remembers.
    """

    template: str
    here: str
    groups: tuple[RoomLinks, ...] = ()
    test_date: date | None = None
    person_name: str = ""
    person_email: str = ""
    role: str = ""
    has_more_tenants: bool = False
    owner: str = ""


def frame(request: HttpRequest) -> dict[str, object]:
    """Return the values of the frame for templates. No statement."""
    tenant: Tenant | None = getattr(request, "tenant", None)
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return {
        "frame": frame_of(request, tenant),
        "product_name": tenant.name if tenant else _("Billing"),
        "theme": theme if theme in THEMES else "",
        "is_compact": request.COOKIES.get(DENSITY_COOKIE) == "compact",
        "has_keys": request.COOKIES.get(KEYS_COOKIE) != "off",
    }


def is_staff(actor: Actor) -> bool:
    """Return whether the actor is one of the tenant's own people."""
    return actor.staff_role is not None


def frame_of(request: HttpRequest, tenant: Tenant | None) -> Frame:
    """Return the frame for whoever asks: the dashboard's, the portal's, or a bare one."""
    actor: Actor | None = getattr(request, "actor", None)
    here = request.get_full_path() if request.method == "GET" else request.path
    person = getattr(request, "user", None)
    if actor is None or tenant is None or not isinstance(person, Person):
        return Frame(template="frames/bare.html", here=here)
    staff = is_staff(actor)
    return Frame(
        template="frames/dashboard.html" if staff else "frames/portal.html",
        here=here,
        groups=tuple(_links(DASHBOARD if staff else PORTAL, request.path)),
        test_date=clock.today_of(tenant) if tenant.is_sandbox else None,
        person_name=person.name,
        person_email=person.email,
        role=str(ROLE_NAMES.get(actor.staff_role or "", "")),
        has_more_tenants=getattr(request, "has_more_tenants", False),
        owner=tenant.public_id,
    )


def _links(groups: Iterable[RoomGroup], path: str) -> Iterable[RoomLinks]:
    """Return the groups with addresses; current is the room with the longest that fits."""
    urls = {room.url_name: reverse(room.url_name) for group in groups for room in group.rooms}
    current = max((url for url in urls.values() if path.startswith(url)), key=len, default="")
    for group in groups:
        yield RoomLinks(
            label=str(group.label),
            rooms=tuple(
                RoomLink(
                    str(room.label),
                    room.icon,
                    urls[room.url_name],
                    urls[room.url_name] == current,
                )
                for room in group.rooms
            ),
        )

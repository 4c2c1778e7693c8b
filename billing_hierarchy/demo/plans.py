"""What the demo tenants are: dates, sellers and people. Their customers are in the files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from accounts.models.people import StaffRole
from accounts.operations.sellers import SellerFields


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who can sign in.

    Attributes:
        email: what they sign in with.
        name: shown to people.
        sees: what they come to, in a few words.
        role: of the tenant's staff; empty for a customer's contact.
        contact: the external id of a customer's contact; empty for staff.
    """

    email: str
    name: str
    sees: str
    role: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """One demo tenant.

    Attributes:
        slug: its short name, and the folder with its files.
        name: shown to people.
        opening: where its clock stands while its customers are brought in.
        clock: where its clock stands afterwards; everything due on the way is issued.
        drafts: a date for which drafts wait to be approved, None for none.
        seller: who issues the invoices.
        logins: its people.
    """

    slug: str
    name: str
    opening: date
    clock: date
    drafts: date | None
    seller: SellerFields
    logins: Sequence[Login]

    def file(self, kind: str) -> bytes:
        """Return an import file, empty if the tenant has none of this kind."""
        path = Path(__file__).parent / self.slug / f"{kind}.csv"
        return path.read_bytes() if path.exists() else b""


_JANA = "jana.petersen@fjordlicht.example"

FJORDLICHT = Plan(
    slug="fjordlicht",
    name="Fjordlicht Software GmbH",
    opening=date(2026, 6, 30),
    clock=date(2026, 11, 23),
    drafts=date(2026, 12, 1),
    seller={
        "name": "Fjordlicht Software GmbH",
        "line1": "Hafenstraße 12",
        "postal_code": "24103",
        "city": "Kiel",
        "country": "DE",
        "vat_id": "DE999900032",
        "tax_number": "20/000/00000",
        "register_entry": "HRB 00000 Kiel",
        "directors": "J. Petersen",
        "email": "rechnung@fjordlicht.example",
        "iban": "DE89370400440532013000",
        "bic": "COBADEFFXXX",
        "bank_name": "Musterbank",
    },
    logins=(
        Login(_JANA, "Jana Petersen", "everything about money", StaffRole.FINANCE_ADMIN),
        Login("tom.adler@fjordlicht.example", "Tom Adler", "billing runs", StaffRole.BILLING),
        Login("mira.scholz@fjordlicht.example", "Mira Scholz", "reads only", StaffRole.AUDITOR),
        Login(
            "deniz.kaya@fjordlicht.example",
            "Deniz Kaya",
            "reads, reports usage",
            StaffRole.DEVELOPER,
        ),
        Login("ole.fischer@fjordlicht.example", "Ole Fischer", "everything", StaffRole.OWNER),
        Login(
            "ingrid.hansen@nordhafen.example",
            "Ingrid Hansen",
            "the customer Nordhafen Group, all of it",
            contact="P-01",
        ),
        Login(
            "lea.brandt@nordhafen.example",
            "Lea Brandt",
            "Nordhafen's IT Services, reads only",
            contact="P-02",
        ),
        Login(
            "paul.martin@nordhafen.example",
            "Paul Martin",
            "Nordhafen France",
            contact="P-03",
        ),
        Login(
            "sven.brueckner@brueckner.example",
            "Sven Brückner",
            "the customer Brückner Systemhaus with its 50 clients",
            contact="P-04",
        ),
        Login(
            "dr.vogt@brueckner.example",
            "Dr. Vogt",
            "one client of Brückner, reads only",
            contact="P-05",
        ),
    ),
)

KLEINWERK = Plan(
    slug="kleinwerk",
    name="Kleinwerk Studio",
    opening=date(2026, 9, 30),
    clock=date(2026, 11, 23),
    drafts=None,
    seller={
        "name": "Kleinwerk Studio, Inh. Nele Harms",
        "line1": "Große Elbstraße 68",
        "postal_code": "22767",
        "city": "Hamburg",
        "country": "DE",
        "vat_id": "",
        "tax_number": "41/000/00000",
        "register_entry": "",
        "directors": "",
        "email": "rechnung@kleinwerk.example",
        "iban": "DE02500105170137075030",
        "bic": "INGDDEFFXXX",
        "bank_name": "Musterbank",
    },
    logins=(Login(_JANA, "Jana Petersen", "everything about money", StaffRole.FINANCE_ADMIN),),
)

PLANS = (FJORDLICHT, KLEINWERK)


def logins_of(plans: Iterable[Plan]) -> dict[str, list[tuple[Plan, Login]]]:
    """Return each e-mail address with the places where it leads."""
    found: dict[str, list[tuple[Plan, Login]]] = {}
    for plan in plans:
        for login in plan.logins:
            found.setdefault(login.email, []).append((plan, login))
    return found

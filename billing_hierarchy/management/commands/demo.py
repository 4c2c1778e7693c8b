"""``manage.py demo``: two tenants to look at, and who can sign in."""

from collections.abc import Mapping, Sequence
from typing import Any

from billing_hierarchy.demo import (
    PLANS,
    Plan,
    complete_tenant,
    demo_password,
    is_complete,
    logins_of,
)
from tenancy.clock import today_of
from tenancy.errors import BillingError
from tenancy.management.interface import BillingCommand
from tenancy.models import Tenant


class Command(BillingCommand):
    """Make what is missing of the demo tenants, then print the logins."""

    help = "Make the demo tenants if they are missing, and print who can sign in."

    def work(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Complete each tenant; one that can't be completed is named and stops nothing."""
        password = demo_password()
        tenants, made = [], []
        for plan in PLANS:
            if not options["json"] and not is_complete(plan):
                self.stdout.write(f"Making the demo tenant “{plan.name}” …")
                self.stdout.flush()
            try:
                tenants.append(_summary(complete_tenant(plan, password=password)))
                made.append(plan)
            except BillingError as error:
                tenants.append({"slug": plan.slug, "name": plan.name, "problem": error.detail})
        return {"tenants": tenants, "logins": _logins(made, password)}

    def in_words(self, answer: Mapping[str, Any]) -> str:
        """Return the tenants' clocks and a table of logins."""
        rows = [("E-mail", "Password", "Who", "What they see")]
        rows += [
            (login["email"], login["password"], login["name"], login["sees"])
            for login in answer["logins"]
        ]
        lines = ["", "Demo tenants:"]
        lines += [f"  {_tenant_in_words(tenant)}" for tenant in answer["tenants"]]
        return "\n".join([*lines, "", *_table(rows), ""])


def _summary(tenant: Tenant) -> dict[str, Any]:
    return {"slug": tenant.slug, "name": tenant.name, "today": today_of(tenant).isoformat()}


def _logins(plans: Sequence[Plan], password: str) -> list[dict[str, Any]]:
    return [
        {
            "email": email,
            "password": password,
            "name": places[0][1].name,
            "sees": _sees(places[0][1].sees, [plan for plan, _login in places]),
            "tenants": [plan.slug for plan, _login in places],
            "role": places[0][1].role or "customer",
        }
        for email, places in logins_of(plans).items()
    ]


def _sees(text: str, plans: Sequence[Plan]) -> str:
    if len(plans) == 1:
        return text
    return f"{text}, of {' and '.join(plan.name for plan in plans)}"


def _tenant_in_words(tenant: Mapping[str, str]) -> str:
    if problem := tenant.get("problem"):
        return f"{tenant['name']}: not complete ({problem})"
    return f"{tenant['name']} ({tenant['slug']}), test clock {tenant['today']}"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]

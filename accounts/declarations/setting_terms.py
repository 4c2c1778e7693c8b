"""What is said of every billing setting: where it is read, who may change it, its default."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.declarations.values import AccountReference, SellerReference, ValueKind


class ReadAt(StrEnum):
    """On which account of a charge a setting is read (R9)."""

    SERVICE_OWNER = "service_owner"
    BILL_TO = "bill_to"
    PAYER = "payer"


class ChangedBy(StrEnum):
    """Who may change a setting, beside the right to change settings."""

    VENDOR = "vendor"
    """Only who may do so on every account of the tenant."""
    CUSTOMER = "customer"
    """Also the customer's people and keys, on what they reach."""


class SettingGroup(StrEnum):
    """Settings that belong together on a page."""

    WHO = "who"
    TIMING = "timing"
    CONTRACT = "contract"
    MONEY = "money"
    DOCUMENT = "document"
    TAX = "tax"
    REMINDERS = "reminders"


GROUP_TITLES: Final[dict[SettingGroup, Promise]] = {
    SettingGroup.WHO: _("Who"),
    SettingGroup.TIMING: _("Timing"),
    SettingGroup.CONTRACT: _("Contract terms"),
    SettingGroup.MONEY: _("Money"),
    SettingGroup.DOCUMENT: _("Document"),
    SettingGroup.TAX: _("Tax"),
    SettingGroup.REMINDERS: _("Reminders"),
}


class _TenantLike(Protocol):
    currency: str
    language: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class OfTenant:
    """A default that each tenant has itself."""

    column: str

    def of(self, tenant: _TenantLike) -> str:
        """Return what this tenant has."""
        found: str = getattr(tenant, self.column)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting.

    Attributes:
        name: in the database, in files and in the API.
        label: what pages call it.
        does: what it does, in a sentence.
        kind: what it may be.
        read_at: on which account of a charge it is read (R9).
        group: where it stands on pages.
        default: of a new tenant: a value, or one that the tenant has; None for none.
        has_tenant_default: whether a tenant has a default at all; else an account is its own.
        changed_by: who may change it.
        can_be_locked: whether an account may keep those below from changing it.
        can_be_scheduled: whether a change may begin on a later day.
        is_used: whether anything reads it yet; pages and documents say so where nothing does.
        is_in_files: whether a file of accounts has a column for it.
        example: a cell of a file, to show what one looks like.
        is_example_below: the example belongs to an account below the top.
    """

    name: models.TextChoices
    label: Promise
    does: Promise
    kind: ValueKind
    read_at: ReadAt
    group: SettingGroup
    default: Any = None
    has_tenant_default: bool = True
    changed_by: ChangedBy = ChangedBy.VENDOR
    can_be_locked: bool = True
    can_be_scheduled: bool = True
    is_used: bool = True
    is_in_files: bool = True
    example: str = ""
    is_example_below: bool = False

    def default_of(self, tenant: _TenantLike) -> Any:
        """Return the default of a new tenant; None for none."""
        return self.default.of(tenant) if isinstance(self.default, OfTenant) else self.default

    @property
    def is_account(self) -> bool:
        """Whether its value is an account."""
        return isinstance(self.kind, AccountReference)

    @property
    def is_seller(self) -> bool:
        """Whether its value is a seller."""
        return isinstance(self.kind, SellerReference)

    @property
    def empty(self) -> Promise:
        """What an empty cell means, for people."""
        if not self.has_tenant_default:
            return _OWN_AT_TOP
        return _INHERITED_OR_NONE if self.default is None else _INHERITED

    @property
    def help(self) -> str:
        """What it does, and whether anything reads it yet."""
        if self.is_used:
            return str(self.does)
        return str(_("%(does)s Stored, not used yet.")) % {"does": self.does}


_INHERITED: Final = _("Inherited from the account above, else from the settings of the company.")
_INHERITED_OR_NONE: Final = _("Inherited from the account above; at the top of a tree none.")
_OWN_AT_TOP: Final = _("Inherited from the account above; at the top of a tree the account itself.")

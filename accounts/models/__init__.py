"""Tables of the app, by what they describe."""

from accounts.models.jobs import Job
from accounts.models.log import AuditEntry, Event
from accounts.models.nodes import Account, AccountNode, Placement
from accounts.models.people import ApiKey, Contact, Grant, Membership, Person
from accounts.models.settings import SettingInterval, SettingName
from accounts.models.tenants import BankAccount, Seller, TaxRate, Tenant

__all__ = [
    "Account",
    "AccountNode",
    "ApiKey",
    "AuditEntry",
    "BankAccount",
    "Contact",
    "Event",
    "Grant",
    "Job",
    "Membership",
    "Person",
    "Placement",
    "Seller",
    "SettingInterval",
    "SettingName",
    "TaxRate",
    "Tenant",
]

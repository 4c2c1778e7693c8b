"""Tables of the app, by what they describe."""

from accounts.declarations import SettingName
from accounts.models.nodes import Account, AccountNode, Placement
from accounts.models.people import ApiKey, Contact, Grant, Membership, Person
from accounts.models.sellers import BankAccount, Seller, TaxRate
from accounts.models.settings import SettingInterval
from accounts.models.tags import AccountTag

__all__ = [
    "Account",
    "AccountNode",
    "AccountTag",
    "ApiKey",
    "BankAccount",
    "Contact",
    "Grant",
    "Membership",
    "Person",
    "Placement",
    "Seller",
    "SettingInterval",
    "SettingName",
    "TaxRate",
]
